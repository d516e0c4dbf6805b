/* SPDX-License-Identifier: MIT */
/* touch, tasks that are gone, a new watch list: what the kernel is to forget. */
#include "kt-tree-fixture.h"

#include <string.h>

static const char *const tasks[] = { "share S 7", "basic 8", NULL };

typedef struct {
  guint calls; /* of the callback */
  int error;   /* -1: none */
} Touch;

static void
touched (const GError *error, gpointer data)
{
  Touch *touch = data;
  touch->calls++;
  touch->error = error != NULL ? error->code : -1;
}

static KtOperation *
start_touch (KtTreeFixture *f, guint64 id, Touch *touch)
{
  *touch = (Touch){ 0 };
  return kt_tree_touch (f->tree, id, touched, touch);
}

/* Exactly these names were invalidated, "PARENT/NAME " each, in any order, maybe twice; clears the notes. */
static void
assert_forgotten (KtTreeFixture *f, const char *const *expected)
{
  g_auto (GStrv) names = g_strsplit (f->forgotten->str, " ", -1);

  for (guint n = 0; expected[n] != NULL; n++)
    if (strstr (f->forgotten->str, expected[n]) == NULL)
      g_error ("'%s' is not in '%s'", expected[n], f->forgotten->str);
  for (char **name = names; *name != NULL && **name != '\0'; name++) {
    g_autofree char *noted = g_strconcat (*name, " ", NULL);
    g_assert_true (g_strv_contains (expected, noted));
  }
  g_string_truncate (f->forgotten, 0);
}

static void
assert_names (KtTreeFixture *f, guint64 parent, const char *name, guint64 parent2, const char *name2)
{
  g_autofree char *first = g_strdup_printf ("%" G_GUINT64_FORMAT "/%s ", parent, name != NULL ? name : "");
  g_autofree char *second = g_strdup_printf ("%" G_GUINT64_FORMAT "/%s ", parent2, name2 != NULL ? name2 : "");
  const char *expected[] = { name != NULL ? first : NULL, name2 != NULL ? second : NULL, NULL };

  assert_forgotten (f, expected);
}

static void
test_touch_file (KtTreeFixture *f, gconstpointer data)
{
  guint64 dir, status, file_dir;
  Touch touch;

  kt_tree_watch (f, tasks);
  status = kt_tree_find (f, "tasks/7/status", KT_RUNNING).id;
  kt_tree_find (f, "tasks/7/files/F/status", NULL);
  kt_tree_find (f, "tasks/8/status", KT_IMPORTED); /* another task's */
  dir = kt_tree_find (f, "tasks/7", NULL).id;
  file_dir = kt_tree_find (f, "tasks/7/files", NULL).id;
  g_assert_nonnull (start_touch (f, status, &touch)); /* fresh or not, the service is asked */
  g_assert_cmpuint (kt_fake_source_pending (f->source), ==, 1);
  kt_fake_source_land (f->source, KT_RUNNING_ON);
  g_assert_cmpuint (touch.calls, ==, 0); /* not before the kernel has forgotten */
  {
    g_autofree char *a = g_strdup_printf ("%" G_GUINT64_FORMAT "/status ", dir);
    g_autofree char *b = g_strdup_printf ("%" G_GUINT64_FORMAT "/F ", file_dir);
    g_autofree char *c =
        g_strdup_printf ("%" G_GUINT64_FORMAT "/status ", kt_tree_find (f, "tasks/7/files/F", NULL).id);
    const char *expected[] = { a, b, c, NULL };
    assert_forgotten (f, expected);
  }
  kt_tree_invalidated (f);
  g_assert_true (touch.calls == 1 && touch.error == -1);
  kt_assert_text (kt_tree_text (f, kt_tree_find (f, "tasks/7/progress", NULL).id), "20\n");
}

/* The kernel holds a touched directory's lock until the reply: so the reply goes first. */
static void
test_touch_dir (KtTreeFixture *f, gconstpointer data)
{
  guint64 dir;
  Touch touch;

  kt_tree_watch (f, tasks);
  kt_tree_find (f, "tasks/7/status", KT_RUNNING);
  dir = kt_tree_find (f, "tasks/7", NULL).id;
  start_touch (f, dir, &touch);
  kt_fake_source_land (f->source, KT_RUNNING_ON);
  g_assert_true (touch.calls == 1 && touch.error == -1);
  assert_names (f, dir, "status", 0, NULL);
  g_assert_true (f->invalidated == NULL);
}

static void
test_touch_failure (KtTreeFixture *f, gconstpointer data)
{
  guint64 status;
  Touch touch;

  kt_tree_watch (f, tasks);
  status = kt_tree_find (f, "tasks/7/status", KT_RUNNING).id;
  start_touch (f, status, &touch);
  kt_fake_source_fail (f->source, KT_ERROR_DENIED);
  g_assert_true (touch.calls == 1 && touch.error == KT_ERROR_DENIED);
}

static void
test_touch_elsewhere (KtTreeFixture *f, gconstpointer data)
{
  const char *const paths[] = { "tasks", "shares", "shares/S", ".kootaskfs", ".kootaskfs/version" };
  Touch touch;

  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++) {
    g_assert_null (start_touch (f, kt_tree_find (f, paths[i], NULL).id, &touch));
    g_assert_true (touch.calls == 1 && touch.error == KT_ERROR_READ_ONLY);
  }
  start_touch (f, 1, &touch);
  g_assert_cmpint (touch.error, ==, KT_ERROR_READ_ONLY);
  start_touch (f, 999, &touch);
  g_assert_cmpuint (touch.calls, ==, 1);
}

static void
test_cancel_touch (KtTreeFixture *f, gconstpointer data)
{
  guint64 status;
  guint nodes;
  Touch touch;
  KtOperation *operation;

  kt_tree_watch (f, tasks);
  status = kt_tree_find (f, "tasks/7/status", KT_RUNNING).id;
  operation = start_touch (f, status, &touch);
  kt_tree_cancel (operation); /* while the service is asked */
  kt_fake_source_land (f->source, KT_RUNNING);
  g_assert_cmpuint (touch.calls, ==, 0);
  g_assert_cmpuint (f->forgotten->len, ==, 0);

  operation = start_touch (f, status, &touch);
  kt_fake_source_land (f->source, KT_RUNNING);
  kt_tree_cancel (operation); /* while the kernel forgets */
  kt_tree_forget (f->tree, status, 1);
  nodes = kt_tree_nodes (f->tree);
  kt_tree_invalidated (f);
  g_assert_cmpuint (touch.calls, ==, 0);
  g_assert_cmpuint (kt_tree_nodes (f->tree), ==, nodes - 1); /* the operation held it until now */
}

/* Two touches: the second is not content with the request of the first. */
static void
test_touch_twice (KtTreeFixture *f, gconstpointer data)
{
  guint64 dir;
  Touch first, second;

  kt_tree_watch (f, tasks);
  dir = kt_tree_find (f, "tasks/7", NULL).id;
  start_touch (f, dir, &first);
  start_touch (f, dir, &second);
  kt_fake_source_land (f->source, KT_RUNNING);
  g_assert_true (first.calls == 1 && second.calls == 0);
  kt_fake_source_land (f->source, KT_RUNNING);
  g_assert_cmpuint (second.calls, ==, 1);
}

static void
test_found_task_vanishes (KtTreeFixture *f, gconstpointer data)
{
  guint64 top = kt_tree_find (f, "tasks", NULL).id;
  guint64 share = kt_tree_find (f, "shares/S", NULL).id;
  guint64 dir;
  KtTreeLookup lookup;

  kt_tree_find (f, "shares/S/9", KT_RUNNING);
  dir = kt_tree_find (f, "tasks/9", NULL).id;
  kt_fake_clock_advance (f->clock, 6 * KT_SECOND);
  kt_tree_start_lookup (f, dir, "status", &lookup);
  kt_fake_source_fail (f->source, KT_ERROR_NOT_FOUND);
  g_assert_cmpint (lookup.error, ==, KT_ERROR_NOT_FOUND);
  g_assert_null (kt_catalog_find (f->catalog, "9"));
  assert_names (f, top, "9", share, "9");
}

static void
test_watched_task_vanishes (KtTreeFixture *f, gconstpointer data)
{
  KtTreeLookup lookup;
  guint64 dir;

  kt_tree_watch (f, tasks);
  dir = kt_tree_find (f, "tasks/7", NULL).id;
  kt_tree_start_lookup (f, dir, "status", &lookup);
  kt_fake_source_fail (f->source, KT_ERROR_NOT_FOUND);
  g_assert_cmpint (kt_tree_read_error (f, lookup.entry.id), ==, KT_ERROR_NOT_FOUND);
  g_assert_nonnull (kt_catalog_find (f->catalog, "7"));
  g_assert_cmpuint (f->forgotten->len, ==, 0);
}

/* Trouble with the service is no reason to drop a task. */
static void
test_found_task_in_trouble (KtTreeFixture *f, gconstpointer data)
{
  guint64 dir = kt_tree_find (f, "tasks/9", KT_IMPORTED).id;
  Touch touch;

  start_touch (f, dir, &touch);
  kt_fake_source_fail (f->source, KT_ERROR_UNREACHABLE);
  g_assert_nonnull (kt_catalog_find (f->catalog, "9"));
}

static void
test_new_watch_list (KtTreeFixture *f, gconstpointer data)
{
  static const char *const later[] = { "basic 8", "basic 10", NULL };
  static const char *const other[] = { "share T 8", NULL };
  guint64 top, share;

  kt_tree_watch (f, tasks);
  top = kt_tree_find (f, "tasks", NULL).id;
  share = kt_tree_find (f, "shares/S", NULL).id;
  kt_tree_find (f, "tasks/7", NULL);
  kt_tree_find (f, "shares/S/7", NULL);
  kt_tree_find (f, "tasks/8", NULL);
  kt_tree_watch (f, later);
  assert_names (f, top, "7", share, "7");
  kt_tree_watch (f, other); /* 8 is asked for differently now; 10 was never looked up */
  assert_names (f, top, "8", 0, NULL);
}

/* When a snapshot is evicted, all names that came from it are invalidated, and "files". */
static void
test_evicted (KtTreeFixture *f, gconstpointer data)
{
  guint64 dir, files;

  kt_tree_watch (f, tasks);
  kt_tree_find (f, "tasks/7/status", KT_RUNNING);
  dir = kt_tree_find (f, "tasks/7", NULL).id;
  kt_tree_find (f, "tasks/7/files/F", NULL);
  files = kt_tree_find (f, "tasks/7/files", NULL).id;
  kt_tree_find (f, "tasks/8/status", KT_IMPORTED); /* the last one asked for stays */
  f->policy.memory = 0;
  kt_store_set_policy (f->store, &f->policy);
  {
    g_autofree char *a = g_strdup_printf ("%" G_GUINT64_FORMAT "/status ", dir);
    g_autofree char *b = g_strdup_printf ("%" G_GUINT64_FORMAT "/files ", dir);
    g_autofree char *c = g_strdup_printf ("%" G_GUINT64_FORMAT "/F ", files);
    const char *expected[] = { a, b, c, NULL };
    assert_forgotten (f, expected);
  }
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
  KT_TREE_TEST ("/tree/change/touch-file", test_touch_file);
  KT_TREE_TEST ("/tree/change/evicted", test_evicted);
  KT_TREE_TEST ("/tree/change/touch-dir", test_touch_dir);
  KT_TREE_TEST ("/tree/change/touch-failure", test_touch_failure);
  KT_TREE_TEST ("/tree/change/touch-elsewhere", test_touch_elsewhere);
  KT_TREE_TEST ("/tree/change/cancel-touch", test_cancel_touch);
  KT_TREE_TEST ("/tree/change/touch-twice", test_touch_twice);
  KT_TREE_TEST ("/tree/change/found-task-vanishes", test_found_task_vanishes);
  KT_TREE_TEST ("/tree/change/watched-task-vanishes", test_watched_task_vanishes);
  KT_TREE_TEST ("/tree/change/found-task-in-trouble", test_found_task_in_trouble);
  KT_TREE_TEST ("/tree/change/new-watch-list", test_new_watch_list);
  return g_test_run ();
}
