/* SPDX-License-Identifier: MIT */
/* The views of all tasks: by-status/, and the files that show all at once. */
#include "kt-tree-fixture.h"
#include "model/kt-words.h"
#include "tree/kt-overview.h"

#include "base/kt-error.h"

#include <string.h>

static const char *const share_task[] = { "share S 7", NULL };
static const char *const tasks[] = { "share S 7", "job 8", "basic 9", NULL };

#define HEADER   "ID                  KIND  TYPE     STATUS    PROGRESS            OK   FAIL  AGE\n"
#define CSV_HEAD "id,kind,type,status,result,progress,created,started,ended,user,name,successCount,failCount,error\n"

/* Who looks again and again is watching: what is asked for that reason comes to nothing here. */
static void
tear_down (KtTreeFixture *f, gconstpointer data)
{
  while (kt_fake_source_pending (f->source) > 0)
    kt_fake_source_fail (f->source, KT_ERROR_TIMED_OUT);
  kt_tree_tear_down (f, data);
}

#define TEST(path, func) g_test_add (path, KtTreeFixture, NULL, kt_tree_set_up, func, tear_down)

static void
on_listed (KtListing *listing, const GError *error, gpointer data)
{
  g_assert_no_error (error);
  *(KtListing **) data = listing;
}

/* The names in by-status/STATUS; with NULL in by-status/. */
static void
assert_names (KtTreeFixture *f, const char *status, const char *expected)
{
  g_autofree char *path = status != NULL ? g_strconcat ("by-status/", status, NULL) : g_strdup ("by-status");
  g_autoptr (KtListing) listing = NULL;
  g_autoptr (GString) names = g_string_new (NULL);
  const char *name;
  mode_t type;

  g_assert_null (kt_tree_list (f->tree, kt_tree_find (f, path, NULL).id, on_listed, &listing));
  for (guint i = 0; (name = kt_listing_name (listing, i, &type)) != NULL; i++)
    g_string_append_printf (names, "%s%s", i > 0 ? " " : "", name);
  g_assert_cmpstr (names->str, ==, expected);
}

static gboolean
has (KtTreeFixture *f, const char *status, const char *task)
{
  g_autofree char *path = g_strconcat ("by-status/", status, NULL);
  KtTreeLookup lookup = kt_tree_look_up (f, kt_tree_find (f, path, NULL).id, task, NULL);

  g_assert_cmpint (lookup.error, ==, -1);
  g_assert_cmpint (lookup.entry.entry_timeout, ==,
                   0); /* the kernel keeps neither that it is there nor that it is not */
  return lookup.entry.id != 0;
}

static char *
text_of (KtTreeFixture *f, const char *name)
{
  return kt_tree_text (f, kt_tree_find (f, name, NULL).id);
}

/* The line of TASK, or NULL. (transfer full) */
static char *
line_of (KtTreeFixture *f, const char *name, const char *task)
{
  g_autofree char *text = text_of (f, name);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  for (char **line = lines; *line != NULL; line++)
    if (g_str_has_prefix (*line, task))
      return g_strdup (*line);
  return NULL;
}

/* "A task whose status is not known is in none of them"; "A name in `by-status/STATUS` comes and goes at the moment the
 * status changes". */
static void
test_statuses (KtTreeFixture *f, gconstpointer data)
{
  kt_tree_watch (f, tasks);
  assert_names (f, NULL, "pending running completed canceled failed");
  for (const char *const *status = kt_statuses; *status != NULL; status++)
    assert_names (f, *status, "");
  g_assert_false (has (f, "running", "7"));
  kt_tree_find (f, "tasks/7/status", KT_RUNNING);
  kt_tree_find (f, "tasks/8/status", KT_JOB_RUNNING);
  assert_names (f, "running", "7 8");
  g_assert_true (has (f, "running", "7") && !has (f, "completed", "7") && !has (f, "running", "9"));
  kt_fake_clock_advance (f->clock, 5 * KT_SECOND);
  kt_tree_find (f, "tasks/7/status", KT_ENDED);
  g_assert_true (!has (f, "running", "7") && has (f, "completed", "7"));
  assert_names (f, "running", "8");
  assert_names (f, "completed", "7");
  kt_assert_text (kt_tree_readlink (f->tree, kt_tree_find (f, "by-status/completed/7", NULL).id), "../../tasks/7");
  kt_tree_watch (f, &tasks[1]);
  g_assert_false (has (f, "completed", "7"));
  assert_names (f, "completed", "");
  kt_tree_watch (f, tasks); /* it is cached still */
  assert_names (f, "completed", "7");
}

/* "`unknown-N` is there while a task has that status, by the rules for names made of file ids." */
static void
test_unknown (KtTreeFixture *f, gconstpointer data)
{
  KtInode root = kt_tree_find (f, "by-status", NULL);

  kt_tree_watch (f, tasks);
  g_assert_cmpuint (kt_tree_look_up (f, root.id, "unknown-a%2F%25b", NULL).entry.id, ==, 0);
  g_assert_cmpint (kt_tree_look_up (f, root.id, "other", NULL).entry.entry_timeout, ==, KT_TIME_NEVER);
  kt_tree_find (f, "tasks/7/status", KT_JOB ("\"taskStatus\":\"a/%b\""));
  kt_tree_find (f, "tasks/8/status", "{\"data\":{\"jobInfo\":{\"status\":77}}}");
  assert_names (f, NULL, "pending running completed canceled failed unknown-77 unknown-a%2F%25b");
  assert_names (f, "unknown-a%2F%25b", "7");
  g_assert_true (has (f, "unknown-a%2F%25b", "7"));
  g_assert_cmpint (kt_tree_find (f, "by-status/unknown-77", NULL).entry_timeout, ==, 0);
  kt_fake_clock_advance (f->clock, 5 * KT_SECOND);
  kt_tree_find (f, "tasks/7/status", KT_ENDED);
  assert_names (f, NULL, "pending running completed canceled failed unknown-77");
}

/* "When a task cannot be asked for any more, it stays where it was last"; gone is what the service says is gone. What was
 * evicted stays too. */
static void
test_failures (KtTreeFixture *f, gconstpointer data)
{
  KtTreeLookup lookup;

  kt_tree_watch (f, tasks);
  kt_tree_find (f, "tasks/7/status", KT_RUNNING);
  kt_fake_clock_advance (f->clock, 5 * KT_SECOND);
  g_assert_nonnull (kt_tree_start_lookup (f, kt_tree_find (f, "tasks/7", NULL).id, "status", &lookup));
  kt_fake_source_fail (f->source, KT_ERROR_TIMED_OUT);
  kt_fake_clock_advance (f->clock, 600 * KT_SECOND);
  g_assert_true (has (f, "running", "7"));
  g_assert_nonnull (kt_tree_start_lookup (f, kt_tree_find (f, "tasks/7", NULL).id, "status", &lookup));
  kt_fake_source_fail (f->source, KT_ERROR_NOT_FOUND);
  g_assert_false (has (f, "running", "7"));
  assert_names (f, "running", "");
  kt_tree_find (f, "tasks/8/status", KT_JOB_RUNNING);
  kt_tree_find (f, "tasks/9/status", KT_IMPORTED);
  f->policy.memory = 0;
  kt_store_set_policy (f->store, &f->policy);
  assert_names (f, "running", "8");
  kt_assert_text (line_of (f, "overview", "8 "),
                  "8                   job   -        running   -                    -      -    -");
}

/* "Views show of a task what its files that a list suffices for would show": a list's item comes when the detail is no
 * longer fresh, and without another change. */
static void
test_listed (KtTreeFixture *f, gconstpointer data)
{
  KtInode dir;

  kt_tree_use_lists (f, KT_FAMILY_BIT (KT_FAMILY_JOB));
  kt_tree_watch (f, tasks);
  kt_tree_find (f, "tasks/8/status", KT_JOB_RUNNING);
  dir = kt_tree_find (f, "tasks", NULL);
  {
    g_autoptr (KtListing) listing = NULL;
    kt_fake_clock_advance (f->clock, KT_SECOND);
    g_assert_nonnull (kt_tree_list (f->tree, dir.id, on_listed, &listing));
    kt_fake_list_land (f->source, KT_FAMILY_JOB, KT_ITEM_ENDED ("8", 2) "," KT_ITEM ("9", 1));
  }
  g_assert_true (has (f, "running", "8"));
  kt_assert_text (text_of (f, "tasks/8/status"), "running\n");
  kt_fake_clock_advance (f->clock, 4 * KT_SECOND);
  g_assert_true (has (f, "completed", "8") && !has (f, "running", "8"));
  kt_assert_text (text_of (f, "tasks/8/status"), "completed\n");
}

/* "When the last snapshot is a list's item, views take progress and counts from the last response of the task itself, if
 * that has the same status." */
static void
test_listed_progress (KtTreeFixture *f, gconstpointer data)
{
  static const char *const items[] = { KT_ITEM ("8", 1), KT_ITEM ("8", 3) };
  static const char *const expected[] = {
    "8                   job   copy     running   [##......]  30%      -      -    -",
    "8                   job   copy     canceled  -                    -      -    -",
  };

  kt_tree_use_lists (f, KT_FAMILY_BIT (KT_FAMILY_JOB));
  kt_tree_watch (f, tasks);
  kt_tree_find (f, "tasks/8/status", KT_JOB_RUNNING);
  for (gsize i = 0; i < G_N_ELEMENTS (items); i++) {
    g_autoptr (KtListing) listing = NULL;
    kt_fake_clock_advance (f->clock, 40 * KT_SECOND);
    g_assert_nonnull (kt_tree_list (f->tree, kt_tree_find (f, "tasks", NULL).id, on_listed, &listing));
    kt_fake_list_land (f->source, KT_FAMILY_JOB, items[i]);
    kt_assert_text (line_of (f, "overview", "8 "), expected[i]);
  }
}

/* "The first look of all reads the lists, as `ls tasks` does." After that "one look makes no request". */
static void
test_first_look (KtTreeFixture *f, gconstpointer data)
{
  KtTreeLookup lookup, csv, link;
  KtInode status;

  kt_tree_use_lists (f, KT_FAMILIES_ALL);
  g_assert_nonnull (kt_tree_start_lookup (f, 1, "overview", &lookup));
  g_assert_nonnull (kt_tree_start_lookup (f, 1, "overview.csv", &csv));
  status = kt_tree_find (f, "by-status/running", NULL);
  g_assert_nonnull (kt_tree_start_lookup (f, status.id, "8", &link));
  kt_fake_list_land (f->source, KT_FAMILY_JOB, KT_ITEM ("8", 1));
  g_assert_cmpuint (lookup.calls + csv.calls + link.calls, ==, 0);
  kt_fake_list_fail (f->source, KT_FAMILY_BASIC, KT_ERROR_TIMED_OUT);
  g_assert_cmpuint (lookup.calls, ==, 1);
  g_assert_cmpuint (csv.calls, ==, 1);
  g_assert_true (link.calls == 1 && link.entry.id != 0);
  kt_assert_text (kt_tree_text (f, lookup.entry.id),
                  HEADER "8                   job   copy     running   -                    -      -    -\n");
  kt_assert_text (kt_tree_text (f, csv.entry.id), CSV_HEAD "8,job,copy,running,,,,,,,,,,\n");
  kt_fake_clock_advance (f->clock, 600 * KT_SECOND);
  assert_names (f, "running", "8");
  g_assert_cmpuint (kt_fake_list_asked (f->source), ==, 2);
}

/* Who waits for the first look can be interrupted. */
static void
test_interrupted (KtTreeFixture *f, gconstpointer data)
{
  KtTreeLookup lookup;

  kt_tree_use_lists (f, KT_FAMILY_BIT (KT_FAMILY_JOB));
  kt_tree_cancel (kt_tree_start_lookup (f, 1, "overview", &lookup));
  kt_fake_list_land (f->source, KT_FAMILY_JOB, "");
  g_assert_cmpuint (lookup.calls, ==, 0);
}

/* "While nothing that they show changes, reading one of them again makes nothing"; "They keep their inode number". */
static void
test_shared (KtTreeFixture *f, gconstpointer data)
{
  KtInode first, again, next;
  g_autofree char *text = NULL;

  kt_tree_watch (f, tasks);
  kt_tree_find (f, "tasks/7/status", KT_RUNNING);
  first = kt_tree_find (f, "overview.json", NULL);
  kt_fake_clock_advance (f->clock, 100 * KT_SECOND);
  kt_tree_find (f, "tasks/7/status", KT_RUNNING); /* the same again */
  again = kt_tree_find (f, "overview.json", NULL);
  g_assert_cmpuint (again.id, ==, first.id);
  g_assert_cmpint (again.stat.st_mtim.tv_sec, ==, first.stat.st_mtim.tv_sec);
  kt_fake_clock_advance (f->clock, 100 * KT_SECOND);
  kt_tree_find (f, "tasks/7/status", KT_RUNNING_ON);
  next = kt_tree_find (f, "overview.json", NULL);
  g_assert_cmpuint (next.id, !=, first.id);
  g_assert_cmpuint (next.stat.st_ino, ==, first.stat.st_ino);
  g_assert_cmpint (next.stat.st_mtim.tv_sec, ==, first.stat.st_mtim.tv_sec + 200);
  g_assert_cmpint (next.stat.st_ctim.tv_sec, ==, first.stat.st_ctim.tv_sec);
  g_assert_cmpint (next.entry_timeout, ==, 0);
  text = text_of (f, "overview.json");
  g_assert_nonnull (strstr (text, "\"progress\":20,"));
}

/* "`error` is the name of the errno in which asking for the task ended last, and nothing after it succeeded." "PROGRESS of
 * a task that cannot be asked for is the name of the errno." */
static void
test_errors (KtTreeFixture *f, gconstpointer data)
{
  KtTreeLookup lookup;

  kt_tree_watch (f, share_task);
  kt_assert_text (line_of (f, "overview.csv", "7,"), "7,share,,,,,,,,,,,,");
  g_assert_nonnull (kt_tree_start_lookup (f, kt_tree_find (f, "tasks/7", NULL).id, "status", &lookup));
  kt_fake_source_fail (f->source, KT_ERROR_UNREACHABLE);
  kt_assert_text (line_of (f, "overview.csv", "7,"), "7,share,,,,,,,,,,,,EHOSTUNREACH");
  kt_assert_text (line_of (f, "overview", "7 "),
                  "7                   share -        -         EHOSTUNREACH         -      -    -");
  kt_fake_clock_advance (f->clock, 3 * KT_SECOND);
  kt_tree_find (f, "tasks/7/status", KT_RUNNING);
  kt_assert_text (line_of (f, "overview.csv", "7,"), "7,share,,running,,10,,2024-09-30T09:00:00Z,,,,1,0,");
  kt_fake_clock_advance (f->clock, 5 * KT_SECOND);
  g_assert_nonnull (kt_tree_start_lookup (f, kt_tree_find (f, "tasks/7", NULL).id, "status", &lookup));
  kt_fake_source_fail (f->source, KT_ERROR_REFUSED);
  kt_assert_text (line_of (f, "overview.csv", "7,"), "7,share,,running,,10,,2024-09-30T09:00:00Z,,,,1,0,EACCES");
  kt_assert_text (line_of (f, "overview", "7 "),
                  "7                   share -        running   EACCES               1      0    -");
  kt_fake_clock_advance (f->clock, 3 * KT_SECOND);
  kt_tree_find (f, "tasks/7/status", KT_RUNNING); /* equal to the one before the failure */
  kt_assert_text (line_of (f, "overview", "7 "),
                  "7                   share -        running   [........]  10%      1      0    -");
}

/* "AGE is at most a minute old, and at most a second while a task is younger than two minutes." */
static void
test_ages (KtTreeFixture *f, gconstpointer data)
{
  KtInode first;

  kt_tree_watch (f, tasks);
  kt_tree_find (f, "tasks/7/status", KT_JOB ("\"taskStatus\":2,\"createTime\":\"20240930091832\"")); /* a minute ago */
  kt_assert_text (line_of (f, "overview", "7 "),
                  "7                   share -        completed -                    1      0  60s");
  kt_fake_clock_advance (f->clock, KT_SECOND);
  kt_assert_text (line_of (f, "overview", "7 "),
                  "7                   share -        completed -                    1      0  61s");
  kt_fake_clock_advance (f->clock, 59 * KT_SECOND);
  first = kt_tree_find (f, "overview", NULL);
  kt_assert_text (line_of (f, "overview", "7 "),
                  "7                   share -        completed -                    1      0   2m");
  kt_fake_clock_advance (f->clock, 59 * KT_SECOND);
  g_assert_cmpuint (kt_tree_find (f, "overview", NULL).id, ==, first.id);
  kt_fake_clock_advance (f->clock, KT_SECOND);
  kt_assert_text (line_of (f, "overview", "7 "),
                  "7                   share -        completed -                    1      0   3m");
}

/* "The mtime of `by-status/STATUS` moves when a task comes to have that status or ceases to have it", and not because
 * somebody asked first. */
static void
test_mtimes (KtTreeFixture *f, gconstpointer data)
{
  const gint64 start = KT_FAKE_EPOCH;

  kt_tree_watch (f, tasks);
  kt_fake_clock_advance (f->clock, 100 * KT_SECOND);
  kt_tree_find (f, "tasks/7/status", KT_RUNNING);
  g_assert_cmpint (kt_tree_find (f, "by-status/running", NULL).stat.st_mtim.tv_sec, ==, start);
  kt_fake_clock_advance (f->clock, 100 * KT_SECOND);
  kt_tree_find (f, "tasks/7/status", KT_ENDED);
  g_assert_cmpint (kt_tree_find (f, "by-status/running", NULL).stat.st_mtim.tv_sec, ==, start + 200);
  g_assert_cmpint (kt_tree_find (f, "by-status/completed", NULL).stat.st_mtim.tv_sec, ==, start + 200);
  g_assert_cmpint (kt_tree_find (f, "by-status/failed", NULL).stat.st_mtim.tv_sec, ==, start);
  g_assert_cmpint (kt_tree_find (f, "by-status", NULL).stat.st_mtim.tv_sec, ==, start + 200);
  kt_fake_clock_advance (f->clock, 100 * KT_SECOND);
  kt_tree_watch (f, &tasks[1]);
  g_assert_cmpint (kt_tree_find (f, "by-status/completed", NULL).stat.st_mtim.tv_sec, ==, start + 300);
  g_assert_cmpint (kt_tree_find (f, "by-status/running", NULL).stat.st_mtim.tv_sec, ==, start + 200);
}

static void
watch_many (KtTreeFixture *f, guint n)
{
  g_autoptr (GPtrArray) keys = g_ptr_array_new_with_free_func ((GDestroyNotify) kt_key_unref);

  for (guint i = 0; i < n; i++) {
    g_autofree char *id = g_strdup_printf ("%07u", i);
    g_ptr_array_add (keys, kt_key_new (KT_FAMILY_JOB, id));
  }
  kt_catalog_set (f->catalog, KT_CATALOG_WATCHED, keys);
}

static void
wait_for (const KtTreeLookup *lookup, KtTreeFixture *f)
{
  while (lookup->calls == 0) {
    kt_fake_clock_advance (f->clock, 0);
    g_main_context_iteration (NULL, FALSE);
  }
}

/* "Of more than 1,000 tasks, the content is rendered in a thread, and only who looks waits for it": all who look share it,
 * but for who looks after a change. */
static void
test_many (KtTreeFixture *f, gconstpointer data)
{
  KtTreeLookup first, second, late, last;
  KtOperation *interrupted;

  watch_many (f, 5000);
  g_assert_nonnull (kt_tree_start_lookup (f, 1, "overview.csv", &first));
  g_assert_nonnull (kt_tree_start_lookup (f, 1, "overview.csv", &second));
  interrupted = kt_tree_start_lookup (f, 1, "overview.csv", &last);
  watch_many (f, 5001);
  g_assert_nonnull (kt_tree_start_lookup (f, 1, "overview.csv", &late));
  kt_tree_cancel (interrupted);
  wait_for (&first, f);
  wait_for (&second, f);
  g_assert_cmpuint (first.entry.id, ==, second.entry.id);
  wait_for (&late, f);
  g_assert_cmpuint (late.entry.id, !=, first.entry.id);
  g_assert_cmpint (first.entry.stat.st_size, ==, strlen (CSV_HEAD) + 5000 * strlen ("0000000,job,,,,,,,,,,,,\n"));
  g_assert_cmpint (late.entry.stat.st_size, ==, strlen (CSV_HEAD) + 5001 * strlen ("0000000,job,,,,,,,,,,,,\n"));
  g_assert_cmpuint (last.calls, ==, 0);
  g_assert_null (kt_tree_start_lookup (f, 1, "overview.csv", &last)); /* nothing has changed */
  g_assert_cmpuint (last.entry.id, ==, late.entry.id);
  kt_tree_find (f, "tasks/0000001/status", KT_JOB_RUNNING);
  g_assert_nonnull (kt_tree_start_lookup (f, 1, "overview.csv", &last));
  wait_for (&last, f);
  kt_fake_clock_advance (f->clock, 5 * KT_SECOND);
  kt_tree_find (f, "tasks/0000001/status", KT_JOB_RUNNING); /* the same again */
  g_assert_null (kt_tree_start_lookup (f, 1, "overview.csv", &last));
}

/* "When nobody has looked for a minute, the memory of a content of more than 1 MiB is given back." */
static void
test_dropped (KtTreeFixture *f, gconstpointer data)
{
  KtTreeLookup lookup;
  g_autofree char *text = NULL;

  watch_many (f, 10000);
  g_assert_nonnull (kt_tree_start_lookup (f, 1, "overview.json", &lookup));
  wait_for (&lookup, f);
  g_assert_cmpint (lookup.entry.stat.st_size, >, KT_OVERVIEW_LARGE);
  kt_fake_clock_advance (f->clock, KT_OVERVIEW_KEPT - 1);
  g_assert_null (kt_tree_start_lookup (f, 1, "overview.json", &lookup));
  kt_fake_clock_advance (f->clock, KT_OVERVIEW_KEPT - 1);
  g_assert_cmpstr (f->forgotten->str, ==, "");
  kt_fake_clock_advance (f->clock, 1);
  g_assert_cmpstr (f->forgotten->str, ==, "1/overview.json ");
  text = kt_tree_text (f, lookup.entry.id);
  g_assert_true (g_str_has_prefix (text, "[\n")); /* who has it open goes on reading */
}

/* The tree may go while the thread renders. */
static void
test_end (KtTreeFixture *f, gconstpointer data)
{
  KtTreeLookup lookup;

  watch_many (f, 1500);
  kt_tree_cancel (kt_tree_start_lookup (f, 1, "overview", &lookup));
  kt_fake_clock_advance (f->clock, 0);                                   /* the thread has it */
  kt_tree_cancel (kt_tree_start_lookup (f, 1, "overview.csv", &lookup)); /* and this is being collected */
  g_clear_pointer (&f->tree, kt_tree_free);
}

/* "Listing MOUNT does not make them." */
static void
test_listing (KtTreeFixture *f, gconstpointer data)
{
  g_autoptr (KtListing) listing = NULL;
  KtInode inode;
  mode_t type;
  const char *name;

  g_assert_null (kt_tree_list (f->tree, 1, on_listed, &listing));
  for (guint i = 0; (name = kt_listing_name (listing, i, &type)) != NULL; i++)
    g_assert_cmpint (kt_listing_look_up (listing, i, &inode), ==, !g_str_has_prefix (name, "overview"));
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
  TEST ("/views/statuses", test_statuses);
  TEST ("/views/unknown", test_unknown);
  TEST ("/views/failures", test_failures);
  TEST ("/views/listed", test_listed);
  TEST ("/views/listed-progress", test_listed_progress);
  TEST ("/views/first-look", test_first_look);
  TEST ("/views/interrupted", test_interrupted);
  TEST ("/views/shared", test_shared);
  TEST ("/views/errors", test_errors);
  TEST ("/views/ages", test_ages);
  TEST ("/views/mtimes", test_mtimes);
  TEST ("/views/many", test_many);
  TEST ("/views/dropped", test_dropped);
  TEST ("/views/end", test_end);
  TEST ("/views/listing", test_listing);
  return g_test_run ();
}
