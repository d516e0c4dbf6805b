/* SPDX-License-Identifier: MIT */
/* When the service's lists are read, who waits for them, and what they change. */
#include "kt-store-fixture.h"

#include <string.h>

#define BASIC KT_FAMILY_BASIC
#define JOB   KT_FAMILY_JOB

static void
done (gpointer data)
{
  ++*(guint *) data;
}

/* One who looks; the reply has come when the result is NULL. */
static KtListsWaiter *
get (KtStoreFixture *f, guint *replies)
{
  KtListsWaiter *waiter;

  *replies = 0;
  waiter = kt_lists_get (f->lists, done, replies);
  g_assert_cmpuint (*replies, ==, waiter == NULL);
  return waiter;
}

static void
assert_catalog (KtStoreFixture *f, const char *expected)
{
  g_autoptr (GPtrArray) keys = kt_catalog_list (f->catalog);
  g_autoptr (GString) out = g_string_new (NULL);

  for (guint i = 0; i < keys->len; i++)
    g_string_append_printf (out, "%s ", ((const KtKey *) keys->pdata[i])->task_id);
  g_assert_cmpstr (out->str, ==, expected);
}

/* Both lists, once for all who look, and again when they have run out. */
static void
test_ttl (KtStoreFixture *f, gconstpointer data)
{
  guint replies[3], asked = 0;

  for (guint round = 1; round <= 2; round++) {
    for (guint i = 0; i < 3; i++)
      g_assert_nonnull (get (f, &replies[i]));
    g_assert_cmpuint (kt_fake_list_asked (f->source), ==, asked += 2);
    g_assert_cmpint (kt_fake_list_timeout (f->source, JOB), ==, 10 * KT_SECOND);
    kt_fake_list_land (f->source, JOB, KT_ITEM ("3", 1));
    g_assert_cmpuint (replies[0] + replies[1] + replies[2], ==, 0); /* all of it or nothing */
    kt_fake_list_land (f->source, BASIC, KT_ITEM ("1", 1) "," KT_ITEM ("2", 2));
    g_assert_true (replies[0] == 1 && replies[1] == 1 && replies[2] == 1);
    assert_catalog (f, "1 2 3 ");
    kt_fake_clock_advance (f->clock, 30 * KT_SECOND - 1);
    g_assert_null (get (f, replies));
    kt_fake_clock_advance (f->clock, 1);
  }
  g_assert_cmpint (kt_catalog_find (f->catalog, "1")->family, ==, BASIC);
  g_assert_cmpint (kt_catalog_find (f->catalog, "3")->family, ==, JOB);
}

/* A list's items are there for who reads, and nobody has asked for the task. */
static void
test_offers (KtStoreFixture *f, gconstpointer data)
{
  KtSnapshot snapshot;
  guint replies;

  get (f, &replies);
  kt_fake_list_land (f->source, BASIC, "");
  kt_fake_list_land (f->source, JOB, KT_ITEM ("3", 1));
  g_assert_true (kt_store_peek (f->store, kt_catalog_find (f->catalog, "3"), KT_STORE_LISTED, &snapshot));
  g_assert_cmpstr (snapshot.task->status, ==, "running");
  g_assert_cmpint (snapshot.expires_at, ==, kt_fake_clock_now (f->clock) + 30 * KT_SECOND);
  g_assert_cmpuint (kt_fake_source_asked (f->source), ==, 0);
}

static void
test_chosen_families (KtStoreFixture *f, gconstpointer data)
{
  guint replies;

  f->lists_policy.families = KT_FAMILY_BIT (KT_FAMILY_SHARE);
  kt_lists_set_policy (f->lists, &f->lists_policy);
  g_assert_null (get (f, &replies));
  kt_assert_text (kt_lists_format (f->lists), "");
  f->lists_policy.families |= KT_FAMILY_BIT (JOB);
  kt_lists_set_policy (f->lists, &f->lists_policy);
  kt_assert_text (kt_lists_format (f->lists), "list-job: not read yet\n");
  get (f, &replies);
  g_assert_cmpuint (kt_fake_list_asked (f->source), ==, 1);
  kt_fake_list_land (f->source, JOB, KT_ITEM ("3", 1));
  g_assert_cmpuint (replies, ==, 1);
  f->lists_policy.families = KT_FAMILY_BIT (BASIC); /* what was listed stays */
  kt_lists_set_policy (f->lists, &f->lists_policy);
  get (f, &replies);
  kt_fake_list_land (f->source, BASIC, KT_ITEM ("1", 1));
  assert_catalog (f, "1 3 ");
}

/* A list that is refused keeps nobody from the other, and is asked for again after negative-ttl. "The line of a list that
 * could be read says how long ago it was asked for." */
static void
test_refused (KtStoreFixture *f, gconstpointer data)
{
  guint replies;

  get (f, &replies);
  kt_fake_list_fail (f->source, BASIC, KT_ERROR_DENIED);
  kt_fake_list_land (f->source, JOB, KT_ITEM ("3", 1));
  g_assert_cmpuint (replies, ==, 1);
  assert_catalog (f, "3 ");
  kt_assert_text (kt_lists_format (f->lists),
                  "list-basic: failed: made to fail\nlist-job: ok, 1 tasks; read 0 s ago\n");
  g_assert_null (get (f, &replies));
  kt_fake_clock_advance (f->clock, 3 * KT_SECOND);
  g_assert_nonnull (get (f, &replies));
  g_assert_false (kt_fake_list_pending (f->source, JOB));
  kt_fake_list_land (f->source, BASIC, KT_ITEM ("1", 1));
  assert_catalog (f, "1 3 ");
  kt_assert_text (kt_lists_format (f->lists),
                  "list-basic: ok, 1 tasks; read 0 s ago\nlist-job: ok, 1 tasks; read 3 s ago\n");
}

static void
assert_metrics (KtStoreFixture *f, const char *expected)
{
  g_autofree char *text = kt_metrics_format (f->metrics);
  const char *lists = strstr (text, "# HELP kootaskfs_list_");

  g_assert_cmpstr (lists, ==, expected);
}

/* The age is that of the last whole list, whatever has failed since; before the first there is none. */
static void
test_metrics (KtStoreFixture *f, gconstpointer data)
{
  const char *age =
      "# HELP kootaskfs_list_age_seconds How long ago the last list that came whole was asked for, by kind\n"
      "# TYPE kootaskfs_list_age_seconds gauge\nkootaskfs_list_age_seconds{kind=\"job\"} 40\n";
  const char *failing = "# HELP kootaskfs_list_failing Whether the last reading of the list failed, by kind\n"
                        "# TYPE kootaskfs_list_failing gauge\nkootaskfs_list_failing{kind=\"basic\"} 0\n"
                        "kootaskfs_list_failing{kind=\"job\"} ";
  g_autofree char *before = g_strconcat (failing, "0\n", NULL);
  g_autofree char *after = g_strconcat (age, failing, "1\n", NULL);
  guint replies;

  kt_lists_add_metrics (f->lists, f->metrics);
  get (f, &replies);
  assert_metrics (f, before);
  kt_fake_list_land (f->source, JOB, "");
  kt_fake_clock_advance (f->clock, 40 * KT_SECOND);
  get (f, &replies);
  kt_fake_list_fail (f->source, JOB, KT_ERROR_TIMED_OUT);
  assert_metrics (f, after);
  kt_fake_list_land (f->source, BASIC, "");
}

/* Tasks that are listed no more are gone once the whole list is there, and not when it fails. */
static void
test_gone (KtStoreFixture *f, gconstpointer data)
{
  guint replies;

  get (f, &replies);
  kt_fake_list_land (f->source, BASIC, "");
  kt_fake_list_land (f->source, JOB, KT_ITEM ("3", 1) "," KT_ITEM ("4", 1));
  kt_store_assert_log (f, "+3 +4 ");
  kt_fake_clock_advance (f->clock, 30 * KT_SECOND);
  get (f, &replies);
  kt_fake_list_land (f->source, BASIC, "");
  kt_fake_list_page (f->source, JOB, KT_ITEM ("5", 1));
  assert_catalog (f, "3 4 5 ");
  kt_fake_list_fail (f->source, JOB, KT_ERROR_TIMED_OUT);
  g_assert_cmpuint (replies, ==, 1);
  assert_catalog (f, "3 4 5 "); /* what came is there, what did not come stays */
  kt_store_assert_log (f, "+5 ");
  kt_fake_clock_advance (f->clock, 3 * KT_SECOND);
  get (f, &replies);
  kt_fake_list_page (f->source, JOB, KT_ITEM ("4", 1));
  kt_assert_text (kt_lists_format (f->lists),
                  "list-basic: ok, 0 tasks; read 3 s ago\nlist-job: being read, 1 so far\n");
  kt_fake_list_page (f->source, JOB, KT_ITEM ("6", 1));
  kt_fake_list_end (f->source, JOB);
  assert_catalog (f, "4 6 ");
  kt_store_assert_log (f, "+4 +6 -3 -5 ");
  kt_assert_text (kt_lists_format (f->lists),
                  "list-basic: ok, 0 tasks; read 3 s ago\nlist-job: ok, 2 tasks; read 0 s ago\n");
}

static void
test_watched_stays (KtStoreFixture *f, gconstpointer data)
{
  g_autoptr (GPtrArray) watched = g_ptr_array_new_with_free_func ((GDestroyNotify) kt_key_unref);
  guint replies;

  g_ptr_array_add (watched, kt_key_new (JOB, "3"));
  g_ptr_array_add (watched, kt_key_new_share ("S", "4"));
  kt_catalog_set (f->catalog, KT_CATALOG_WATCHED, watched);
  get (f, &replies);
  kt_fake_list_land (f->source, BASIC, "");
  kt_fake_list_land (f->source, JOB, KT_ITEM ("3", 1) "," KT_ITEM ("4", 1));
  kt_store_assert_log (f, "-4 +3 +4 "); /* 4 is not asked for as it was */
  kt_fake_clock_advance (f->clock, 30 * KT_SECOND);
  get (f, &replies);
  kt_fake_list_land (f->source, BASIC, "");
  kt_fake_list_land (f->source, JOB, "");
  assert_catalog (f, "3 4 ");
  kt_store_assert_log (f, "");
}

/* Nobody waits for longer than page-timeout; the lists go on being read. */
static void
test_timeout (KtStoreFixture *f, gconstpointer data)
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
test_cancel (KtStoreFixture *f, gconstpointer data)
{
  guint replies, other;
  KtListsWaiter *waiter = get (f, &replies);

  get (f, &other);
  kt_lists_cancel (waiter);
  kt_fake_list_land (f->source, JOB, KT_ITEM ("3", 1));
  kt_fake_list_land (f->source, BASIC, "");
  g_assert_true (replies == 0 && other == 1);
  kt_fake_clock_advance (f->clock, 30 * KT_SECOND);
  kt_lists_cancel (get (f, &replies)); /* nobody waits; what comes is kept */
  kt_fake_list_land (f->source, JOB, KT_ITEM ("4", 1));
  kt_fake_list_land (f->source, BASIC, "");
  assert_catalog (f, "4 ");
}

typedef struct {
  KtStoreFixture *f;
  guint replies;
} Again;

static void
look_again (gpointer data)
{
  Again *again = data;

  if (++again->replies == 1)
    g_assert_nonnull (kt_lists_get (again->f->lists, look_again, again));
}

/* With a ttl of 0 each look is a new list, also one from within the callback of another. */
static void
test_no_ttl (KtStoreFixture *f, gconstpointer data)
{
  Again again = { .f = f };

  f->lists_policy.ttl = 0;
  kt_lists_set_policy (f->lists, &f->lists_policy);
  g_assert_nonnull (kt_lists_get (f->lists, look_again, &again));
  for (guint round = 1; round <= 2; round++) {
    g_assert_cmpuint (kt_fake_list_asked (f->source), ==, 2 * round);
    kt_fake_list_land (f->source, JOB, KT_ITEM ("3", 1));
    kt_fake_list_land (f->source, BASIC, "");
    g_assert_cmpuint (again.replies, ==, round);
  }
}

/* An ended task whose end only the list has: its detail is another then. */
static void
test_superseded (KtStoreFixture *f, gconstpointer data)
{
  g_autoptr (KtKey) key = kt_key_new (JOB, "3");
  KtSnapshot snapshot;
  guint replies;

  kt_store_prefetch (f->store, key, KT_TIME_NEVER);
  kt_fake_source_land (f->source, "{\"data\":{\"jobInfo\":{\"status\":2}}}");
  kt_store_assert_log (f, "3:-1 ");
  get (f, &replies);
  kt_fake_list_land (f->source, BASIC, "");
  kt_fake_list_land (f->source, JOB, KT_ITEM_ENDED ("3", 2) "," KT_ITEM_ENDED ("4", 2));
  kt_store_assert_log (f, "+3 !3 +4 ");
  g_assert_true (kt_store_peek (f->store, key, KT_STORE_FRESH, &snapshot));
  g_assert_cmpint (snapshot.task->ended, ==, 1727687700);
}

/* A task that has ended, of whose end nothing is known yet; the lists were read a second before. */
static KtKey *
ended_task (KtStoreFixture *f, const char *id, KtSnapshot *snapshot)
{
  g_autoptr (KtKey) key = kt_key_new (JOB, id);

  kt_store_prefetch (f->store, key, KT_TIME_NEVER);
  kt_fake_source_land (f->source, "{\"data\":{\"jobInfo\":{\"status\":2}}}");
  g_assert_true (kt_store_peek (f->store, key, KT_STORE_FRESH, snapshot));
  return g_steal_pointer (&key);
}

static void
read_lists (KtStoreFixture *f)
{
  guint replies;

  get (f, &replies);
  kt_fake_list_land (f->source, BASIC, "");
  kt_fake_list_land (f->source, JOB, KT_ITEM ("3", 1) "," KT_ITEM ("4", 1));
  kt_fake_clock_advance (f->clock, KT_SECOND);
}

/* One who wants to know what SNAPSHOT lacks; the reply has come when the result is NULL. */
static KtListsWaiter *
complete (KtStoreFixture *f, const KtSnapshot *snapshot, guint *replies)
{
  KtListsWaiter *waiter;

  *replies = 0;
  g_assert_cmpint (kt_lists_complete_at (f->lists, snapshot), ==, 0);
  waiter = kt_lists_complete (f->lists, snapshot, kt_store_deadline (f), done, replies);
  g_assert_cmpuint (*replies, ==, waiter == NULL);
  return waiter;
}

/* The list is read for who lacks a time, however fresh, and he waits no longer than for the page that has it. */
static void
test_complete (KtStoreFixture *f, gconstpointer data)
{
  KtSnapshot snapshot;
  g_autoptr (KtKey) key = NULL;
  guint replies, other;

  read_lists (f);
  key = ended_task (f, "3", &snapshot);
  g_assert_nonnull (complete (f, &snapshot, &replies));
  g_assert_nonnull (complete (f, &snapshot, &other));
  g_assert_cmpuint (kt_fake_list_asked (f->source), ==, 3);
  g_assert_false (kt_fake_list_pending (f->source, BASIC));
  g_assert_null (get (f, &other)); /* who lists has a list that is fresh enough */
  kt_fake_list_page (f->source, JOB, KT_ITEM ("4", 1));
  g_assert_cmpuint (replies, ==, 0);
  kt_fake_list_page (f->source, JOB,
                     "{\"taskId\":\"3\",\"status\":2,\"createTime\":\"20240930080000\","
                     "\"beginTime\":\"20240930080000\",\"endTime\":\"20240930091500\"}");
  g_assert_cmpuint (replies, ==, 1);
  g_assert_true (kt_store_peek (f->store, key, KT_STORE_FRESH, &snapshot));
  g_assert_cmpint (kt_lists_complete_at (f->lists, &snapshot), ==, KT_TIME_NEVER);
  kt_fake_list_end (f->source, JOB);
  g_assert_cmpuint (kt_fake_list_asked (f->source), ==, 3);
}

/* A list that does not know the end is asked again after list-ttl, one that fails after negative-ttl, and neither keeps
 * anybody. */
static void
test_complete_in_vain (KtStoreFixture *f, gconstpointer data)
{
  KtUsec now;
  KtSnapshot snapshot;
  g_autoptr (KtKey) key = NULL;
  guint replies;

  read_lists (f);
  key = ended_task (f, "3", &snapshot);
  now = kt_fake_clock_now (f->clock);
  complete (f, &snapshot, &replies);
  kt_fake_list_land (f->source, JOB, KT_ITEM ("3", 1)); /* it knows it as running still */
  g_assert_cmpuint (replies, ==, 1);
  g_assert_cmpint (kt_lists_complete_at (f->lists, &snapshot), ==, now + 30 * KT_SECOND);
  kt_fake_clock_advance (f->clock, 30 * KT_SECOND);
  replies = 0;
  g_assert_nonnull (kt_lists_complete (f->lists, &snapshot, kt_store_deadline (f), done, &replies));
  kt_fake_list_fail (f->source, JOB, KT_ERROR_DENIED);
  g_assert_cmpuint (replies, ==, 1);
  g_assert_cmpint (kt_lists_complete_at (f->lists, &snapshot), ==, kt_fake_clock_now (f->clock) + 3 * KT_SECOND);
  f->lists_policy.families = KT_FAMILY_BIT (BASIC);
  kt_lists_set_policy (f->lists, &f->lists_policy);
  g_assert_cmpint (kt_lists_complete_at (f->lists, &snapshot), ==, KT_TIME_NEVER);
}

/* Many tasks that end one after another: one list a second at the most, and who comes while one is read waits for the
 * next, which began after his task's end. */
static void
test_complete_many (KtStoreFixture *f, gconstpointer data)
{
  KtSnapshot first, second;
  g_autoptr (KtKey) a = NULL, b = NULL;
  guint replies, later, cancelled;

  read_lists (f);
  a = ended_task (f, "3", &first);
  complete (f, &first, &replies);
  kt_fake_clock_advance (f->clock, KT_MS);
  b = ended_task (f, "4", &second);
  complete (f, &second, &later);
  kt_lists_cancel (complete (f, &second, &cancelled));
  kt_fake_list_land (f->source, JOB, KT_ITEM_ENDED ("3", 2) "," KT_ITEM ("4", 1));
  g_assert_true (replies == 1 && later == 0);
  kt_fake_clock_advance (f->clock, KT_SECOND - KT_MS - 1);
  g_assert_false (kt_fake_list_pending (f->source, JOB));
  kt_fake_clock_advance (f->clock, 1);
  kt_fake_list_land (f->source, JOB, KT_ITEM_ENDED ("4", 2));
  g_assert_true (later == 1 && cancelled == 0);
  g_assert_cmpuint (kt_fake_list_asked (f->source), ==, 4);
}

/* A list that hangs keeps him until his deadline; one that nobody waits for any more is not read. */
static void
test_complete_deadline (KtStoreFixture *f, gconstpointer data)
{
  KtSnapshot first, second, third;
  g_autoptr (KtKey) a = NULL, b = NULL, c = NULL;
  guint replies, later;

  read_lists (f);
  a = ended_task (f, "3", &first);
  complete (f, &first, &replies);
  kt_fake_clock_advance (f->clock, 10 * KT_SECOND);
  g_assert_cmpuint (replies, ==, 1);
  kt_fake_list_land (f->source, JOB, "");
  g_assert_cmpuint (kt_fake_list_asked (f->source), ==, 3);
  b = ended_task (f, "4", &second);
  complete (f, &second, &later);
  kt_fake_list_page (f->source, JOB, KT_ITEM_ENDED ("4", 2)); /* which is all there is to know */
  kt_fake_list_end (f->source, JOB);
  kt_fake_clock_advance (f->clock, KT_MS);
  c = ended_task (f, "5", &third);
  kt_lists_cancel (complete (f, &third, &replies));
  kt_fake_clock_advance (f->clock, KT_SECOND);
  g_assert_false (kt_fake_list_pending (f->source, JOB));
  g_assert_true (replies == 0 && later == 1);
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
  KT_STORE_TEST ("/store/lists/ttl", test_ttl);
  KT_STORE_TEST ("/store/lists/offers", test_offers);
  KT_STORE_TEST ("/store/lists/chosen-families", test_chosen_families);
  KT_STORE_TEST ("/store/lists/refused", test_refused);
  KT_STORE_TEST ("/store/lists/metrics", test_metrics);
  KT_STORE_TEST ("/store/lists/gone", test_gone);
  KT_STORE_TEST ("/store/lists/watched-stays", test_watched_stays);
  KT_STORE_TEST ("/store/lists/timeout", test_timeout);
  KT_STORE_TEST ("/store/lists/cancel", test_cancel);
  KT_STORE_TEST ("/store/lists/no-ttl", test_no_ttl);
  KT_STORE_TEST ("/store/lists/superseded", test_superseded);
  KT_STORE_TEST ("/store/lists/complete", test_complete);
  KT_STORE_TEST ("/store/lists/complete-in-vain", test_complete_in_vain);
  KT_STORE_TEST ("/store/lists/complete-many", test_complete_many);
  KT_STORE_TEST ("/store/lists/complete-deadline", test_complete_deadline);
  return g_test_run ();
}
