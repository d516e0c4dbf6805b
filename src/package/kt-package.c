/* SPDX-License-Identifier: MIT */
/* The packages of all tasks: which version of each is known, or why there is none; construction and end. */
#include "kt-package-private.h"

KtPackage *
kt_packages_peek (KtPackages *set, const KtSnapshot *snapshot)
{
  KtPackage *package = g_hash_table_lookup (set->current, snapshot->task->key);

  if (package == NULL || package->has_changed || snapshot->fetched_at > package->seen_at
      || kt_clock_monotonic (set->clock) >= kt_package_expires_at (package))
    return NULL;
  return package;
}

typedef struct {
  GError *error;
  KtUsec since_at;
  KtUsec until_at;
} Failure;

static void
failure_free (gpointer data)
{
  Failure *failure = data;
  g_error_free (failure->error);
  g_free (failure);
}

static gboolean
is_over (gpointer key, gpointer failure, gpointer now)
{
  return ((const Failure *) failure)->until_at <= *(const KtUsec *) now;
}

void
kt_packages_remember_failure (KtPackages *set, KtKey *key, const GError *error)
{
  KtUsec now = kt_clock_monotonic (set->clock);
  Failure *failure = g_new (Failure, 1);

  *failure = (Failure){
    .error = g_error_copy (error),
    .since_at = now,
    .until_at = kt_time_add (now, kt_store_negative_ttl (set->store)),
  };
  g_hash_table_foreach_remove (set->failures, is_over, &now);
  g_hash_table_replace (set->failures, kt_key_ref (key), failure);
}

const GError *
kt_packages_failure (KtPackages *set, const KtSnapshot *snapshot)
{
  const Failure *failure = g_hash_table_lookup (set->failures, snapshot->task->key);

  return failure != NULL && kt_clock_monotonic (set->clock) < failure->until_at
                 && snapshot->fetched_at <= failure->since_at
             ? failure->error
             : NULL;
}

static void
report_change (KtPackage *package)
{
  kt_changes_publish_one (package->set->changes, &(KtChange){ .kind = KT_CHANGE_PACKAGE, .key = package->key });
}

static guint64
count_memory (gpointer data)
{
  return kt_block_memory_used (((KtPackages *) data)->memory);
}

KtPackages *
kt_packages_new (KtHttpClient *http, KtStore *store, KtClock *clock, KtChanges *changes, KtHealth *health,
                 KtMetrics *metrics, const char *temporary_directory)
{
  static const KtPackageEvents events = {
    .came = kt_reads_came,
    .failed = kt_reads_failed,
    .no_ranges = kt_reads_no_ranges,
    .changed = report_change,
  };
  KtPackages *set = g_new0 (KtPackages, 1);

  set->http = http;
  set->store = store;
  set->changes = changes;
  set->clock = clock;
  set->health = health;
  set->temporary_directory = g_strdup (temporary_directory);
  set->events = &events;
  set->memory = kt_block_memory_new (kt_reads_room, set);
  set->current = g_hash_table_new (kt_key_hash, kt_key_equal);
  set->probes = g_hash_table_new (kt_key_hash, kt_key_equal);
  set->failures = g_hash_table_new_full (kt_key_hash, kt_key_equal, (GDestroyNotify) kt_key_unref, failure_free);
  set->requests = kt_metrics_counter (metrics, "kootaskfs_package_requests_total",
                                      "Requests for packages, retries counted too", NULL, NULL);
  set->bytes = kt_metrics_counter (metrics, "kootaskfs_package_bytes_total", "Bytes of packages received", NULL, NULL);
  kt_metrics_gauge (metrics, "kootaskfs_package_memory_bytes", "Memory that blocks of packages take", count_memory,
                    set);
  return set;
}

void
kt_packages_free (KtPackages *set)
{
  if (set == NULL)
    return;
  kt_clock_stop (set->clock, &set->room_timer);
  g_hash_table_unref (set->current);
  g_hash_table_unref (set->probes);
  g_hash_table_unref (set->failures);
  kt_block_memory_free (set->memory);
  g_free (set->temporary_directory);
  g_free (set);
}
