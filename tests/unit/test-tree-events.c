/* SPDX-License-Identifier: MIT */
/* Files that grow: their inodes, attributes and content, and who looks at them. */
#include "kt-tree-fixture.h"

#include <string.h>

static const char *const tasks[] = { "share s 7", NULL };

static char *
text_at (KtTreeFixture *f, guint64 id, gint64 offset, gsize size)
{
  g_autoptr (GBytes) bytes = kt_tree_read_at (f->tree, id, offset, size);
  gsize length;
  const char *data;

  g_assert_nonnull (bytes);
  data = g_bytes_get_data (bytes, &length);
  return g_strndup (data != NULL ? data : "", length);
}

static gint64
size_of (KtTreeFixture *f, guint64 id)
{
  KtInode inode;

  g_assert_true (kt_tree_getattr (f->tree, id, &inode));
  g_assert_cmpint (inode.attr_timeout, ==, 0);
  return inode.stat.st_size;
}

static void
touched (const GError *error, gpointer data)
{
}

static void
fetch (KtTreeFixture *f, guint64 id, const char *json)
{
  g_assert_nonnull (kt_tree_touch (f->tree, id, touched, NULL));
  kt_fake_source_land (f->source, json);
  kt_tree_invalidated (f);
}

/* "A log is one file, and its size only grows": whatever changes, the name leads to one inode, without a request. */
static void
test_grows (KtTreeFixture *f, gconstpointer data)
{
  guint64 dir, id, all;
  g_autofree char *text = NULL;

  kt_tree_watch (f, tasks);
  dir = kt_tree_find (f, "tasks/7", NULL).id;
  id = kt_tree_look_up (f, dir, "events", NULL).entry.id;
  all = kt_tree_find (f, "events", NULL).id;
  g_assert_cmpint (size_of (f, id), ==, 0);
  g_assert_cmpint (kt_tree_look_up (f, dir, "events", NULL).entry.entry_timeout, ==, KT_TIME_NEVER);
  fetch (f, id, KT_RUNNING);
  g_string_truncate (f->forgotten, 0);
  fetch (f, id, KT_RUNNING_ON);
  g_assert_null (strstr (f->forgotten->str, "events")); /* the kernel goes on with what it has */
  text = text_at (f, id, 0, 4096);
  g_assert_true (g_str_has_suffix (text, " 7 progress 10 -> 20\n"));
  g_assert_cmpint (size_of (f, id), ==, strlen (text));
  kt_assert_text (text_at (f, all, 0, 4096), text);
  kt_assert_text (text_at (f, id, (gint64) strlen (text) - 3, 10), "20\n");
  kt_assert_text (text_at (f, id, 10000, 10), "");
  g_assert_cmpuint (kt_tree_look_up (f, dir, "events", NULL).entry.id, ==, id);
  g_assert_null (kt_tree_read (f->tree, id, NULL));
  g_assert_null (kt_tree_read_at (f->tree, dir, 0, 1));
  g_assert_null (kt_tree_preload (f->tree, id));
  g_assert_null (kt_tree_preload_others (f->tree, id));
}

/* A log is there, and says so, when its task cannot be asked for. */
static void
test_failure (KtTreeFixture *f, gconstpointer data)
{
  KtTreeLookup lookup;
  guint64 dir, id;
  g_autofree char *text = NULL;

  kt_tree_watch (f, tasks);
  dir = kt_tree_find (f, "tasks/7", NULL).id;
  g_assert_nonnull (kt_tree_start_lookup (f, dir, "status", &lookup));
  kt_fake_source_fail (f->source, KT_ERROR_UNREACHABLE);
  id = kt_tree_look_up (f, dir, "events", NULL).entry.id;
  text = text_at (f, id, 0, 4096);
  g_assert_true (g_str_has_suffix (text, " 7 error - -> EHOSTUNREACH\n"));
}

/* A task that is gone has no log; one that comes again has another. */
static void
test_gone (KtTreeFixture *f, gconstpointer data)
{
  guint64 dir, id;
  g_autofree char *text = NULL;
  KtTreeLookup again;

  kt_tree_watch (f, tasks);
  dir = kt_tree_find (f, "tasks/7", NULL).id;
  id = kt_tree_look_up (f, dir, "events", NULL).entry.id;
  fetch (f, id, KT_RUNNING);
  kt_tree_watch (f, (const char *[]){ NULL });
  g_assert_cmpuint (kt_tree_look_up (f, dir, "events", NULL).entry.id, ==, 0);
  text = text_at (f, id, 0, 4096); /* for who has it open */
  g_assert_true (g_str_has_suffix (text, " 7 gone running -> -\n"));
  kt_tree_look (f->tree, id, TRUE);
  kt_tree_watch (f, tasks);
  again = kt_tree_look_up (f, dir, "events", NULL);
  g_assert_cmpuint (again.entry.id, !=, 0);
  g_assert_cmpuint (again.entry.id, !=, id);
  g_assert_cmpint (again.entry.stat.st_size, ==, 0);
}

/* "A process that has read a log and then asks for its size again and again, as `tail -f` does, reads it again and again":
 * asking for the size alone is not enough. */
static void
test_look (KtTreeFixture *f, gconstpointer data)
{
  guint64 dir, id;

  kt_tree_watch (f, tasks);
  dir = kt_tree_find (f, "tasks/7", NULL).id;
  id = kt_tree_look_up (f, dir, "events", NULL).entry.id;
  fetch (f, id, KT_RUNNING);
  for (guint i = 0; i < 3; i++) {
    kt_fake_clock_advance (f->clock, KT_SECOND);
    kt_tree_look (f->tree, id, FALSE);
  }
  kt_tree_look (f->tree, dir, TRUE);
  g_assert_cmpuint (kt_watch_size (f->below.watch), ==, 0);
  kt_tree_look (f->tree, id, TRUE);
  g_assert_cmpuint (kt_watch_size (f->below.watch), ==, 0);
  kt_fake_clock_advance (f->clock, KT_SECOND);
  kt_tree_look (f->tree, id, FALSE);
  g_assert_cmpuint (kt_watch_size (f->below.watch), ==, 1);
  kt_fake_clock_advance (f->clock, 5 * KT_SECOND);
  g_assert_cmpuint (kt_fake_source_pending (f->source), ==, 1);
  kt_fake_source_land (f->source, KT_RUNNING);
  kt_tree_look (f->tree, id, FALSE);
  for (guint i = 0; i < 13; i++) { /* more than KT_WATCH_AGAIN */
    kt_fake_clock_advance (f->clock, 5 * KT_SECOND);
    if (kt_fake_source_pending (f->source) > 0)
      kt_fake_source_land (f->source, KT_RUNNING);
  }
  kt_tree_look (f->tree, id, FALSE);
  kt_fake_clock_advance (f->clock, KT_SECOND);
  kt_tree_look (f->tree, id, FALSE);
  g_assert_cmpuint (kt_watch_size (f->below.watch), ==, 0);
}

/* Has the log of all lose at least SIZE bytes: two answers take turns. */
static void
lose (KtTreeFixture *f, guint64 id, gint64 size)
{
  const gint64 end = size_of (f, id) + size;

  for (guint i = 0; size_of (f, id) < end; i++) {
    kt_fake_clock_advance (f->clock, 6 * KT_SECOND);
    kt_store_prefetch (f->store, kt_catalog_find (f->catalog, "7"), KT_TIME_NEVER);
    kt_fake_source_land (f->source, i % 2 == 0 ? KT_RUNNING : KT_RUNNING_ON);
  }
}

#define MIB (1024 * 1024)

/* "A log that has lost more than 16 MiB becomes another file under the same name, which begins with the oldest line kept,
 * as soon as nobody has the old one open". */
static void
test_anew (KtTreeFixture *f, gconstpointer data)
{
  guint64 id, next;
  gint64 size;
  g_autofree char *text = NULL;

  kt_tree_watch (f, tasks);
  id = kt_tree_find (f, "events", NULL).id;
  lose (f, id, 15 * MIB);
  size = size_of (f, id);
  kt_tree_forget (f->tree, id, 1); /* whoever comes next finds each byte where it was */
  id = kt_tree_find (f, "events", NULL).id;
  g_assert_cmpint (size_of (f, id), ==, size);
  g_assert_null (strstr (f->forgotten->str, "1/events"));
  lose (f, id, 3 * MIB);
  g_assert_nonnull (strstr (f->forgotten->str, "1/events "));
  g_string_truncate (f->forgotten, 0);
  g_assert_cmpuint (kt_tree_find (f, "events", NULL).id, ==, id); /* somebody has it open */
  lose (f, id, MIB / 2);
  g_assert_null (strstr (f->forgotten->str, "1/events"));
  lose (f, id, MIB);
  g_assert_nonnull (strstr (f->forgotten->str, "1/events "));
  kt_tree_forget (f->tree, id, 2);
  next = kt_tree_find (f, "events", NULL).id;
  g_assert_cmpuint (next, !=, id);
  g_assert_cmpint (size_of (f, next), <=, MIB);
  text = text_at (f, next, 0, 100);
  g_assert_true (g_str_has_prefix (strchr (text, ' '), " 7 progress "));
  kt_tree_forget (f->tree, next, 1);
  id = kt_tree_find (f, "events", NULL).id; /* from then on offsets are those of this file */
  g_assert_cmpuint (id, !=, next);
  kt_assert_text (text_at (f, id, 0, 100), text);
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
  KT_TREE_TEST ("/tree/events/grows", test_grows);
  KT_TREE_TEST ("/tree/events/failure", test_failure);
  KT_TREE_TEST ("/tree/events/gone", test_gone);
  KT_TREE_TEST ("/tree/events/look", test_look);
  KT_TREE_TEST ("/tree/events/anew", test_anew);
  return g_test_run ();
}
