/* SPDX-License-Identifier: MIT */
/* The fixture of all tests of the store: a store with a fake source, and a log of the change feed. */
#include "kt-store-fixture.h"

const KtStorePolicy kt_store_policy = {
  .ttl = 5 * KT_SECOND,
  .ended_ttl = KT_TIME_NEVER,
  .negative_ttl = 3 * KT_SECOND,
  .max_stale = 60 * KT_SECOND,
  .memory = 1 << 20,
};

static void
log_changes (const KtChange *changes, guint n, gpointer data)
{
  static const char marks[] = {
    [KT_CHANGE_LISTED] = '+',   [KT_CHANGE_GONE] = '-',    [KT_CHANGE_EVICTED] = '~',
    [KT_CHANGE_OUTDATED] = '?', [KT_CHANGE_PACKAGE] = '@',
  };
  KtStoreFixture *f = data;

  for (guint i = 0; i < n; i++) {
    const KtChange *change = &changes[i];
    const char *id = change->key->task_id;
    g_assert_cmpint (change->at_wall, !=, 0);
    if (change->kind == KT_CHANGE_FETCHED)
      g_string_append_printf (f->log, "%s:%d ", id, change->error != NULL ? change->error->code : -1);
    else
      g_string_append_printf (f->log, "%c%s ", marks[change->kind], id);
    if (change->supersedes)
      g_string_append_printf (f->log, "!%s ", id);
  }
}

void
kt_store_set_up (KtStoreFixture *f, gconstpointer policy)
{
  KtClock *clock;

  f->clock = kt_fake_clock_new ();
  clock = kt_fake_clock (f->clock);
  f->source = kt_fake_source_new ();
  f->metrics = kt_metrics_new ();
  f->changes = kt_changes_new (clock);
  f->policy = policy != NULL ? *(const KtStorePolicy *) policy : kt_store_policy;
  f->store = kt_store_new (clock, f->changes, f->metrics, &f->policy, kt_fake_source (f->source));
  f->catalog = kt_catalog_new (clock, f->changes);
  f->lists_policy = (KtListsPolicy){
    .families = KT_FAMILIES_ALL,
    .ttl = 30 * KT_SECOND,
    .negative_ttl = 3 * KT_SECOND,
    .page_timeout = 10 * KT_SECOND,
  };
  f->lists = kt_lists_new (clock, f->store, f->catalog, &f->lists_policy, kt_fake_source (f->source));
  f->polling_policy = (KtPollingPolicy){ .ttl = 5 * KT_SECOND, .deadline = 10 * KT_SECOND, .concurrency = 4 };
  f->watch = kt_watch_new (clock, f->changes, f->store, f->catalog, f->lists, &f->polling_policy);
  f->key = kt_key_new_share ("S", "7");
  f->log = g_string_new (NULL);
  f->listener = kt_changes_listen (f->changes, log_changes, f);
}

void
kt_store_tear_down (KtStoreFixture *f, gconstpointer policy)
{
  kt_changes_unlisten (f->changes, &f->listener);
  kt_fake_source_free (f->source);
  kt_watch_free (f->watch);
  kt_lists_free (f->lists);
  kt_catalog_free (f->catalog);
  kt_store_free (f->store);
  kt_changes_free (f->changes);
  kt_metrics_free (f->metrics);
  kt_key_unref (f->key);
  kt_fake_clock_free (f->clock);
  g_string_free (f->log, TRUE);
}

KtUsec
kt_store_deadline (KtStoreFixture *f)
{
  return kt_fake_clock_now (f->clock) + 10 * KT_SECOND;
}

void
kt_store_assert_log (KtStoreFixture *f, const char *expected)
{
  g_assert_cmpstr (f->log->str, ==, expected);
  g_string_truncate (f->log, 0);
}
