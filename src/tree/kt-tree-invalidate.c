/* SPDX-License-Identifier: MIT */
/* Invalidation: which names and attributes the kernel is to forget after a touch, a change or an eviction. */
#include "kt-tree-private.h"

#include <string.h>

static GPtrArray *
names_new (void)
{
  return g_ptr_array_new_with_free_func (g_free);
}

static void
add_name (GPtrArray *names, const KtNode *inode, const char *name)
{
  /* one block, the name behind the struct: there may be a hundred thousand of these */
  gsize size = name != NULL ? strlen (name) + 1 : 0;
  KtInvalidation *invalidation = g_malloc (sizeof (KtInvalidation) + size);

  invalidation->inode = inode->id;
  invalidation->name = name != NULL ? memcpy (invalidation + 1, name, size) : NULL;
  g_ptr_array_add (names, invalidation);
}

/* All names below a directory that the kernel may hold; with ALL those too that are the same in every snapshot. */
static void
add_names_below (GPtrArray *names, const KtNode *dir, gboolean all)
{
  for (const GList *link = dir->children.head; link != NULL; link = link->next) {
    const KtNode *child = link->data;
    add_names_below (names, child, all);
    if (all || !child->entry->ops->is_constant || child->own_name != NULL)
      add_name (names, dir, kt_node_name (child));
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
add_names_of_task (KtTree *tree, GPtrArray *names, const KtKey *key, gboolean all)
{
  const KtNode *task = find_below (tree, "tasks", key->task_id);

  if (task != NULL)
    add_names_below (names, task, all);
}

static void
forget (KtTree *tree, GPtrArray *names, GSourceFunc done, gpointer data)
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
  GPtrArray *names = names_new ();

  if (key != NULL)
    add_names_of_task (tree, names, key, FALSE);
  forget (tree, names, done, data);
}

void
kt_tree_forget_view (const KtEntry *row, gpointer data)
{
  KtTree *tree = data;
  GPtrArray *names = names_new ();

  add_name (names, kt_nodes_get (tree->nodes, KT_NODE_ROOT_ID), row->name);
  forget (tree, names, NULL, NULL);
}

/* A task is gone: its name, and that of its link, lead nowhere any more. */
static void
add_gone (KtTree *tree, GPtrArray *names, const KtKey *key)
{
  const KtNode *task = find_below (tree, "tasks", key->task_id);
  KtNode *share = find_below (tree, "shares", key->share_id);

  if (task != NULL)
    add_name (names, task->parent, key->task_id);
  if (share != NULL && kt_nodes_find (tree->nodes, share, key->task_id) != NULL)
    add_name (names, share, key->task_id);
}

/* What grows in DIR has become old: who looks it up next finds a new one, unless somebody has it open. */
static void
add_old (KtTree *tree, GPtrArray *names, KtNode *dir)
{
  KtNode *node = kt_nodes_find (tree->nodes, dir, "events");

  if (node != NULL && kt_node_grows_old (node))
    add_name (names, dir, kt_node_name (node));
}

/* Another snapshot may have moved the time of the task's directory, and so that of files/ in it. */
static void
add_moved (KtTree *tree, GPtrArray *names, KtKey *key)
{
  KtNode *task = find_below (tree, "tasks", key->task_id);
  const KtNode *files = task != NULL ? kt_nodes_find (tree->nodes, task, "files") : NULL;
  const KtUsec mtime_wall = kt_tree_move_mtime (tree, key);

  if (task != NULL && task->mtime_wall != 0 && task->mtime_wall != mtime_wall)
    add_name (names, task, NULL);
  if (files != NULL && files->mtime_wall != 0 && files->mtime_wall != mtime_wall)
    add_name (names, files, NULL);
  if (task != NULL)
    add_old (tree, names, task);
}

/* The version of a task's package is another one. */
static void
add_packages (KtTree *tree, GPtrArray *names, const KtKey *key)
{
  const KtNode *task = find_below (tree, "tasks", key->task_id);

  for (const GList *link = task != NULL ? task->children.head : NULL; link != NULL; link = link->next)
    if (((const KtNode *) link->data)->package != NULL)
      add_name (names, task, kt_node_name (link->data));
}

static void
add_change (KtTree *tree, GPtrArray *names, const KtChange *change)
{
  switch (change->kind) {
  case KT_CHANGE_FETCHED:
  case KT_CHANGE_LISTED:
    if (change->error == NULL)
      add_moved (tree, names, change->key);
    if (change->supersedes)
      add_names_of_task (tree, names, change->key, FALSE);
    break;
  case KT_CHANGE_GONE:
    kt_watch_look_away (tree->watch, change->key);
    add_gone (tree, names, change->key);
    break;
  case KT_CHANGE_EVICTED: /* what the kernel has is memory too, and must not stand beside the next snapshot */
  case KT_CHANGE_OUTDATED: add_names_of_task (tree, names, change->key, TRUE); break;
  case KT_CHANGE_PACKAGE: add_packages (tree, names, change->key); break;
  }
}

void
kt_tree_on_changes (const KtChange *changes, guint n, gpointer data)
{
  KtTree *tree = data;
  GPtrArray *names = names_new ();

  for (guint i = 0; i < n; i++)
    add_change (tree, names, &changes[i]);
  add_old (tree, names, kt_nodes_get (tree->nodes, KT_NODE_ROOT_ID));
  forget (tree, names, NULL, NULL);
}
