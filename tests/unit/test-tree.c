/* SPDX-License-Identifier: MIT */
/* The table, and how names are found. */
#include "kt-tree-fixture.h"

#include "base/kt-names.h"
#include "tree/kt-entry-ops.h"
#include "tree/kt-node.h"

#include <string.h>

static const char *const two_tasks[] = { "share S 7", "basic 8", NULL };
static const char *const three_tasks[] = { "share S 7", "basic 8", "job 9", NULL };

static void
test_table (void)
{
  for (const KtEntry *row = kt_files; row->ops != NULL; row++) {
    g_assert_nonnull (row->what);
    g_assert_cmpuint (row->facts & ~KT_FACTS_ALL, ==, 0);
    g_assert_cmpuint (row->facts, !=, 0);
    g_assert_true ((row->ops == &kt_entry_value || row->ops == &kt_entry_file_value || row->ops == &kt_entry_live
                    || row->ops == &kt_entry_overview)
                   == (row->render != NULL));
    g_assert_true ((S_ISREG (row->ops->mode) && row->ops->write == NULL) == (row->mime != NULL));
    g_assert_true (S_ISDIR (row->ops->mode) == (row->below != KT_PLACE_NONE));
    g_assert_true ((row->name == NULL) == (row->names != NULL));
    if (row->name == NULL) {
      g_assert_true (kt_entry_find_names (kt_files, row->place, row->facts) == row);
      continue;
    }
    g_assert_true (row->ops->resolve != NULL);
    for (KtFamily family = 0; family < KT_N_FAMILIES; family++)
      if ((row->facts & kt_family_facts (family)) != 0) /* the name is unique in its place */
        g_assert_true (kt_entry_find (kt_files, row->place, row->name, kt_family_facts (family)) == row);
  }
  g_assert_cmpint (kt_files[0].below, ==, KT_PLACE_ROOT);
  g_assert_null (kt_entry_find (kt_files, KT_PLACE_TASK, "ctl", kt_family_facts (KT_FAMILY_BASIC)));
  g_assert_null (kt_entry_find (kt_files, KT_PLACE_TASK, "Status", KT_FACTS_ALL));
  g_assert_null (kt_entry_find_names (kt_files, KT_PLACE_ROOT, KT_FACTS_ALL));
  g_assert_null (kt_entry_find_names (kt_files, KT_PLACE_FILES, kt_family_facts (KT_FAMILY_BASIC)));
}

static void
assert_rows_found (KtTreeFixture *f, guint64 dir, KtPlace place, KtFamily family, const char *json)
{
  for (const KtEntry *row = kt_files; row->ops != NULL; row++) {
    KtTreeLookup lookup;
    mode_t type = S_ISDIR (row->ops->mode) ? S_IFDIR | 0555 : S_IFREG | (row->ops == &kt_entry_ctl ? 0644 : 0444);
    if (row->place != place || row->name == NULL)
      continue;
    lookup = kt_tree_look_up (f, dir, row->name, json);
    if ((row->facts & kt_family_facts (family)) == 0
        || row->ops == &kt_entry_package) { /* of which there is none here */
      g_assert_cmpuint (lookup.entry.id, ==, 0);
      continue;
    }
    g_assert_cmpuint (lookup.entry.id, !=, 0);
    if (row->ops->is_remade) /* the same for each version */
      g_assert_cmpuint (lookup.entry.stat.st_ino, <, KT_NODE_FIRST_ID);
    else
      g_assert_cmpuint (lookup.entry.stat.st_ino, ==, lookup.entry.id);
    g_assert_cmpuint (lookup.entry.stat.st_mode, ==, type);
    g_assert_cmpuint (lookup.entry.stat.st_uid, ==, 12);
    g_assert_cmpuint (lookup.entry.stat.st_gid, ==, 34);
    if (row->render != NULL) {
      g_autofree char *text = kt_tree_text (f, lookup.entry.id);
      g_assert_cmpint (lookup.entry.stat.st_size, ==, strlen (text));
      /* attributes last from the start where there is nothing to preload */
      g_assert_cmpint (lookup.entry.attr_timeout, ==,
                       row->ops->is_remade || lookup.entry.stat.st_size == 0 ? KT_TIME_NEVER : 0);
    } else {
      g_autoptr (GBytes) content = kt_tree_read (f->tree, lookup.entry.id, NULL);
      g_assert_true ((content != NULL) == (row->ops == &kt_entry_ctl));
    }
  }
}

static void
test_each_row (KtTreeFixture *f, gconstpointer data)
{
  kt_tree_watch (f, three_tasks);
  assert_rows_found (f, 1, KT_PLACE_ROOT, KT_FAMILY_SHARE, NULL);
  assert_rows_found (f, kt_tree_find (f, ".kootaskfs", NULL).id, KT_PLACE_CONTROL, KT_FAMILY_SHARE, NULL);
  g_assert_cmpuint (kt_fake_source_asked (f->source), ==, 0);
  assert_rows_found (f, kt_tree_find (f, "tasks/7", NULL).id, KT_PLACE_TASK, KT_FAMILY_SHARE, KT_RUNNING);
  assert_rows_found (f, kt_tree_find (f, "tasks/7/files/F", NULL).id, KT_PLACE_FILE, KT_FAMILY_SHARE, NULL);
  assert_rows_found (f, kt_tree_find (f, "tasks/8", NULL).id, KT_PLACE_TASK, KT_FAMILY_BASIC, KT_IMPORTED);
  assert_rows_found (f, kt_tree_find (f, "tasks/9", NULL).id, KT_PLACE_TASK, KT_FAMILY_JOB, KT_JOB_RUNNING);
  g_assert_cmpuint (kt_fake_source_asked (f->source), ==, 3); /* one response serves a whole directory */
}

static void
test_file_of_task (KtTreeFixture *f, gconstpointer data)
{
  KtInode dir;

  kt_tree_watch (f, two_tasks);
  kt_assert_text (kt_tree_text (f, kt_tree_find (f, "tasks/7/files/F/status", KT_RUNNING).id), "succeeded\n");
  kt_assert_text (kt_tree_text (f, kt_tree_find (f, "tasks/7/files/F/new-file-id", NULL).id), "N\n");
  dir = kt_tree_find (f, "tasks/7/files", NULL);
  g_assert_cmpuint (kt_tree_look_up (f, dir.id, "G", NULL).entry.id, ==, 0);
  g_assert_cmpint (kt_tree_look_up (f, dir.id, "G", NULL).entry.entry_timeout, ==, 0);
  dir = kt_tree_find (f, "tasks/7/files/F", NULL);
  kt_fake_clock_advance (f->clock, 5 * KT_SECOND);
  g_assert_cmpint (kt_tree_look_up (f, dir.id, "status", "{\"jobInfo\":{}}").error, ==, KT_ERROR_NOT_FOUND);
}

/* An id that nobody has listed is asked for without a family: the response has it. */
static void
test_unlisted (KtTreeFixture *f, gconstpointer data)
{
  guint64 tasks = kt_tree_find (f, "tasks", NULL).id;
  KtTreeLookup lookup;

  g_assert_nonnull (kt_tree_start_lookup (f, tasks, "9", &lookup));
  g_assert_cmpint (kt_fake_source_key (f->source)->family, ==, KT_FAMILY_UNKNOWN);
  g_assert_cmpstr (kt_fake_source_key (f->source)->task_id, ==, "9");
  g_assert_cmpint (kt_fake_source_deadline (f->source), ==, kt_fake_clock_now (f->clock) + 10 * KT_SECOND);
  kt_fake_source_land (f->source, KT_IMPORTED);
  g_assert_cmpuint (lookup.entry.id, !=, 0);
  g_assert_cmpint (kt_catalog_find (f->catalog, "9")->family, ==, KT_FAMILY_BASIC);
  kt_assert_text (kt_tree_text (f, kt_tree_find (f, "tasks/9/success-count", NULL).id), "1\n");
}

static void
test_unlisted_unknown (KtTreeFixture *f, gconstpointer data)
{
  guint64 tasks = kt_tree_find (f, "tasks", NULL).id;
  KtTreeLookup lookup;

  kt_tree_start_lookup (f, tasks, "9", &lookup);
  kt_fake_source_fail (f->source, KT_ERROR_NOT_FOUND);
  g_assert_cmpint (lookup.error, ==, KT_ERROR_NOT_FOUND);
  g_assert_null (kt_catalog_find (f->catalog, "9"));
  g_assert_cmpint (kt_tree_look_up (f, tasks, "9", NULL).error, ==, KT_ERROR_NOT_FOUND); /* negative-ttl */
  kt_fake_clock_advance (f->clock, 3 * KT_SECOND);
  g_assert_cmpuint (kt_tree_look_up (f, tasks, "9", KT_IMPORTED).entry.id, !=, 0);
}

/* A lookup reports trouble; it never says that there is no such task. */
static void
test_unlisted_trouble (KtTreeFixture *f, gconstpointer data)
{
  guint64 tasks = kt_tree_find (f, "tasks", NULL).id;
  KtTreeLookup lookup;

  kt_tree_start_lookup (f, tasks, "9", &lookup);
  kt_fake_source_fail (f->source, KT_ERROR_UNREACHABLE);
  g_assert_cmpint (lookup.error, ==, KT_ERROR_UNREACHABLE);
}

/* shares/SHAREID/ID is the way to name a share task. */
static void
test_share_link (KtTreeFixture *f, gconstpointer data)
{
  guint64 share = kt_tree_find (f, "shares/S", NULL).id;
  KtTreeLookup lookup;

  g_assert_nonnull (kt_tree_start_lookup (f, share, "7", &lookup));
  g_assert_cmpint (kt_fake_source_key (f->source)->family, ==, KT_FAMILY_SHARE);
  g_assert_cmpstr (kt_fake_source_key (f->source)->share_id, ==, "S");
  kt_fake_source_land (f->source, KT_RUNNING);
  g_assert_cmpuint (lookup.entry.stat.st_mode & S_IFMT, ==, S_IFLNK);
  g_assert_cmpint (lookup.entry.stat.st_size, ==, strlen ("../../tasks/7"));
  kt_assert_text (kt_tree_readlink (f->tree, lookup.entry.id), "../../tasks/7");
  kt_assert_text (kt_tree_text (f, kt_tree_find (f, "tasks/7/kind", NULL).id), "share\n");
}

/* A task that was taken for an import task and turns out to be one of a share. */
static void
test_asked_differently (KtTreeFixture *f, gconstpointer data)
{
  guint64 dir = kt_tree_find (f, "tasks/7", KT_IMPORTED).id;

  kt_tree_find (f, "shares/S/7", KT_RUNNING);
  g_assert_cmpuint (kt_tree_find (f, "tasks/7", NULL).id, ==, dir);
  kt_assert_text (kt_tree_text (f, kt_tree_look_up (f, dir, "kind", NULL).entry.id), "share\n");
  g_assert_cmpuint (kt_tree_look_up (f, dir, "files", NULL).entry.id, !=, 0);
}

/* What cannot be a task's name is no request, ever, and the kernel need not come back. */
static void
test_negative_names (KtTreeFixture *f, gconstpointer data)
{
  g_autofree char *long_name = g_strnfill (KT_NAME_MAX + 1, 'a');
  g_autofree char *id_of_65 = g_strnfill (65, '1');
  const char *const names[] = { ".git", "autorun.inf", ".Trash-1000", "desktop.ini", "a b", "报", "\xff",
                                "",     long_name,     id_of_65 };
  const char *const dirs[] = { "tasks", "shares", "shares/S", "tasks/7", "tasks/8", ".kootaskfs" };

  kt_tree_watch (f, two_tasks);
  for (gsize i = 0; i < G_N_ELEMENTS (dirs); i++) {
    guint64 dir = kt_tree_find (f, dirs[i], NULL).id;
    for (gsize j = 0; j < G_N_ELEMENTS (names); j++) {
      KtTreeLookup lookup = kt_tree_look_up (f, dir, names[j], NULL);
      g_assert_cmpuint (lookup.entry.id, ==, 0);
      g_assert_cmpint (lookup.error, ==, -1);
      g_assert_cmpint (lookup.entry.entry_timeout, ==, KT_TIME_NEVER);
    }
  }
  g_assert_cmpuint (kt_tree_look_up (f, 1, "other", NULL).entry.id, ==, 0);
}

static void
test_no_such_inode (KtTreeFixture *f, gconstpointer data)
{
  KtInode entry;
  g_auto (GStrv) names = kt_tree_listxattr (f->tree, 999);

  g_assert_cmpint (kt_tree_look_up (f, 999, "x", NULL).error, ==, KT_ERROR_NOT_FOUND);
  g_assert_false (kt_tree_getattr (f->tree, 999, &entry));
  g_assert_null (kt_tree_read (f->tree, 999, NULL));
  g_assert_null (kt_tree_readlink (f->tree, 999));
  g_assert_null (kt_tree_readlink (f->tree, 1));
  g_assert_null (kt_tree_getxattr (f->tree, 999, "user.kootaskfs.age"));
  g_assert_cmpuint (g_strv_length (names), ==, 0);
  kt_tree_forget (f->tree, 999, 1);
}

static void
test_cancel (KtTreeFixture *f, gconstpointer data)
{
  KtTreeLookup first, second;
  guint64 dir;
  KtOperation *operation;

  kt_tree_watch (f, two_tasks);
  dir = kt_tree_find (f, "tasks/7", NULL).id;
  operation = kt_tree_start_lookup (f, dir, "status", &first);
  kt_tree_start_lookup (f, dir, "progress", &second);
  kt_tree_cancel (operation);
  kt_fake_source_land (f->source, KT_RUNNING);
  g_assert_cmpuint (first.calls, ==, 0);
  g_assert_cmpuint (second.calls, ==, 1);
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
  g_test_add_func ("/tree/table", test_table);
  KT_TREE_TEST ("/tree/each-row", test_each_row);
  KT_TREE_TEST ("/tree/file-of-task", test_file_of_task);
  KT_TREE_TEST ("/tree/unlisted", test_unlisted);
  KT_TREE_TEST ("/tree/unlisted-unknown", test_unlisted_unknown);
  KT_TREE_TEST ("/tree/unlisted-trouble", test_unlisted_trouble);
  KT_TREE_TEST ("/tree/share-link", test_share_link);
  KT_TREE_TEST ("/tree/asked-differently", test_asked_differently);
  KT_TREE_TEST ("/tree/negative-names", test_negative_names);
  KT_TREE_TEST ("/tree/no-such-inode", test_no_such_inode);
  KT_TREE_TEST ("/tree/cancel", test_cancel);
  return g_test_run ();
}
