/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-time.h"

/* Named numbers, written out in the Prometheus text format 0.0.4. The layers ask for a counter when they are made and
 * add to it through the pointer. Names are whole: with their unit, and a counter's ends in `_total`. A name is asked for
 * with the same help and kind each time. Names, helps and labels' names are static; values may be any bytes. */
typedef struct KtMetrics KtMetrics;

typedef struct {
  const char *name;
  const char *value;
} KtLabel;

/* At most so many series have one name: what comes after them is counted in one more, whose labels' values are all
 * "other". What is read when it is written (kt_metrics_collect()) has no more than that either. */
#define KT_METRICS_MOST_SERIES 128

KtMetrics *kt_metrics_new (void);
void kt_metrics_free (KtMetrics *metrics);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtMetrics, kt_metrics_free)

/* All series have these N labels, before their own. */
void kt_metrics_set_labels (KtMetrics *metrics, const KtLabel *labels, guint n);

/* The counter NAME{LABEL="VALUE"}, made on first use; it is valid as long as METRICS. LABEL may be NULL. */
guint64 *kt_metrics_counter (KtMetrics *metrics, const char *name, const char *help, const char *label,
                             const char *value);

/* The same with N labels. */
guint64 *kt_metrics_counter_of (KtMetrics *metrics, const char *name, const char *help, const KtLabel *labels, guint n);

/* The same of a time: counts microseconds, written as seconds. */
KtUsec *kt_metrics_seconds (KtMetrics *metrics, const char *name, const char *help, const char *label,
                            const char *value);

/* A number that READ gives at the time of writing. */
typedef guint64 (*KtGaugeFunc) (gpointer data);
void kt_metrics_gauge (KtMetrics *metrics, const char *name, const char *help, KtGaugeFunc read, gpointer data);

/* Series that COLLECT gives at the time of writing, none when nothing is known. */
typedef struct KtSamples KtSamples;
typedef void (*KtMetricsCollect) (KtSamples *samples, gpointer data);
typedef enum { KT_METRIC_COUNTER, KT_METRIC_GAUGE, KT_METRIC_HISTOGRAM } KtMetricKind;
void kt_metrics_collect (KtMetrics *metrics, KtMetricKind kind, const char *name, const char *help,
                         KtMetricsCollect collect, gpointer data);
void kt_samples_add (KtSamples *samples, double value, const KtLabel *labels, guint n);

/* How durations are distributed: into each bucket goes what is no longer than its bound, and longer than the one
 * before. */
#define KT_HISTOGRAM_BOUNDS 10
typedef struct {
  const KtUsec *bounds; /* KT_HISTOGRAM_BOUNDS of them, growing; static */
  guint64 counts[KT_HISTOGRAM_BOUNDS + 1];
  KtUsec sum;
} KtHistogram;

/* As kt_metrics_counter(). It is written once something has been observed. */
KtHistogram *kt_metrics_histogram (KtMetrics *metrics, const char *name, const char *help, const KtUsec *bounds,
                                   const char *label, const char *value);

static inline void
kt_histogram_observe (KtHistogram *histogram, KtUsec duration)
{
  guint i = 0;

  while (i < KT_HISTOGRAM_BOUNDS && duration > histogram->bounds[i])
    i++;
  histogram->counts[i]++;
  histogram->sum += duration;
}

/* All of it, as text. (transfer full) */
char *kt_metrics_format (KtMetrics *metrics);
