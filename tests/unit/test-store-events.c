/* SPDX-License-Identifier: MIT */
/* Which changes become lines of event logs: by details, summaries, failures, whatever their order. */
#include "kt-store-fixture.h"

#include "store/kt-event-log.h"
#include "store/kt-events.h"

#include <string.h>

#define MEMORY (64 * 1024)

typedef struct {
  KtStoreFixture below;
  KtFakeClock *clock;
  KtFakeSource *source;
  KtEvents *events;
  KtEventFile *all;
  gsize n_read; /* of all */
  KtKey *job;   /* 7 */
  GString *appended;
} Fixture;

static void
on_appended (KtKey *key, gpointer data)
{
  g_string_append_printf (((Fixture *) data)->appended, "%s ", key != NULL ? key->task_id : "all");
}

static void
set_up (Fixture *f, gconstpointer data)
{
  kt_store_set_up (&f->below, NULL);
  f->clock = f->below.clock;
  f->source = f->below.source;
  f->events = kt_events_new (kt_fake_clock (f->clock), f->below.changes, f->below.catalog, f->below.watch, MEMORY);
  f->all = kt_event_file_hold (f->events, NULL);
  f->n_read = 0;
  f->appended = g_string_new (NULL);
  kt_events_set_appended (f->events, on_appended, f);
  f->job = kt_key_new (KT_FAMILY_JOB, "7");
  kt_catalog_add (f->below.catalog, KT_CATALOG_WATCHED, f->job);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  kt_event_file_drop (f->events, f->all);
  kt_events_free (f->events);
  kt_key_unref (f->job);
  g_string_free (f->appended, TRUE);
  kt_store_tear_down (&f->below, NULL);
}

static char *
text_of (Fixture *f, KtEventFile *file, gsize offset)
{
  g_autoptr (GBytes) bytes = kt_event_file_read (f->events, file, offset, G_MAXINT);
  gsize size;
  const char *data = g_bytes_get_data (bytes, &size);

  return g_strndup (data != NULL ? data : "", size);
}

/* The lines without their times, separated by "; ". */
static char *
without_times (const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  GString *out = g_string_new (NULL);

  for (char **line = lines; *line != NULL && **line != '\0'; line++) {
    g_assert_cmpuint (strcspn (*line, " "), ==, strlen ("2026-11-28T05:00:00.123Z"));
    g_string_append_printf (out, "%s%s", out->len > 0 ? "; " : "", strchr (*line, ' ') + 1);
  }
  return g_string_free (out, FALSE);
}

/* What has been appended to the log of all since the last call. */
static void
assert_new (Fixture *f, const char *expected)
{
  g_autofree char *text = text_of (f, f->all, f->n_read);

  f->n_read += strlen (text);
  g_assert_cmpuint (kt_event_file_size (f->all), ==, f->n_read);
  kt_assert_text (without_times (text), expected);
}

/* All that the log of KEY has. */
static void
assert_log (Fixture *f, KtKey *key, const char *expected)
{
  KtEventFile *file = kt_event_file_hold (f->events, key);
  g_autofree char *text = text_of (f, file, 0);

  g_assert_cmpuint (kt_event_file_size (file), ==, strlen (text));
  kt_assert_text (without_times (text), expected);
  kt_event_file_drop (f->events, file);
}

static void
on_snapshot (const KtSnapshot *snapshot, const GError *error, gpointer data)
{
}

static void
ask (Fixture *f, KtKey *key)
{
  kt_fake_clock_advance (f->clock, KT_SECOND);
  g_assert_nonnull (
      kt_store_get (f->below.store, key, KT_STORE_AGAIN, kt_store_deadline (&f->below), on_snapshot, NULL));
}

static void
fetch (Fixture *f, KtKey *key, const char *json)
{
  ask (f, key);
  kt_fake_source_land (f->source, json);
}

static void
fail (Fixture *f, KtKey *key, KtErrorCode code)
{
  ask (f, key);
  kt_fake_source_fail (f->source, code);
}

static void
nothing (gpointer data)
{
}

/* Begins to read the lists; the basic family's is empty. */
static void
ask_list (Fixture *f)
{
  kt_fake_clock_advance (f->clock, 31 * KT_SECOND);
  g_assert_nonnull (kt_lists_get (f->below.lists, nothing, NULL));
  kt_fake_list_land (f->source, KT_FAMILY_BASIC, "");
}

static void
list (Fixture *f, const char *items)
{
  ask_list (f);
  kt_fake_list_land (f->source, KT_FAMILY_JOB, items);
}

#define JOB(fields)       "{\"data\":{\"jobInfo\":{\"taskType\":6," fields "}}}"
#define RUNNING(progress) JOB ("\"status\":1,\"progress\":" #progress)
#define COMPLETED         JOB ("\"status\":2,\"progress\":100,\"taskResultCode\":1")
#define ITEM(status)      "{\"taskId\":\"7\",\"taskType\":6,\"status\":" #status "}"
#define ITEM_COMPLETED    "{\"taskId\":\"7\",\"taskType\":6,\"status\":2,\"taskResultCode\":1}"

/* "The first response about a task is one line, `seen`, whatever else it says"; no log is kept for that. */
static void
test_seen (Fixture *f, gconstpointer data)
{
  KtEventFile *file = kt_event_file_hold (f->events, f->job);
  g_autofree char *text = NULL;

  g_assert_cmpuint (kt_event_file_size (file), ==, 0);
  g_assert_cmpint (kt_event_file_mtime (file), ==, 0);
  assert_log (f, f->job, "");
  fetch (f, f->job, RUNNING (10));
  assert_log (f, f->job, "7 seen - -> running");
  assert_new (f, "7 seen - -> running");
  g_assert_cmpstr (f->appended->str, ==, "7 all ");
  g_assert_cmpuint (kt_events_memory (f->events), ==, 0);
  g_assert_cmpint (kt_event_file_mtime (file), ==, kt_clock_wall (kt_fake_clock (f->clock)));
  text = text_of (f, file, 3);
  g_assert_true (g_str_has_prefix (text, "4-09-") || g_str_has_prefix (text + 1, "-"));
  g_free (text);
  text = text_of (f, file, 1000);
  g_assert_cmpstr (text, ==, "");
  fetch (f, f->job, RUNNING (10)); /* nothing has changed */
  assert_new (f, "");
  g_assert_cmpstr (f->appended->str, ==, "7 all ");
  kt_event_file_drop (f->events, file);
}

/* "The lines of one response stand in the order of the table", and "A line stands in both logs, or in neither". */
static void
test_kinds (Fixture *f, gconstpointer data)
{
  const char *first =
      "7 progress 10 -> 25; 7 status running -> completed; 7 result - -> succeeded; 7 progress 25 -> 100; "
      "7 package absent -> present";
  g_autofree char *whole = g_strconcat ("7 seen - -> running; ", first, NULL);

  fetch (f, f->job, RUNNING (10));
  assert_new (f, "7 seen - -> running");
  fetch (f, f->job, RUNNING (25));
  fetch (f, f->job, JOB ("\"status\":2,\"progress\":100,\"taskResultCode\":1,\"downloadUrl\":\"https://h/p.zip\""));
  assert_new (f, first);
  assert_log (f, f->job, whole);
  fetch (f, f->job, JOB ("\"status\":99"));
  assert_new (f, "7 status completed -> unknown-99; 7 result succeeded -> -; 7 progress 100 -> -; "
                 "7 package present -> absent");
}

static void
test_counts (Fixture *f, gconstpointer data)
{
  g_autoptr (KtKey) basic = kt_key_new (KT_FAMILY_BASIC, "8");

  kt_catalog_add (f->below.catalog, KT_CATALOG_WATCHED, basic);
  fetch (f, basic, "{\"data\":{\"successCount\":1}}");
  fetch (f, basic, "{\"data\":{\"successCount\":3,\"failCount\":2}}");
  assert_new (f, "8 seen - -> completed; 8 result - -> partly-failed; 8 success-count 1 -> 3; 8 fail-count - -> 2");
}

/* "Another failure, and that a failure is overcome, is a line; the same failure again is none". */
static void
test_errors (Fixture *f, gconstpointer data)
{
  fail (f, f->job, KT_ERROR_UNREACHABLE);
  fail (f, f->job, KT_ERROR_UNREACHABLE);
  assert_new (f, "7 error - -> EHOSTUNREACH");
  fail (f, f->job, KT_ERROR_TIMED_OUT);
  assert_new (f, "7 error EHOSTUNREACH -> ETIMEDOUT");
  list (f, ITEM (1)); /* that is another request */
  assert_new (f, "7 seen - -> running");
  fetch (f, f->job, COMPLETED);
  assert_new (f, "7 error ETIMEDOUT -> -; 7 status running -> completed; 7 result - -> succeeded; 7 progress - -> 100");
  assert_log (f, f->job,
              "7 error - -> EHOSTUNREACH; 7 error EHOSTUNREACH -> ETIMEDOUT; 7 seen - -> running; "
              "7 error ETIMEDOUT -> -; 7 status running -> completed; 7 result - -> succeeded; "
              "7 progress - -> 100");
  fail (f, f->job, KT_ERROR_NOT_FOUND);
  assert_new (f, "7 error - -> ENOENT");
  fail (f, f->job, KT_ERROR_STOPPED);
  assert_new (f, "");
}

/* Of a task that is not known, and of one that was found and is no more, no failure is told. */
static void
test_unknown (Fixture *f, gconstpointer data)
{
  g_autoptr (KtKey) unknown = kt_key_new (KT_FAMILY_UNKNOWN, "8");
  g_autoptr (KtKey) found = kt_key_new (KT_FAMILY_JOB, "9");

  fail (f, unknown, KT_ERROR_NOT_FOUND);
  assert_new (f, "");
  kt_catalog_add (f->below.catalog, KT_CATALOG_FOUND, found);
  fetch (f, found, RUNNING (1));
  fail (f, found, KT_ERROR_TIMED_OUT);
  fail (f, found, KT_ERROR_NOT_FOUND);
  assert_new (f, "9 seen - -> running; 9 error - -> ETIMEDOUT; 9 gone running -> -");
}

static void
watch (Fixture *f, KtKey *key)
{
  g_autoptr (GPtrArray) keys = g_ptr_array_new ();

  if (key != NULL)
    g_ptr_array_add (keys, key);
  kt_catalog_set (f->below.catalog, KT_CATALOG_WATCHED, keys);
}

/* "Who has the log of a task open can read it to its end after the task is gone". A task that comes again is seen
 * anew. */
static void
test_gone (Fixture *f, gconstpointer data)
{
  KtEventFile *file = kt_event_file_hold (f->events, f->job);
  g_autofree char *text = NULL;

  watch (f, NULL);
  assert_new (f, ""); /* nothing was seen of it */
  watch (f, f->job);
  kt_event_file_drop (f->events, file);
  file = kt_event_file_hold (f->events, f->job);
  fetch (f, f->job, RUNNING (1));
  watch (f, NULL);
  assert_new (f, "7 seen - -> running; 7 gone running -> -");
  text = text_of (f, file, 0);
  kt_assert_text (without_times (text), "7 seen - -> running; 7 gone running -> -");
  ask (f, f->job);
  kt_fake_source_land (f->source, RUNNING (4)); /* too late */
  assert_new (f, "");
  watch (f, f->job);
  fetch (f, f->job, RUNNING (5));
  assert_new (f, "7 seen - -> running");
  assert_log (f, f->job, "7 seen - -> running");
  g_assert_cmpuint (kt_event_file_size (file), >, 80);
  kt_event_file_look (f->events, file);
  kt_event_file_drop (f->events, file);
}

/* A task that is asked for in another way from now on is the same task. */
static void
test_other_key (Fixture *f, gconstpointer data)
{
  g_autoptr (KtKey) basic = kt_key_new (KT_FAMILY_BASIC, "7");

  fetch (f, f->job, RUNNING (1));
  watch (f, basic);
  assert_new (f, "7 seen - -> running");
  fetch (f, basic, "{\"data\":{\"successCount\":3}}");
  assert_new (f, "7 status running -> completed; 7 progress 1 -> -; 7 success-count - -> 3");
}

/* "What a list does not say has not changed", and "After the end of a task its last progress and its last counts are
 * there". */
static void
test_summary (Fixture *f, gconstpointer data)
{
  list (f, ITEM (1));
  assert_new (f, "7 seen - -> running");
  fetch (f, f->job, RUNNING (10)); /* known now, and not changed */
  assert_new (f, "");
  list (f, ITEM (1));
  fetch (f, f->job, RUNNING (20));
  assert_new (f, "7 progress 10 -> 20");
  list (f, ITEM_COMPLETED);
  assert_new (f, "7 status running -> completed; 7 result - -> succeeded");
  list (f, ITEM (2)); /* lacks the result */
  assert_new (f, "");
  fetch (f, f->job, COMPLETED);
  assert_new (f, "7 progress 20 -> 100");
}

/* A task that had ended when it was seen says nothing more with its first detail; one that has ended since then does. */
static void
test_first_detail (Fixture *f, gconstpointer data)
{
  list (f, ITEM (2));
  fetch (f, f->job, COMPLETED);
  assert_new (f, "7 seen - -> completed");
  g_assert_cmpuint (kt_events_memory (f->events), ==, 0);
  list (f, "{\"taskId\":\"9\",\"taskType\":6,\"status\":1}," ITEM (2));
  list (f, "{\"taskId\":\"9\",\"taskType\":6,\"status\":2}," ITEM (2));
  assert_new (f, "9 seen - -> running; 9 status running -> completed");
  {
    g_autoptr (KtKey) nine = kt_key_new (KT_FAMILY_JOB, "9");
    fetch (f, nine, COMPLETED);
    assert_new (f, "9 result - -> succeeded; 9 progress - -> 100");
  }
}

/* "A response that was requested before the one that is known, and comes after it, does not bring back the past": a
 * list. */
static void
test_late_list (Fixture *f, gconstpointer data)
{
  fetch (f, f->job, RUNNING (10));
  ask_list (f);
  fetch (f, f->job, JOB ("\"status\":3"));
  assert_new (f, "7 seen - -> running; 7 status running -> canceled; 7 progress 10 -> -");
  kt_fake_list_land (f->source, KT_FAMILY_JOB, ITEM (1));
  assert_new (f, "");
  list (f, ITEM (1)); /* nor does one that was asked for later: what ended has ended */
  assert_new (f, "");
  list (f, ITEM (2)); /* another end is another matter */
  assert_new (f, "7 status canceled -> completed");
}

/* The same of a detail; what no list has is new in it all the same. */
static void
test_late_detail (Fixture *f, gconstpointer data)
{
  list (f, ITEM (0));
  fetch (f, f->job, JOB ("\"status\":0,\"progress\":0"));
  kt_fake_clock_advance (f->clock, 31 * KT_SECOND);
  ask (f, f->job);
  list (f, ITEM (1));
  assert_new (f, "7 seen - -> pending; 7 status pending -> running");
  kt_fake_source_land (f->source, JOB ("\"status\":0,\"progress\":1"));
  assert_new (f, "7 progress 0 -> 1");
  ask (f, f->job);
  list (f, ITEM (1));
  kt_fake_source_land (f->source, COMPLETED); /* an end is an end */
  assert_new (f, "7 status running -> completed; 7 result - -> succeeded; 7 progress 1 -> 100");
}

/* "That a value is dropped for want of `memory` and fetched again is no change". */
static void
test_evicted (Fixture *f, gconstpointer data)
{
  KtStorePolicy policy = f->below.policy;
  KtSnapshot snapshot;
  g_autoptr (KtKey) other = kt_key_new (KT_FAMILY_JOB, "9");

  kt_catalog_add (f->below.catalog, KT_CATALOG_WATCHED, other);
  policy.memory = 1;
  kt_store_set_policy (f->below.store, &policy);
  fetch (f, f->job, RUNNING (10));
  fetch (f, other, RUNNING (1));
  g_assert_false (kt_store_peek (f->below.store, f->job, KT_STORE_LISTED, &snapshot));
  fetch (f, f->job, RUNNING (10));
  fetch (f, other, RUNNING (1));
  fetch (f, f->job, RUNNING (20));
  assert_new (f, "7 seen - -> running; 9 seen - -> running; 7 progress 10 -> 20");
}

/* "Each later response is a line for each value that it has and that differs from what was known": summaries and
 * details take turns. */
static void
test_turns (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i <= 50; i++) {
    g_autofree char *json = g_strdup_printf (JOB ("\"status\":%u,\"progress\":%u"), i / 2 % 2, i);
    fetch (f, f->job, json);
    list (f, i / 2 % 2 == 0 ? ITEM (0) : ITEM (1));
    if (i % 10 == 0)
      fail (f, f->job, KT_ERROR_TIMED_OUT);
  }
  {
    KtEventFile *file = kt_event_file_hold (f->events, f->job);
    g_autofree char *text = text_of (f, file, 0), *all = text_of (f, f->all, 0);
    g_auto (GStrv) progress = g_strsplit (text, " progress ", -1);
    g_auto (GStrv) status = g_strsplit (text, " status ", -1);
    g_auto (GStrv) error = g_strsplit (text, " error ", -1);
    g_assert_cmpstr (text, ==, all);
    g_assert_cmpuint (g_strv_length (progress) - 1, ==, 50);
    g_assert_cmpuint (g_strv_length (status) - 1, ==, 25);
    g_assert_cmpuint (g_strv_length (error) - 1, ==, 11);
    kt_event_file_drop (f->events, file);
  }
}

/* A hostile service: "More than 4096 different words of `status` and `result` are not told apart: further ones are
 * `unknown`". */
static void
test_words (Fixture *f, gconstpointer data)
{
  fetch (f, f->job, JOB ("\"status\":\"a b\\n%\""));
  fetch (f, f->job, JOB ("\"status\":1"));
  assert_new (f, "7 seen - -> unknown-a%20b%250A%25; 7 status unknown-a%20b%250A%25 -> running");
  for (guint i = 0; i < KT_EVENTS_WORDS_MAX + 10; i++) {
    g_autofree char *json = g_strdup_printf (JOB ("\"status\":\"w%u\""), i);
    fetch (f, f->job, json);
  }
  {
    KtEventFile *file = kt_event_file_hold (f->events, f->job);
    g_autofree char *text = text_of (f, file, kt_event_file_start (file));
    g_assert_true (g_str_has_suffix (text, " -> unknown\n"));
    kt_event_file_drop (f->events, file);
  }
}

/* "The logs of all tasks together take at most 16 times `events-memory`: those that were written to longest ago lose
 * their lines first". */
static void
test_memory (Fixture *f, gconstpointer data)
{
  const guint tasks = 3 * KT_EVENTS_ALL_TASKS * MEMORY / KT_EVENT_LOG_ROOM_MIN;
  g_autoptr (KtKey) first = kt_key_new (KT_FAMILY_JOB, "t0");
  KtEventFile *file;
  guint64 size;

  for (guint i = 0; i < tasks; i++) {
    g_autofree char *id = g_strdup_printf ("t%u", i);
    g_autoptr (KtKey) key = kt_key_new (KT_FAMILY_JOB, id);
    kt_catalog_add (f->below.catalog, KT_CATALOG_WATCHED, key);
    for (guint j = 0; j < 200; j++) {
      g_autofree char *json = g_strdup_printf (JOB ("\"status\":1,\"progress\":%u"), j % 100);
      fetch (f, key, json);
    }
    g_assert_cmpuint (kt_events_memory (f->events), <=, KT_EVENTS_ALL_TASKS * MEMORY);
  }
  file = kt_event_file_hold (f->events, first);
  size = kt_event_file_size (file);
  g_assert_cmpuint (kt_event_file_start (file), ==, size); /* the one written to longest ago has lost all */
  {
    g_autofree char *text = text_of (f, file, size - 40);
    g_assert_nonnull (strstr (text, "lost 200 -> -\n"));
  }
  fetch (f, first, RUNNING (7));
  g_assert_cmpuint (kt_event_file_size (file), >, size);
  kt_event_file_drop (f->events, file);
  kt_events_set_memory (f->events, MEMORY / 2);
  g_assert_cmpuint (kt_events_memory (f->events), <=, KT_EVENTS_ALL_TASKS * MEMORY / 2);
}

/* Who looks again and again has the task polled. */
static void
test_look (Fixture *f, gconstpointer data)
{
  KtEventFile *file = kt_event_file_hold (f->events, f->job);

  fetch (f, f->job, RUNNING (1));
  kt_event_file_look (f->events, file);
  g_assert_cmpuint (kt_watch_size (f->below.watch), ==, 0);
  kt_fake_clock_advance (f->clock, KT_SECOND);
  kt_event_file_look (f->events, file);
  g_assert_cmpuint (kt_watch_size (f->below.watch), ==, 1);
  kt_event_file_look (f->events, f->all);
  kt_fake_clock_advance (f->clock, KT_SECOND);
  kt_event_file_look (f->events, f->all);
  g_assert_true (kt_watch_is_all (f->below.watch));
  kt_fake_list_land (f->source, KT_FAMILY_BASIC, "");
  kt_fake_list_land (f->source, KT_FAMILY_JOB, ITEM (1));
  kt_event_file_drop (f->events, file);
  watch (f, NULL);
  while (kt_fake_source_pending (f->source) > 0)
    kt_fake_source_land (f->source, RUNNING (1));
}

int
main (int argc, char **argv)
{
#define TEST(name, func) g_test_add ("/events/" name, Fixture, NULL, set_up, func, tear_down)
  kt_test_init (&argc, &argv);
  TEST ("seen", test_seen);
  TEST ("kinds", test_kinds);
  TEST ("counts", test_counts);
  TEST ("errors", test_errors);
  TEST ("unknown", test_unknown);
  TEST ("gone", test_gone);
  TEST ("other-key", test_other_key);
  TEST ("summary", test_summary);
  TEST ("first-detail", test_first_detail);
  TEST ("late-list", test_late_list);
  TEST ("late-detail", test_late_detail);
  TEST ("evicted", test_evicted);
  TEST ("turns", test_turns);
  TEST ("words", test_words);
  TEST ("memory", test_memory);
  TEST ("look", test_look);
  return g_test_run ();
}
