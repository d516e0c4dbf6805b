/* SPDX-License-Identifier: MIT */
/* When the service's lists are read, who waits for them, and what they change. */
#include "kt-test.h"

#include "base/kt-units.h"
#include "kt-fake-source.h"
#include "store/kt-lists.h"

#define BASIC KT_FAMILY_BASIC
#define JOB   KT_FAMILY_JOB

typedef struct {
  KtFakeClock *clock;
  KtFakeSource *source;
  KtMetrics *metrics;
  KtStore *store;
  KtCatalog *catalog;
  KtListsPolicy policy;
  KtLists *lists;
  GString *told; /* by the observer: "+ID" told of, "-ID" gone, "!ID" superseded */
} Fixture;

static void
on_change (GPtrArray *tasks, GPtrArray *gone, GPtrArray *superseded, gboolean is_first, gpointer data)
{
  Fixture *f = data;

  for (guint i = 0; i < tasks->len; i++)
    g_string_append_printf (f->told, "+%s ", ((const KtTask *) tasks->pdata[i])->key->task_id);
  for (guint i = 0; i < gone->len; i++)
    g_string_append_printf (f->told, "-%s ", ((const KtKey *) gone->pdata[i])->task_id);
  for (guint i = 0; i < superseded->len; i++)
    g_string_append_printf (f->told, "!%s ", ((const KtKey *) superseded->pdata[i])->task_id);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  const KtStorePolicy policy = { .ttl = 5 * KT_SECOND, .ended_ttl = KT_TIME_NEVER, .memory = 1 << 20 };

  f->clock = kt_fake_clock_new ();
  f->source = kt_fake_source_new ();
  f->metrics = kt_metrics_new ();
  f->store = kt_store_new (kt_fake_clock (f->clock), f->metrics, &policy, kt_fake_source (f->source));
  f->catalog = kt_catalog_new ();
  f->policy = (KtListsPolicy){
    .families = KT_FAMILIES_ALL,
    .ttl = 30 * KT_SECOND,
    .negative_ttl = 3 * KT_SECOND,
    .page_timeout = 10 * KT_SECOND,
  };
  f->lists = kt_lists_new (kt_fake_clock (f->clock), f->store, f->catalog, &f->policy, kt_fake_source (f->source));
  f->told = g_string_new (NULL);
  kt_lists_set_observer (f->lists, on_change, f);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  kt_lists_free (f->lists);
  kt_catalog_free (f->catalog);
  kt_fake_source_free (f->source);
  kt_store_free (f->store);
  kt_metrics_free (f->metrics);
  kt_fake_clock_free (f->clock);
  g_string_free (f->told, TRUE);
}

static void
done (gpointer data)
{
  ++*(guint *) data;
}

/* One who looks, and is told at once when the result is NULL. */
static KtListsWaiter *
get (Fixture *f, guint *told)
{
  KtListsWaiter *waiter;

  *told = 0;
  waiter = kt_lists_get (f->lists, done, told);
  g_assert_cmpuint (*told, ==, waiter == NULL);
  return waiter;
}

static void
assert_catalog (Fixture *f, const char *expected)
{
  g_autoptr (GPtrArray) keys = kt_catalog_list (f->catalog);
  g_autoptr (GString) out = g_string_new (NULL);

  for (guint i = 0; i < keys->len; i++)
    g_string_append_printf (out, "%s ", ((const KtKey *) keys->pdata[i])->task_id);
  g_assert_cmpstr (out->str, ==, expected);
}

static void
assert_told (Fixture *f, const char *expected)
{
  g_assert_cmpstr (f->told->str, ==, expected);
  g_string_truncate (f->told, 0);
}

/* Both lists, once for all who look, and again when they have run out. */
static void
test_ttl (Fixture *f, gconstpointer data)
{
  guint told[3], asked = 0;

  for (guint round = 1; round <= 2; round++) {
    for (guint i = 0; i < 3; i++)
      g_assert_nonnull (get (f, &told[i]));
    g_assert_cmpuint (kt_fake_list_asked (f->source), ==, asked += 2);
    g_assert_cmpint (kt_fake_list_timeout (f->source, JOB), ==, 10 * KT_SECOND);
    kt_fake_list_land (f->source, JOB, KT_ITEM ("3", 1));
    g_assert_cmpuint (told[0] + told[1] + told[2], ==, 0); /* all of it or nothing */
    kt_fake_list_land (f->source, BASIC, KT_ITEM ("1", 1) "," KT_ITEM ("2", 2));
    g_assert_true (told[0] == 1 && told[1] == 1 && told[2] == 1);
    assert_catalog (f, "1 2 3 ");
    kt_fake_clock_advance (f->clock, 30 * KT_SECOND - 1);
    g_assert_null (get (f, told));
    kt_fake_clock_advance (f->clock, 1);
  }
  g_assert_cmpint (kt_catalog_find (f->catalog, "1")->family, ==, BASIC);
  g_assert_cmpint (kt_catalog_find (f->catalog, "3")->family, ==, JOB);
}

/* What a list tells is there for who reads, and nobody has asked for the task. */
static void
test_offers (Fixture *f, gconstpointer data)
{
  KtSnapshot snapshot;
  guint told;

  get (f, &told);
  kt_fake_list_land (f->source, BASIC, "");
  kt_fake_list_land (f->source, JOB, KT_ITEM ("3", 1));
  g_assert_true (kt_store_peek (f->store, kt_catalog_find (f->catalog, "3"), KT_STORE_LISTED, &snapshot));
  g_assert_cmpstr (snapshot.task->status, ==, "running");
  g_assert_cmpint (snapshot.expires_at, ==, kt_fake_clock_now (f->clock) + 30 * KT_SECOND);
  g_assert_cmpuint (kt_fake_source_asked (f->source), ==, 0);
}

static void
test_chosen_families (Fixture *f, gconstpointer data)
{
  guint told;

  f->policy.families = KT_FAMILY_BIT (KT_FAMILY_SHARE);
  kt_lists_set_policy (f->lists, &f->policy);
  g_assert_null (get (f, &told));
  kt_assert_text (kt_lists_format (f->lists), "");
  f->policy.families |= KT_FAMILY_BIT (JOB);
  kt_lists_set_policy (f->lists, &f->policy);
  kt_assert_text (kt_lists_format (f->lists), "list-job: not read yet\n");
  get (f, &told);
  g_assert_cmpuint (kt_fake_list_asked (f->source), ==, 1);
  kt_fake_list_land (f->source, JOB, KT_ITEM ("3", 1));
  g_assert_cmpuint (told, ==, 1);
  f->policy.families = KT_FAMILY_BIT (BASIC); /* what was listed stays */
  kt_lists_set_policy (f->lists, &f->policy);
  get (f, &told);
  kt_fake_list_land (f->source, BASIC, KT_ITEM ("1", 1));
  assert_catalog (f, "1 3 ");
}

/* A list that is refused keeps nobody from the other, and is asked for again after negative-ttl. */
static void
test_refused (Fixture *f, gconstpointer data)
{
  guint told;

  get (f, &told);
  kt_fake_list_fail (f->source, BASIC, KT_ERROR_DENIED);
  kt_fake_list_land (f->source, JOB, KT_ITEM ("3", 1));
  g_assert_cmpuint (told, ==, 1);
  assert_catalog (f, "3 ");
  kt_assert_text (kt_lists_format (f->lists), "list-basic: failed: made to fail\nlist-job: ok, 1 tasks\n");
  g_assert_null (get (f, &told));
  kt_fake_clock_advance (f->clock, 3 * KT_SECOND);
  g_assert_nonnull (get (f, &told));
  g_assert_false (kt_fake_list_pending (f->source, JOB));
  kt_fake_list_land (f->source, BASIC, KT_ITEM ("1", 1));
  assert_catalog (f, "1 3 ");
  kt_assert_text (kt_lists_format (f->lists), "list-basic: ok, 1 tasks\nlist-job: ok, 1 tasks\n");
}

/* Tasks that are listed no more are gone once the whole list is there, and not when it fails. */
static void
test_gone (Fixture *f, gconstpointer data)
{
  guint told;

  get (f, &told);
  kt_fake_list_land (f->source, BASIC, "");
  kt_fake_list_land (f->source, JOB, KT_ITEM ("3", 1) "," KT_ITEM ("4", 1));
  assert_told (f, "+3 +4 ");
  kt_fake_clock_advance (f->clock, 30 * KT_SECOND);
  get (f, &told);
  kt_fake_list_land (f->source, BASIC, "");
  kt_fake_list_page (f->source, JOB, KT_ITEM ("5", 1));
  assert_catalog (f, "3 4 5 ");
  kt_fake_list_fail (f->source, JOB, KT_ERROR_TIMED_OUT);
  g_assert_cmpuint (told, ==, 1);
  assert_catalog (f, "3 4 5 "); /* what came is there, what did not come stays */
  assert_told (f, "+5 ");
  kt_fake_clock_advance (f->clock, 3 * KT_SECOND);
  get (f, &told);
  kt_fake_list_page (f->source, JOB, KT_ITEM ("4", 1));
  kt_assert_text (kt_lists_format (f->lists), "list-basic: ok, 0 tasks\nlist-job: being read, 1 so far\n");
  kt_fake_list_page (f->source, JOB, KT_ITEM ("6", 1));
  kt_fake_list_end (f->source, JOB);
  assert_catalog (f, "4 6 ");
  assert_told (f, "+4 +6 -3 -5 ");
  kt_assert_text (kt_lists_format (f->lists), "list-basic: ok, 0 tasks\nlist-job: ok, 2 tasks\n");
}

static void
test_watched_stays (Fixture *f, gconstpointer data)
{
  g_autoptr (GPtrArray) watched = g_ptr_array_new_with_free_func ((GDestroyNotify) kt_key_unref);
  guint told;

  g_ptr_array_add (watched, kt_key_new (JOB, "3"));
  g_ptr_array_add (watched, kt_key_new_share ("S", "4"));
  g_ptr_array_unref (kt_catalog_set (f->catalog, KT_CATALOG_WATCHED, watched));
  get (f, &told);
  kt_fake_list_land (f->source, BASIC, "");
  kt_fake_list_land (f->source, JOB, KT_ITEM ("3", 1) "," KT_ITEM ("4", 1));
  assert_told (f, "+3 +4 -4 "); /* 4 is not asked for as it was */
  kt_fake_clock_advance (f->clock, 30 * KT_SECOND);
  get (f, &told);
  kt_fake_list_land (f->source, BASIC, "");
  kt_fake_list_land (f->source, JOB, "");
  assert_catalog (f, "3 4 ");
  assert_told (f, "");
}

/* The one who waits does so for no more than his patience; the lists go on being read. */
static void
test_patience (Fixture *f, gconstpointer data)
{
  guint early, late;

  get (f, &early);
  kt_fake_clock_advance (f->clock, 4 * KT_SECOND);
  get (f, &late);
  kt_fake_list_page (f->source, JOB, KT_ITEM ("3", 1));
  kt_fake_clock_advance (f->clock, 6 * KT_SECOND);
  g_assert_true (early == 1 && late == 0);
  assert_catalog (f, "3 "); /* what is known by then */
  kt_fake_clock_advance (f->clock, 4 * KT_SECOND);
  g_assert_cmpuint (late, ==, 1);
  g_assert_cmpuint (kt_fake_list_asked (f->source), ==, 2);
  kt_fake_list_end (f->source, JOB);
  kt_fake_list_land (f->source, BASIC, "");
  g_assert_true (early == 1 && late == 1);
  g_assert_null (get (f, &late));
}

static void
test_cancel (Fixture *f, gconstpointer data)
{
  guint told, other;
  KtListsWaiter *waiter = get (f, &told);

  get (f, &other);
  kt_lists_cancel (waiter);
  kt_fake_list_land (f->source, JOB, KT_ITEM ("3", 1));
  kt_fake_list_land (f->source, BASIC, "");
  g_assert_true (told == 0 && other == 1);
  kt_fake_clock_advance (f->clock, 30 * KT_SECOND);
  kt_lists_cancel (get (f, &told)); /* nobody waits; what comes is kept */
  kt_fake_list_land (f->source, JOB, KT_ITEM ("4", 1));
  kt_fake_list_land (f->source, BASIC, "");
  assert_catalog (f, "4 ");
}

typedef struct {
  Fixture *f;
  guint told;
} Again;

static void
look_again (gpointer data)
{
  Again *again = data;

  if (++again->told == 1)
    g_assert_nonnull (kt_lists_get (again->f->lists, look_again, again));
}

/* With a ttl of 0 each look is a new list, also one from within the callback of another. */
static void
test_no_ttl (Fixture *f, gconstpointer data)
{
  Again again = { .f = f };

  f->policy.ttl = 0;
  kt_lists_set_policy (f->lists, &f->policy);
  g_assert_nonnull (kt_lists_get (f->lists, look_again, &again));
  for (guint round = 1; round <= 2; round++) {
    g_assert_cmpuint (kt_fake_list_asked (f->source), ==, 2 * round);
    kt_fake_list_land (f->source, JOB, KT_ITEM ("3", 1));
    kt_fake_list_land (f->source, BASIC, "");
    g_assert_cmpuint (again.told, ==, round);
  }
}

/* An ended task of whose end only the list knows: its answer is another then. */
static void
test_superseded (Fixture *f, gconstpointer data)
{
  g_autoptr (KtKey) key = kt_key_new (JOB, "3");
  KtSnapshot snapshot;
  guint told;

  kt_store_prefetch (f->store, key, KT_TIME_NEVER);
  kt_fake_source_land (f->source, "{\"data\":{\"jobInfo\":{\"status\":2}}}");
  get (f, &told);
  kt_fake_list_land (f->source, BASIC, "");
  kt_fake_list_land (f->source, JOB, KT_ITEM_ENDED ("3", 2) "," KT_ITEM_ENDED ("4", 2));
  assert_told (f, "+3 +4 !3 ");
  g_assert_true (kt_store_peek (f->store, key, KT_STORE_FRESH, &snapshot));
  g_assert_cmpint (snapshot.task->ended, ==, 1727687700);
}

/* A task that has ended, of whose end nothing is known yet; the lists were read a second before. */
static KtKey *
ended_task (Fixture *f, const char *id, KtSnapshot *snapshot)
{
  g_autoptr (KtKey) key = kt_key_new (JOB, id);

  kt_store_prefetch (f->store, key, KT_TIME_NEVER);
  kt_fake_source_land (f->source, "{\"data\":{\"jobInfo\":{\"status\":2}}}");
  g_assert_true (kt_store_peek (f->store, key, KT_STORE_FRESH, snapshot));
  return g_steal_pointer (&key);
}

static void
read_lists (Fixture *f)
{
  guint told;

  get (f, &told);
  kt_fake_list_land (f->source, BASIC, "");
  kt_fake_list_land (f->source, JOB, KT_ITEM ("3", 1) "," KT_ITEM ("4", 1));
  kt_fake_clock_advance (f->clock, KT_SECOND);
}

/* One who wants to know what ANSWER lacks, told at once when the result is NULL. */
static KtListsWaiter *
complete (Fixture *f, const KtSnapshot *snapshot, guint *told)
{
  KtListsWaiter *waiter;

  *told = 0;
  g_assert_cmpint (kt_lists_complete_at (f->lists, snapshot), ==, 0);
  waiter = kt_lists_complete (f->lists, snapshot, kt_fake_clock_now (f->clock) + 10 * KT_SECOND, done, told);
  g_assert_cmpuint (*told, ==, waiter == NULL);
  return waiter;
}

/* The list is read for who lacks a time, however fresh, and he waits no longer than for the page that tells. */
static void
test_complete (Fixture *f, gconstpointer data)
{
  KtSnapshot snapshot;
  g_autoptr (KtKey) key = NULL;
  guint told, other;

  read_lists (f);
  key = ended_task (f, "3", &snapshot);
  g_assert_nonnull (complete (f, &snapshot, &told));
  g_assert_nonnull (complete (f, &snapshot, &other));
  g_assert_cmpuint (kt_fake_list_asked (f->source), ==, 3);
  g_assert_false (kt_fake_list_pending (f->source, BASIC));
  g_assert_null (get (f, &other)); /* who lists has a list that is fresh enough */
  kt_fake_list_page (f->source, JOB, KT_ITEM ("4", 1));
  g_assert_cmpuint (told, ==, 0);
  kt_fake_list_page (f->source, JOB,
                     "{\"taskId\":\"3\",\"status\":2,\"createTime\":\"20240930080000\","
                     "\"beginTime\":\"20240930080000\",\"endTime\":\"20240930091500\"}");
  g_assert_cmpuint (told, ==, 1);
  g_assert_true (kt_store_peek (f->store, key, KT_STORE_FRESH, &snapshot));
  g_assert_cmpint (kt_lists_complete_at (f->lists, &snapshot), ==, KT_TIME_NEVER);
  kt_fake_list_end (f->source, JOB);
  g_assert_cmpuint (kt_fake_list_asked (f->source), ==, 3);
}

/* A list that does not know the end is asked again after list-ttl, one that fails after negative-ttl, and neither keeps
 * anybody. */
static void
test_complete_in_vain (Fixture *f, gconstpointer data)
{
  KtUsec now;
  KtSnapshot snapshot;
  g_autoptr (KtKey) key = NULL;
  guint told;

  read_lists (f);
  key = ended_task (f, "3", &snapshot);
  now = kt_fake_clock_now (f->clock);
  complete (f, &snapshot, &told);
  kt_fake_list_land (f->source, JOB, KT_ITEM ("3", 1)); /* it knows it as running still */
  g_assert_cmpuint (told, ==, 1);
  g_assert_cmpint (kt_lists_complete_at (f->lists, &snapshot), ==, now + 30 * KT_SECOND);
  kt_fake_clock_advance (f->clock, 30 * KT_SECOND);
  told = 0;
  g_assert_nonnull (
      kt_lists_complete (f->lists, &snapshot, kt_fake_clock_now (f->clock) + 10 * KT_SECOND, done, &told));
  kt_fake_list_fail (f->source, JOB, KT_ERROR_DENIED);
  g_assert_cmpuint (told, ==, 1);
  g_assert_cmpint (kt_lists_complete_at (f->lists, &snapshot), ==, kt_fake_clock_now (f->clock) + 3 * KT_SECOND);
  f->policy.families = KT_FAMILY_BIT (BASIC);
  kt_lists_set_policy (f->lists, &f->policy);
  g_assert_cmpint (kt_lists_complete_at (f->lists, &snapshot), ==, KT_TIME_NEVER);
}

/* Many tasks that end one after another: one list a second at the most, and who comes while one is read waits for the
 * next, which began after his task's end. */
static void
test_complete_many (Fixture *f, gconstpointer data)
{
  KtSnapshot first, second;
  g_autoptr (KtKey) a = NULL, b = NULL;
  guint told, later, cancelled;

  read_lists (f);
  a = ended_task (f, "3", &first);
  complete (f, &first, &told);
  kt_fake_clock_advance (f->clock, KT_MS);
  b = ended_task (f, "4", &second);
  complete (f, &second, &later);
  kt_lists_cancel (complete (f, &second, &cancelled));
  kt_fake_list_land (f->source, JOB, KT_ITEM_ENDED ("3", 2) "," KT_ITEM ("4", 1));
  g_assert_true (told == 1 && later == 0);
  kt_fake_clock_advance (f->clock, KT_SECOND - KT_MS - 1);
  g_assert_false (kt_fake_list_pending (f->source, JOB));
  kt_fake_clock_advance (f->clock, 1);
  kt_fake_list_land (f->source, JOB, KT_ITEM_ENDED ("4", 2));
  g_assert_true (later == 1 && cancelled == 0);
  g_assert_cmpuint (kt_fake_list_asked (f->source), ==, 4);
}

/* A list that hangs keeps him until his deadline; one that nobody waits for any more is not read. */
static void
test_complete_deadline (Fixture *f, gconstpointer data)
{
  KtSnapshot first, second, third;
  g_autoptr (KtKey) a = NULL, b = NULL, c = NULL;
  guint told, later;

  read_lists (f);
  a = ended_task (f, "3", &first);
  complete (f, &first, &told);
  kt_fake_clock_advance (f->clock, 10 * KT_SECOND);
  g_assert_cmpuint (told, ==, 1);
  kt_fake_list_land (f->source, JOB, "");
  g_assert_cmpuint (kt_fake_list_asked (f->source), ==, 3);
  b = ended_task (f, "4", &second);
  complete (f, &second, &later);
  kt_fake_list_page (f->source, JOB, KT_ITEM_ENDED ("4", 2)); /* which is all there is to know */
  kt_fake_list_end (f->source, JOB);
  kt_fake_clock_advance (f->clock, KT_MS);
  c = ended_task (f, "5", &third);
  kt_lists_cancel (complete (f, &third, &told));
  kt_fake_clock_advance (f->clock, KT_SECOND);
  g_assert_false (kt_fake_list_pending (f->source, JOB));
  g_assert_true (told == 0 && later == 1);
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
#define TEST(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)
  TEST ("/store/lists/ttl", test_ttl);
  TEST ("/store/lists/offers", test_offers);
  TEST ("/store/lists/chosen-families", test_chosen_families);
  TEST ("/store/lists/refused", test_refused);
  TEST ("/store/lists/gone", test_gone);
  TEST ("/store/lists/watched-stays", test_watched_stays);
  TEST ("/store/lists/patience", test_patience);
  TEST ("/store/lists/cancel", test_cancel);
  TEST ("/store/lists/no-ttl", test_no_ttl);
  TEST ("/store/lists/superseded", test_superseded);
  TEST ("/store/lists/complete", test_complete);
  TEST ("/store/lists/complete-in-vain", test_complete_in_vain);
  TEST ("/store/lists/complete-many", test_complete_many);
  TEST ("/store/lists/complete-deadline", test_complete_deadline);
  return g_test_run ();
}
