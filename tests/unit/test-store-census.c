/* SPDX-License-Identifier: MIT */
/* How many tasks there are of each kind, status and result. */
#include "kt-store-fixture.h"

#include "store/kt-census.h"

#include <stdio.h>

#define SHARE(status, result)                                                                                          \
  "{\"code\":0,\"jobInfo\":{\"taskId\":\"7\",\"taskType\":1,\"taskStatus\":" #status ",\"taskResultCode\":" #result "}}"
#define RUNNING       SHARE (1, null)
#define PARTLY_FAILED SHARE (2, 2)

typedef struct {
  KtStoreFixture below;
  KtCensus *census;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  kt_store_set_up (&f->below, NULL);
  f->census = kt_census_new (f->below.changes, f->below.store, f->below.catalog, f->below.metrics);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  kt_census_free (f->census);
  kt_store_tear_down (&f->below, NULL);
}

static void
watch (Fixture *f, gboolean watched)
{
  g_autoptr (GPtrArray) keys = g_ptr_array_new ();

  if (watched)
    g_ptr_array_add (keys, f->below.key);
  kt_catalog_set (f->below.catalog, KT_CATALOG_WATCHED, keys);
}

static void
fetch (Fixture *f, const char *json)
{
  kt_fake_clock_advance (f->below.clock, 10 * KT_SECOND); /* what is cached of a running task is not fresh any more */
  kt_store_prefetch (f->below.store, f->below.key, KT_TIME_NEVER);
  kt_fake_source_land (f->below.source, json);
}

/* The counts as "KIND STATUS RESULT N, ", without those that are 0 or, with ZEROS, with those that are shown. They are
 * together what the catalog has. */
static void
assert_counts (Fixture *f, gboolean zeros, const char *expected)
{
  g_autofree char *text = kt_metrics_format (f->below.metrics);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autoptr (GString) out = g_string_new (NULL);
  guint sum = 0;

  for (char **line = lines; *line != NULL; line++) {
    char kind[16], status[16], result[16];
    guint n;
    if (sscanf (*line, "kootaskfs_tasks{kind=\"%15[^\"]\",status=\"%15[^\"]\",result=\"%15[^\"]\"} %u", kind, status,
                result, &n)
        != 4)
      continue;
    sum += n;
    if (n > 0 || zeros)
      g_string_append_printf (out, "%s %s %s %u, ", kind, status, result, n);
  }
  g_assert_cmpstr (out->str, ==, expected);
  g_assert_cmpuint (sum, ==, kt_catalog_size (f->below.catalog));
}

/* From before the first response on; a status that had a task stays, as 0. */
static void
test_statuses (Fixture *f, gconstpointer data)
{
  assert_counts (f, TRUE,
                 "share pending none 0, share running none 0, basic pending none 0, basic running none 0, "
                 "job pending none 0, job running none 0, ");
  watch (f, TRUE);
  assert_counts (f, FALSE, "share unknown none 1, ");
  fetch (f, RUNNING);
  assert_counts (f, FALSE, "share running none 1, ");
  fetch (f, SHARE (99, null)); /* as many words as the service likes */
  assert_counts (f, FALSE, "share unknown none 1, ");
  fetch (f, PARTLY_FAILED);
  assert_counts (f, TRUE,
                 "share unknown none 0, share pending none 0, share running none 0, "
                 "share completed partly-failed 1, basic pending none 0, basic running none 0, "
                 "job pending none 0, job running none 0, ");
}

static void
listed (gpointer data)
{
}

static void
list (Fixture *f, const char *jobs, const char *basic)
{
  kt_fake_clock_advance (f->below.clock, 60 * KT_SECOND);
  g_assert_nonnull (kt_lists_get (f->below.lists, listed, NULL));
  kt_fake_list_land (f->below.source, KT_FAMILY_JOB, jobs);
  kt_fake_list_land (f->below.source, KT_FAMILY_BASIC, basic);
}

static guint64
ended (Fixture *f, const char *kind, const char *status, const char *result)
{
  const KtLabel labels[] = { { "kind", kind }, { "status", status }, { "result", result } };

  return *kt_metrics_counter_of (f->below.metrics, "kootaskfs_ended_tasks_total", "", labels, G_N_ELEMENTS (labels));
}

/* An end counts once, and only of a task that was seen before it: old ones that come to light are no news. */
static void
test_ends (Fixture *f, gconstpointer data)
{
  watch (f, TRUE);
  fetch (f, RUNNING);
  fetch (f, PARTLY_FAILED);
  watch (f, FALSE);
  watch (f, TRUE);
  g_assert_cmpuint (ended (f, "share", "completed", "partly-failed"), ==, 1);
  list (f, KT_ITEM ("1", 1) "," KT_ITEM ("2", 2), KT_ITEM ("4", 3) "," KT_ITEM ("5", 0));
  g_assert_cmpuint (ended (f, "job", "completed", "none"), ==, 0);
  list (f, KT_ITEM ("1", 2) "," KT_ITEM ("2", 2), KT_ITEM ("4", 3) "," KT_ITEM ("5", 3));
  list (f, KT_ITEM ("1", 2) "," KT_ITEM ("2", 2), KT_ITEM ("4", 3) "," KT_ITEM ("5", 3));
  g_assert_cmpuint (ended (f, "job", "completed", "none"), ==, 1);
  g_assert_cmpuint (ended (f, "basic", "failed", "none"), ==, 1);
}

/* A failure changes no count. */
static void
test_failure (Fixture *f, gconstpointer data)
{
  watch (f, TRUE);
  fetch (f, RUNNING);
  kt_fake_clock_advance (f->below.clock, 10 * KT_SECOND);
  kt_store_prefetch (f->below.store, f->below.key, KT_TIME_NEVER);
  kt_fake_source_fail (f->below.source, KT_ERROR_TIMED_OUT);
  assert_counts (f, FALSE, "share running none 1, ");
}

/* Who is not watched any more does not count; who comes again does as what is cached of it. */
static void
test_again (Fixture *f, gconstpointer data)
{
  watch (f, TRUE);
  fetch (f, PARTLY_FAILED);
  watch (f, FALSE);
  assert_counts (f, FALSE, "");
  watch (f, TRUE);
  assert_counts (f, FALSE, "share completed partly-failed 1, ");
}

static void
test_evicted (Fixture *f, gconstpointer data)
{
  g_autoptr (KtKey) other = kt_key_new_share ("S", "8");

  watch (f, TRUE);
  fetch (f, PARTLY_FAILED);
  f->below.policy.memory = 1;
  kt_store_set_policy (f->below.store, &f->below.policy);
  kt_store_prefetch (f->below.store, other, KT_TIME_NEVER); /* the last one asked for stays */
  kt_fake_source_fail (f->below.source, KT_ERROR_TIMED_OUT);
  g_assert_false (kt_store_has (f->below.store, f->below.key, KT_STORE_FRESH));
  assert_counts (f, FALSE, "share completed partly-failed 1, ");
}

/* Summaries count too, and what a list does not have any more does not. */
static void
test_lists (Fixture *f, gconstpointer data)
{
  list (f, KT_ITEM ("1", 1) "," KT_ITEM ("2", 0) "," KT_ITEM ("3", 3), KT_ITEM ("4", 3) "," KT_ITEM ("5", 2));
  assert_counts (f, FALSE,
                 "basic completed none 1, basic failed none 1, job pending none 1, job running none 1, "
                 "job canceled none 1, ");
  list (f, KT_ITEM ("1", 2), KT_ITEM ("4", 3));
  assert_counts (f, FALSE, "basic failed none 1, job completed none 1, ");
}

/* A list under way, which was asked for a second ago. */
static void
begin_lists (Fixture *f)
{
  kt_fake_clock_advance (f->below.clock, 60 * KT_SECOND);
  g_assert_nonnull (kt_lists_get (f->below.lists, listed, NULL));
  kt_fake_clock_advance (f->below.clock, KT_SECOND);
}

static void
fetch_job (Fixture *f, const char *json)
{
  g_autoptr (KtKey) job = kt_key_new (KT_FAMILY_JOB, "1");

  kt_store_prefetch (f->below.store, job, KT_TIME_NEVER);
  kt_fake_source_land (f->below.source, json);
}

#define JOB(status, result)                                                                                            \
  "{\"code\":0,\"data\":{\"jobInfo\":{\"taskId\":\"1\",\"status\":" #status ",\"taskResultCode\":" #result "}}}"

/* A list that was asked for before the detail does not bring back the past. One that was asked for later may know of the
 * end, but of an ended task the detail says more. */
static void
test_slow_list (Fixture *f, gconstpointer data)
{
  begin_lists (f);
  kt_fake_list_page (f->below.source, KT_FAMILY_JOB, KT_ITEM ("1", 0));
  assert_counts (f, FALSE, "job pending none 1, ");
  fetch_job (f, JOB (1, null));
  assert_counts (f, FALSE, "job running none 1, ");
  kt_fake_list_page (f->below.source, KT_FAMILY_JOB, KT_ITEM ("1", 0));
  assert_counts (f, FALSE, "job running none 1, ");
  kt_fake_list_end (f->below.source, KT_FAMILY_JOB);
  kt_fake_list_land (f->below.source, KT_FAMILY_BASIC, "");
  list (f, KT_ITEM ("1", 2), "");
  assert_counts (f, FALSE, "job completed none 1, ");
  fetch_job (f, JOB (2, 1));
  list (f, KT_ITEM ("1", 2), "");
  assert_counts (f, FALSE, "job completed succeeded 1, ");
}

#define TEST(path, func) g_test_add ("/store/census/" path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
  TEST ("statuses", test_statuses);
  TEST ("ends", test_ends);
  TEST ("failure", test_failure);
  TEST ("again", test_again);
  TEST ("evicted", test_evicted);
  TEST ("lists", test_lists);
  TEST ("slow-list", test_slow_list);
  return g_test_run ();
}
