/* SPDX-License-Identifier: MIT */
/* Who watches with inotify: what is polled and announced for them, and what the daemon's own thread finds. */
#include "kt-tree-fixture.h"

#include <string.h>

#define TTL (6 * KT_SECOND) /* more than the ttl */

static const char *const tasks[] = { "share S 7", "basic 8", NULL };

static gint
by_bytes (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

/* What was announced, in order of the bytes: "PATH " each; "nobody " when nobody watches. */
static void
announce (gpointer data, GPtrArray *paths)
{
  GString *announced = data;

  if (paths->len == 0)
    g_string_append (announced, "nobody ");
  g_ptr_array_sort (paths, by_bytes);
  for (guint i = 0; i < paths->len; i++)
    g_string_append_printf (announced, "%s ", (const char *) paths->pdata[i]);
  g_ptr_array_unref (paths);
}

static void
watch (KtTreeFixture *f, guint64 first, guint64 second)
{
  const guint64 inodes[] = { first, second };
  kt_tree_set_watched (f->tree, inodes, second != 0 ? 2 : 1);
}

/* The next poll has JSON, and the kernel has forgotten what it is to forget. */
static void
poll_once (KtTreeFixture *f, const char *json)
{
  kt_fake_clock_advance (f->clock, TTL);
  g_assert_cmpuint (kt_fake_source_pending (f->source), ==, 1);
  kt_fake_source_land (f->source, json);
}

#define IN_DIRECTORY                                                                                                   \
  "tasks/7/events tasks/7/job.json tasks/7/progress tasks/7/response.json tasks/7/summary tasks/7/task.json "

static void
test_directory (KtTreeFixture *f, gconstpointer data)
{
  g_autoptr (GString) announced = g_string_new (NULL);
  guint64 dir;

  kt_tree_watch (f, tasks);
  kt_tree_set_announce (f->tree, announce, announced);
  kt_tree_find (f, "tasks/7/progress", KT_RUNNING);
  dir = kt_tree_find (f, "tasks/7", NULL).id;
  watch (f, dir, 0);
  g_assert_cmpuint (kt_tree_watched (f->tree), ==, 1);
  poll_once (f, KT_RUNNING); /* the same */
  g_assert_null (f->invalidated);
  poll_once (f, KT_RUNNING_ON);
  g_assert_cmpstr (announced->str, ==, ""); /* not before the kernel has forgotten */
  kt_tree_invalidated (f);
  g_assert_cmpstr (announced->str, ==, IN_DIRECTORY);
  g_string_truncate (announced, 0);
  poll_once (f, KT_RUNNING);
  poll_once (f, KT_RUNNING_ON); /* meanwhile */
  kt_tree_invalidated (f);
  g_assert_cmpstr (announced->str, ==, IN_DIRECTORY); /* each once */
  g_string_truncate (announced, 0);
  kt_tree_set_watched (f->tree, NULL, 0); /* it may be begun anew */
  g_assert_cmpuint (kt_tree_watched (f->tree), ==, 1);
  g_assert_cmpstr (announced->str, ==, "");
  kt_tree_set_watched (f->tree, NULL, 0);
  g_assert_cmpuint (kt_tree_watched (f->tree), ==, 0);
  g_assert_cmpstr (announced->str, ==, "nobody ");
  kt_fake_clock_advance (f->clock, TTL);
  g_assert_cmpuint (kt_fake_source_pending (f->source), ==, 0);
}

static void
test_file (KtTreeFixture *f, gconstpointer data)
{
  g_autoptr (GString) announced = g_string_new (NULL);
  g_autofree char *first = NULL, *both = NULL;
  guint64 old, new, user;

  kt_tree_watch (f, tasks);
  kt_tree_set_announce (f->tree, announce, announced);
  old = kt_tree_find (f, "tasks/7/progress", KT_RUNNING).id;
  user = kt_tree_find (f, "tasks/7/user", NULL).id; /* which does not change */
  watch (f, old, user);
  poll_once (f, KT_RUNNING_ON);
  kt_tree_invalidated (f);
  first = g_strdup_printf (".inodes/%" G_GUINT64_FORMAT " ", old);
  g_assert_cmpstr (announced->str, ==, first);
  g_string_truncate (announced, 0);
  new = kt_tree_find (f, "tasks/7/progress", NULL).id;
  g_assert_cmpuint (new, !=, old);
  poll_once (f, KT_RUNNING); /* the version that is watched, and the one that may be by now */
  kt_tree_invalidated (f);
  both = g_strdup_printf (".inodes/%" G_GUINT64_FORMAT " .inodes/%" G_GUINT64_FORMAT " ", old, new);
  g_assert_cmpstr (announced->str, ==, both);
  kt_tree_unwatch (f->tree);
}

static void
test_files (KtTreeFixture *f, gconstpointer data)
{
  g_autoptr (GString) announced = g_string_new (NULL);
  guint64 files, file;

  kt_tree_watch (f, tasks);
  kt_tree_set_announce (f->tree, announce, announced);
  kt_tree_find (f, "tasks/7/files/F/status", KT_RUNNING);
  files = kt_tree_find (f, "tasks/7/files", NULL).id;
  file = kt_tree_find (f, "tasks/7/files/F", NULL).id;
  watch (f, files, file);
  poll_once (f, KT_RUNNING_ON); /* of the files nothing */
  g_assert_null (f->invalidated);
  poll_once (
      f, "{\"jobInfo\":{\"taskStatus\":1},\"taskInfos\":[{\"fileId\":\"F\",\"status\":\"2\",\"newFileId\":\"N\"}]}");
  kt_tree_invalidated (f);
  g_assert_cmpstr (announced->str, ==, "tasks/7/files/ tasks/7/files/F/status ");
  kt_tree_unwatch (f->tree);
}

static void
test_own (KtTreeFixture *f, gconstpointer data)
{
  g_autofree char *number = NULL;
  guint64 dir, old, new;
  KtInode entry;

  kt_tree_watch (f, tasks);
  old = kt_tree_find (f, "tasks/7/progress", KT_RUNNING).id;
  dir = kt_tree_find (f, "tasks/7", NULL).id;
  kt_fake_clock_advance (f->clock, TTL);
  new = kt_tree_find (f, "tasks/7/progress", KT_RUNNING_ON).id;
  kt_fake_clock_advance (f->clock, TTL);
  g_assert_true (kt_tree_look_up_own (f->tree, dir, "progress", &entry)); /* stale, and no request */
  g_assert_cmpuint (entry.id, ==, new);
  g_assert_cmpint (entry.entry_timeout, ==, 0);
  g_assert_true (kt_tree_look_up_own (f->tree, 1, ".inodes", &entry));
  number = g_strdup_printf ("%" G_GUINT64_FORMAT, old);
  g_assert_true (kt_tree_look_up_own (f->tree, entry.id, number, &entry)); /* which has no name any more */
  g_assert_cmpuint (entry.id, ==, old);
  kt_tree_forget (f->tree, old, 2);
  kt_tree_forget (f->tree, new, 2);
  g_assert_true (kt_tree_look_up_own (f->tree, 1, ".inodes", &entry));
  g_assert_false (kt_tree_look_up_own (f->tree, entry.id, number, &entry)); /* the kernel has given it back */
  g_assert_false (kt_tree_look_up_own (f->tree, dir, "ended", &entry));
  g_assert_false (kt_tree_look_up_own (f->tree, 1, "tasks/9", &entry));
  g_assert_false (kt_tree_look_up_own (f->tree, 12345, "tasks", &entry));
  g_assert_cmpuint (kt_fake_source_pending (f->source), ==, 0);
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
  KT_TREE_TEST ("/tree/watched/directory", test_directory);
  KT_TREE_TEST ("/tree/watched/file", test_file);
  KT_TREE_TEST ("/tree/watched/files", test_files);
  KT_TREE_TEST ("/tree/watched/own", test_own);
  return g_test_run ();
}
