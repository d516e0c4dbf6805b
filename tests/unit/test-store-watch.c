/* SPDX-License-Identifier: MIT */
/* What is polled because somebody watches it, how often, and what is not. */
#include "kt-store-fixture.h"

#include "model/kt-words.h"

#define TTL           (5 * KT_SECOND)
#define RUNNING       "{\"jobInfo\":{\"taskStatus\":1,\"progress\":10}}"
#define ENDED         "{\"jobInfo\":{\"taskStatus\":2,\"progress\":100}}"
#define BASIC_RUNNING "{\"data\":{}}"
#define BASIC_ENDED   "{\"data\":{\"successCount\":1,\"failCount\":0}}"
#define BASIC         KT_FAMILY_BASIC
#define JOB           KT_FAMILY_JOB

static void
land_all (KtStoreFixture *f, const char *json)
{
  while (kt_fake_source_pending (f->source) > 0)
    kt_fake_source_land (f->source, json);
}

static void
assert_asked (KtStoreFixture *f, guint asked)
{
  g_assert_cmpuint (kt_fake_source_asked (f->source), ==, asked);
}

/* Both lists, of the tasks ITEMS. */
static void
land_lists (KtStoreFixture *f, const char *basic)
{
  kt_fake_list_land (f->source, BASIC, basic);
  kt_fake_list_land (f->source, JOB, "");
}

/* "A task that somebody watches is asked for every `ttl` until it has ended, once for all who watch it." */
static void
test_changes (KtStoreFixture *f, gconstpointer data)
{
  KtInterest *interests[100];

  for (guint i = 0; i < 100; i++)
    interests[i] = kt_watch_task (f->watch, f->key, KT_WATCH_CHANGES);
  g_assert_cmpuint (kt_watch_size (f->watch), ==, 1);
  for (guint round = 1; round < 4; round++) {
    assert_asked (f, round);
    g_assert_cmpuint (kt_watch_polls (f->watch), ==, 1);
    kt_fake_source_land (f->source, RUNNING);
    kt_fake_clock_advance (f->clock, TTL - 1);
    assert_asked (f, round);
    kt_fake_clock_advance (f->clock, 1);
  }
  kt_fake_source_land (f->source, ENDED);
  kt_fake_clock_advance (f->clock, 100 * TTL);
  assert_asked (f, 4);
  for (guint i = 0; i < 100; i++)
    kt_interest_drop (&interests[i]);
  g_assert_cmpuint (kt_watch_size (f->watch), ==, 0);
}

/* A task that stalls is asked for less often, "no sooner than half a `ttl` and no later than four"; somebody who watches
 * its changes shares these polls. */
static void
test_end (KtStoreFixture *f, gconstpointer data)
{
  KtInterest *end = kt_watch_task (f->watch, f->key, KT_WATCH_END);
  KtInterest *changes;

  kt_fake_source_land (f->source, RUNNING);
  for (guint i = 0; i < 100; i++) {
    kt_fake_clock_advance (f->clock, TTL);
    land_all (f, RUNNING); /* it stalls */
  }
  g_assert_cmpuint (kt_fake_source_asked (f->source), <, 40);
  g_assert_cmpuint (kt_fake_source_asked (f->source), >=, 100 / 4);
  changes = kt_watch_task (f->watch, f->key, KT_WATCH_CHANGES);
  land_all (f, RUNNING);
  for (guint i = 0, asked = kt_fake_source_asked (f->source); i < 10; i++) {
    assert_asked (f, asked + i);
    kt_fake_clock_advance (f->clock, TTL);
    land_all (f, RUNNING);
  }
  kt_interest_drop (&changes);
  kt_interest_drop (&end);
}

/* What is cached is not asked for before its time; what somebody else asks for counts. "What nobody watches is not asked
 * for." */
static void
test_cached (KtStoreFixture *f, gconstpointer data)
{
  KtInterest *interest;

  kt_store_prefetch (f->store, f->key, kt_store_deadline (f));
  interest = kt_watch_task (f->watch, f->key, KT_WATCH_CHANGES);
  assert_asked (f, 1); /* it is under way */
  kt_fake_source_land (f->source, RUNNING);
  kt_interest_drop (&interest);
  kt_fake_clock_advance (f->clock, TTL - KT_SECOND);
  interest = kt_watch_task (f->watch, f->key, KT_WATCH_CHANGES);
  assert_asked (f, 1);
  kt_fake_clock_advance (f->clock, KT_SECOND);
  assert_asked (f, 2);
  kt_fake_source_land (f->source, RUNNING);
  kt_interest_drop (&interest);
  kt_fake_clock_advance (f->clock, 100 * TTL);
  assert_asked (f, 2); /* what nobody watches is not polled */
}

/* "A request that fails is another poll; none comes before `negative-ttl` is over", nor for who comes anew. */
static void
test_failure (KtStoreFixture *f, gconstpointer data)
{
  KtInterest *interest;

  f->polling_policy.ttl = KT_SECOND;
  kt_watch_set_policy (f->watch, &f->polling_policy);
  interest = kt_watch_task (f->watch, f->key, KT_WATCH_CHANGES);
  for (guint round = 1; round < 4; round++) {
    assert_asked (f, round);
    kt_fake_source_fail (f->source, KT_ERROR_SERVICE);
    kt_interest_drop (&interest);
    interest = kt_watch_task (f->watch, f->key, KT_WATCH_CHANGES);
    kt_fake_clock_advance (f->clock, 3 * KT_SECOND - 1);
    assert_asked (f, round);
    kt_fake_clock_advance (f->clock, 1);
  }
  kt_fake_source_land (f->source, RUNNING);
  kt_fake_clock_advance (f->clock, KT_SECOND);
  assert_asked (f, 5);
  kt_fake_source_land (f->source, RUNNING);
  kt_interest_drop (&interest);
}

/* No poll "before the time that a `Retry-After` of the service asks for", of a task or a list, whoever begins to
 * watch. */
static void
test_ready_at (KtStoreFixture *f, gconstpointer data)
{
  KtInterest *interest = kt_watch_task (f->watch, f->key, KT_WATCH_CHANGES), *all;

  kt_fake_source_set_ready_at (f->source, kt_fake_clock_now (f->clock) + 7 * TTL);
  kt_fake_source_fail (f->source, KT_ERROR_THROTTLED);
  all = kt_watch_all (f->watch);
  kt_fake_clock_advance (f->clock, 7 * TTL - 1);
  assert_asked (f, 1);
  g_assert_cmpuint (kt_fake_list_asked (f->source), ==, 0);
  kt_fake_clock_advance (f->clock, 1);
  assert_asked (f, 2);
  g_assert_cmpuint (kt_fake_list_asked (f->source), ==, 2);
  kt_fake_source_land (f->source, RUNNING);
  kt_fake_list_land (f->source, BASIC, "");
  kt_fake_list_land (f->source, JOB, "");
  kt_interest_drop (&interest);
  kt_interest_drop (&all);
}

/* No more polls at once than there may be; the others come in order, but for those that nobody watches any more. */
static void
test_concurrency (KtStoreFixture *f, gconstpointer data)
{
  KtInterest *interests[10];

  for (guint i = 0; i < 10; i++) {
    g_autofree char *id = g_strdup_printf ("%u", i);
    g_autoptr (KtKey) key = kt_key_new_share ("S", id);
    interests[i] = kt_watch_task (f->watch, key, KT_WATCH_CHANGES);
  }
  assert_asked (f, 4);
  kt_interest_drop (&interests[5]);
  for (guint i = 0; i < 10; i++) {
    if (i == 5)
      continue;
    g_assert_cmpint (kt_fake_source_key (f->source)->task_id[0], ==, '0' + (int) i);
    g_assert_cmpuint (kt_fake_source_pending (f->source), <=, 4);
    kt_fake_source_land (f->source, ENDED);
  }
  assert_asked (f, 9);
  for (guint i = 0; i < 10; i++)
    kt_interest_drop (&interests[i]);
}

/* "Who watches all tasks has the lists read every `list-ttl`, and asks for the tasks that have not ended", new ones too. */
static void
test_all (KtStoreFixture *f, gconstpointer data)
{
  g_autoptr (KtKey) key = kt_key_new (BASIC, "9");
  const KtUsec start = kt_fake_clock_now (f->clock);
  KtInterest *interest;

  g_assert_false (kt_watch_is_all (f->watch));
  interest = kt_watch_all (f->watch);
  g_assert_true (kt_watch_is_all (f->watch));
  g_assert_cmpuint (kt_fake_list_asked (f->source), ==, 2);
  land_lists (f, KT_ITEM ("1", 1) "," KT_ITEM_ENDED ("2", 2) "," KT_ITEM ("3", 0));
  g_assert_cmpuint (kt_watch_size (f->watch), ==, 2);
  assert_asked (f, 2);
  kt_fake_source_land (f->source, BASIC_RUNNING);
  kt_fake_source_land (f->source, BASIC_ENDED);
  g_assert_cmpuint (kt_watch_size (f->watch), ==, 1); /* one has ended */
  kt_fake_clock_advance (f->clock, TTL);
  assert_asked (f, 3);
  kt_catalog_add (f->catalog, KT_CATALOG_WATCHED, key); /* which no list has */
  kt_fake_clock_advance (f->clock, TTL);
  assert_asked (f, 4);
  land_all (f, BASIC_RUNNING);
  g_assert_cmpuint (kt_watch_size (f->watch), ==, 2);
  while (kt_fake_list_asked (f->source) == 2) {
    kt_fake_clock_advance (f->clock, KT_SECOND);
    land_all (f, BASIC_RUNNING);
  }
  g_assert_cmpint (kt_fake_clock_now (f->clock), <=, start + 30 * KT_SECOND + TTL);
  land_lists (f, KT_ITEM ("3", 2)); /* task 1 is gone */
  g_assert_cmpuint (kt_watch_size (f->watch), ==, 1);
  kt_interest_drop (&interest);
  g_assert_false (kt_watch_is_all (f->watch));
  g_assert_cmpuint (kt_watch_size (f->watch), ==, 0);
  land_all (f, BASIC_RUNNING);
}

/* A task that a list says has ended is polled once more when its detail was shown as running: it has the rest. */
static void
test_all_ends_in_list (KtStoreFixture *f, gconstpointer data)
{
  KtInterest *interest = kt_watch_all (f->watch);

  land_lists (f, KT_ITEM ("1", 1));
  land_all (f, BASIC_RUNNING);
  for (guint i = 0; i < 6; i++) {
    kt_fake_clock_advance (f->clock, TTL);
    if (i < 5)
      land_all (f, BASIC_RUNNING);
  }
  assert_asked (f, 7);
  land_lists (f, KT_ITEM_ENDED ("1", 2));
  g_assert_cmpuint (kt_watch_size (f->watch), ==, 1);
  land_all (f, BASIC_ENDED);
  g_assert_cmpuint (kt_watch_size (f->watch), ==, 0);
  kt_interest_drop (&interest);
}

/* "Who reads a file again that shows changes, at least half a second and at most a minute later, is watching it. That
 * ends when three of the intervals between two readings have passed without another one, and three `ttl`s at least." */
static void
test_look (KtStoreFixture *f, gconstpointer data)
{
  const int view = 0;

  kt_watch_look (f->watch, &view, f->key);
  kt_fake_clock_advance (f->clock, KT_WATCH_GLANCE - 1);
  kt_watch_look (f->watch, &view, f->key); /* part of the same look */
  assert_asked (f, 0);
  kt_fake_clock_advance (f->clock, KT_WATCH_AGAIN);
  kt_watch_look (f->watch, &view, f->key); /* too late: a first one */
  assert_asked (f, 0);
  kt_fake_clock_advance (f->clock, 20 * KT_SECOND);
  kt_watch_look (f->watch, &view, f->key);
  assert_asked (f, 1);
  for (guint i = 0; i < 12; i++) {
    land_all (f, RUNNING);
    kt_fake_clock_advance (f->clock, TTL); /* three times 20 s */
  }
  g_assert_cmpuint (kt_watch_size (f->watch), ==, 0);
  land_all (f, RUNNING);
  kt_fake_clock_advance (f->clock, 100 * TTL);
  assert_asked (f, 12);
  g_assert_cmpuint (kt_fake_clock_timers (f->clock), ==, 0);
}

/* Frequent looks, as of tail -f, count for three ttl at least; a view that is gone counts no more. */
static void
test_look_away (KtStoreFixture *f, gconstpointer data)
{
  const int view = 0;

  for (guint i = 0; i < 10; i++) {
    kt_watch_look (f->watch, &view, f->key);
    kt_fake_clock_advance (f->clock, KT_SECOND);
    land_all (f, RUNNING);
  }
  kt_fake_clock_advance (f->clock, 3 * TTL - KT_SECOND - 1);
  land_all (f, RUNNING);
  g_assert_cmpuint (kt_watch_size (f->watch), ==, 1);
  kt_watch_look_away (f->watch, &view);
  g_assert_cmpuint (kt_watch_size (f->watch), ==, 0);
  kt_watch_look_away (f->watch, &view);
  kt_watch_look (f->watch, &view, NULL); /* at all; it goes with the watch */
  kt_fake_clock_advance (f->clock, KT_SECOND);
  kt_watch_look (f->watch, &view, NULL);
  g_assert_true (kt_watch_is_all (f->watch));
  land_lists (f, "");
}

/* "For polls a `ttl` or `list-ttl` below 100 ms is taken for 100 ms, a `ttl` above ten minutes for ten minutes." */
static void
test_bounds (KtStoreFixture *f, gconstpointer data)
{
  static const KtUsec ttls[] = { 0, KT_TIME_NEVER }, intervals[] = { KT_SECOND / 10, 600 * KT_SECOND };
  KtInterest *interest = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (ttls); i++) {
    guint asked;
    f->polling_policy.ttl = ttls[i];
    kt_watch_set_policy (f->watch, &f->polling_policy);
    interest = kt_watch_task (f->watch, f->key, KT_WATCH_CHANGES);
    land_all (f, RUNNING);
    asked = kt_fake_source_asked (f->source);
    kt_fake_clock_advance (f->clock, intervals[i] - 1);
    assert_asked (f, asked);
    kt_fake_clock_advance (f->clock, 1);
    assert_asked (f, asked + 1);
    land_all (f, RUNNING);
    kt_interest_drop (&interest);
  }
  f->lists_policy.ttl = 0;
  kt_lists_set_policy (f->lists, &f->lists_policy);
  interest = kt_watch_all (f->watch);
  for (guint round = 1; round < 4; round++) {
    g_assert_cmpuint (kt_fake_list_asked (f->source), ==, 2 * round);
    kt_fake_clock_advance (f->clock, KT_SECOND); /* the lists take their time */
    land_lists (f, "");
    kt_fake_clock_advance (f->clock, KT_SECOND / 10 - 1);
    g_assert_cmpuint (kt_fake_list_asked (f->source), ==, 2 * round);
    kt_fake_clock_advance (f->clock, 1);
  }
  land_lists (f, "");
  kt_interest_drop (&interest);
}

/* A task that goes while the catalog is still being looked through is not polled: nothing would ever end that. */
static void
test_all_gone_in_scan (KtStoreFixture *f, gconstpointer data)
{
  g_autoptr (GPtrArray) keys = g_ptr_array_new_with_free_func ((GDestroyNotify) kt_key_unref);
  KtInterest *interest;

  for (guint i = 0; i < 5000; i++) { /* more than are looked through at once */
    g_autofree char *id = g_strdup_printf ("%04u", i);
    g_ptr_array_add (keys, kt_key_new (BASIC, id));
  }
  kt_catalog_set (f->catalog, KT_CATALOG_WATCHED, keys);
  interest = kt_watch_all (f->watch);
  g_assert_cmpuint (kt_watch_size (f->watch), ==, 4096);
  g_ptr_array_set_size (keys, 4999);
  kt_catalog_set (f->catalog, KT_CATALOG_WATCHED, keys);
  kt_fake_clock_advance (f->clock, 0);
  g_assert_cmpuint (kt_watch_size (f->watch), ==, 4999);
  land_lists (f, "");
  kt_interest_drop (&interest);
  land_all (f, BASIC_ENDED);
}

/* Polls that have not begun heed a Retry-After, too, which comes while they stand in the queue. */
static void
test_ready_at_queued (KtStoreFixture *f, gconstpointer data)
{
  KtInterest *interests[10];

  for (guint i = 0; i < 10; i++) {
    g_autofree char *id = g_strdup_printf ("%u", i);
    g_autoptr (KtKey) key = kt_key_new_share ("S", id);
    interests[i] = kt_watch_task (f->watch, key, KT_WATCH_CHANGES);
  }
  kt_fake_source_set_ready_at (f->source, kt_fake_clock_now (f->clock) + 7 * TTL);
  for (guint i = 0; i < 4; i++)
    kt_fake_source_fail (f->source, KT_ERROR_THROTTLED);
  assert_asked (f, 4);
  kt_fake_clock_advance (f->clock, 7 * TTL - 1);
  assert_asked (f, 4);
  kt_fake_clock_advance (f->clock, 1);
  assert_asked (f, 8);
  land_all (f, ENDED);
  assert_asked (f, 14);
  for (guint i = 0; i < 10; i++)
    kt_interest_drop (&interests[i]);
}

/* Ended tasks that the cache has no room for are not polled whenever another one is new. */
static void
test_all_evicted (KtStoreFixture *f, gconstpointer data)
{
  g_autoptr (KtKey) key = kt_key_new (BASIC, "9");
  KtInterest *interest;

  f->policy.memory = 1;
  kt_store_set_policy (f->store, &f->policy);
  interest = kt_watch_all (f->watch);
  kt_fake_list_page (f->source, BASIC, KT_ITEM_ENDED ("1", 2) "," KT_ITEM_ENDED ("2", 2) "," KT_ITEM_ENDED ("3", 2));
  for (const char *id = "123"; *id != '\0'; id++) {
    g_autoptr (KtKey) ended = kt_key_new (BASIC, (const char[]){ *id, '\0' });
    kt_catalog_set_status (f->catalog, ended, KT_STATUS_COMPLETED); /* as the views do */
  }
  kt_fake_list_end (f->source, BASIC);
  kt_fake_list_land (f->source, JOB, "");
  assert_asked (f, 0);
  kt_catalog_add (f->catalog, KT_CATALOG_WATCHED, key);
  kt_fake_clock_advance (f->clock, TTL);
  assert_asked (f, 1);
  land_all (f, BASIC_ENDED);
  kt_interest_drop (&interest);
}

/* A task whose list has another end than its detail is asked for again. */
static void
test_other_end (KtStoreFixture *f, gconstpointer data)
{
  g_autoptr (KtKey) key = kt_key_new (BASIC, "1");
  KtInterest *interest = kt_watch_task (f->watch, key, KT_WATCH_CHANGES);

  land_all (f, BASIC_ENDED);
  assert_asked (f, 1);
  kt_fake_clock_advance (f->clock, TTL);
  (void) kt_lists_get (f->lists, (KtListsDone) g_free, NULL);
  land_lists (f, KT_ITEM_ENDED ("1", 3));
  kt_store_assert_log (f, "1:-1 +1 !1 ");
  kt_fake_clock_advance (f->clock, 3 * TTL);
  assert_asked (f, 2);
  land_all (f, BASIC_ENDED);
  kt_interest_drop (&interest);
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
  KT_STORE_TEST ("/store/watch/changes", test_changes);
  KT_STORE_TEST ("/store/watch/end", test_end);
  KT_STORE_TEST ("/store/watch/cached", test_cached);
  KT_STORE_TEST ("/store/watch/failure", test_failure);
  KT_STORE_TEST ("/store/watch/ready-at", test_ready_at);
  KT_STORE_TEST ("/store/watch/concurrency", test_concurrency);
  KT_STORE_TEST ("/store/watch/all", test_all);
  KT_STORE_TEST ("/store/watch/all-ends-in-list", test_all_ends_in_list);
  KT_STORE_TEST ("/store/watch/look", test_look);
  KT_STORE_TEST ("/store/watch/look-away", test_look_away);
  KT_STORE_TEST ("/store/watch/bounds", test_bounds);
  KT_STORE_TEST ("/store/watch/all-gone-in-scan", test_all_gone_in_scan);
  KT_STORE_TEST ("/store/watch/ready-at-queued", test_ready_at_queued);
  KT_STORE_TEST ("/store/watch/all-evicted", test_all_evicted);
  KT_STORE_TEST ("/store/watch/other-end", test_other_end);
  return g_test_run ();
}
