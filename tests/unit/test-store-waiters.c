/* SPDX-License-Identifier: MIT */
/* Who waits for which flight. */
#include "kt-test.h"

#include "base/kt-units.h"
#include "kt-fake-source.h"
#include "store/kt-store.h"

#include <string.h>

#define PROGRESS(n) "{\"jobInfo\":{\"taskStatus\":1,\"progress\":" #n "}}"

typedef struct {
  KtFakeClock *clock;
  KtFakeSource *source;
  KtMetrics *metrics;
  KtStore *store;
  KtKey *key;
} Fixture;

typedef struct Reader {
  Fixture *f;
  guint told;
  gint progress; /* of the answer, -1: none */
  KtWaiter *waiter;
  /* what its callback does */
  struct Reader *cancels;
  struct Reader *asks;
  KtStoreMode asks_mode;
} Reader;

static void
set_up (Fixture *f, gconstpointer data)
{
  const KtStorePolicy policy = { .ttl = 0, .ended_ttl = 0, .negative_ttl = 0, .max_stale = 0, .memory = 1 << 20 };

  f->clock = kt_fake_clock_new ();
  f->source = kt_fake_source_new ();
  f->metrics = kt_metrics_new ();
  f->store = kt_store_new (kt_fake_clock (f->clock), f->metrics, &policy, kt_fake_source (f->source));
  f->key = kt_key_new_share ("S", "7");
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  kt_fake_source_free (f->source);
  kt_store_free (f->store);
  kt_metrics_free (f->metrics);
  kt_key_unref (f->key);
  kt_fake_clock_free (f->clock);
}

static void get (Fixture *f, KtStoreMode mode, Reader *reader);

static void
done (const KtSnapshot *snapshot, const GError *error, gpointer data)
{
  Reader *reader = data;

  reader->told++;
  reader->waiter = NULL;
  reader->progress = snapshot != NULL ? snapshot->task->progress : -1;
  if (reader->cancels != NULL)
    kt_waiter_cancel (g_steal_pointer (&reader->cancels->waiter));
  if (reader->asks != NULL)
    get (reader->f, reader->asks_mode, reader->asks);
}

static void
get (Fixture *f, KtStoreMode mode, Reader *reader)
{
  *reader = (Reader){ .f = f };
  reader->waiter = kt_store_get (f->store, f->key, mode, kt_fake_clock_now (f->clock) + 10 * KT_SECOND, done, reader);
  g_assert_cmpuint (reader->told, ==, 0); /* with a ttl of 0 nothing is answered at once */
}

static void
test_single_flight (Fixture *f, gconstpointer data)
{
  Reader readers[100];

  for (guint i = 0; i < G_N_ELEMENTS (readers); i++)
    get (f, KT_STORE_FRESH, &readers[i]);
  g_assert_cmpuint (kt_fake_source_asked (f->source), ==, 1);
  kt_fake_source_land (f->source, PROGRESS (1));
  g_assert_cmpuint (kt_fake_source_asked (f->source), ==, 1);
  for (guint i = 0; i < G_N_ELEMENTS (readers); i++)
    g_assert_true (readers[i].told == 1 && readers[i].progress == 1);
}

static void
test_flights_of_others (Fixture *f, gconstpointer data)
{
  g_autoptr (KtKey) other = kt_key_new (KT_FAMILY_BASIC, "7"); /* the same id, asked for differently */
  Reader reader, second = { .f = f };

  get (f, KT_STORE_FRESH, &reader);
  kt_store_get (f->store, other, KT_STORE_FRESH, 0, done, &second);
  g_assert_cmpuint (kt_fake_source_pending (f->source), ==, 2);
  kt_fake_source_fail (f->source, KT_ERROR_STOPPED);
  kt_fake_source_fail (f->source, KT_ERROR_STOPPED);
}

/* A request that began before the touch may tell what was true before the touch. */
static void
test_again_waits_for_the_next (Fixture *f, gconstpointer data)
{
  Reader before, again, more;

  get (f, KT_STORE_FRESH, &before);
  get (f, KT_STORE_AGAIN, &again);
  get (f, KT_STORE_AGAIN, &more);
  g_assert_cmpuint (kt_fake_source_pending (f->source), ==, 1);
  kt_fake_source_land (f->source, PROGRESS (1));
  g_assert_true (before.told == 1 && before.progress == 1);
  g_assert_cmpuint (again.told, ==, 0);
  g_assert_cmpuint (kt_fake_source_pending (f->source), ==, 1);
  kt_fake_source_land (f->source, PROGRESS (2));
  g_assert_true (again.told == 1 && again.progress == 2);
  g_assert_true (more.told == 1 && more.progress == 2);
  g_assert_cmpuint (kt_fake_source_pending (f->source), ==, 0);
}

static void
test_again_after_failure (Fixture *f, gconstpointer data)
{
  Reader before, again;

  get (f, KT_STORE_FRESH, &before);
  get (f, KT_STORE_AGAIN, &again);
  kt_fake_source_fail (f->source, KT_ERROR_DENIED);
  g_assert_true (before.told == 1 && before.progress == -1);
  g_assert_cmpuint (again.told, ==, 0);
  kt_fake_source_land (f->source, PROGRESS (2));
  g_assert_cmpint (again.progress, ==, 2);
}

static void
test_cancel (Fixture *f, gconstpointer data)
{
  Reader readers[3];
  KtSnapshot snapshot;

  for (guint i = 0; i < 3; i++)
    get (f, KT_STORE_FRESH, &readers[i]);
  kt_waiter_cancel (readers[1].waiter);
  kt_fake_source_land (f->source, PROGRESS (1));
  g_assert_true (readers[0].told == 1 && readers[1].told == 0 && readers[2].told == 1);

  get (f, KT_STORE_FRESH, &readers[0]);
  kt_waiter_cancel (readers[0].waiter); /* nobody waits; the flight goes on and its answer is kept */
  g_assert_cmpuint (kt_fake_source_pending (f->source), ==, 1);
  kt_fake_source_land (f->source, PROGRESS (2));
  g_assert_true (kt_store_peek (f->store, f->key, KT_STORE_FRESH, &snapshot));
  g_assert_cmpint (snapshot.task->progress, ==, 2);
}

/* The waiter of the next flight that is gone leaves no flight behind. */
static void
test_cancel_again (Fixture *f, gconstpointer data)
{
  Reader before, again;

  get (f, KT_STORE_FRESH, &before);
  get (f, KT_STORE_AGAIN, &again);
  kt_waiter_cancel (again.waiter);
  kt_fake_source_land (f->source, PROGRESS (1));
  g_assert_cmpuint (kt_fake_source_pending (f->source), ==, 0);
  g_assert_cmpuint (again.told, ==, 0);
}

static void
test_cancel_within_callback (Fixture *f, gconstpointer data)
{
  Reader readers[4], again;

  for (guint i = 0; i < 4; i++)
    get (f, KT_STORE_FRESH, &readers[i]);
  get (f, KT_STORE_AGAIN, &again);
  readers[0].cancels = &readers[1]; /* the next in the queue */
  readers[2].cancels = &again;      /* one of the next flight */
  readers[3].cancels = NULL;
  kt_fake_source_land (f->source, PROGRESS (1));
  g_assert_true (readers[0].told == 1 && readers[1].told == 0 && readers[2].told == 1 && readers[3].told == 1);
  g_assert_cmpuint (kt_fake_source_pending (f->source), ==, 0);
  g_assert_cmpuint (again.told, ==, 0);
}

/* A callback may ask at once, in either way: it waits for exactly one more request. */
static void
test_ask_within_callback (Fixture *f, gconstpointer mode)
{
  Reader first, second;

  get (f, KT_STORE_FRESH, &first);
  first.asks = &second;
  first.asks_mode = (KtStoreMode) GPOINTER_TO_INT (mode);
  kt_fake_source_land (f->source, PROGRESS (1));
  g_assert_cmpuint (first.told, ==, 1);
  g_assert_cmpuint (second.told, ==, 0);
  g_assert_cmpuint (kt_fake_source_pending (f->source), ==, 1);
  kt_fake_source_land (f->source, PROGRESS (2));
  g_assert_true (second.told == 1 && second.progress == 2);
  g_assert_cmpuint (kt_fake_source_pending (f->source), ==, 0);
}

static void
observe (KtKey *key, const GError *error, gpointer data)
{
  GString *log = data;
  g_string_append_printf (log, "%s:%d ", key->task_id, error != NULL ? error->code : -1);
}

static void
test_observer (Fixture *f, gconstpointer data)
{
  g_autoptr (GString) log = g_string_new (NULL);
  g_autofree char *expected = g_strdup_printf ("7:-1 7:%d ", KT_ERROR_NOT_FOUND);
  Reader reader;

  kt_store_set_observer (f->store, observe, log);
  get (f, KT_STORE_FRESH, &reader);
  g_assert_cmpstr (log->str, ==, "");
  kt_fake_source_land (f->source, PROGRESS (1));
  get (f, KT_STORE_FRESH, &reader);
  kt_fake_source_fail (f->source, KT_ERROR_NOT_FOUND);
  g_assert_cmpstr (log->str, ==, expected);
  kt_store_set_observer (f->store, NULL, NULL);
  get (f, KT_STORE_FRESH, &reader);
  kt_fake_source_land (f->source, PROGRESS (1));
  g_assert_cmpstr (log->str, ==, expected);
}

static void
test_counters (Fixture *f, gconstpointer data)
{
  static const char name[] = "kootaskfs_cache_lookups";
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
#define TEST(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)
  TEST ("/store/waiters/single-flight", test_single_flight);
  TEST ("/store/waiters/flights-of-others", test_flights_of_others);
  TEST ("/store/waiters/again-waits-for-the-next", test_again_waits_for_the_next);
  TEST ("/store/waiters/again-after-failure", test_again_after_failure);
  TEST ("/store/waiters/cancel", test_cancel);
  TEST ("/store/waiters/cancel-again", test_cancel_again);
  TEST ("/store/waiters/cancel-within-callback", test_cancel_within_callback);
  g_test_add ("/store/waiters/ask-within-callback", Fixture, GINT_TO_POINTER (KT_STORE_FRESH), set_up,
              test_ask_within_callback, tear_down);
  g_test_add ("/store/waiters/ask-again-within-callback", Fixture, GINT_TO_POINTER (KT_STORE_AGAIN), set_up,
              test_ask_within_callback, tear_down);
  TEST ("/store/waiters/observer", test_observer);
  TEST ("/store/waiters/counters", test_counters);
  return g_test_run ();
}
