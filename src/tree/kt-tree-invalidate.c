/* SPDX-License-Identifier: MIT */
/* Invalidation: what the kernel is made to forget when a task is touched, changed, gone or evicted, or its package changed.
 * Everything else only runs out. */
#include "kt-tree-private.h"

#include "base/kt-error.h"

#include <string.h>

static GPtrArray *
stale_new (void)
{
  return g_ptr_array_new_with_free_func (g_free);
}

static void
add_stale (GPtrArray *names, const KtNode *inode, const char *name)
{
  /* one block, the name behind the struct: there may be a hundred thousand of these */
  gsize size = name != NULL ? strlen (name) + 1 : 0;
  KtInvalidation *stale = g_malloc (sizeof (KtInvalidation) + size);

  stale->inode = inode->id;
  stale->name = name != NULL ? memcpy (stale + 1, name, size) : NULL;
  g_ptr_array_add (names, stale);
}

/* All names below a directory that the kernel may hold; with ALL those too that are the same in every answer. */
static void
add_stale_below (GPtrArray *names, const KtNode *dir, gboolean all)
{
  for (const GList *link = dir->children.head; link != NULL; link = link->next) {
    const KtNode *child = link->data;
    add_stale_below (names, child, all);
    if (all || !child->entry->ops->is_constant || child->own_name != NULL)
      add_stale (names, dir, kt_node_name (child));
  }
}

/* The inode of NAME in a directory of the root, NULL while the kernel does not hold it. */
static KtNode *
find_below (KtTree *tree, const char *directory, const char *name)
{
  KtNode *dir = kt_nodes_find (tree->nodes, kt_nodes_get (tree->nodes, KT_NODE_ROOT_ID), directory);
  return dir != NULL ? kt_nodes_find (tree->nodes, dir, name) : NULL;
}

/* All below a task's directory, as above. */
static void
add_stale_task (KtTree *tree, GPtrArray *names, const KtKey *key, gboolean all)
{
  const KtNode *task = find_below (tree, "tasks", key->task_id);

  if (task != NULL)
    add_stale_below (names, task, all);
}

static void
push (KtTree *tree, GPtrArray *names, GSourceFunc done, gpointer data)
{
  if (tree->invalidate != NULL && (names->len > 0 || done != NULL)) {
    tree->invalidate (tree->kernel, names, done, data);
    return;
  }
  g_ptr_array_unref (names);
  if (done != NULL)
    done (data);
}

void
kt_tree_forget_names (KtTree *tree, const KtKey *key, GSourceFunc done, gpointer data)
{
  GPtrArray *names = stale_new ();

  add_stale_task (tree, names, key, FALSE);
  push (tree, names, done, data);
}

/* A task is gone: its names, and that of its link, lead nowhere any more. */
static void
add_gone (KtTree *tree, GPtrArray *names, const KtKey *key)
{
  const KtNode *task = find_below (tree, "tasks", key->task_id);
  KtNode *share = find_below (tree, "shares", key->share_id);

  if (task != NULL)
    add_stale (names, task->parent, key->task_id);
  if (share != NULL && kt_nodes_find (tree->nodes, share, key->task_id) != NULL)
    add_stale (names, share, key->task_id);
}

/* A new answer may have moved the time of the task's directory, and so that of files/ in it. */
static void
add_moved (KtTree *tree, GPtrArray *names, KtKey *key)
{
  KtNode *task = find_below (tree, "tasks", key->task_id);
  const KtNode *files = task != NULL ? kt_nodes_find (tree->nodes, task, "files") : NULL;
  const KtUsec mtime_wall = kt_tree_move_mtime (tree, key);

  if (task != NULL && task->mtime_wall != 0 && task->mtime_wall != mtime_wall)
    add_stale (names, task, NULL);
  if (files != NULL && files->mtime_wall != 0 && files->mtime_wall != mtime_wall)
    add_stale (names, files, NULL);
}

void
kt_tree_note_names (KtTree *tree, gboolean is_change)
{
  guint64 generation = kt_catalog_generation (tree->catalog);

  if (is_change && generation != tree->catalog_generation)
    tree->catalog_changed_wall = kt_clock_wall (tree->clock);
  tree->catalog_generation = generation;
}

static void
on_request_ended (KtKey *key, const GError *error, gpointer data)
{
  KtTree *tree = data;
  GPtrArray *names = stale_new ();

  if (error == NULL)
    add_moved (tree, names, key);
  else if (g_error_matches (error, KT_ERROR, KT_ERROR_NOT_FOUND) && kt_catalog_drop_found (tree->catalog, key))
    add_gone (tree, names, key);
  kt_tree_note_names (tree, TRUE);
  push (tree, names, NULL, NULL);
}

/* Nothing is known of a task any more: what the kernel holds of it is memory too, and must not stand beside what the
 * next answer brings. */
static void
on_evicted (KtKey *key, gpointer data)
{
  KtTree *tree = data;
  GPtrArray *names = stale_new ();

  add_stale_task (tree, names, key, TRUE);
  push (tree, names, NULL, NULL);
}

void
kt_tree_set_watched (KtTree *tree, GPtrArray *keys)
{
  g_autoptr (GPtrArray) gone = kt_catalog_set (tree->catalog, KT_CATALOG_WATCHED, keys);
  GPtrArray *names = stale_new ();

  for (guint i = 0; i < gone->len; i++)
    add_gone (tree, names, g_ptr_array_index (gone, i));
  kt_tree_note_names (tree, TRUE);
  push (tree, names, NULL, NULL);
}

static void
on_lists_changed (GPtrArray *told, GPtrArray *gone, GPtrArray *superseded, gboolean is_first, gpointer data)
{
  KtTree *tree = data;
  GPtrArray *names = stale_new ();

  for (guint i = 0; i < told->len; i++)
    add_moved (tree, names, ((const KtTask *) g_ptr_array_index (told, i))->key);
  for (guint i = 0; i < gone->len; i++)
    add_gone (tree, names, g_ptr_array_index (gone, i));
  for (guint i = 0; i < superseded->len; i++)
    add_stale_task (tree, names, g_ptr_array_index (superseded, i), FALSE);
  kt_tree_note_names (tree, !is_first);
  push (tree, names, NULL, NULL);
}

static void
on_package_changed (KtKey *key, gpointer data)
{
  KtTree *tree = data;
  const KtNode *task = find_below (tree, "tasks", key->task_id);
  GPtrArray *names = stale_new ();

  for (const GList *link = task != NULL ? task->children.head : NULL; link != NULL; link = link->next)
    if (((const KtNode *) link->data)->package != NULL)
      add_stale (names, task, kt_node_name (link->data));
  push (tree, names, NULL, NULL);
}

void
kt_tree_observe (KtTree *tree)
{
  kt_store_set_observer (tree->store, on_request_ended, tree);
  kt_lists_set_observer (tree->lists, on_lists_changed, tree);
  kt_store_set_evicted (tree->store, on_evicted, tree);
}

void
kt_tree_observe_packages (KtTree *tree)
{
  kt_packages_set_observer (tree->packages, on_package_changed, tree);
}

void
kt_tree_observe_nothing (KtTree *tree)
{
  kt_store_set_observer (tree->store, NULL, NULL);
  kt_lists_set_observer (tree->lists, NULL, NULL);
  kt_store_set_evicted (tree->store, NULL, NULL);
  if (tree->packages != NULL)
    kt_packages_set_observer (tree->packages, NULL, NULL);
}
