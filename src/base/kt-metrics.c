/* SPDX-License-Identifier: MIT */
/* Keeps the counters and gauges, and writes them as OpenMetrics text. */
#include "kt-metrics.h"

typedef struct {
  const char *name;
  const char *help;
  const char *label;
  const char *value;
  guint64 count;
  KtGaugeFunc read; /* NULL: a counter */
  gpointer data;
} Metric;

struct KtMetrics {
  GPtrArray *all; /* Metric, in the order of their making; those of one name stand together when written */
};

KtMetrics *
kt_metrics_new (void)
{
  KtMetrics *metrics = g_new0 (KtMetrics, 1);
  metrics->all = g_ptr_array_new_with_free_func (g_free);
  return metrics;
}

void
kt_metrics_free (KtMetrics *metrics)
{
  if (metrics == NULL)
    return;
  g_ptr_array_unref (metrics->all);
  g_free (metrics);
}

static Metric *
add (KtMetrics *metrics, const char *name, const char *help)
{
  Metric *metric = g_new0 (Metric, 1);
  metric->name = name;
  metric->help = help;
  g_ptr_array_add (metrics->all, metric);
  return metric;
}

guint64 *
kt_metrics_counter (KtMetrics *metrics, const char *name, const char *help, const char *label, const char *value)
{
  Metric *metric;

  for (guint i = 0; i < metrics->all->len; i++) {
    metric = g_ptr_array_index (metrics->all, i);
    if (g_strcmp0 (metric->name, name) == 0 && g_strcmp0 (metric->value, value) == 0)
      return &metric->count;
  }
  metric = add (metrics, name, help);
  metric->label = label;
  metric->value = value;
  return &metric->count;
}

void
kt_metrics_gauge (KtMetrics *metrics, const char *name, const char *help, KtGaugeFunc read, gpointer data)
{
  Metric *metric = add (metrics, name, help);
  metric->read = read;
  metric->data = data;
}

static void
write_family (KtMetrics *metrics, guint first, GString *out)
{
  const Metric *head = g_ptr_array_index (metrics->all, first);

  g_string_append_printf (out, "# TYPE %s %s\n# HELP %s %s\n", head->name, head->read != NULL ? "gauge" : "counter",
                          head->name, head->help);
  for (guint i = first; i < metrics->all->len; i++) {
    const Metric *metric = g_ptr_array_index (metrics->all, i);
    guint64 value = metric->read != NULL ? metric->read (metric->data) : metric->count;

    if (g_strcmp0 (metric->name, head->name) != 0)
      continue;
    g_string_append_printf (out, "%s%s", metric->name, metric->read != NULL ? "" : "_total");
    if (metric->label != NULL)
      g_string_append_printf (out, "{%s=\"%s\"}", metric->label, metric->value);
    g_string_append_printf (out, " %" G_GUINT64_FORMAT "\n", value);
  }
}

char *
kt_metrics_format (KtMetrics *metrics)
{
  GString *out = g_string_new (NULL);
  g_autoptr (GHashTable) written = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < metrics->all->len; i++) {
    const Metric *metric = g_ptr_array_index (metrics->all, i);
    if (g_hash_table_add (written, (gpointer) metric->name))
      write_family (metrics, i, out);
  }
  g_string_append (out, "# EOF\n");
  return g_string_free (out, FALSE);
}
