/* SPDX-License-Identifier: MIT */
/* The fixture of all tests of the tree: a tree on a fake source, and a kernel that only takes notes. */
#include "kt-tree-fixture.h"

#include <string.h>

static void
invalidate (gpointer kernel, GPtrArray *list, GSourceFunc done, gpointer data)
{
  KtTreeFixture *f = kernel;

  for (guint i = 0; i < list->len; i++) {
    const KtInvalidation *stale = g_ptr_array_index (list, i);
    if (stale->name != NULL)
      g_string_append_printf (f->forgotten, "%" G_GUINT64_FORMAT "/%s ", stale->inode, stale->name);
    else
      f->attributes = stale->inode;
  }
  g_ptr_array_unref (list);
  if (done != NULL && f->forgets_at_once) {
    g_assert_false (done (data));
  } else if (done != NULL) {
    g_assert_true (f->invalidated == NULL);
    f->invalidated = done;
    f->invalidated_data = data;
  }
}

void
kt_tree_invalidated (KtTreeFixture *f)
{
  GSourceFunc invalidated = f->invalidated;

  g_assert_true (invalidated != NULL);
  f->invalidated = NULL;
  g_assert_false (invalidated (f->invalidated_data));
}

static char *
about_config (gpointer data)
{
  return g_strdup ("[service]\n");
}

static char *
about_metrics (gpointer data)
{
  return g_strdup ("# EOF\n");
}

static char *
about_tasks (gpointer data)
{
  return g_strdup_printf ("tasks: %u\n", kt_catalog_size (((KtTreeFixture *) data)->catalog));
}

void
kt_tree_use_lists (KtTreeFixture *f, guint families)
{
  f->below.lists_policy.families = families;
  kt_lists_set_policy (f->lists, &f->below.lists_policy);
}

void
kt_tree_set_up (KtTreeFixture *f, gconstpointer data)
{
  const KtTreeOptions options = { .uid = 12, .gid = 34, .deadline = 10 * KT_SECOND, .families = KT_FAMILIES_ALL };
  KtAbout about = { .config = about_config, .metrics = about_metrics, .tasks = about_tasks, .data = f };

  kt_store_set_up (&f->below, NULL);
  f->clock = f->below.clock;
  f->source = f->below.source;
  f->metrics = f->below.metrics;
  f->policy = f->below.policy;
  f->store = f->below.store;
  f->catalog = f->below.catalog;
  f->lists = f->below.lists;
  kt_tree_use_lists (f, 0);
  f->health = about.health = kt_health_new ();
  f->events = kt_events_new (kt_fake_clock (f->clock), f->below.changes, f->catalog, f->below.watch, 1024 * 1024);
  about.clock = kt_fake_clock (f->clock);
  f->tree = kt_tree_new (kt_fake_clock (f->clock), f->below.changes, f->store, f->catalog, f->lists, f->below.watch,
                         &about, &options);
  kt_tree_set_events (f->tree, f->events);
  f->forgotten = g_string_new (NULL);
  kt_tree_set_invalidate (f->tree, invalidate, f);
}

void
kt_tree_tear_down (KtTreeFixture *f, gconstpointer data)
{
  if (f->tree != NULL)
    kt_tree_set_invalidate (f->tree, NULL, NULL);
  g_assert_true (f->invalidated == NULL);
  kt_tree_free (f->tree);
  kt_events_free (f->events);
  kt_store_tear_down (&f->below, NULL);
  kt_health_free (f->health);
  g_string_free (f->forgotten, TRUE);
}

void
kt_tree_watch (KtTreeFixture *f, const char *const *lines)
{
  g_autoptr (GPtrArray) keys = g_ptr_array_new_with_free_func ((GDestroyNotify) kt_key_unref);

  for (; *lines != NULL; lines++) {
    g_auto (GStrv) words = g_strsplit (*lines, " ", 3);
    KtFamily family;
    g_assert_true (kt_family_from_word (words[0], &family));
    g_ptr_array_add (keys, words[2] != NULL ? kt_key_new_share (words[1], words[2]) : kt_key_new (family, words[1]));
  }
  kt_catalog_set (f->catalog, KT_CATALOG_WATCHED, keys);
}

static void
found (const KtInode *entry, const GError *error, gpointer data)
{
  KtTreeLookup *lookup = data;

  g_assert_true ((entry == NULL) != (error == NULL));
  lookup->calls++;
  if (entry != NULL)
    lookup->entry = *entry;
  if (error != NULL)
    lookup->error = error->code;
}

KtOperation *
kt_tree_start_lookup (KtTreeFixture *f, guint64 parent, const char *name, KtTreeLookup *lookup)
{
  KtOperation *operation;

  *lookup = (KtTreeLookup){ .error = -1 };
  operation = kt_tree_lookup (f->tree, parent, name, found, lookup);
  g_assert_true ((operation == NULL) == (lookup->calls == 1));
  return operation;
}

KtTreeLookup
kt_tree_look_up (KtTreeFixture *f, guint64 parent, const char *name, const char *json)
{
  KtTreeLookup lookup;

  if (kt_tree_start_lookup (f, parent, name, &lookup) != NULL) {
    if (json == NULL)
      g_error ("%s was asked for", name);
    kt_fake_source_land (f->source, json);
  }
  g_assert_cmpuint (lookup.calls, ==, 1);
  return lookup;
}

KtInode
kt_tree_find (KtTreeFixture *f, const char *path, const char *json)
{
  g_auto (GStrv) parts = g_strsplit (path, "/", -1);
  KtTreeLookup lookup = { .entry = { .id = 1 } };

  for (char **part = parts; *part != NULL; part++) {
    lookup = kt_tree_look_up (f, lookup.entry.id, *part, json);
    if (lookup.entry.id == 0)
      g_error ("%s: there is no %s", path, *part);
  }
  return lookup.entry;
}

int
kt_tree_read_error (KtTreeFixture *f, guint64 id)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) content = kt_tree_read (f->tree, id, &error);

  g_assert_true ((content == NULL) == (error != NULL));
  return error != NULL ? error->code : -1;
}

char *
kt_tree_text (KtTreeFixture *f, guint64 id)
{
  g_autoptr (GBytes) content = kt_tree_read (f->tree, id, NULL);
  gsize size;
  const char *data;

  g_assert_nonnull (content);
  data = g_bytes_get_data (content, &size);
  return g_strndup (data != NULL ? data : "", size);
}
