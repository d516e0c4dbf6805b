/* SPDX-License-Identifier: MIT */
/* Keeps counters, gauges and histograms, and writes them in the Prometheus text format. */
#include "kt-metrics.h"

#include <string.h>

/* One set of labels of a family, and its number. */
typedef struct {
  char *labels; /* as they are written, "" for none */
  guint64 count;
  KtUsec duration;
  KtHistogram *histogram;
} Series;

/* All that have one name. */
typedef struct {
  const char *name;
  const char *help;
  KtMetricKind kind;
  gboolean is_time;         /* its counters count microseconds */
  GPtrArray *series;        /* Series, in the order of their making */
  KtGaugeFunc read;         /* one number */
  KtMetricsCollect collect; /* any number of them */
  gpointer data;            /* of either */
} Family;

struct KtMetrics {
  GPtrArray *families; /* Family, in the order of their making */
  char *labels;        /* of all series, as they are written */
};

struct KtSamples {
  const Family *family;
  const char *common; /* labels of all series */
  GString *out;
  guint n;
};

static void
series_free (gpointer data)
{
  Series *series = data;
  g_free (series->labels);
  g_free (series->histogram);
  g_free (series);
}

static void
family_free (gpointer data)
{
  Family *family = data;
  g_ptr_array_unref (family->series);
  g_free (family);
}

KtMetrics *
kt_metrics_new (void)
{
  KtMetrics *metrics = g_new0 (KtMetrics, 1);
  metrics->families = g_ptr_array_new_with_free_func (family_free);
  metrics->labels = g_strdup ("");
  return metrics;
}

void
kt_metrics_free (KtMetrics *metrics)
{
  if (metrics == NULL)
    return;
  g_ptr_array_unref (metrics->families);
  g_free (metrics->labels);
  g_free (metrics);
}

/* ---- what there is */

static void
append_escaped (GString *out, const char *text, gboolean is_label)
{
  for (; *text != '\0'; text++) {
    if (*text == '\n')
      g_string_append (out, "\\n");
    else if (*text == '\\' || (is_label && *text == '"'))
      g_string_append_printf (out, "\\%c", *text);
    else
      g_string_append_c (out, *text);
  }
}

/* LABELS as they are written, with commas between them; with VALUE, if that is not NULL, in place of theirs. (transfer
 * full) */
static char *
format_labels (const KtLabel *labels, guint n, const char *value)
{
  GString *out = g_string_new (NULL);

  for (guint i = 0; i < n; i++) {
    g_autofree char *valid = g_utf8_make_valid (value != NULL ? value : labels[i].value, -1);
    g_string_append_printf (out, "%s%s=\"", i == 0 ? "" : ",", labels[i].name);
    append_escaped (out, valid, TRUE);
    g_string_append_c (out, '"');
  }
  return g_string_free (out, FALSE);
}

void
kt_metrics_set_labels (KtMetrics *metrics, const KtLabel *labels, guint n)
{
  g_free (metrics->labels);
  metrics->labels = format_labels (labels, n, NULL);
}

static Family *
get_family (KtMetrics *metrics, KtMetricKind kind, const char *name, const char *help)
{
  Family *family;

  for (guint i = 0; i < metrics->families->len; i++) {
    family = g_ptr_array_index (metrics->families, i);
    if (g_str_equal (family->name, name))
      return family;
  }
  family = g_new0 (Family, 1);
  *family = (Family){ .name = name, .help = help, .kind = kind };
  family->series = g_ptr_array_new_with_free_func (series_free);
  g_ptr_array_add (metrics->families, family);
  return family;
}

static Series *
find_series (const Family *family, const char *labels)
{
  for (guint i = 0; i < family->series->len; i++) {
    Series *series = g_ptr_array_index (family->series, i);
    if (g_str_equal (series->labels, labels))
      return series;
  }
  return NULL;
}

static Series *
get_series (Family *family, const KtLabel *labels, guint n)
{
  g_autofree char *text = format_labels (labels, n, NULL);
  Series *series = find_series (family, text);

  if (series == NULL && family->series->len >= KT_METRICS_MOST_SERIES) {
    g_free (text);
    text = format_labels (labels, n, "other");
    series = find_series (family, text);
  }
  if (series == NULL) {
    series = g_new0 (Series, 1);
    series->labels = g_steal_pointer (&text);
    g_ptr_array_add (family->series, series);
  }
  return series;
}

guint64 *
kt_metrics_counter_of (KtMetrics *metrics, const char *name, const char *help, const KtLabel *labels, guint n)
{
  return &get_series (get_family (metrics, KT_METRIC_COUNTER, name, help), labels, n)->count;
}

guint64 *
kt_metrics_counter (KtMetrics *metrics, const char *name, const char *help, const char *label, const char *value)
{
  const KtLabel one = { label, value };
  return kt_metrics_counter_of (metrics, name, help, &one, label != NULL ? 1 : 0);
}

KtUsec *
kt_metrics_seconds (KtMetrics *metrics, const char *name, const char *help, const char *label, const char *value)
{
  const KtLabel one = { label, value };
  Family *family = get_family (metrics, KT_METRIC_COUNTER, name, help);

  family->is_time = TRUE;
  return &get_series (family, &one, label != NULL ? 1 : 0)->duration;
}

KtHistogram *
kt_metrics_histogram (KtMetrics *metrics, const char *name, const char *help, const KtUsec *bounds, const char *label,
                      const char *value)
{
  const KtLabel one = { label, value };
  Series *series = get_series (get_family (metrics, KT_METRIC_HISTOGRAM, name, help), &one, label != NULL ? 1 : 0);

  if (series->histogram == NULL) {
    series->histogram = g_new0 (KtHistogram, 1);
    series->histogram->bounds = bounds;
  }
  return series->histogram;
}

void
kt_metrics_gauge (KtMetrics *metrics, const char *name, const char *help, KtGaugeFunc read, gpointer data)
{
  Family *family = get_family (metrics, KT_METRIC_GAUGE, name, help);

  family->read = read;
  family->data = data;
}

void
kt_metrics_collect (KtMetrics *metrics, KtMetricKind kind, const char *name, const char *help, KtMetricsCollect collect,
                    gpointer data)
{
  Family *family = get_family (metrics, kind, name, help);

  family->collect = collect;
  family->data = data;
}

/* ---- how it is written */

/* The fewest digits that read as VALUE; a whole number as such. */
static void
append_number (GString *out, double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  g_ascii_formatd (text, sizeof (text), "%.15g", value);
  if (g_ascii_strtod (text, NULL) != value)
    g_ascii_dtostr (text, sizeof (text), value);
  g_string_append (out, text);
}

/* The begin of a line, up to the number. LE is a bucket's bound, or NULL. */
static void
write_name (KtSamples *samples, const char *suffix, const char *labels, const char *le)
{
  GString *out = samples->out;
  const char *const parts[] = { samples->common, labels };
  char before = '{';

  if (samples->n++ == 0) {
    static const char *const kinds[] = { "counter", "gauge", "histogram" };
    g_string_append_printf (out, "# HELP %s ", samples->family->name);
    append_escaped (out, samples->family->help, FALSE);
    g_string_append_printf (out, "\n# TYPE %s %s\n", samples->family->name, kinds[samples->family->kind]);
  }
  g_string_append_printf (out, "%s%s", samples->family->name, suffix);
  for (gsize i = 0; i < G_N_ELEMENTS (parts); i++) {
    if (parts[i][0] == '\0')
      continue;
    g_string_append_printf (out, "%c%s", before, parts[i]);
    before = ',';
  }
  if (le != NULL) {
    g_string_append_printf (out, "%cle=\"%s\"", before, le);
    before = ',';
  }
  g_string_append (out, before == ',' ? "} " : " ");
}

static void
write_double (KtSamples *samples, const char *suffix, const char *labels, double value)
{
  write_name (samples, suffix, labels, NULL);
  append_number (samples->out, value);
  g_string_append_c (samples->out, '\n');
}

static void
write_count (KtSamples *samples, const char *suffix, const char *labels, const char *le, guint64 value)
{
  write_name (samples, suffix, labels, le);
  g_string_append_printf (samples->out, "%" G_GUINT64_FORMAT "\n", value);
}

void
kt_samples_add (KtSamples *samples, double value, const KtLabel *labels, guint n)
{
  g_autofree char *text = format_labels (labels, n, NULL);

  if (samples->n < KT_METRICS_MOST_SERIES)
    write_double (samples, "", text, value);
}

/* The buckets of the format count all that is no longer than their bound. */
static void
write_histogram (KtSamples *samples, const Series *series)
{
  const KtHistogram *histogram = series->histogram;
  guint64 total = 0;

  for (guint i = 0; i <= KT_HISTOGRAM_BOUNDS; i++)
    total += histogram->counts[i];
  if (total == 0)
    return;
  total = 0;
  for (guint i = 0; i < KT_HISTOGRAM_BOUNDS; i++) {
    g_autoptr (GString) le = g_string_new (NULL);
    append_number (le, (double) histogram->bounds[i] / KT_SECOND);
    total += histogram->counts[i];
    write_count (samples, "_bucket", series->labels, le->str, total);
  }
  total += histogram->counts[KT_HISTOGRAM_BOUNDS];
  write_count (samples, "_bucket", series->labels, "+Inf", total);
  write_double (samples, "_sum", series->labels, (double) histogram->sum / KT_SECOND);
  write_count (samples, "_count", series->labels, NULL, total);
}

static void
write_family (KtSamples *samples, const Family *family)
{
  if (family->read != NULL)
    write_count (samples, "", "", NULL, family->read (family->data));
  else if (family->collect != NULL)
    family->collect (samples, family->data);
  for (guint i = 0; i < family->series->len; i++) {
    const Series *series = g_ptr_array_index (family->series, i);
    if (family->kind == KT_METRIC_HISTOGRAM)
      write_histogram (samples, series);
    else if (family->is_time)
      write_double (samples, "", series->labels, (double) series->duration / KT_SECOND);
    else
      write_count (samples, "", series->labels, NULL, series->count);
  }
}

char *
kt_metrics_format (KtMetrics *metrics)
{
  GString *out = g_string_new (NULL);

  for (guint i = 0; i < metrics->families->len; i++) {
    KtSamples samples = { .family = g_ptr_array_index (metrics->families, i), .common = metrics->labels, .out = out };
    write_family (&samples, samples.family);
  }
  return g_string_free (out, FALSE);
}
