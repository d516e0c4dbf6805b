/* SPDX-License-Identifier: MIT */
/* Singleflight: who waits for which request. */
#include "kt-store-fixture.h"

#include <string.h>

#define PROGRESS(n) "{\"jobInfo\":{\"taskStatus\":1,\"progress\":" #n "}}"

/* Nothing is fresh. */
static const KtStorePolicy policy = { .memory = 1 << 20 };

typedef struct Reader {
  KtStoreFixture *f;
  guint replies;
  gint progress; /* of the snapshot, -1: none */
  KtWaiter *waiter;
  /* what its callback does */
  struct Reader *cancels;
  struct Reader *asks;
  KtStoreMode asks_mode;
} Reader;

static void get (KtStoreFixture *f, KtStoreMode mode, Reader *reader);

static void
done (const KtSnapshot *snapshot, const GError *error, gpointer data)
{
  Reader *reader = data;

  reader->replies++;
  reader->waiter = NULL;
  reader->progress = snapshot != NULL ? snapshot->task->progress : -1;
  if (reader->cancels != NULL)
    kt_waiter_cancel (g_steal_pointer (&reader->cancels->waiter));
  if (reader->asks != NULL)
    get (reader->f, reader->asks_mode, reader->asks);
}

static void
get (KtStoreFixture *f, KtStoreMode mode, Reader *reader)
{
  *reader = (Reader){ .f = f };
  reader->waiter = kt_store_get (f->store, f->key, mode, kt_store_deadline (f), done, reader);
  g_assert_cmpuint (reader->replies, ==, 0); /* with a ttl of 0 nothing is fresh */
}

static void
test_single_flight (KtStoreFixture *f, gconstpointer data)
{
  Reader readers[100];

  for (guint i = 0; i < G_N_ELEMENTS (readers); i++)
    get (f, KT_STORE_FRESH, &readers[i]);
  g_assert_cmpuint (kt_fake_source_asked (f->source), ==, 1);
  kt_fake_source_land (f->source, PROGRESS (1));
  g_assert_cmpuint (kt_fake_source_asked (f->source), ==, 1);
  for (guint i = 0; i < G_N_ELEMENTS (readers); i++)
    g_assert_true (readers[i].replies == 1 && readers[i].progress == 1);
}

static void
test_flights_of_others (KtStoreFixture *f, gconstpointer data)
{
  g_autoptr (KtKey) other = kt_key_new (KT_FAMILY_BASIC, "7"); /* the same id, asked for differently */
  Reader reader, second = { .f = f };

  get (f, KT_STORE_FRESH, &reader);
  kt_store_get (f->store, other, KT_STORE_FRESH, 0, done, &second);
  g_assert_cmpuint (kt_fake_source_pending (f->source), ==, 2);
  kt_fake_source_fail (f->source, KT_ERROR_STOPPED);
  kt_fake_source_fail (f->source, KT_ERROR_STOPPED);
}

/* The response to a request that began before the touch may be of before the touch. */
static void
test_again_waits_for_the_next (KtStoreFixture *f, gconstpointer data)
{
  Reader before, again, more;

  get (f, KT_STORE_FRESH, &before);
  get (f, KT_STORE_AGAIN, &again);
  get (f, KT_STORE_AGAIN, &more);
  g_assert_cmpuint (kt_fake_source_pending (f->source), ==, 1);
  kt_fake_source_land (f->source, PROGRESS (1));
  g_assert_true (before.replies == 1 && before.progress == 1);
  g_assert_cmpuint (again.replies, ==, 0);
  g_assert_cmpuint (kt_fake_source_pending (f->source), ==, 1);
  kt_fake_source_land (f->source, PROGRESS (2));
  g_assert_true (again.replies == 1 && again.progress == 2);
  g_assert_true (more.replies == 1 && more.progress == 2);
  g_assert_cmpuint (kt_fake_source_pending (f->source), ==, 0);
}

static void
test_again_after_failure (KtStoreFixture *f, gconstpointer data)
{
  Reader before, again;

  get (f, KT_STORE_FRESH, &before);
  get (f, KT_STORE_AGAIN, &again);
  kt_fake_source_fail (f->source, KT_ERROR_DENIED);
  g_assert_true (before.replies == 1 && before.progress == -1);
  g_assert_cmpuint (again.replies, ==, 0);
  kt_fake_source_land (f->source, PROGRESS (2));
  g_assert_cmpint (again.progress, ==, 2);
}

static void
test_cancel (KtStoreFixture *f, gconstpointer data)
{
  Reader readers[3];
  KtSnapshot snapshot;

  for (guint i = 0; i < 3; i++)
    get (f, KT_STORE_FRESH, &readers[i]);
  kt_waiter_cancel (readers[1].waiter);
  kt_fake_source_land (f->source, PROGRESS (1));
  g_assert_true (readers[0].replies == 1 && readers[1].replies == 0 && readers[2].replies == 1);

  get (f, KT_STORE_FRESH, &readers[0]);
  kt_waiter_cancel (readers[0].waiter); /* nobody waits; the flight goes on and its response is kept */
  g_assert_cmpuint (kt_fake_source_pending (f->source), ==, 1);
  kt_fake_source_land (f->source, PROGRESS (2));
  g_assert_true (kt_store_peek (f->store, f->key, KT_STORE_FRESH, &snapshot));
  g_assert_cmpint (snapshot.task->progress, ==, 2);
}

/* The waiter of the next flight that is gone leaves no flight behind. */
static void
test_cancel_again (KtStoreFixture *f, gconstpointer data)
{
  Reader before, again;

  get (f, KT_STORE_FRESH, &before);
  get (f, KT_STORE_AGAIN, &again);
  kt_waiter_cancel (again.waiter);
  kt_fake_source_land (f->source, PROGRESS (1));
  g_assert_cmpuint (kt_fake_source_pending (f->source), ==, 0);
  g_assert_cmpuint (again.replies, ==, 0);
}

static void
test_cancel_within_callback (KtStoreFixture *f, gconstpointer data)
{
  Reader readers[4], again;

  for (guint i = 0; i < 4; i++)
    get (f, KT_STORE_FRESH, &readers[i]);
  get (f, KT_STORE_AGAIN, &again);
  readers[0].cancels = &readers[1]; /* the next in the queue */
  readers[2].cancels = &again;      /* one of the next flight */
  readers[3].cancels = NULL;
  kt_fake_source_land (f->source, PROGRESS (1));
  g_assert_true (readers[0].replies == 1 && readers[1].replies == 0 && readers[2].replies == 1
                 && readers[3].replies == 1);
  g_assert_cmpuint (kt_fake_source_pending (f->source), ==, 0);
  g_assert_cmpuint (again.replies, ==, 0);
}

/* A callback may ask at once, in either way: it waits for exactly one more request. */
static void
ask_within_callback (KtStoreFixture *f, KtStoreMode mode)
{
  Reader first, second;

  get (f, KT_STORE_FRESH, &first);
  first.asks = &second;
  first.asks_mode = mode;
  kt_fake_source_land (f->source, PROGRESS (1));
  g_assert_cmpuint (first.replies, ==, 1);
  g_assert_cmpuint (second.replies, ==, 0);
  g_assert_cmpuint (kt_fake_source_pending (f->source), ==, 1);
  kt_fake_source_land (f->source, PROGRESS (2));
  g_assert_true (second.replies == 1 && second.progress == 2);
  g_assert_cmpuint (kt_fake_source_pending (f->source), ==, 0);
}

static void
test_ask_within_callback (KtStoreFixture *f, gconstpointer data)
{
  ask_within_callback (f, KT_STORE_FRESH);
}

static void
test_ask_again_within_callback (KtStoreFixture *f, gconstpointer data)
{
  ask_within_callback (f, KT_STORE_AGAIN);
}

static void
test_changes (KtStoreFixture *f, gconstpointer data)
{
  g_autofree char *expected = g_strdup_printf ("7:-1 7:%d ", KT_ERROR_NOT_FOUND);
  Reader reader;

  get (f, KT_STORE_FRESH, &reader);
  kt_store_assert_log (f, "");
  kt_fake_source_land (f->source, PROGRESS (1));
  get (f, KT_STORE_FRESH, &reader);
  kt_fake_source_fail (f->source, KT_ERROR_NOT_FOUND);
  kt_store_assert_log (f, expected);
  kt_changes_unlisten (f->changes, &f->listener);
  get (f, KT_STORE_FRESH, &reader);
  kt_fake_source_land (f->source, PROGRESS (1));
  kt_store_assert_log (f, "");
}

typedef struct {
  Reader reader;
  KtTask *before;
  KtTask *after;
  guint changes;
  guint replied; /* when the change came */
} Watcher;

static void
watch (const KtChange *changes, guint n, gpointer data)
{
  Watcher *watcher = data;

  g_assert_cmpuint (n, ==, 1);
  watcher->changes++;
  watcher->replied = watcher->reader.replies;
  watcher->before = changes->before;
  watcher->after = changes->after;
}

/* A change has the snapshots before and after, which are one object when both say the same, and comes after the
 * reply to those who waited. */
static void
test_before_and_after (KtStoreFixture *f, gconstpointer data)
{
  static const char *const responses[] = { PROGRESS (1), PROGRESS (1), PROGRESS (2) };
  Watcher watcher = { .before = NULL };
  KtListener *listener = kt_changes_listen (f->changes, watch, &watcher);
  const KtTask *last = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (responses); i++) {
    get (f, KT_STORE_FRESH, &watcher.reader);
    kt_fake_source_land (f->source, responses[i]);
    g_assert_cmpuint (watcher.changes, ==, i + 1);
    g_assert_cmpuint (watcher.replied, ==, 1);
    g_assert_true (watcher.before == last);
    g_assert_true ((watcher.after == watcher.before) == (i == 1));
    last = watcher.after;
  }
  kt_changes_unlisten (f->changes, &listener);
}

static guint
gauge (KtStoreFixture *f, const char *name)
{
  g_autofree char *text = kt_metrics_format (f->metrics);
  g_autofree char *start = g_strdup_printf ("\n%s ", name);
  const char *line = strstr (text, start);

  g_assert_nonnull (line);
  return (guint) g_ascii_strtoull (line + strlen (start), NULL, 10);
}

static void
assert_gauges (KtStoreFixture *f, guint flights, guint waiters)
{
  g_assert_cmpuint (gauge (f, "kootaskfs_flights"), ==, flights);
  g_assert_cmpuint (gauge (f, "kootaskfs_waiters"), ==, waiters);
}

/* A flight is counted once, also when the next one begins as it lands; who waits until the reply or until he leaves. */
static void
test_gauges (KtStoreFixture *f, gconstpointer data)
{
  g_autoptr (KtKey) unknown = kt_key_new (KT_FAMILY_UNKNOWN, "9");
  Reader readers[3];

  get (f, KT_STORE_FRESH, &readers[0]);
  get (f, KT_STORE_AGAIN, &readers[1]);
  get (f, KT_STORE_FRESH, &readers[2]);
  kt_store_prefetch (f->store, unknown, KT_TIME_NEVER);
  assert_gauges (f, 2, 3);
  kt_waiter_cancel (readers[2].waiter);
  assert_gauges (f, 2, 2);
  kt_fake_source_land (f->source, PROGRESS (1));
  assert_gauges (f, 2, 1);
  kt_fake_source_land (f->source, "{\"code\":0,\"taskType\":1,\"status\":1}"); /* the family is found out */
  assert_gauges (f, 1, 1);
  kt_fake_source_fail (f->source, KT_ERROR_TIMED_OUT);
  assert_gauges (f, 0, 0);
}

static void
test_counters (KtStoreFixture *f, gconstpointer data)
{
  static const char name[] = "kootaskfs_cache_lookups_total";
  Reader readers[3];

  get (f, KT_STORE_FRESH, &readers[0]);
  get (f, KT_STORE_FRESH, &readers[1]);
  get (f, KT_STORE_AGAIN, &readers[2]);
  g_assert_cmpuint (*kt_metrics_counter (f->metrics, name, "", "outcome", "miss"), ==, 1);
  g_assert_cmpuint (*kt_metrics_counter (f->metrics, name, "", "outcome", "join"), ==, 2);
  g_assert_cmpuint (*kt_metrics_counter (f->metrics, name, "", "outcome", "hit"), ==, 0);
  kt_fake_source_fail (f->source, KT_ERROR_STOPPED);
  kt_fake_source_fail (f->source, KT_ERROR_STOPPED);
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
#define TEST(path, func) g_test_add (path, KtStoreFixture, &policy, kt_store_set_up, func, kt_store_tear_down)
  TEST ("/store/waiters/single-flight", test_single_flight);
  TEST ("/store/waiters/flights-of-others", test_flights_of_others);
  TEST ("/store/waiters/again-waits-for-the-next", test_again_waits_for_the_next);
  TEST ("/store/waiters/again-after-failure", test_again_after_failure);
  TEST ("/store/waiters/cancel", test_cancel);
  TEST ("/store/waiters/cancel-again", test_cancel_again);
  TEST ("/store/waiters/cancel-within-callback", test_cancel_within_callback);
  TEST ("/store/waiters/ask-within-callback", test_ask_within_callback);
  TEST ("/store/waiters/ask-again-within-callback", test_ask_again_within_callback);
  TEST ("/store/waiters/changes", test_changes);
  TEST ("/store/waiters/before-and-after", test_before_and_after);
  TEST ("/store/waiters/counters", test_counters);
  TEST ("/store/waiters/gauges", test_gauges);
  return g_test_run ();
}
