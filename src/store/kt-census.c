/* SPDX-License-Identifier: MIT */
/* Counts the tasks by kind, status and result. */
#include "kt-census.h"

#include "model/kt-words.h"

/* The words that are counted each for itself. What has none, or another one, is counted as the first: the service
 * may invent as many as it likes. A class (kt_catalog_set_class()) is a status and a result. */
static const char *const statuses[] = { "unknown",           KT_STATUS_PENDING,  KT_STATUS_RUNNING,
                                        KT_STATUS_COMPLETED, KT_STATUS_CANCELED, KT_STATUS_FAILED };
static const char *const results[] = { "none", KT_RESULT_SUCCEEDED, KT_RESULT_PARTLY_FAILED, KT_RESULT_FAILED };
#define N_RESULTS       G_N_ELEMENTS (results)
#define N_CLASSES       (G_N_ELEMENTS (statuses) * N_RESULTS)
#define STATUS(a_class) (statuses[(a_class) / N_RESULTS])

G_STATIC_ASSERT (N_CLASSES <= KT_CATALOG_CLASSES);

struct KtCensus {
  KtChanges *changes;
  KtListener *listener;
  KtStore *store;
  KtCatalog *catalog;
  KtMetrics *metrics;
  guint shown[KT_N_FAMILIES]; /* bits: the classes that have had a task when they were written: they stay */
};

static gsize
index_of (const char *word, const char *const *words, gsize n)
{
  for (gsize i = 1; i < n; i++)
    if (g_str_equal (words[i], word))
      return i;
  return 0;
}

/* By the newest that is known of KEY. */
static guint
class_of (KtKey *key, gpointer data)
{
  const KtTask *task = kt_store_newest (((KtCensus *) data)->store, key);

  if (task == NULL)
    return 0;
  return (guint) (index_of (task->status, statuses, G_N_ELEMENTS (statuses)) * N_RESULTS
                  + index_of (task->result, results, N_RESULTS));
}

/* The tasks of FAMILY that were seen to end in CLASS. */
static guint64 *
ends (KtMetrics *metrics, KtFamily family, guint class)
{
  const KtLabel labels[] = {
    { "kind", kt_family_word (family) },
    { "status", STATUS (class) },
    { "result", results[class % N_RESULTS] },
  };

  return kt_metrics_counter_of (metrics, "kootaskfs_ended_tasks_total",
                                "Tasks that were seen to end, by kind, status and what was known of the result then",
                                labels, G_N_ELEMENTS (labels));
}

static gboolean
is_open (guint class)
{
  return g_str_equal (STATUS (class), KT_STATUS_PENDING) || g_str_equal (STATUS (class), KT_STATUS_RUNNING);
}

static void
on_changes (const KtChange *changes, guint n, gpointer data)
{
  KtCensus *census = data;

  for (guint i = 0; i < n; i++) {
    KtKey *key = changes[i].key;
    guint class, before;
    if (changes[i].after == NULL)
      continue;
    class = class_of (key, census);
    before = kt_catalog_set_class (census->catalog, key, class);
    if (is_open (before) && kt_status_is_final (STATUS (class)))
      ++*ends (census->metrics, key->family, class);
  }
}

static void
collect (KtSamples *samples, gpointer data)
{
  KtCensus *census = data;

  for (KtFamily family = 0; family < KT_N_FAMILIES; family++) {
    for (gsize i = 0; i < N_CLASSES; i++) {
      const guint n = kt_catalog_count_class (census->catalog, family, (guint) i);
      const KtLabel labels[] = {
        { "kind", kt_family_word (family) },
        { "status", STATUS (i) },
        { "result", results[i % N_RESULTS] },
      };
      if (n > 0)
        census->shown[family] |= 1u << i;
      if ((census->shown[family] & 1u << i) != 0)
        kt_samples_add (samples, n, labels, G_N_ELEMENTS (labels));
    }
  }
}

KtCensus *
kt_census_new (KtChanges *changes, KtStore *store, KtCatalog *catalog, KtMetrics *metrics)
{
  KtCensus *census = g_new0 (KtCensus, 1);

  census->changes = changes;
  census->store = store;
  census->catalog = catalog;
  census->metrics = metrics;
  for (KtFamily family = 0; family < KT_N_FAMILIES; family++) {
    for (guint i = 0; i < N_CLASSES; i++) {
      if (is_open (i) && i % N_RESULTS == 0)
        census->shown[family] |= 1u << i;
      if (kt_status_is_final (STATUS (i)))
        ends (metrics, family, i); /* counted from 0 */
    }
  }
  kt_catalog_set_classify (catalog, class_of, census);
  census->listener = kt_changes_listen (changes, on_changes, census);
  kt_metrics_collect (metrics, KT_METRIC_GAUGE, "kootaskfs_tasks",
                      "Tasks that this mount knows, by kind, status and result", collect, census);
  return census;
}

void
kt_census_free (KtCensus *census)
{
  if (census == NULL)
    return;
  kt_changes_unlisten (census->changes, &census->listener);
  kt_catalog_set_classify (census->catalog, NULL, NULL);
  g_free (census);
}
