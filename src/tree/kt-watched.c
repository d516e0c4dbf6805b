/* SPDX-License-Identifier: MIT */
/* What is watched with inotify: the tasks, and the directories that are of no task and show all of them. */
#include "kt-watched.h"

#include "kt-announcements.h"
#include "kt-entry-ops.h"
#include "kt-watched-task.h"

struct KtWatched {
  KtTree *tree;
  KtListener *listener;
  GHashTable *tasks;   /* id → KtWatchedTask */
  GArray *views;       /* guint64: watched inodes that are of no task */
  KtInterest *all;     /* while there are any */
  KtUsec changed_wall; /* when a task last came or went, as was announced */
  guint64 generation;  /* of what the views show, as was announced */
};

static void on_changes (const KtChange *changes, guint n, gpointer data);

KtWatched *
kt_watched_new (KtTree *tree)
{
  KtWatched *watched = g_new0 (KtWatched, 1);

  watched->tree = tree;
  watched->tasks = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) kt_watched_task_free);
  watched->views = g_array_new (FALSE, FALSE, sizeof (guint64));
  watched->listener = kt_changes_listen (tree->changes, on_changes, watched);
  return watched;
}

void
kt_watched_free (KtWatched *watched)
{
  kt_changes_unlisten (watched->tree->changes, &watched->listener);
  kt_interest_drop (&watched->all);
  g_hash_table_unref (watched->tasks);
  g_array_unref (watched->views);
  g_free (watched);
}

/* The directory that shows TASK is watched: it is another one, as its time says. */
static void
announce_task (KtWatched *watched, const KtKey *key)
{
  kt_announcements_add (watched->tree->announcements, g_strdup_printf ("tasks/%s/", key->task_id));
}

/* Announces a watched inode that is of no task: of the root what stands in it and grows, of another directory itself, and a
 * file. */
static void
announce_view (KtWatched *watched, const KtNode *node)
{
  KtAnnouncements *announcements = watched->tree->announcements;

  if (node->parent == NULL)
    kt_announcements_add (announcements, g_strdup ("events"));
  else if (S_ISDIR (node->entry->ops->mode))
    kt_announcements_add (announcements, kt_node_path (node));
  else if (S_ISREG (node->entry->ops->mode))
    kt_announcements_add_inode (announcements, node->id);
}

/* What shows all tasks may show something else: tasks/ and shares/ when a task came or went. */
static void
announce_views (KtWatched *watched)
{
  KtTree *tree = watched->tree;
  const KtUsec changed_wall = kt_catalog_changed_wall (tree->catalog);
  const guint64 generation = kt_views_generation (tree->views);
  const gboolean is_other_catalog = watched->changed_wall != changed_wall;
  const gboolean is_other_view = watched->generation != generation;

  watched->changed_wall = changed_wall;
  watched->generation = generation;
  for (guint i = 0; i < watched->views->len; i++) {
    const KtNode *node = kt_nodes_get (tree->nodes, g_array_index (watched->views, guint64, i));
    if (node == NULL)
      continue;
    if (node->entry->ops == &kt_entry_tasks || node->entry->ops == &kt_entry_shares ? is_other_catalog : is_other_view)
      announce_view (watched, node);
  }
}

static gboolean
is_watched (const KtWatched *watched, KtPlace below)
{
  for (guint i = 0; i < watched->views->len; i++) {
    const KtNode *node = kt_nodes_get (watched->tree->nodes, g_array_index (watched->views, guint64, i));
    if (node != NULL && node->entry->below == below)
      return TRUE;
  }
  return FALSE;
}

static void
on_changes (const KtChange *changes, guint n, gpointer data)
{
  KtWatched *watched = data;
  const gboolean in_tasks = watched->views->len > 0 && is_watched (watched, KT_PLACE_TASKS);

  for (guint i = 0; i < n; i++) {
    KtWatchedTask *task = g_hash_table_lookup (watched->tasks, changes[i].key->task_id);
    if (task != NULL)
      kt_watched_task_on_change (task, &changes[i]);
    if (in_tasks && changes[i].before != NULL && changes[i].after != NULL && changes[i].before != changes[i].after)
      announce_task (watched, changes[i].key);
  }
  if (watched->views->len > 0)
    announce_views (watched);
}

guint
kt_tree_watched (KtTree *tree)
{
  guint n = tree->watched->views->len;
  GHashTableIter iter;
  KtWatchedTask *task;

  g_hash_table_iter_init (&iter, tree->watched->tasks);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &task))
    n += kt_watched_task_size (task);
  return n;
}

/* Takes note of a watched inode; one that the kernel has forgotten, or that is about the mount itself, is none. */
static void
add (KtWatched *watched, guint64 inode)
{
  KtTree *tree = watched->tree;
  const KtNode *node = kt_nodes_get (tree->nodes, inode);
  KtKey *key = node != NULL && node->key != NULL ? kt_catalog_find (tree->catalog, node->key->task_id) : NULL;
  KtWatchedTask *task;

  if (node == NULL || (node->key != NULL && key == NULL) || node->entry->place == KT_PLACE_CONTROL
      || node->entry->below == KT_PLACE_CONTROL)
    return;
  if (key == NULL) {
    g_array_append_val (watched->views, inode);
    return;
  }
  task = g_hash_table_lookup (watched->tasks, key->task_id);
  if (task == NULL || kt_watched_task_key (task) != key) {
    task = kt_watched_task_new (tree, key);
    g_hash_table_replace (watched->tasks, (char *) kt_watched_task_key (task)->task_id, task);
  }
  kt_watched_task_add (task, inode);
}

/* Has all tasks polled while a directory is watched that shows them. */
static void
hold_all (KtWatched *watched)
{
  if (watched->views->len == 0)
    kt_interest_drop (&watched->all);
  else if (watched->all == NULL)
    watched->all = kt_watch_all (watched->tree->watch);
  announce_views (watched);
}

void
kt_tree_set_watched (KtTree *tree, const guint64 *inodes, guint n)
{
  KtWatched *watched = tree->watched;
  const gboolean was_watched = kt_tree_watched (tree) > 0;
  GHashTableIter iter;
  KtWatchedTask *task;

  g_hash_table_iter_init (&iter, watched->tasks);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &task))
    kt_watched_task_begin (task);
  if (watched->views->len == 0) {
    watched->changed_wall = kt_catalog_changed_wall (tree->catalog);
    watched->generation = kt_views_generation (tree->views);
  }
  g_array_set_size (watched->views, 0);
  for (guint i = 0; i < n; i++)
    add (watched, inodes[i]);
  g_hash_table_iter_init (&iter, watched->tasks);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &task))
    if (kt_watched_task_size (task) == 0)
      g_hash_table_iter_remove (&iter);
  hold_all (watched);
  if (was_watched && kt_tree_watched (tree) == 0)
    kt_announcements_rest (tree->announcements);
}
