/* SPDX-License-Identifier: MIT */
/* The metrics of the build, of the service's health and of this process. */
#include "kt-figures.h"

#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* ---- the service */

static void
collect_up (KtSamples *samples, gpointer data)
{
  const int state = kt_health_state (data);

  if (state >= 0)
    kt_samples_add (samples, state, NULL, 0);
}

static void
collect_last_success (KtSamples *samples, gpointer data)
{
  const KtUsec wall = kt_health_last_success (data);

  if (wall != 0)
    kt_samples_add (samples, (double) wall / KT_SECOND, NULL, 0);
}

static void
collect_skew (KtSamples *samples, gpointer data)
{
  KtSec skew;

  if (kt_health_skew (data, &skew))
    kt_samples_add (samples, (double) skew, NULL, 0);
}

/* ---- the build */

static void
collect_build (KtSamples *samples, gpointer data)
{
  kt_samples_add (samples, 1, &(KtLabel){ "version", KT_VERSION }, 1);
}

/* ---- the process */

/* A file of /proc, "" when it cannot be read. (transfer full) */
static char *
proc (const char *path)
{
  char *text = NULL;
  return g_file_get_contents (path, &text, NULL, NULL) ? text : g_strdup ("");
}

/* Field NUMBER of /proc/self/stat, as proc(5) counts them, from 3 on. The second may hold anything, but ends with the
 * last ")". */
static double
stat_field (guint number)
{
  g_autofree char *text = proc ("/proc/self/stat");
  const char *after = strrchr (text, ')');
  g_auto (GStrv) fields = g_strsplit (after != NULL ? after : "", " ", -1);

  return g_strv_length (fields) > number - 2 ? g_ascii_strtod (fields[number - 2], NULL) : 0;
}

static void
collect_cpu (KtSamples *samples, gpointer data)
{
  struct rusage usage;

  if (getrusage (RUSAGE_SELF, &usage) == 0)
    kt_samples_add (samples,
                    (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
                        + (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / KT_SECOND,
                    NULL, 0);
}

static void
collect_resident (KtSamples *samples, gpointer data)
{
  kt_samples_add (samples, stat_field (24) * (double) sysconf (_SC_PAGESIZE), NULL, 0);
}

static void
collect_virtual (KtSamples *samples, gpointer data)
{
  kt_samples_add (samples, stat_field (23), NULL, 0);
}

static void
collect_start (KtSamples *samples, gpointer data)
{
  g_autofree char *text = proc ("/proc/stat");
  const char *boot = strstr (text, "\nbtime ");

  if (boot != NULL)
    kt_samples_add (
        samples, g_ascii_strtod (boot + strlen ("\nbtime "), NULL) + stat_field (22) / (double) sysconf (_SC_CLK_TCK),
        NULL, 0);
}

static void
collect_open_fds (KtSamples *samples, gpointer data)
{
  g_autoptr (GDir) directory = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n = 0;

  if (directory == NULL)
    return;
  while (g_dir_read_name (directory) != NULL)
    n++;
  kt_samples_add (samples, n - 1, NULL, 0); /* but for the directory's own */
}

static void
collect_max_fds (KtSamples *samples, gpointer data)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) == 0)
    kt_samples_add (samples, (double) limit.rlim_cur, NULL, 0);
}

/* The helps of the process' metrics are those of Prometheus' own client: node_exporter has the same metrics, and takes
 * none of the same name that is described in another way. */
static const struct {
  KtMetricKind kind;
  const char *name;
  const char *help;
  KtMetricsCollect collect;
} figures[] = {
  { KT_METRIC_GAUGE, "kootaskfs_build_info", "The version of kootaskfs; always 1", collect_build },
  { KT_METRIC_GAUGE, "kootaskfs_up", "Whether the last request to the service succeeded; absent before the first",
    collect_up },
  { KT_METRIC_GAUGE, "kootaskfs_last_success_timestamp_seconds",
    "When the service last gave a usable response, since the Unix epoch; absent before the first",
    collect_last_success },
  { KT_METRIC_GAUGE, "kootaskfs_clock_skew_seconds",
    "How far this machine's clock is ahead of the service's; absent before the first response", collect_skew },
  { KT_METRIC_COUNTER, "process_cpu_seconds_total", "Total user and system CPU time spent in seconds.", collect_cpu },
  { KT_METRIC_GAUGE, "process_resident_memory_bytes", "Resident memory size in bytes.", collect_resident },
  { KT_METRIC_GAUGE, "process_virtual_memory_bytes", "Virtual memory size in bytes.", collect_virtual },
  { KT_METRIC_GAUGE, "process_start_time_seconds", "Start time of the process since unix epoch in seconds.",
    collect_start },
  { KT_METRIC_GAUGE, "process_open_fds", "Number of open file descriptors.", collect_open_fds },
  { KT_METRIC_GAUGE, "process_max_fds", "Maximum number of open file descriptors.", collect_max_fds },
};

void
kt_figures_add (KtMetrics *metrics, KtHealth *health, const char *endpoint, const char *mountpoint)
{
  const KtLabel labels[] = { { "endpoint", endpoint }, { "mountpoint", mountpoint } };

  kt_metrics_set_labels (metrics, labels, G_N_ELEMENTS (labels));
  for (gsize i = 0; i < G_N_ELEMENTS (figures); i++)
    kt_metrics_collect (metrics, figures[i].kind, figures[i].name, figures[i].help, figures[i].collect, health);
}
