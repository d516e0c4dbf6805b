/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

/* Named numbers, written out as OpenMetrics text. The layers ask for a counter when they are made and add
 * to it through the pointer; nothing is looked up by name afterwards. */
typedef struct KtMetrics KtMetrics;
typedef guint64 (*KtGaugeFunc) (gpointer data);

KtMetrics *kt_metrics_new (void);
void kt_metrics_free (KtMetrics *metrics);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtMetrics, kt_metrics_free)

/* The counter NAME{LABEL="VALUE"}, made on first use; it is valid as long as METRICS. LABEL may be NULL. Strings
 * are static. NAME is without the `_total` that the format appends. */
guint64 *kt_metrics_counter (KtMetrics *metrics, const char *name, const char *help, const char *label,
                             const char *value);

/* A number that READ gives at the time of writing. */
void kt_metrics_gauge (KtMetrics *metrics, const char *name, const char *help, KtGaugeFunc read, gpointer data);

/* OpenMetrics 1.0 text, ending in "# EOF". (transfer full) */
char *kt_metrics_format (KtMetrics *metrics);
