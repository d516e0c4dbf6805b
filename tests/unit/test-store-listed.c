/* SPDX-License-Identifier: MIT */
/* What a list told of a task beside what it told itself, and tasks asked for without their family. */
#include "kt-test.h"

#include "base/kt-units.h"
#include "kt-fake-source.h"
#include "store/kt-store.h"
#include "codec/kt-decode.h"

#include <string.h>

#define JOB(fields) "{\"data\":{\"jobInfo\":{" fields "}}}"
#define RUNNING     JOB ("\"status\":1,\"progress\":10")
#define RUNNING_ON  JOB ("\"status\":1,\"progress\":20")
#define COMPLETED   JOB ("\"status\":2,\"progress\":100")
#define END         ",\"endTime\":\"20240930091500\""
#define IMPORTED    "{\"data\":{\"successCount\":1,\"failCount\":0}}"

typedef struct {
  KtFakeClock *clock;
  KtFakeSource *source;
  KtMetrics *metrics;
  KtStore *store;
  KtStorePolicy policy;
  KtKey *key;
} Fixture;

typedef struct {
  guint told;
  char status[16];
  gboolean from_list;
  gboolean stale;
  gint64 ended;
  KtUsec expires_at;
  int error; /* -1: none */
} Reader;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->clock = kt_fake_clock_new ();
  f->source = kt_fake_source_new ();
  f->metrics = kt_metrics_new ();
  f->policy = (KtStorePolicy){
    .ttl = 5 * KT_SECOND,
    .ended_ttl = KT_TIME_NEVER,
    .negative_ttl = 3 * KT_SECOND,
    .max_stale = 60 * KT_SECOND,
    .memory = 1 << 20,
  };
  f->store = kt_store_new (kt_fake_clock (f->clock), f->metrics, &f->policy, kt_fake_source (f->source));
  f->key = kt_key_new (KT_FAMILY_JOB, "7");
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

static void
done (const KtSnapshot *snapshot, const GError *error, gpointer data)
{
  Reader *reader = data;

  *reader = (Reader){ .told = reader->told + 1, .error = error != NULL ? error->code : -1 };
  if (snapshot == NULL)
    return;
  g_strlcpy (reader->status, snapshot->task->status, sizeof (reader->status));
  reader->from_list = snapshot->task->from_list;
  reader->stale = snapshot->stale;
  reader->ended = snapshot->task->ended;
  reader->expires_at = snapshot->expires_at;
}

static KtWaiter *
get_as (Fixture *f, KtKey *key, KtStoreMode mode, Reader *reader)
{
  *reader = (Reader){ 0 };
  return kt_store_get (f->store, key, mode, kt_fake_clock_now (f->clock) + 10 * KT_SECOND, done, reader);
}

/* What memory answers; it must do. */
static Reader
held (Fixture *f, KtStoreMode mode)
{
  Reader reader;

  g_assert_true (kt_store_has (f->store, f->key, mode));
  g_assert_null (get_as (f, f->key, mode, &reader));
  g_assert_cmpuint (reader.told, ==, 1);
  return reader;
}

/* Memory has no answer: the service is asked, and says JSON. */
static Reader
asked (Fixture *f, KtStoreMode mode, const char *json)
{
  Reader reader;

  g_assert_false (kt_store_has (f->store, f->key, mode));
  g_assert_nonnull (get_as (f, f->key, mode, &reader));
  kt_fake_source_land (f->source, json);
  g_assert_cmpuint (reader.told, ==, 1);
  return reader;
}

/* A list that was asked for some time AGO tells of job 7, for 30 s. */
static gboolean
offer (Fixture *f, const char *fields, gint64 ago)
{
  g_autofree char *json = g_strdup_printf ("{\"data\":[{\"taskId\":\"7\",%s}]}", fields);
  g_autoptr (GBytes) body = kt_test_bytes (json);
  g_autoptr (GTimeZone) zone = g_time_zone_new_utc ();
  g_autoptr (KtListPage) page = kt_decode_jobs (f->key, 200, body, zone, NULL);

  return kt_store_offer (f->store, page->tasks->pdata[0], kt_fake_clock_now (f->clock) - ago, 0, 30 * KT_SECOND);
}

/* What a list told suffices for those who ask for no more, as long as it holds. */
static void
test_modes (Fixture *f, gconstpointer data)
{
  Reader reader;

  g_assert_false (offer (f, "\"status\":1", 0));
  reader = held (f, KT_STORE_LISTED);
  g_assert_cmpstr (reader.status, ==, "running");
  g_assert_true (reader.from_list);
  g_assert_cmpint (reader.expires_at, ==, kt_fake_clock_now (f->clock) + 30 * KT_SECOND);
  kt_fake_clock_advance (f->clock, 30 * KT_SECOND - 1);
  held (f, KT_STORE_LISTED);
  kt_fake_clock_advance (f->clock, 1);
  g_assert_false (asked (f, KT_STORE_LISTED, RUNNING).from_list);
  offer (f, "\"status\":2", 0);
  kt_fake_clock_advance (f->clock, 5 * KT_SECOND);
  g_assert_cmpstr (asked (f, KT_STORE_FRESH, COMPLETED).status, ==, "completed");
  g_assert_cmpuint (kt_fake_source_asked (f->source), ==, 2);
}

static void
test_ended_in_list (Fixture *f, gconstpointer data)
{
  offer (f, "\"status\":2" END, 0);
  kt_fake_clock_advance (f->clock, 86400 * KT_SECOND);
  g_assert_cmpint (held (f, KT_STORE_LISTED).expires_at, ==, KT_TIME_NEVER);
  g_assert_false (kt_store_has (f->store, f->key, KT_STORE_FRESH));
}

/* While a task's own answer is fresh, a newer list changes nothing; after that it counts for who asks for no more. */
static void
test_full_goes_first (Fixture *f, gconstpointer data)
{
  KtSnapshot snapshot;
  Reader reader;

  asked (f, KT_STORE_FRESH, RUNNING);
  kt_fake_clock_advance (f->clock, KT_SECOND);
  g_assert_false (offer (f, "\"status\":2" END, 0)); /* a running task's life is short anyway */
  g_assert_cmpstr (held (f, KT_STORE_LISTED).status, ==, "running");
  g_assert_true (kt_store_peek (f->store, f->key, KT_STORE_LISTED, &snapshot));
  g_assert_cmpstr (snapshot.task->status, ==, "running"); /* what is peeked at is what would be given */
  kt_fake_clock_advance (f->clock, 4 * KT_SECOND);
  reader = held (f, KT_STORE_LISTED);
  g_assert_true (reader.from_list);
  g_assert_cmpstr (reader.status, ==, "completed");
  g_assert_true (kt_store_peek (f->store, f->key, KT_STORE_LISTED, &snapshot));
  g_assert_cmpstr (snapshot.task->status, ==, "completed");
  g_assert_null (snapshot.trace_id);
  g_assert_true (kt_store_peek (f->store, f->key, KT_STORE_FRESH, &snapshot));
  g_assert_cmpstr (snapshot.task->status, ==, "running");
  g_assert_cmpstr (snapshot.trace_id, ==, "trace-1");
}

/* A list that is older than the task's own answer is of no use, whenever it came. */
static void
test_older_list (Fixture *f, gconstpointer data)
{
  offer (f, "\"status\":0", 0);
  kt_fake_clock_advance (f->clock, KT_SECOND);
  asked (f, KT_STORE_FRESH, RUNNING);
  kt_fake_clock_advance (f->clock, 5 * KT_SECOND);
  g_assert_cmpstr (asked (f, KT_STORE_LISTED, RUNNING).status, ==, "running");
  kt_fake_clock_advance (f->clock, KT_SECOND);
  offer (f, "\"status\":0", 2 * KT_SECOND); /* asked for before, landed after */
  kt_fake_clock_advance (f->clock, 4 * KT_SECOND);
  g_assert_cmpstr (asked (f, KT_STORE_LISTED, RUNNING).status, ==, "running");
}

/* The other way about: a request that began before the list that has been shown meanwhile. */
static void
test_older_answer (Fixture *f, gconstpointer data)
{
  Reader full, listed;

  get_as (f, f->key, KT_STORE_FRESH, &full);
  kt_fake_clock_advance (f->clock, KT_SECOND);
  offer (f, "\"status\":2" END, 0);
  g_assert_cmpstr (held (f, KT_STORE_LISTED).status, ==, "completed");
  kt_fake_clock_advance (f->clock, KT_SECOND);
  kt_fake_source_land (f->source, RUNNING);
  g_assert_cmpstr (full.status, ==, "running"); /* it asked before */
  g_assert_cmpint (full.expires_at, ==, kt_fake_clock_now (f->clock));
  g_assert_cmpstr (held (f, KT_STORE_LISTED).status, ==, "completed"); /* no way back */
  full = asked (f, KT_STORE_FRESH, COMPLETED);
  g_assert_cmpint (full.expires_at, ==, KT_TIME_NEVER);

  /* an answer that has ended is right, however old */
  f->policy.ended_ttl = 9 * KT_SECOND;
  kt_store_set_policy (f->store, &f->policy);
  get_as (f, f->key, KT_STORE_AGAIN, &listed);
  kt_fake_clock_advance (f->clock, KT_SECOND);
  offer (f, "\"status\":2" END, 0);
  kt_fake_source_land (f->source, COMPLETED);
  g_assert_cmpint (listed.expires_at, ==, kt_fake_clock_now (f->clock) + 9 * KT_SECOND);
}

/* What is held of a task alone takes what it lacks from a list that comes later, and lives on: the basic family's details
 * have no times. */
static void
test_completed (Fixture *f, gconstpointer data)
{
  Reader reader = asked (f, KT_STORE_FRESH, COMPLETED);

  g_assert_cmpint (reader.ended, ==, KT_TIME_UNKNOWN);
  kt_fake_clock_advance (f->clock, KT_SECOND);
  g_assert_false (offer (f, "\"status\":2", 0));
  g_assert_false (offer (f, "\"status\":1" END, 0)); /* it has ended: that is no news */
  g_assert_cmpint (held (f, KT_STORE_FRESH).ended, ==, KT_TIME_UNKNOWN);
  g_assert_true (offer (f, "\"status\":2" END, 0));
  reader = held (f, KT_STORE_FRESH);
  g_assert_cmpint (reader.ended, ==, 1727687700);
  g_assert_cmpint (reader.expires_at, ==, KT_TIME_NEVER);
  g_assert_false (offer (f, "\"status\":2" END, 0)); /* once */
  g_assert_cmpuint (kt_fake_source_asked (f->source), ==, 1);
}

/* A list that knows another end ends the answer's life; one that knows other times does not. */
static void
test_other_end (Fixture *f, gconstpointer data)
{
  asked (f, KT_STORE_FRESH, JOB ("\"status\":2,\"createTime\":\"20240930080000\",\"endTime\":\"20240930080001\""));
  g_assert_false (offer (f, "\"status\":2,\"createTime\":\"20240930080002\"" END, 0));
  held (f, KT_STORE_FRESH);
  g_assert_true (offer (f, "\"status\":3" END, 0));
  g_assert_cmpstr (asked (f, KT_STORE_FRESH, JOB ("\"status\":3")).status, ==, "canceled");
}

/* An answer of a task that goes on takes times too, and what has run out is nothing to tell the kernel of. */
static void
test_completed_running (Fixture *f, gconstpointer data)
{
  KtSnapshot snapshot;

  asked (f, KT_STORE_FRESH, RUNNING);
  g_assert_true (offer (f, "\"status\":2,\"beginTime\":\"20240930080000\"" END, 0));
  g_assert_true (kt_store_peek (f->store, f->key, KT_STORE_FRESH, &snapshot));
  g_assert_true (snapshot.task->started == 1727683200 && snapshot.task->ended == KT_TIME_UNKNOWN);
  kt_fake_clock_advance (f->clock, 5 * KT_SECOND);
  g_assert_false (offer (f, "\"status\":2,\"createTime\":\"20240930080000\"" END, 0));
  g_assert_true (kt_store_peek (f->store, f->key, KT_STORE_FRESH, &snapshot));
  g_assert_true (snapshot.task->created == 1727683200);
}

/* Since when a list may know more of a task than its own answer: since it has had its status. */
static void
test_untold (Fixture *f, gconstpointer data)
{
  KtSnapshot snapshot;
  KtUsec since;

  asked (f, KT_STORE_FRESH, RUNNING);
  since = kt_fake_clock_now (f->clock);
  kt_fake_clock_advance (f->clock, 5 * KT_SECOND);
  asked (f, KT_STORE_FRESH, JOB ("\"status\":1,\"progress\":11"));
  g_assert_true (kt_store_peek (f->store, f->key, KT_STORE_FRESH, &snapshot));
  g_assert_cmpint (snapshot.incomplete_at, ==, since);
  offer (f, "\"status\":1", 0);
  g_assert_true (kt_store_peek (f->store, f->key, KT_STORE_FRESH, &snapshot));
  g_assert_cmpint (snapshot.incomplete_at, ==, KT_TIME_UNKNOWN); /* it has told what it knows */
  kt_fake_clock_advance (f->clock, 5 * KT_SECOND);
  asked (f, KT_STORE_FRESH, COMPLETED);
  g_assert_true (kt_store_peek (f->store, f->key, KT_STORE_LISTED, &snapshot));
  g_assert_cmpint (snapshot.incomplete_at, ==, since + 10 * KT_SECOND);
  offer (f, "\"status\":2,\"createTime\":\"20240930080000\",\"beginTime\":\"20240930080000\"" END, 0);
  g_assert_true (kt_store_peek (f->store, f->key, KT_STORE_LISTED, &snapshot));
  g_assert_cmpint (snapshot.incomplete_at, ==, KT_TIME_UNKNOWN);
}

/* A list stands in for a failure like any other answer; "no such task" it does not hide for long. */
static void
test_failures (Fixture *f, gconstpointer data)
{
  Reader fresh, listed;

  offer (f, "\"status\":1", 0);
  get_as (f, f->key, KT_STORE_FRESH, &fresh);
  kt_fake_source_fail (f->source, KT_ERROR_DENIED);
  g_assert_cmpint (fresh.error, ==, KT_ERROR_DENIED);
  g_assert_false (held (f, KT_STORE_LISTED).stale);
  kt_fake_clock_advance (f->clock, 31 * KT_SECOND);
  get_as (f, f->key, KT_STORE_LISTED, &listed);
  get_as (f, f->key, KT_STORE_FRESH, &fresh); /* one flight, each is told what it may see */
  kt_fake_source_fail (f->source, KT_ERROR_DENIED);
  g_assert_true (listed.error == -1 && listed.stale && listed.from_list);
  g_assert_cmpint (fresh.error, ==, KT_ERROR_DENIED);
  kt_fake_clock_advance (f->clock, 3 * KT_SECOND);
  get_as (f, f->key, KT_STORE_LISTED, &listed);
  kt_fake_source_fail (f->source, KT_ERROR_NOT_FOUND);
  g_assert_cmpint (listed.error, ==, KT_ERROR_NOT_FOUND);
}

static guint64
gauge (Fixture *f, const char *name)
{
  g_autofree char *text = kt_metrics_format (f->metrics);
  g_autofree char *start = g_strdup_printf ("\n%s ", name);
  const char *line = strstr (text, start);

  g_assert_nonnull (line);
  return g_ascii_strtoull (line + strlen (start), NULL, 10);
}

/* Both answers count, and go together. */
static void
test_memory (Fixture *f, gconstpointer data)
{
  g_autoptr (KtKey) key = kt_key_new (KT_FAMILY_JOB, "8");
  g_autoptr (KtTask) other = kt_task_new (key);
  guint64 listed, both;

  offer (f, "\"status\":1", 0);
  listed = gauge (f, "kootaskfs_cache_bytes");
  g_assert_cmpuint (listed, >, sizeof (KtTask));
  offer (f, "\"status\":1", 0);
  g_assert_cmpuint (gauge (f, "kootaskfs_cache_bytes"), ==, listed);
  asked (f, KT_STORE_FRESH, RUNNING);
  both = gauge (f, "kootaskfs_cache_bytes");
  g_assert_cmpuint (both, >, listed + strlen (RUNNING));
  offer (f, "\"status\":2", 0);
  g_assert_cmpuint (gauge (f, "kootaskfs_cache_bytes"), ==, both);
  f->policy.memory = both - 1;
  kt_store_set_policy (f->store, &f->policy);
  g_assert_cmpuint (gauge (f, "kootaskfs_cache_bytes"), ==, both); /* the last one asked for stays */
  other->from_list = TRUE;
  kt_store_offer (f->store, other, kt_fake_clock_now (f->clock), 0, 0);
  g_assert_cmpuint (gauge (f, "kootaskfs_cache_entries"), ==, 1);
  g_assert_cmpuint (gauge (f, "kootaskfs_cache_bytes"), <=, listed);
}

/* A task asked for by its id alone is kept under the key its answer has, and all who waited are told. */
static void
test_unknown (Fixture *f, gconstpointer data)
{
  g_autoptr (KtKey) unknown = kt_key_new (KT_FAMILY_UNKNOWN, "7");
  Reader first, second;

  get_as (f, unknown, KT_STORE_FRESH, &first);
  get_as (f, unknown, KT_STORE_FRESH, &second);
  g_assert_cmpuint (kt_fake_source_asked (f->source), ==, 1);
  kt_fake_source_land_as (f->source, KT_FAMILY_JOB, RUNNING);
  g_assert_cmpstr (first.status, ==, "running");
  g_assert_cmpstr (second.status, ==, "running");
  g_assert_cmpstr (held (f, KT_STORE_FRESH).status, ==, "running");
  g_assert_false (kt_store_has (f->store, unknown, KT_STORE_FRESH)); /* the question is gone */
  g_assert_cmpuint (gauge (f, "kootaskfs_cache_entries"), ==, 1);
}

static void
test_unknown_fails (Fixture *f, gconstpointer data)
{
  g_autoptr (KtKey) unknown = kt_key_new (KT_FAMILY_UNKNOWN, "7");
  Reader reader;

  get_as (f, unknown, KT_STORE_FRESH, &reader);
  kt_fake_source_fail (f->source, KT_ERROR_NOT_FOUND);
  g_assert_cmpint (reader.error, ==, KT_ERROR_NOT_FOUND);
  g_assert_null (get_as (f, unknown, KT_STORE_FRESH, &reader)); /* negative-ttl */
  g_assert_cmpint (reader.error, ==, KT_ERROR_NOT_FOUND);
  g_assert_false (kt_store_has (f->store, f->key, KT_STORE_FRESH)); /* as a job it may be there */
  kt_fake_clock_advance (f->clock, 3 * KT_SECOND);
  get_as (f, unknown, KT_STORE_FRESH, &reader);
  kt_fake_source_land (f->source, IMPORTED);
  g_assert_cmpstr (reader.status, ==, "completed");
}

/* Who asks AGAIN while the question is under way boards the next flight, which is that question still. */
static void
test_unknown_again (Fixture *f, gconstpointer data)
{
  g_autoptr (KtKey) unknown = kt_key_new (KT_FAMILY_UNKNOWN, "7");
  Reader first, again;

  get_as (f, unknown, KT_STORE_FRESH, &first);
  get_as (f, unknown, KT_STORE_AGAIN, &again);
  kt_fake_source_land_as (f->source, KT_FAMILY_JOB, RUNNING);
  g_assert_true (first.told == 1 && again.told == 0);
  kt_fake_source_land_as (f->source, KT_FAMILY_JOB, COMPLETED);
  g_assert_cmpstr (again.status, ==, "completed");
  g_assert_cmpstr (held (f, KT_STORE_FRESH).status, ==, "completed");
  g_assert_cmpuint (gauge (f, "kootaskfs_cache_entries"), ==, 1);
}

/* The task may be under way by its real key at the same time: neither disturbs the other. */
static void
test_unknown_beside_known (Fixture *f, gconstpointer data)
{
  g_autoptr (KtKey) unknown = kt_key_new (KT_FAMILY_UNKNOWN, "7");
  Reader by_id, by_key;

  get_as (f, unknown, KT_STORE_FRESH, &by_id);
  get_as (f, f->key, KT_STORE_FRESH, &by_key);
  f->policy.memory = 0; /* what is in flight stays all the same */
  kt_store_set_policy (f->store, &f->policy);
  kt_fake_source_land_as (f->source, KT_FAMILY_JOB, RUNNING);
  g_assert_true (by_id.told == 1 && by_key.told == 0);
  kt_fake_source_land (f->source, COMPLETED);
  g_assert_cmpstr (by_key.status, ==, "completed");
  g_assert_cmpuint (gauge (f, "kootaskfs_cache_entries"), ==, 1); /* the last one asked for */
}

static gint64
known_since (Fixture *f, KtStoreMode mode)
{
  KtSnapshot snapshot;

  g_assert_true (kt_store_peek (f->store, f->key, mode, &snapshot));
  return snapshot.known_wall - KT_FAKE_EPOCH * KT_SECOND;
}

/* "The mtime of a value that nobody has looked at before is the time since when nothing known of the task has changed": it
 * does not depend on which was first, a list or the task's own response. */
static void
test_known_since (Fixture *f, gconstpointer data)
{
  offer (f, "\"status\":1", 0);
  kt_fake_clock_advance (f->clock, 40 * KT_SECOND);
  asked (f, KT_STORE_FRESH, RUNNING);
  g_assert_cmpint (known_since (f, KT_STORE_FRESH), ==, 0);
  g_assert_cmpint (known_since (f, KT_STORE_LISTED), ==, 0);
  kt_fake_clock_advance (f->clock, 40 * KT_SECOND);
  asked (f, KT_STORE_FRESH, RUNNING_ON);
  offer (f, "\"status\":1", 0);
  g_assert_cmpint (known_since (f, KT_STORE_FRESH), ==, 80 * KT_SECOND);
  g_assert_cmpint (known_since (f, KT_STORE_LISTED), ==, 80 * KT_SECOND);
}

/* What the first answer after a list says otherwise is new, and what a list completes is. */
static void
test_known_since_news (Fixture *f, gconstpointer data)
{
  offer (f, "\"status\":0", 0);
  kt_fake_clock_advance (f->clock, 40 * KT_SECOND);
  asked (f, KT_STORE_FRESH, RUNNING);
  g_assert_cmpint (known_since (f, KT_STORE_FRESH), ==, 40 * KT_SECOND);
  kt_fake_clock_advance (f->clock, 2 * KT_SECOND);
  offer (f, "\"status\":1,\"taskName\":\"n\"", 0);
  g_assert_cmpint (known_since (f, KT_STORE_FRESH), ==, 42 * KT_SECOND);
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
#define TEST(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)
  TEST ("/store/listed/modes", test_modes);
  TEST ("/store/listed/ended-in-list", test_ended_in_list);
  TEST ("/store/listed/full-goes-first", test_full_goes_first);
  TEST ("/store/listed/older-list", test_older_list);
  TEST ("/store/listed/older-answer", test_older_answer);
  TEST ("/store/listed/completed", test_completed);
  TEST ("/store/listed/other-end", test_other_end);
  TEST ("/store/listed/completed-running", test_completed_running);
  TEST ("/store/listed/untold", test_untold);
  TEST ("/store/listed/known-since", test_known_since);
  TEST ("/store/listed/known-since-news", test_known_since_news);
  TEST ("/store/listed/failures", test_failures);
  TEST ("/store/listed/memory", test_memory);
  TEST ("/store/listed/unknown", test_unknown);
  TEST ("/store/listed/unknown-fails", test_unknown_fails);
  TEST ("/store/listed/unknown-again", test_unknown_again);
  TEST ("/store/listed/unknown-beside-known", test_unknown_beside_known);
  return g_test_run ();
}
