/* SPDX-License-Identifier: MIT */
/* How long snapshots and failures hold, and what is kept. */
#include "kt-store-fixture.h"

#include <string.h>

#define RUNNING    "{\"jobInfo\":{\"taskStatus\":1,\"progress\":10}}"
#define RUNNING_ON "{\"jobInfo\":{\"taskStatus\":1,\"progress\":20}}"
#define ENDED      "{\"jobInfo\":{\"taskStatus\":2,\"progress\":100}}"

/* What a reader got. */
typedef struct {
  guint replies;
  gint progress; /* -1: none */
  KtTask *task;  /* only to compare */
  gboolean stale;
  KtUsec expires_at;
  KtUsec changed_wall;
  int error; /* -1: none */
  int stale_error;
} Reader;

static void
done (const KtSnapshot *snapshot, const GError *error, gpointer data)
{
  Reader *reader = data;

  g_assert_true ((snapshot == NULL) != (error == NULL));
  *reader = (Reader){ .replies = reader->replies + 1, .progress = -1, .error = -1, .stale_error = -1 };
  if (snapshot != NULL) {
    reader->progress = snapshot->task->progress;
    reader->task = snapshot->task;
    reader->stale = snapshot->stale;
    reader->expires_at = snapshot->expires_at;
    reader->changed_wall = snapshot->changed_wall;
    g_assert_true (snapshot->stale == (snapshot->error != NULL));
    if (snapshot->error != NULL)
      reader->stale_error = snapshot->error->code;
  } else {
    reader->error = error->code;
  }
}

static KtWaiter *
get_as (KtStoreFixture *f, KtKey *key, KtStoreMode mode, Reader *reader)
{
  *reader = (Reader){ 0 };
  return kt_store_get (f->store, key, mode, kt_store_deadline (f), done, reader);
}

/* TRUE when the snapshot came at once. */
static gboolean
get (KtStoreFixture *f, Reader *reader)
{
  KtWaiter *waiter = get_as (f, f->key, KT_STORE_FRESH, reader);
  g_assert_true ((waiter == NULL) == (reader->replies == 1));
  return waiter == NULL;
}

/* A response that was current a while ago has that much less of its ttl left, and says when it was fetched. */
static void
test_age (KtStoreFixture *f, gconstpointer data)
{
  const KtUsec now = kt_fake_clock_now (f->clock);
  KtSnapshot snapshot;
  Reader reader;

  kt_fake_source_set_age (f->source, 2 * KT_SECOND);
  g_assert_false (get (f, &reader));
  kt_fake_source_land (f->source, RUNNING);
  g_assert_cmpint (reader.expires_at, ==, now + 3 * KT_SECOND);
  g_assert_true (kt_store_peek (f->store, f->key, KT_STORE_FRESH, &snapshot));
  g_assert_cmpint (snapshot.fetched_at, ==, now - 2 * KT_SECOND);
  g_assert_cmpint (snapshot.fetched_wall, ==, kt_clock_wall (kt_fake_clock (f->clock)) - 2 * KT_SECOND);
  kt_fake_clock_advance (f->clock, 3 * KT_SECOND);
  kt_fake_source_set_age (f->source, 6 * KT_SECOND); /* older than it may be: it is for who waited for it */
  g_assert_false (get (f, &reader));
  kt_fake_source_land (f->source, RUNNING_ON);
  g_assert_cmpint (reader.progress, ==, 20);
  g_assert_false (get (f, &reader));
  kt_fake_source_land (f->source, RUNNING_ON);
}

static void
test_fresh_hit (KtStoreFixture *f, gconstpointer data)
{
  Reader reader;

  g_assert_false (get (f, &reader));
  g_assert_cmpint (kt_fake_source_deadline (f->source), ==, kt_fake_clock_now (f->clock) + 10 * KT_SECOND);
  kt_fake_source_land (f->source, RUNNING);
  g_assert_cmpint (reader.progress, ==, 10);
  g_assert_cmpint (reader.expires_at, ==, kt_fake_clock_now (f->clock) + 5 * KT_SECOND);
  kt_fake_clock_advance (f->clock, 5 * KT_SECOND - 1);
  g_assert_true (get (f, &reader));
  g_assert_cmpint (reader.progress, ==, 10);
  g_assert_cmpint (reader.expires_at, ==, kt_fake_clock_now (f->clock) + 1);
  g_assert_cmpuint (kt_fake_source_asked (f->source), ==, 1);
}

static void
test_ttl (KtStoreFixture *f, gconstpointer data)
{
  Reader reader;

  get (f, &reader);
  kt_fake_source_land (f->source, RUNNING);
  kt_fake_clock_advance (f->clock, 5 * KT_SECOND);
  g_assert_false (get (f, &reader));
  g_assert_cmpuint (reader.replies, ==, 0); /* not the old snapshot first */
  kt_fake_source_land (f->source, RUNNING_ON);
  g_assert_cmpint (reader.progress, ==, 20);
}

#define YEAR (365 * 86400 * KT_SECOND)

/* "A jump of the wall clock changes no age": of a snapshot, of one that is stale, and of a failure. */
static void
test_wall_clock (KtStoreFixture *f, gconstpointer data)
{
  static const gint64 jumps[] = { YEAR, -3 * YEAR, 2 * YEAR, -KT_SECOND };
  Reader reader;

  get (f, &reader);
  kt_fake_source_land (f->source, RUNNING);
  for (gsize i = 0; i < G_N_ELEMENTS (jumps); i++) {
    kt_fake_clock_jump (f->clock, jumps[i]);
    g_assert_true (get (f, &reader));
    g_assert_cmpint (reader.expires_at, ==, kt_fake_clock_now (f->clock) + 5 * KT_SECOND);
  }
  kt_fake_clock_advance (f->clock, 5 * KT_SECOND);
  kt_fake_clock_jump (f->clock, -YEAR);
  g_assert_false (get (f, &reader));
  kt_fake_source_fail (f->source, KT_ERROR_SERVICE);
  g_assert_true (reader.stale);
  for (gsize i = 0; i < G_N_ELEMENTS (jumps); i++) {
    kt_fake_clock_jump (f->clock, jumps[i]);
    g_assert_true (get (f, &reader));
    g_assert_true (reader.stale);
  }
  kt_fake_clock_advance (f->clock, 60 * KT_SECOND);
  g_assert_false (get (f, &reader));
  kt_fake_source_fail (f->source, KT_ERROR_SERVICE);
  g_assert_cmpint (reader.error, ==, KT_ERROR_SERVICE);
  kt_fake_clock_jump (f->clock, YEAR);
  g_assert_true (get (f, &reader));
  g_assert_cmpint (reader.error, ==, KT_ERROR_SERVICE);
}

static void
test_ended_forever (KtStoreFixture *f, gconstpointer data)
{
  Reader reader;

  get (f, &reader);
  kt_fake_source_land (f->source, ENDED);
  g_assert_cmpint (reader.expires_at, ==, KT_TIME_NEVER);
  kt_fake_clock_advance (f->clock, 400 * 86400 * KT_SECOND);
  g_assert_true (get (f, &reader));
}

static void
test_ended_ttl (KtStoreFixture *f, gconstpointer data)
{
  Reader reader;

  f->policy.ended_ttl = 7 * KT_SECOND;
  kt_store_set_policy (f->store, &f->policy);
  get (f, &reader);
  kt_fake_source_land (f->source, ENDED);
  kt_fake_clock_advance (f->clock, 7 * KT_SECOND - 1);
  g_assert_true (get (f, &reader));
  kt_fake_clock_advance (f->clock, 1);
  g_assert_false (get (f, &reader));
  kt_fake_source_land (f->source, ENDED);
}

static void
test_negative_ttl (KtStoreFixture *f, gconstpointer data)
{
  Reader reader;

  get (f, &reader);
  kt_fake_source_fail (f->source, KT_ERROR_NOT_FOUND);
  g_assert_cmpint (reader.error, ==, KT_ERROR_NOT_FOUND);
  kt_fake_clock_advance (f->clock, 3 * KT_SECOND - 1);
  g_assert_true (get (f, &reader));
  g_assert_cmpint (reader.error, ==, KT_ERROR_NOT_FOUND);
  kt_fake_clock_advance (f->clock, 1);
  g_assert_false (get (f, &reader));
  kt_fake_source_land (f->source, RUNNING);
  g_assert_cmpint (reader.progress, ==, 10);
  g_assert_null (kt_store_peek_error (f->store, f->key));
}

static void
test_stale (KtStoreFixture *f, gconstpointer data)
{
  Reader reader;

  get (f, &reader);
  kt_fake_source_land (f->source, RUNNING);
  kt_fake_clock_advance (f->clock, 6 * KT_SECOND);
  get (f, &reader);
  kt_fake_source_fail (f->source, KT_ERROR_UNREACHABLE);
  g_assert_cmpint (reader.progress, ==, 10);
  g_assert_true (reader.stale);
  g_assert_cmpint (reader.stale_error, ==, KT_ERROR_UNREACHABLE);
  g_assert_cmpint (reader.expires_at, ==, kt_fake_clock_now (f->clock) + 3 * KT_SECOND);
  g_assert_true (get (f, &reader)); /* and the service is left alone for a while */
  g_assert_true (reader.stale);
  g_assert_cmpuint (*kt_metrics_counter (f->metrics, "kootaskfs_stale_answers_total", "", NULL, NULL), ==, 2);

  kt_fake_clock_advance (f->clock, 4 * KT_SECOND);
  get (f, &reader);
  kt_fake_source_land (f->source, RUNNING);
  g_assert_false (reader.stale);
}

static void
test_max_stale (KtStoreFixture *f, gconstpointer data)
{
  Reader reader;

  get (f, &reader);
  kt_fake_source_land (f->source, RUNNING);
  kt_fake_clock_advance (f->clock, 65 * KT_SECOND - 1); /* fresh for 5, stale for 60 */
  get (f, &reader);
  kt_fake_source_fail (f->source, KT_ERROR_TIMED_OUT);
  g_assert_true (reader.stale);
  kt_fake_clock_advance (f->clock, 1);
  g_assert_true (get (f, &reader));
  g_assert_cmpint (reader.error, ==, KT_ERROR_TIMED_OUT);
}

static void
test_not_found_is_never_stale (KtStoreFixture *f, gconstpointer data)
{
  Reader reader;

  get (f, &reader);
  kt_fake_source_land (f->source, RUNNING);
  kt_fake_clock_advance (f->clock, 6 * KT_SECOND);
  get (f, &reader);
  kt_fake_source_fail (f->source, KT_ERROR_NOT_FOUND);
  g_assert_cmpint (reader.error, ==, KT_ERROR_NOT_FOUND);
  g_assert_true (get (f, &reader));
  g_assert_cmpint (reader.error, ==, KT_ERROR_NOT_FOUND);
}

/* A snapshot that is still fresh stays when a request fails. */
static void
test_failure_while_fresh (KtStoreFixture *f, gconstpointer data)
{
  Reader reader, again;

  get (f, &reader);
  kt_fake_source_land (f->source, RUNNING);
  get_as (f, f->key, KT_STORE_AGAIN, &again);
  kt_fake_source_fail (f->source, KT_ERROR_DENIED);
  g_assert_cmpint (again.error, ==, KT_ERROR_DENIED);
  g_assert_true (get (f, &reader));
  g_assert_cmpint (reader.progress, ==, 10);
  g_assert_false (reader.stale);
}

static void
test_again_reports_failure (KtStoreFixture *f, gconstpointer data)
{
  Reader reader;

  get (f, &reader);
  kt_fake_source_land (f->source, RUNNING);
  kt_fake_clock_advance (f->clock, 6 * KT_SECOND);
  get_as (f, f->key, KT_STORE_AGAIN, &reader);
  kt_fake_source_fail (f->source, KT_ERROR_UNREACHABLE);
  g_assert_cmpint (reader.error, ==, KT_ERROR_UNREACHABLE); /* FRESH would get the stale one */
}

static void
test_unchanged_answer (KtStoreFixture *f, gconstpointer data)
{
  const gint64 start = KT_FAKE_EPOCH * KT_SECOND;
  Reader first, second, third;

  get (f, &first);
  kt_fake_source_land (f->source, RUNNING);
  kt_fake_clock_advance (f->clock, 6 * KT_SECOND);
  get (f, &second);
  kt_fake_source_land (f->source, RUNNING);
  g_assert_true (second.task == first.task);
  g_assert_cmpint (second.changed_wall, ==, start);
  g_assert_cmpint (second.expires_at, ==, kt_fake_clock_now (f->clock) + 5 * KT_SECOND);
  kt_fake_clock_advance (f->clock, 6 * KT_SECOND);
  get (f, &third);
  kt_fake_source_land (f->source, RUNNING_ON);
  g_assert_true (third.progress == 20);
  g_assert_cmpint (third.changed_wall, ==, start + 12 * KT_SECOND);
}

static void
test_peek (KtStoreFixture *f, gconstpointer data)
{
  Reader reader;
  KtSnapshot snapshot;

  g_assert_false (kt_store_peek (f->store, f->key, KT_STORE_FRESH, &snapshot));
  g_assert_null (kt_store_peek_error (f->store, f->key));
  get (f, &reader);
  g_assert_false (kt_store_peek (f->store, f->key, KT_STORE_FRESH, &snapshot));
  kt_fake_source_land (f->source, RUNNING);
  kt_fake_clock_advance (f->clock, 100 * KT_SECOND); /* of whatever age */
  g_assert_true (kt_store_peek (f->store, f->key, KT_STORE_FRESH, &snapshot));
  g_assert_cmpint (snapshot.task->progress, ==, 10);
  g_assert_cmpstr (snapshot.trace_id, ==, "trace-1");
  g_assert_cmpint (snapshot.fetched_wall, ==, KT_FAKE_EPOCH * KT_SECOND);
  g_assert_false (snapshot.stale);
  get (f, &reader);
  kt_fake_source_fail (f->source, KT_ERROR_TLS);
  g_assert_true (kt_store_peek (f->store, f->key, KT_STORE_FRESH, &snapshot));
  g_assert_true (snapshot.stale);
  g_assert_error (kt_store_peek_error (f->store, f->key), KT_ERROR, KT_ERROR_TLS);
  g_assert_cmpuint (kt_fake_source_asked (f->source), ==, 2);
}

/* Asks for N tasks and lands each. */
static void
fill (KtStoreFixture *f, guint first, guint n)
{
  for (guint i = first; i < first + n; i++) {
    g_autofree char *id = g_strdup_printf ("%u", i);
    g_autoptr (KtKey) key = kt_key_new_share ("S", id);
    Reader reader;
    if (get_as (f, key, KT_STORE_FRESH, &reader) != NULL)
      kt_fake_source_land (f->source, ENDED);
  }
}

static guint64
gauge (KtStoreFixture *f, const char *name)
{
  g_autofree char *text = kt_metrics_format (f->metrics);
  g_autofree char *start = g_strdup_printf ("\n%s ", name);
  const char *line = strstr (text, start);

  g_assert_nonnull (line);
  return g_ascii_strtoull (line + strlen (start), NULL, 10);
}

static void
test_lru (KtStoreFixture *f, gconstpointer data)
{
  guint64 one;
  guint asked;

  fill (f, 100, 1);
  one = gauge (f, "kootaskfs_cache_bytes");
  f->policy.memory = one * 3;
  kt_store_set_policy (f->store, &f->policy);
  fill (f, 101, 2);
  fill (f, 100, 1); /* used again: 101 is the oldest now */
  fill (f, 103, 1);
  g_assert_cmpuint (gauge (f, "kootaskfs_cache_entries"), ==, 3);
  g_assert_cmpuint (gauge (f, "kootaskfs_cache_bytes"), ==, one * 3);
  asked = kt_fake_source_asked (f->source);
  fill (f, 100, 1);
  fill (f, 102, 2);
  g_assert_cmpuint (kt_fake_source_asked (f->source), ==, asked);
  fill (f, 101, 1);
  g_assert_cmpuint (kt_fake_source_asked (f->source), ==, asked + 1);
}

static void
test_nothing_in_flight_is_evicted (KtStoreFixture *f, gconstpointer data)
{
  Reader reader;

  get (f, &reader);
  f->policy.memory = 0;
  kt_store_set_policy (f->store, &f->policy);
  g_assert_cmpuint (gauge (f, "kootaskfs_cache_entries"), ==, 1);
  kt_fake_source_land (f->source, RUNNING);
  g_assert_cmpint (reader.progress, ==, 10);
  g_assert_cmpuint (gauge (f, "kootaskfs_cache_entries"), ==, 1); /* the last one asked for stays, however large */

  kt_fake_clock_advance (f->clock, 5 * KT_SECOND);
  kt_waiter_cancel (get_as (f, f->key, KT_STORE_FRESH, &reader)); /* nobody waits, but the response will land */
  kt_store_set_policy (f->store, &f->policy);
  g_assert_cmpuint (gauge (f, "kootaskfs_cache_entries"), ==, 1);
  kt_fake_source_land (f->source, RUNNING);
}

static void
count_evicted (const KtChange *changes, guint n, gpointer data)
{
  for (guint i = 0; i < n; i++)
    *(guint *) data += changes[i].kind == KT_CHANGE_EVICTED;
}

/* Much at once goes bit by bit, so that nobody waits for it; and each is a change. */
static void
test_evicts_bit_by_bit (KtStoreFixture *f, gconstpointer data)
{
  guint evicted = 0;
  KtListener *listener;

  fill (f, 100, 200);
  listener = kt_changes_listen (f->changes, count_evicted, &evicted);
  f->policy.memory = 0;
  kt_store_set_policy (f->store, &f->policy);
  g_assert_cmpuint (evicted, >, 0);
  g_assert_cmpuint (evicted, <, 100);
  for (guint turn = 0; turn < 10; turn++)
    kt_fake_clock_advance (f->clock, 0);
  g_assert_cmpuint (evicted, ==, 199);
  kt_changes_unlisten (f->changes, &listener);
  g_assert_cmpuint (gauge (f, "kootaskfs_cache_entries"), ==, 1);
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
  KT_STORE_TEST ("/store/age", test_age);
  KT_STORE_TEST ("/store/fresh-hit", test_fresh_hit);
  KT_STORE_TEST ("/store/ttl", test_ttl);
  KT_STORE_TEST ("/store/wall-clock", test_wall_clock);
  KT_STORE_TEST ("/store/ended-forever", test_ended_forever);
  KT_STORE_TEST ("/store/ended-ttl", test_ended_ttl);
  KT_STORE_TEST ("/store/negative-ttl", test_negative_ttl);
  KT_STORE_TEST ("/store/stale", test_stale);
  KT_STORE_TEST ("/store/max-stale", test_max_stale);
  KT_STORE_TEST ("/store/not-found-is-never-stale", test_not_found_is_never_stale);
  KT_STORE_TEST ("/store/failure-while-fresh", test_failure_while_fresh);
  KT_STORE_TEST ("/store/again-reports-failure", test_again_reports_failure);
  KT_STORE_TEST ("/store/unchanged-answer", test_unchanged_answer);
  KT_STORE_TEST ("/store/peek", test_peek);
  KT_STORE_TEST ("/store/lru", test_lru);
  KT_STORE_TEST ("/store/nothing-in-flight-is-evicted", test_nothing_in_flight_is_evicted);
  KT_STORE_TEST ("/store/evicts-bit-by-bit", test_evicts_bit_by_bit);
  return g_test_run ();
}
