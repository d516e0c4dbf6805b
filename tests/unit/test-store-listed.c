/* SPDX-License-Identifier: MIT */
/* The summary of a task beside its detail, and tasks that are asked for without their family. */
#include "kt-store-fixture.h"

#include "codec/kt-decode.h"

#include <string.h>

#define JOB(fields) "{\"data\":{\"jobInfo\":{" fields "}}}"
#define RUNNING     JOB ("\"status\":1,\"progress\":10")
#define RUNNING_ON  JOB ("\"status\":1,\"progress\":20")
#define COMPLETED   JOB ("\"status\":2,\"progress\":100")
#define END         ",\"endTime\":\"20240930091500\""
#define IMPORTED    "{\"data\":{\"successCount\":1,\"failCount\":0}}"

typedef struct {
  guint replies;
  char status[16];
  gboolean from_list;
  gboolean stale;
  gint64 ended;
  KtUsec expires_at;
  int error; /* -1: none */
} Reader;

static void
set_up (KtStoreFixture *f, gconstpointer data)
{
  kt_store_set_up (f, data);
  kt_key_unref (f->key);
  f->key = kt_key_new (KT_FAMILY_JOB, "7");
}

static void
done (const KtSnapshot *snapshot, const GError *error, gpointer data)
{
  Reader *reader = data;

  *reader = (Reader){ .replies = reader->replies + 1, .error = error != NULL ? error->code : -1 };
  if (snapshot == NULL)
    return;
  g_strlcpy (reader->status, snapshot->task->status, sizeof (reader->status));
  reader->from_list = snapshot->task->from_list;
  reader->stale = snapshot->stale;
  reader->ended = snapshot->task->ended;
  reader->expires_at = snapshot->expires_at;
}

static KtWaiter *
get_as (KtStoreFixture *f, KtKey *key, KtStoreMode mode, Reader *reader)
{
  *reader = (Reader){ 0 };
  return kt_store_get (f->store, key, mode, kt_store_deadline (f), done, reader);
}

/* The cached snapshot; there must be one. */
static Reader
held (KtStoreFixture *f, KtStoreMode mode)
{
  Reader reader;

  g_assert_true (kt_store_has (f->store, f->key, mode));
  g_assert_null (get_as (f, f->key, mode, &reader));
  g_assert_cmpuint (reader.replies, ==, 1);
  return reader;
}

/* Nothing is cached: the service is asked, and the response is JSON. */
static Reader
asked (KtStoreFixture *f, KtStoreMode mode, const char *json)
{
  Reader reader;

  g_assert_false (kt_store_has (f->store, f->key, mode));
  g_assert_nonnull (get_as (f, f->key, mode, &reader));
  kt_fake_source_land (f->source, json);
  g_assert_cmpuint (reader.replies, ==, 1);
  return reader;
}

/* A list that was asked for some time AGO has job 7, for 30 s. Whether that superseded a fresh snapshot. */
static gboolean
offer (KtStoreFixture *f, const char *fields, gint64 ago)
{
  g_autofree char *json = g_strdup_printf ("{\"data\":[{\"taskId\":\"7\",%s}]}", fields);
  g_autoptr (GBytes) body = kt_test_bytes (json);
  g_autoptr (GTimeZone) zone = g_time_zone_new_utc ();
  g_autoptr (KtListPage) page = kt_decode_jobs (f->key, 200, body, zone, NULL);

  g_string_truncate (f->log, 0);
  kt_store_offer (f->store, page->tasks, kt_fake_clock_now (f->clock) - ago, 0, 30 * KT_SECOND);
  g_assert_true (g_str_has_prefix (f->log->str, "+7 "));
  return strstr (f->log->str, "!7 ") != NULL;
}

/* A list's item will do in mode LISTED, as long as it holds. */
static void
test_modes (KtStoreFixture *f, gconstpointer data)
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
test_ended_in_list (KtStoreFixture *f, gconstpointer data)
{
  offer (f, "\"status\":2" END, 0);
  kt_fake_clock_advance (f->clock, 86400 * KT_SECOND);
  g_assert_cmpint (held (f, KT_STORE_LISTED).expires_at, ==, KT_TIME_NEVER);
  g_assert_false (kt_store_has (f->store, f->key, KT_STORE_FRESH));
}

/* While a task's own snapshot is fresh, a newer list changes nothing; after that it counts in mode LISTED. */
static void
test_full_goes_first (KtStoreFixture *f, gconstpointer data)
{
  KtSnapshot snapshot;
  Reader reader;

  asked (f, KT_STORE_FRESH, RUNNING);
  kt_fake_clock_advance (f->clock, KT_SECOND);
  g_assert_false (offer (f, "\"status\":2" END, 0)); /* a running task's ttl is short anyway */
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

/* A summary that is older than the detail is of no use, whenever it came. */
static void
test_older_list (KtStoreFixture *f, gconstpointer data)
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
test_older_answer (KtStoreFixture *f, gconstpointer data)
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

  /* a response that has ended is right, however old */
  f->policy.ended_ttl = 9 * KT_SECOND;
  kt_store_set_policy (f->store, &f->policy);
  get_as (f, f->key, KT_STORE_AGAIN, &listed);
  kt_fake_clock_advance (f->clock, KT_SECOND);
  offer (f, "\"status\":2" END, 0);
  kt_fake_source_land (f->source, COMPLETED);
  g_assert_cmpint (listed.expires_at, ==, kt_fake_clock_now (f->clock) + 9 * KT_SECOND);
}

/* The response about a task alone takes what it lacks from a list that comes later, and stays: the basic family's
 * details have no times. */
static void
test_completed (KtStoreFixture *f, gconstpointer data)
{
  Reader reader = asked (f, KT_STORE_FRESH, COMPLETED);

  g_assert_cmpint (reader.ended, ==, KT_TIME_UNKNOWN);
  kt_fake_clock_advance (f->clock, KT_SECOND);
  g_assert_false (offer (f, "\"status\":2", 0));
  g_assert_false (offer (f, "\"status\":1" END, 0)); /* it has ended: nothing new */
  g_assert_cmpint (held (f, KT_STORE_FRESH).ended, ==, KT_TIME_UNKNOWN);
  g_assert_true (offer (f, "\"status\":2" END, 0));
  reader = held (f, KT_STORE_FRESH);
  g_assert_cmpint (reader.ended, ==, 1727687700);
  g_assert_cmpint (reader.expires_at, ==, KT_TIME_NEVER);
  g_assert_false (offer (f, "\"status\":2" END, 0)); /* once */
  g_assert_cmpuint (kt_fake_source_asked (f->source), ==, 1);
}

/* A list that has another end makes the snapshot expire; one that has other times does not. */
static void
test_other_end (KtStoreFixture *f, gconstpointer data)
{
  asked (f, KT_STORE_FRESH, JOB ("\"status\":2,\"createTime\":\"20240930080000\",\"endTime\":\"20240930080001\""));
  g_assert_false (offer (f, "\"status\":2,\"createTime\":\"20240930080002\"" END, 0));
  held (f, KT_STORE_FRESH);
  g_assert_true (offer (f, "\"status\":3" END, 0));
  g_assert_cmpstr (asked (f, KT_STORE_FRESH, JOB ("\"status\":3")).status, ==, "canceled");
}

/* The snapshot of a task that goes on takes times too, and what has expired supersedes nothing in the kernel. */
static void
test_completed_running (KtStoreFixture *f, gconstpointer data)
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

/* Since when a summary may have more than the detail: since the task has had its status. */
static void
test_incomplete (KtStoreFixture *f, gconstpointer data)
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
  g_assert_cmpint (snapshot.incomplete_at, ==, KT_TIME_UNKNOWN); /* it has had all that it knows */
  kt_fake_clock_advance (f->clock, 5 * KT_SECOND);
  asked (f, KT_STORE_FRESH, COMPLETED);
  g_assert_true (kt_store_peek (f->store, f->key, KT_STORE_LISTED, &snapshot));
  g_assert_cmpint (snapshot.incomplete_at, ==, since + 10 * KT_SECOND);
  offer (f, "\"status\":2,\"createTime\":\"20240930080000\",\"beginTime\":\"20240930080000\"" END, 0);
  g_assert_true (kt_store_peek (f->store, f->key, KT_STORE_LISTED, &snapshot));
  g_assert_cmpint (snapshot.incomplete_at, ==, KT_TIME_UNKNOWN);
}

/* A summary stands in for a failure as a detail does; "no such task" it does not hide for long. */
static void
test_failures (KtStoreFixture *f, gconstpointer data)
{
  Reader fresh, listed;

  offer (f, "\"status\":1", 0);
  get_as (f, f->key, KT_STORE_FRESH, &fresh);
  kt_fake_source_fail (f->source, KT_ERROR_DENIED);
  g_assert_cmpint (fresh.error, ==, KT_ERROR_DENIED);
  g_assert_false (held (f, KT_STORE_LISTED).stale);
  kt_fake_clock_advance (f->clock, 31 * KT_SECOND);
  get_as (f, f->key, KT_STORE_LISTED, &listed);
  get_as (f, f->key, KT_STORE_FRESH, &fresh); /* one flight, each gets what it may see */
  kt_fake_source_fail (f->source, KT_ERROR_DENIED);
  g_assert_true (listed.error == -1 && listed.stale && listed.from_list);
  g_assert_cmpint (fresh.error, ==, KT_ERROR_DENIED);
  kt_fake_clock_advance (f->clock, 3 * KT_SECOND);
  get_as (f, f->key, KT_STORE_LISTED, &listed);
  kt_fake_source_fail (f->source, KT_ERROR_NOT_FOUND);
  g_assert_cmpint (listed.error, ==, KT_ERROR_NOT_FOUND);
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

/* Detail and summary count in memory, and go together. */
static void
test_memory (KtStoreFixture *f, gconstpointer data)
{
  g_autoptr (KtKey) key = kt_key_new (KT_FAMILY_JOB, "8");
  g_autoptr (GPtrArray) page = g_ptr_array_new_with_free_func ((GDestroyNotify) kt_task_unref);
  KtTask *other = kt_task_new (key);
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
  g_ptr_array_add (page, other);
  kt_store_offer (f->store, page, kt_fake_clock_now (f->clock), 0, 0);
  g_assert_cmpuint (gauge (f, "kootaskfs_cache_entries"), ==, 1);
  g_assert_cmpuint (gauge (f, "kootaskfs_cache_bytes"), <=, listed);
}

/* A task asked for by its id alone is kept under the key that its response has, and all who waited get it. */
static void
test_unknown (KtStoreFixture *f, gconstpointer data)
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
  g_assert_false (kt_store_has (f->store, unknown, KT_STORE_FRESH)); /* the request is gone */
  g_assert_cmpuint (gauge (f, "kootaskfs_cache_entries"), ==, 1);
}

static void
test_unknown_fails (KtStoreFixture *f, gconstpointer data)
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

/* A reader in mode AGAIN that comes while the request is under way waits for the next one, which has the same key
 * still. */
static void
test_unknown_again (KtStoreFixture *f, gconstpointer data)
{
  g_autoptr (KtKey) unknown = kt_key_new (KT_FAMILY_UNKNOWN, "7");
  Reader first, again;

  get_as (f, unknown, KT_STORE_FRESH, &first);
  get_as (f, unknown, KT_STORE_AGAIN, &again);
  kt_fake_source_land_as (f->source, KT_FAMILY_JOB, RUNNING);
  g_assert_true (first.replies == 1 && again.replies == 0);
  kt_fake_source_land_as (f->source, KT_FAMILY_JOB, COMPLETED);
  g_assert_cmpstr (again.status, ==, "completed");
  g_assert_cmpstr (held (f, KT_STORE_FRESH).status, ==, "completed");
  g_assert_cmpuint (gauge (f, "kootaskfs_cache_entries"), ==, 1);
}

/* The task may be under way by its real key at the same time: neither disturbs the other. */
static void
test_unknown_beside_known (KtStoreFixture *f, gconstpointer data)
{
  g_autoptr (KtKey) unknown = kt_key_new (KT_FAMILY_UNKNOWN, "7");
  Reader by_id, by_key;

  get_as (f, unknown, KT_STORE_FRESH, &by_id);
  get_as (f, f->key, KT_STORE_FRESH, &by_key);
  f->policy.memory = 0; /* what is in flight stays all the same */
  kt_store_set_policy (f->store, &f->policy);
  kt_fake_source_land_as (f->source, KT_FAMILY_JOB, RUNNING);
  g_assert_true (by_id.replies == 1 && by_key.replies == 0);
  kt_fake_source_land (f->source, COMPLETED);
  g_assert_cmpstr (by_key.status, ==, "completed");
  g_assert_cmpuint (gauge (f, "kootaskfs_cache_entries"), ==, 1); /* the last one asked for */
}

static gint64
known_since (KtStoreFixture *f, KtStoreMode mode)
{
  KtSnapshot snapshot;

  g_assert_true (kt_store_peek (f->store, f->key, mode, &snapshot));
  return snapshot.known_wall - KT_FAKE_EPOCH * KT_SECOND;
}

/* "The mtime of a value that nobody has looked at before is the time since when nothing known of the task has
 * changed": it does not depend on which was first, a list or the task's own response. */
static void
test_known_since (KtStoreFixture *f, gconstpointer data)
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

/* What the first detail after a summary says otherwise is new, and so is what a summary completes. */
static void
test_known_since_change (KtStoreFixture *f, gconstpointer data)
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
#define TEST(path, func) g_test_add (path, KtStoreFixture, NULL, set_up, func, kt_store_tear_down)
  TEST ("/store/listed/modes", test_modes);
  TEST ("/store/listed/ended-in-list", test_ended_in_list);
  TEST ("/store/listed/full-goes-first", test_full_goes_first);
  TEST ("/store/listed/older-list", test_older_list);
  TEST ("/store/listed/older-answer", test_older_answer);
  TEST ("/store/listed/completed", test_completed);
  TEST ("/store/listed/other-end", test_other_end);
  TEST ("/store/listed/completed-running", test_completed_running);
  TEST ("/store/listed/incomplete", test_incomplete);
  TEST ("/store/listed/known-since", test_known_since);
  TEST ("/store/listed/known-since-change", test_known_since_change);
  TEST ("/store/listed/failures", test_failures);
  TEST ("/store/listed/memory", test_memory);
  TEST ("/store/listed/unknown", test_unknown);
  TEST ("/store/listed/unknown-fails", test_unknown_fails);
  TEST ("/store/listed/unknown-again", test_unknown_again);
  TEST ("/store/listed/unknown-beside-known", test_unknown_beside_known);
  return g_test_run ();
}
