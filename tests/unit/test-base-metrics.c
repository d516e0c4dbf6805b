/* SPDX-License-Identifier: MIT */
/* Metrics: the text format, its escapes, the buckets of histograms and the limit on series. */
#include "kt-test.h"

#include "base/kt-metrics.h"

#include <string.h>

static guint64
seven (gpointer data)
{
  return 7;
}

/* Series of one name stand together, whenever they were made, after one HELP and one TYPE. */
static void
test_format (void)
{
  g_autoptr (KtMetrics) metrics = kt_metrics_new ();
  guint64 *hits = kt_metrics_counter (metrics, "lookups_total", "Lookups", "outcome", "hit");
  guint64 *sent = kt_metrics_counter (metrics, "sent_total", "Sent", NULL, NULL);
  guint64 *misses = kt_metrics_counter (metrics, "lookups_total", "Lookups", "outcome", "miss");
  KtUsec *held = kt_metrics_seconds (metrics, "held_seconds_total", "Held", "by", "limit");

  kt_metrics_gauge (metrics, "nodes", "Nodes", seven, NULL);
  g_assert_true (kt_metrics_counter (metrics, "lookups_total", "Lookups", "outcome", "hit") == hits);
  g_assert_true (kt_metrics_seconds (metrics, "held_seconds_total", "Held", "by", "limit") == held);
  *hits = 3;
  *misses = G_MAXUINT64;
  *held = 1234567;
  ++*sent;
  kt_assert_text (kt_metrics_format (metrics), "# HELP lookups_total Lookups\n# TYPE lookups_total counter\n"
                                               "lookups_total{outcome=\"hit\"} 3\n"
                                               "lookups_total{outcome=\"miss\"} 18446744073709551615\n"
                                               "# HELP sent_total Sent\n# TYPE sent_total counter\nsent_total 1\n"
                                               "# HELP held_seconds_total Held\n# TYPE held_seconds_total counter\n"
                                               "held_seconds_total{by=\"limit\"} 1.234567\n"
                                               "# HELP nodes Nodes\n# TYPE nodes gauge\nnodes 7\n");
}

/* In a label's value also quotes are escaped, and what is not UTF-8 is replaced. */
static void
test_escapes (void)
{
  g_autoptr (KtMetrics) metrics = kt_metrics_new ();
  const KtLabel common[] = { { "endpoint", "https://h" }, { "mountpoint", "/a\\b\"c\nd\xff" } };

  kt_metrics_set_labels (metrics, common, 2);
  ++*kt_metrics_counter (metrics, "a_total", "One\n\\ \"two\"", NULL, NULL);
  ++*kt_metrics_counter (metrics, "b_total", "B", "word", "\"\n\\");
  kt_assert_text (kt_metrics_format (metrics),
                  "# HELP a_total One\\n\\\\ \"two\"\n# TYPE a_total counter\n"
                  "a_total{endpoint=\"https://h\",mountpoint=\"/a\\\\b\\\"c\\nd\uFFFD\"} 1\n"
                  "# HELP b_total B\n# TYPE b_total counter\n"
                  "b_total{endpoint=\"https://h\",mountpoint=\"/a\\\\b\\\"c\\nd\uFFFD\","
                  "word=\"\\\"\\n\\\\\"} 1\n");
}

/* A bucket has what is no longer than its bound, and as written all that is shorter too. */
static void
test_histogram (void)
{
  static const KtUsec bounds[KT_HISTOGRAM_BOUNDS] = { 10,        100,       KT_MS,     2 * KT_MS,    3 * KT_MS,
                                                      4 * KT_MS, 5 * KT_MS, KT_SECOND, 2500 * KT_MS, 10 * KT_SECOND };
  g_autoptr (KtMetrics) metrics = kt_metrics_new ();
  KtHistogram *reads = kt_metrics_histogram (metrics, "t_seconds", "T", bounds, "operation", "read");

  g_assert_true (kt_metrics_histogram (metrics, "t_seconds", "T", bounds, "operation", "read") == reads);
  kt_metrics_histogram (metrics, "t_seconds", "T", bounds, "operation", "write");
  kt_assert_text (kt_metrics_format (metrics), ""); /* nothing has been observed */
  kt_histogram_observe (reads, 0);
  kt_histogram_observe (reads, 10);
  kt_histogram_observe (reads, 11);
  kt_histogram_observe (reads, KT_SECOND);
  kt_histogram_observe (reads, 10 * KT_SECOND + 1);
  kt_assert_text (kt_metrics_format (metrics), "# HELP t_seconds T\n# TYPE t_seconds histogram\n"
                                               "t_seconds_bucket{operation=\"read\",le=\"1e-05\"} 2\n"
                                               "t_seconds_bucket{operation=\"read\",le=\"0.0001\"} 3\n"
                                               "t_seconds_bucket{operation=\"read\",le=\"0.001\"} 3\n"
                                               "t_seconds_bucket{operation=\"read\",le=\"0.002\"} 3\n"
                                               "t_seconds_bucket{operation=\"read\",le=\"0.003\"} 3\n"
                                               "t_seconds_bucket{operation=\"read\",le=\"0.004\"} 3\n"
                                               "t_seconds_bucket{operation=\"read\",le=\"0.005\"} 3\n"
                                               "t_seconds_bucket{operation=\"read\",le=\"1\"} 4\n"
                                               "t_seconds_bucket{operation=\"read\",le=\"2.5\"} 4\n"
                                               "t_seconds_bucket{operation=\"read\",le=\"10\"} 4\n"
                                               "t_seconds_bucket{operation=\"read\",le=\"+Inf\"} 5\n"
                                               "t_seconds_sum{operation=\"read\"} 11.000022\n"
                                               "t_seconds_count{operation=\"read\"} 5\n");
}

static void
collect (KtSamples *samples, gpointer n)
{
  for (guint i = 0; i < *(guint *) n; i++) {
    g_autofree char *value = g_strdup_printf ("%u", i);
    kt_samples_add (samples, -1.5, &(KtLabel){ "i", value }, 1);
  }
}

/* What is collected may be nothing, which leaves out HELP and TYPE too, and any number. */
static void
test_collect (void)
{
  g_autoptr (KtMetrics) metrics = kt_metrics_new ();
  guint n = 0;

  kt_metrics_collect (metrics, KT_METRIC_GAUGE, "skew_seconds", "Skew", collect, &n);
  kt_assert_text (kt_metrics_format (metrics), "");
  n = 2;
  kt_assert_text (kt_metrics_format (metrics), "# HELP skew_seconds Skew\n# TYPE skew_seconds gauge\n"
                                               "skew_seconds{i=\"0\"} -1.5\nskew_seconds{i=\"1\"} -1.5\n");
}

static guint
lines_of (KtMetrics *metrics, const char *prefix)
{
  g_autofree char *text = kt_metrics_format (metrics);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  guint n = 0;

  for (char **line = lines; *line != NULL; line++)
    n += g_str_has_prefix (*line, prefix);
  return n;
}

/* "A metric has at most 128 series, and one for all others, whatever the service answers": a new status each time. */
static void
test_limit (void)
{
  g_autoptr (KtMetrics) metrics = kt_metrics_new ();
  guint n = 2 * KT_METRICS_MOST_SERIES;

  for (guint i = 0; i < n; i++) {
    g_autofree char *status = g_strdup_printf ("%u", i);
    ++*kt_metrics_counter_of (metrics, "a_total", "A", (const KtLabel[]){ { "call", "c" }, { "status", status } }, 2);
  }
  g_assert_cmpint (KT_METRICS_MOST_SERIES, ==, 128);
  g_assert_cmpuint (lines_of (metrics, "a_total{"), ==, KT_METRICS_MOST_SERIES + 1);
  g_assert_cmpuint (*kt_metrics_counter_of (metrics, "a_total", "A",
                                            (const KtLabel[]){ { "call", "other" }, { "status", "other" } }, 2),
                    ==, KT_METRICS_MOST_SERIES);
  kt_metrics_collect (metrics, KT_METRIC_GAUGE, "b", "B", collect, &n);
  g_assert_cmpuint (lines_of (metrics, "b{"), ==, KT_METRICS_MOST_SERIES);
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
  g_test_add_func ("/base/metrics/format", test_format);
  g_test_add_func ("/base/metrics/escapes", test_escapes);
  g_test_add_func ("/base/metrics/histogram", test_histogram);
  g_test_add_func ("/base/metrics/collect", test_collect);
  g_test_add_func ("/base/metrics/limit", test_limit);
  return g_test_run ();
}
