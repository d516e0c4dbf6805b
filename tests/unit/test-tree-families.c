/* SPDX-License-Identifier: MIT */
/* tasks/ made of the service's lists, what a list suffices for, and ids that nobody has listed. */
#include "kt-tree-fixture.h"

#include <string.h>

#define BASIC KT_FAMILY_BASIC
#define JOB   KT_FAMILY_JOB
#define BOTH  (KT_FAMILY_BIT (BASIC) | KT_FAMILY_BIT (JOB))

#define TIMES        ",\"createTime\":\"20240930080000\",\"beginTime\":\"20240930090000\""
#define RUNNING_ITEM "{\"taskId\":\"9\",\"taskType\":1,\"userId\":\"u\",\"status\":1,\"taskResultCode\":\"\"" TIMES "}"
#define ENDED_ITEM                                                                                                     \
  "{\"taskId\":\"9\",\"taskType\":1,\"userId\":\"u\",\"status\":2,\"taskResultCode\":1" TIMES                          \
  ",\"endTime\":\"20240930091500\"}"

typedef struct {
  guint calls; /* of the callback */
  char *names;
} Listed;

static void
on_listed (KtListing *listing, const GError *error, gpointer data)
{
  Listed *listed = data;
  GString *out = g_string_new (NULL);
  const char *name;
  mode_t type;

  g_assert_no_error (error);
  for (guint i = 0; (name = kt_listing_name (listing, i, &type)) != NULL; i++)
    g_string_append_printf (out, "%s ", name);
  kt_listing_free (listing);
  listed->calls++;
  g_free (listed->names);
  listed->names = g_string_free (out, FALSE);
}

static KtOperation *
start_list (KtTreeFixture *f, Listed *listed)
{
  *listed = (Listed){ 0 };
  return kt_tree_list (f->tree, kt_tree_find (f, "tasks", NULL).id, on_listed, listed);
}

/* `ls tasks`, with these items in the two lists. */
static void
list_tasks (KtTreeFixture *f, const char *basic, const char *job, const char *expected)
{
  Listed listed;

  g_assert_nonnull (start_list (f, &listed));
  kt_fake_list_land (f->source, BASIC, basic);
  kt_fake_list_land (f->source, JOB, job);
  g_assert_cmpuint (listed.calls, ==, 1);
  g_assert_cmpstr (listed.names, ==, expected);
  g_free (listed.names);
}

static void
assert_text (KtTreeFixture *f, const char *path, const char *json, const char *expected)
{
  kt_assert_text (kt_tree_text (f, kt_tree_find (f, path, json).id), expected);
}

static void
keep_listing (KtListing *listing, const GError *error, gpointer data)
{
  *(KtListing **) data = listing;
}

static guint
asked (KtTreeFixture *f)
{
  return kt_fake_source_asked (f->source);
}

static void
test_listing (KtTreeFixture *f, gconstpointer data)
{
  static const char *const watched[] = { "share S 5", "basic 1", NULL };
  Listed listed;

  kt_tree_watch (f, watched);
  kt_tree_use_lists (f, BOTH);
  list_tasks (f, KT_ITEM ("7", 1) "," KT_ITEM ("3", 2), RUNNING_ITEM, "1 3 5 7 9 ");
  g_assert_null (start_list (f, &listed)); /* from memory */
  g_assert_cmpstr (listed.names, ==, "1 3 5 7 9 ");
  g_free (listed.names);
  assert_text (f, "tasks/9/kind", NULL, "job\n");
  assert_text (f, "tasks/7/kind", NULL, "basic\n");
  kt_fake_clock_advance (f->clock, 30 * KT_SECOND);
  list_tasks (f, KT_ITEM ("7", 1), "", "1 5 7 "); /* gone, and the watched ones stay */
  g_assert_cmpuint (asked (f), ==, 0);
}

/* Who lists waits no longer than the deadline, and then sees what is known. */
static void
test_listing_deadline (KtTreeFixture *f, gconstpointer data)
{
  Listed listed;

  kt_tree_use_lists (f, BOTH);
  g_assert_nonnull (start_list (f, &listed));
  kt_fake_list_page (f->source, JOB, RUNNING_ITEM);
  kt_fake_clock_advance (f->clock, 10 * KT_SECOND - 1);
  g_assert_cmpuint (listed.calls, ==, 0);
  kt_fake_clock_advance (f->clock, 1);
  g_assert_cmpstr (listed.names, ==, "9 ");
  g_free (listed.names);
  kt_tree_cancel (start_list (f, &listed));
  kt_fake_list_end (f->source, JOB);
  kt_fake_list_fail (f->source, BASIC, KT_ERROR_TIMED_OUT);
  g_assert_cmpuint (listed.calls, ==, 0);
}

/* Files whose values a summary has are made of it; the others ask. */
static void
test_what_a_list_suffices_for (KtTreeFixture *f, gconstpointer data)
{
  static const char *const files[][2] = {
    { "kind", "job\n" },
    { "type", "copy\n" },
    { "status", "running\n" },
    { "result", "" },
    { "created", "2024-09-30T08:00:00Z\n" },
    { "started", "2024-09-30T09:00:00Z\n" },
    { "ended", "" },
    { "user", "u\n" },
  };
  guint64 dir;

  kt_tree_use_lists (f, BOTH);
  list_tasks (f, "", RUNNING_ITEM, "9 ");
  dir = kt_tree_find (f, "tasks/9", NULL).id;
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++) {
    KtTreeLookup lookup = kt_tree_look_up (f, dir, files[i][0], NULL);
    kt_assert_text (kt_tree_text (f, lookup.entry.id), files[i][1]);
    /* the kernel comes back each time: the next file may bring a newer response */
    g_assert_cmpint (lookup.entry.entry_timeout, ==, 0);
  }
  g_assert_cmpuint (asked (f), ==, 0);
  assert_text (f, "tasks/9/progress", KT_JOB_RUNNING, "30\n");
  g_assert_cmpuint (asked (f), ==, 1);
  /* from now on all are of that detail, with the times it lacks */
  assert_text (f, "tasks/9/created", NULL, "2024-09-30T08:00:00Z\n");
  g_assert_cmpint (kt_tree_look_up (f, dir, "status", NULL).entry.entry_timeout, >, 4 * KT_SECOND);
}

static void
test_each_file (KtTreeFixture *f, gconstpointer data)
{
  static const char *const ask[][2] = {
    { "3", "result" }, /* of a basic task it follows from the counts */
    { "3", "progress" },      { "3", "success-count" }, { "3", "failures.csv" }, { "3", "response.json" },
    { "9", "progress" },      { "9", "fail-count" },    { "9", "summary" },      { "9", "job.json" },
    { "9", "response.json" }, { "9", "files.csv" },
  };

  kt_tree_use_lists (f, BOTH);
  list_tasks (f, KT_ITEM_ENDED ("3", 2), ENDED_ITEM, "3 9 ");
  for (gsize i = 0; i < G_N_ELEMENTS (ask); i++) {
    g_autofree char *dir = g_strconcat ("tasks/", ask[i][0], NULL);
    KtTreeLookup lookup;
    KtOperation *operation = kt_tree_start_lookup (f, kt_tree_find (f, dir, NULL).id, ask[i][1], &lookup);
    g_assert_nonnull (operation);
    kt_tree_cancel (operation);
    g_assert_cmpuint (kt_fake_source_pending (f->source), ==, i < 5 ? 1 : 2);
  }
  kt_fake_source_land (f->source, KT_IMPORTED);
  kt_fake_source_land (f->source, KT_JOB_ENDED);
  g_assert_cmpuint (asked (f), ==, 2);
}

/* An ended task changes no more: its summary lasts. */
static void
test_ended_in_list (KtTreeFixture *f, gconstpointer data)
{
  KtInode entry;

  kt_tree_use_lists (f, BOTH);
  list_tasks (f, "", ENDED_ITEM, "9 ");
  entry = kt_tree_find (f, "tasks/9/status", NULL);
  g_assert_cmpint (entry.entry_timeout, ==, KT_TIME_NEVER);
  g_assert_cmpint (entry.stat.st_mtim.tv_sec, ==, 1727687700);
  assert_text (f, "tasks/9/result", NULL, "succeeded\n");
  assert_text (f, "tasks/9/ended", NULL, "2024-09-30T09:15:00Z\n");
  g_assert_cmpint (kt_tree_find (f, "tasks/9", NULL).stat.st_mtim.tv_sec, ==, 1727687700);
  assert_text (f, "tasks/9/progress", KT_JOB_ENDED, "100\n");
  g_assert_cmpuint (kt_tree_find (f, "tasks/9/status", NULL).id, ==, entry.id); /* the same file still */
}

/* A listing with attributes shows the snapshot that a lookup would. */
static void
test_listing_of_one_answer (KtTreeFixture *f, gconstpointer data)
{
  KtListing *listing = NULL;
  KtInode entry;
  guint64 dir;

  kt_tree_use_lists (f, BOTH);
  list_tasks (f, "", RUNNING_ITEM, "9 ");
  kt_fake_clock_advance (f->clock, 29 * KT_SECOND);
  assert_text (f, "tasks/9/progress", KT_JOB_RUNNING, "30\n");
  kt_fake_clock_advance (f->clock, KT_SECOND);
  list_tasks (f, "", ENDED_ITEM, "9 "); /* newer than the detail, which is fresh for 4 s still */
  dir = kt_tree_find (f, "tasks/9", NULL).id;
  assert_text (f, "tasks/9/status", NULL, "running\n");
  kt_tree_list (f->tree, dir, keep_listing, &listing);
  g_assert_nonnull (listing);
  g_assert_true (kt_listing_look_up (listing, 2, &entry));
  kt_assert_text (kt_tree_text (f, entry.id), "running\n");
  kt_listing_free (listing);
  kt_fake_clock_advance (f->clock, 4 * KT_SECOND);
  assert_text (f, "tasks/9/status", NULL, "completed\n");
}

/* When a detail whose values the kernel keeps takes something from a summary, the kernel is notified; and of a
 * directory whose time has moved. */
static void
test_kernel_is_notified (KtTreeFixture *f, gconstpointer data)
{
  static const char *const watched[] = { "job 9", "job 8", NULL };
  g_autofree char *expected = NULL;
  guint64 dir, running;

  kt_tree_watch (f, watched);
  kt_tree_use_lists (f, BOTH);
  dir = kt_tree_find (f, "tasks/9", NULL).id;
  running = kt_tree_find (f, "tasks/8", NULL).id;
  assert_text (f, "tasks/9/status", KT_JOB_ENDED, "completed\n");
  assert_text (f, "tasks/8/status", KT_JOB_RUNNING, "running\n");
  g_assert_cmpint (kt_tree_find (f, "tasks/8", NULL).attr_timeout, ==, KT_TIME_NEVER);
  kt_fake_clock_advance (f->clock, KT_SECOND);
  list_tasks (f, "", ENDED_ITEM ",{\"taskId\":\"8\",\"status\":1}", "8 9 ");
  expected = g_strdup_printf ("%" G_GUINT64_FORMAT "/status ", dir);
  g_assert_cmpstr (f->forgotten->str, ==, expected);
  g_assert_cmpuint (f->attributes, ==, 0); /* a summary that has more is no change */
  assert_text (f, "tasks/9/progress", KT_JOB_ENDED, "100\n");
  assert_text (f, "tasks/9/ended", NULL, "2024-09-30T09:15:00Z\n");

  f->attributes = 0;
  kt_fake_clock_advance (f->clock, 30 * KT_SECOND);
  list_tasks (f, "", ENDED_ITEM ",{\"taskId\":\"8\",\"status\":1,\"beginTime\":\"20240930090000\"}", "8 9 ");
  g_assert_cmpstr (f->forgotten->str, ==, expected); /* nothing new */
  g_assert_cmpuint (f->attributes, ==, running);
  g_assert_cmpint (kt_tree_find (f, "tasks/8", NULL).stat.st_mtim.tv_sec, ==, KT_FAKE_EPOCH + 31);
}

/* Task 3, a basic one that was listed as running, has ended by its detail. */
static guint64
end_of_basic (KtTreeFixture *f)
{
  guint64 dir;

  kt_tree_use_lists (f, BOTH);
  list_tasks (f, KT_ITEM ("3", 1), "", "3 ");
  kt_fake_clock_advance (f->clock, KT_SECOND);
  dir = kt_tree_find (f, "tasks/3", NULL).id;
  kt_tree_look_up (f, dir, "progress", KT_IMPORTED);
  kt_assert_text (kt_tree_text (f, kt_tree_look_up (f, dir, "status", NULL).entry.id), "completed\n");
  g_assert_cmpuint (kt_fake_list_asked (f->source), ==, 2); /* what shows no time costs no list */
  return dir;
}

/* Files that show times wait for the list that has the end, all for one. */
static void
test_times_wait_for_a_list (KtTreeFixture *f, gconstpointer data)
{
  static const char *const names[] = { "created", "started", "ended", "summary", "task.json" };
  KtTreeLookup lookups[G_N_ELEMENTS (names)], cancelled;
  g_autoptr (KtListing) listing = NULL;
  KtInode entry;
  guint64 dir = end_of_basic (f);

  kt_tree_list (f->tree, dir, keep_listing, &listing);
  g_assert_true (kt_listing_look_up (listing, 2, &entry));  /* status */
  g_assert_false (kt_listing_look_up (listing, 7, &entry)); /* ended: the kernel is to look it up */
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    g_assert_nonnull (kt_tree_start_lookup (f, dir, names[i], &lookups[i]));
  g_assert_cmpuint (kt_fake_list_asked (f->source), ==, 3);
  kt_tree_cancel (kt_tree_start_lookup (f, dir, "ended", &cancelled));
  kt_fake_list_page (f->source, BASIC, KT_ITEM_ENDED ("3", 2));
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    g_assert_cmpuint (lookups[i].calls, ==, 1);
  kt_assert_text (kt_tree_text (f, lookups[2].entry.id), "2024-09-30T09:15:00Z\n");
  g_assert_cmpint (lookups[2].entry.entry_timeout, ==, KT_TIME_NEVER);
  g_assert_true (kt_listing_look_up (listing, 7, &entry));
  g_assert_cmpuint (entry.id, ==, lookups[2].entry.id);
  kt_fake_list_end (f->source, BASIC);
  g_assert_true (asked (f) == 1 && cancelled.calls == 0);
}

/* Without the list, or its end, the time is empty for now, and nobody is kept longer than by the deadline. */
static void
test_times_without_a_list (KtTreeFixture *f, gconstpointer data)
{
  guint64 dir = end_of_basic (f);
  KtTreeLookup lookup;

  kt_tree_start_lookup (f, dir, "ended", &lookup);
  kt_fake_list_fail (f->source, BASIC, KT_ERROR_DENIED);
  g_assert_true (lookup.calls == 1 && lookup.entry.stat.st_size == 0);
  g_assert_cmpint (lookup.entry.entry_timeout, ==, 3 * KT_SECOND - 20 * KT_MS); /* negative-ttl */
  g_assert_cmpint (kt_tree_look_up (f, dir, "status", NULL).entry.entry_timeout, ==, KT_TIME_NEVER);
  kt_tree_look_up (f, dir, "ended", NULL);
  kt_fake_clock_advance (f->clock, 3 * KT_SECOND);
  kt_tree_start_lookup (f, dir, "ended", &lookup);
  kt_fake_clock_advance (f->clock, 10 * KT_SECOND);
  g_assert_true (lookup.calls == 1 && lookup.entry.stat.st_size == 0 && lookup.entry.entry_timeout == 0);
  kt_fake_list_land (f->source, BASIC, KT_ITEM_ENDED ("3", 2)); /* filled in when the list has it */
  assert_text (f, "tasks/3/ended", NULL, "2024-09-30T09:15:00Z\n");
  g_assert_cmpuint (asked (f), ==, 1);
}

/* The detail is evicted while its file waits for the list: it is asked for anew, and that is no error. */
static void
test_times_after_eviction (KtTreeFixture *f, gconstpointer data)
{
  static const char *const watched[] = { "job 8", NULL };
  guint64 dir = end_of_basic (f);
  KtTreeLookup lookup;

  kt_tree_watch (f, watched);
  kt_tree_start_lookup (f, dir, "ended", &lookup);
  f->policy.memory = 0;
  kt_store_set_policy (f->store, &f->policy);
  assert_text (f, "tasks/8/status", KT_JOB_RUNNING, "running\n");
  kt_fake_list_page (f->source, BASIC, KT_ITEM ("7", 1));
  kt_fake_source_land (f->source, KT_IMPORTED);
  g_assert_true (lookup.calls == 1 && lookup.error == -1 && lookup.entry.id != 0);
  kt_fake_list_end (f->source, BASIC);
}

static void
test_gone (KtTreeFixture *f, gconstpointer data)
{
  g_autofree char *expected = NULL;
  guint64 tasks;

  kt_tree_use_lists (f, BOTH);
  list_tasks (f, "", RUNNING_ITEM, "9 ");
  tasks = kt_tree_find (f, "tasks", NULL).id;
  kt_tree_find (f, "tasks/9/status", NULL);
  kt_fake_clock_advance (f->clock, 30 * KT_SECOND);
  list_tasks (f, "", "", "");
  expected = g_strdup_printf ("%" G_GUINT64_FORMAT "/9 ", tasks);
  g_assert_cmpstr (f->forgotten->str, ==, expected);
}

/* A listed task that the service knows no more is an error of its files; only the list can take it away. */
static void
test_listed_and_lost (KtTreeFixture *f, gconstpointer data)
{
  KtTreeLookup lookup;

  kt_tree_use_lists (f, BOTH);
  list_tasks (f, "", RUNNING_ITEM, "9 ");
  kt_tree_start_lookup (f, kt_tree_find (f, "tasks/9", NULL).id, "progress", &lookup);
  kt_fake_source_fail (f->source, KT_ERROR_NOT_FOUND);
  g_assert_cmpint (kt_tree_read_error (f, lookup.entry.id), ==, KT_ERROR_NOT_FOUND);
  g_assert_nonnull (kt_catalog_find (f->catalog, "9"));
}

static void
use_scan_ahead (KtTreeFixture *f, guint families)
{
  const KtTreeOptions options = { .deadline = 10 * KT_SECOND, .readahead = 64, .families = families };
  kt_tree_set_options (f->tree, &options);
}

/* `cat tasks/STAR/status` fetches nothing ahead where lists suffice; `cat tasks/STAR/progress` does. */
static void
test_readahead (KtTreeFixture *f, gconstpointer data)
{
  static const char *const watched[] = { "share S 2", "share S 4", "share S 6", NULL };
  static const char *const ids[] = { "1", "2", "3", "4", "5", "6" };

  kt_tree_watch (f, watched);
  kt_tree_use_lists (f, BOTH);
  use_scan_ahead (f, KT_FAMILIES_ALL);
  list_tasks (f, "", KT_ITEM ("1", 1) "," KT_ITEM ("3", 1) "," KT_ITEM ("5", 1), "1 2 3 4 5 6 ");
  for (gsize i = 0; i < G_N_ELEMENTS (ids); i++) {
    g_autofree char *dir = g_strconcat ("tasks/", ids[i], NULL);
    KtTreeLookup lookup;
    kt_tree_start_lookup (f, kt_tree_find (f, dir, NULL).id, "status", &lookup);
    while (kt_fake_source_pending (f->source) > 0) {
      g_assert_cmpint (kt_fake_source_key (f->source)->family, ==, KT_FAMILY_SHARE);
      kt_fake_source_land (f->source, "{\"jobInfo\":{\"taskStatus\":1}}");
    }
    g_assert_cmpuint (lookup.calls, ==, 1);
  }
  g_assert_cmpuint (asked (f), ==, 3);
}

/* An id that nobody has listed may be of any family that takes no more than an id. */
static void
test_unlisted_job (KtTreeFixture *f, gconstpointer data)
{
  guint64 tasks = kt_tree_find (f, "tasks", NULL).id;
  KtTreeLookup lookup;

  kt_tree_start_lookup (f, tasks, "9", &lookup);
  g_assert_cmpint (kt_fake_source_key (f->source)->family, ==, KT_FAMILY_UNKNOWN);
  kt_fake_source_land_as (f->source, JOB, KT_JOB_RUNNING);
  g_assert_cmpuint (lookup.entry.id, !=, 0);
  assert_text (f, "tasks/9/kind", NULL, "job\n");
  g_assert_cmpuint (kt_tree_find (f, "tasks/9/files", NULL).stat.st_mode & S_IFMT, ==, S_IFDIR);
  g_assert_cmpuint (asked (f), ==, 1);
}

/* Where none of these families is chosen there is no such name, and nobody is asked; a watched task is there. */
static void
test_unlisted_not_chosen (KtTreeFixture *f, gconstpointer data)
{
  static const char *const watched[] = { "basic 8", NULL };
  guint64 tasks = kt_tree_find (f, "tasks", NULL).id;
  guint64 share = kt_tree_find (f, "shares/S", NULL).id;
  KtTreeLookup lookup;

  kt_tree_watch (f, watched);
  use_scan_ahead (f, KT_FAMILY_BIT (KT_FAMILY_SHARE));
  lookup = kt_tree_look_up (f, tasks, "9", NULL);
  g_assert_true (lookup.entry.id == 0 && lookup.error == -1 && lookup.entry.entry_timeout == 0);
  assert_text (f, "tasks/8/status", KT_IMPORTED, "completed\n");
  use_scan_ahead (f, KT_FAMILY_BIT (BASIC));
  g_assert_cmpuint (kt_tree_look_up (f, share, "9", NULL).entry.id, ==, 0);
  g_assert_cmpuint (kt_tree_look_up (f, tasks, "9", KT_IMPORTED).entry.id, !=, 0);
}

/* A task that a list names while it is being asked for by its id. */
static void
test_unlisted_meanwhile_listed (KtTreeFixture *f, gconstpointer data)
{
  KtTreeLookup lookup;

  kt_tree_use_lists (f, BOTH);
  kt_tree_start_lookup (f, kt_tree_find (f, "tasks", NULL).id, "9", &lookup);
  list_tasks (f, "", RUNNING_ITEM, "9 ");
  kt_fake_source_land_as (f->source, JOB, KT_JOB_RUNNING);
  g_assert_cmpuint (lookup.entry.id, ==, kt_tree_find (f, "tasks/9", NULL).id);
  g_assert_cmpuint (kt_catalog_size (f->catalog), ==, 1);
  kt_fake_clock_advance (f->clock, 30 * KT_SECOND);
  list_tasks (f, "", "", ""); /* the list alone had it */
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
  KT_TREE_TEST ("/tree/families/listing", test_listing);
  KT_TREE_TEST ("/tree/families/listing-deadline", test_listing_deadline);
  KT_TREE_TEST ("/tree/families/what-a-list-suffices-for", test_what_a_list_suffices_for);
  KT_TREE_TEST ("/tree/families/each-file", test_each_file);
  KT_TREE_TEST ("/tree/families/ended-in-list", test_ended_in_list);
  KT_TREE_TEST ("/tree/families/listing-of-one-answer", test_listing_of_one_answer);
  KT_TREE_TEST ("/tree/families/kernel-is-notified", test_kernel_is_notified);
  KT_TREE_TEST ("/tree/families/times-wait-for-a-list", test_times_wait_for_a_list);
  KT_TREE_TEST ("/tree/families/times-without-a-list", test_times_without_a_list);
  KT_TREE_TEST ("/tree/families/times-after-eviction", test_times_after_eviction);
  KT_TREE_TEST ("/tree/families/gone", test_gone);
  KT_TREE_TEST ("/tree/families/listed-and-lost", test_listed_and_lost);
  KT_TREE_TEST ("/tree/families/readahead", test_readahead);
  KT_TREE_TEST ("/tree/families/unlisted-job", test_unlisted_job);
  KT_TREE_TEST ("/tree/families/unlisted-not-chosen", test_unlisted_not_chosen);
  KT_TREE_TEST ("/tree/families/unlisted-meanwhile-listed", test_unlisted_meanwhile_listed);
  return g_test_run ();
}
