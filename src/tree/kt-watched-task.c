/* SPDX-License-Identifier: MIT */
/* A watched task: which of its names have changed, for those who watch them or their directory. */
#include "kt-watched-task.h"

#include "kt-announcements.h"
#include "kt-entry-ops.h"

struct KtWatchedTask {
  KtTree *tree;
  KtKey *key;
  KtInterest *interest;
  GArray *inodes;    /* guint64: those that are watched */
  gboolean is_known; /* the next is what its files show */
  KtTask *shown;     /* NULL: reading them fails */
};

/* What its files show from now on. */
static void
show (KtWatchedTask *task, KtTask *shown)
{
  if (shown != NULL)
    kt_task_ref (shown);
  kt_task_unref (task->shown);
  task->shown = shown;
  task->is_known = TRUE;
}

KtWatchedTask *
kt_watched_task_new (KtTree *tree, KtKey *key)
{
  KtWatchedTask *task = g_new0 (KtWatchedTask, 1);
  const GError *error;
  KtSnapshot snapshot;

  task->tree = tree;
  task->key = kt_key_ref (key);
  task->inodes = g_array_new (FALSE, FALSE, sizeof (guint64));
  if (kt_store_try (tree->store, key, KT_STORE_FRESH, &snapshot, &error))
    show (task, error == NULL ? snapshot.task : NULL);
  else if (kt_store_peek (tree->store, key, KT_STORE_FRESH, &snapshot))
    show (task, snapshot.task);
  return task;
}

void
kt_watched_task_free (KtWatchedTask *task)
{
  kt_interest_drop (&task->interest);
  kt_task_unref (task->shown);
  g_array_unref (task->inodes);
  kt_key_unref (task->key);
  g_free (task);
}

const KtKey *
kt_watched_task_key (const KtWatchedTask *task)
{
  return task->key;
}

void
kt_watched_task_begin (KtWatchedTask *task)
{
  g_array_set_size (task->inodes, 0);
}

void
kt_watched_task_add (KtWatchedTask *task, guint64 inode)
{
  g_array_append_val (task->inodes, inode);
  if (task->interest == NULL)
    task->interest = kt_watch_task (task->tree->watch, task->key, KT_WATCH_CHANGES);
}

guint
kt_watched_task_size (const KtWatchedTask *task)
{
  return task->inodes->len;
}

/* What a file shows of a task, or of its file NAME; NULL when it cannot be read. (transfer full) */
static GBytes *
render (const KtEntry *row, const KtTask *task, const char *name)
{
  KtSubject subject = { .task = task };

  if (task == NULL)
    return NULL;
  if (name != NULL && (subject.file = kt_task_find_file (task, name)) == NULL)
    return NULL;
  return row->render (&subject);
}

/* Whether a file shows something else when its task goes from BEFORE to AFTER. NAME is that of the task's file that it is
 * of, NULL when it is of the task. */
static gboolean
has_changed (const KtEntry *row, const KtTask *before, const KtTask *after, const char *name)
{
  g_autoptr (GBytes) old = NULL, new = NULL;

  if (row->ops == &kt_entry_package)
    return before == NULL || after == NULL || !g_str_equal (before->download_url, after->download_url);
  if (row->ops == &kt_entry_growing)
    return TRUE; /* it has a line more */
  if (row->render == NULL)
    return FALSE;
  old = render (row, before, name);
  new = render (row, after, name);
  if (old == NULL || new == NULL)
    return old != new;
  return old != new && !g_bytes_equal (old, new);
}

/* What happens to the task's files. */
typedef struct {
  const KtTask *before;
  const KtTask *after;
  const KtEntryOps *only; /* of these files alone, NULL: of all */
} Difference;

static gboolean
is_different (const Difference *difference, const KtEntry *row, const char *name)
{
  if (difference->only != NULL)
    return row->ops == difference->only;
  return has_changed (row, difference->before, difference->after, name);
}

/* The name below files/ that the names in DIR are about, NULL when they are about the task. */
static const char *
file_of (const KtNode *dir)
{
  return dir->entry->below == KT_PLACE_FILE ? kt_node_name (dir) : NULL;
}

/* DIR is watched: announces the names in it that have changed. Of files/, whose names are many, it is the directory. */
static void
announce_names (const KtWatchedTask *task, const Difference *difference, const KtNode *dir)
{
  const KtTree *tree = task->tree;
  const guint facts = kt_family_facts (task->key->family);
  g_autofree char *path = kt_node_path (dir);

  if (dir->entry->below == KT_PLACE_FILES) {
    const KtEntry *table = kt_entry_find (tree->files, KT_PLACE_TASK, "files.csv", facts);
    if (is_different (difference, table, NULL))
      kt_announcements_add (tree->announcements, g_strdup (path));
    return;
  }
  for (const KtEntry *row = tree->files; row->ops != NULL; row++)
    if (row->place == dir->entry->below && row->name != NULL && (row->facts & facts) != 0
        && is_different (difference, row, file_of (dir)))
      kt_announcements_add (tree->announcements, g_strconcat (path, row->name, NULL));
}

static void
announce (const KtWatchedTask *task, const Difference *difference)
{
  for (guint i = 0; i < task->inodes->len; i++) {
    const KtNode *node = kt_nodes_get (task->tree->nodes, g_array_index (task->inodes, guint64, i));
    if (node == NULL)
      continue;
    if (S_ISDIR (node->entry->ops->mode))
      announce_names (task, difference, node);
    else if (S_ISREG (node->entry->ops->mode) && is_different (difference, node->entry, file_of (node->parent)))
      kt_announcements_add_inode (task->tree->announcements, node->id);
  }
}

/* Its files show AFTER now, or fail when that is NULL. */
static void
move_on (KtWatchedTask *task, KtTask *after)
{
  const Difference difference = { .before = task->shown, .after = after };

  if (task->is_known && task->shown != after)
    announce (task, &difference);
  show (task, after);
}

void
kt_watched_task_on_change (KtWatchedTask *task, const KtChange *change)
{
  const Difference package = { .only = &kt_entry_package };
  const GError *error;
  KtSnapshot snapshot;

  switch (change->kind) {
  case KT_CHANGE_FETCHED:
    if (change->error == NULL)
      move_on (task, change->after);
    else if (kt_store_try (task->tree->store, task->key, KT_STORE_FRESH, &snapshot, &error) && error != NULL)
      move_on (task, NULL); /* else the last good snapshot stands in */
    break;
  case KT_CHANGE_OUTDATED:
  case KT_CHANGE_GONE: move_on (task, NULL); break;
  case KT_CHANGE_PACKAGE: announce (task, &package); break;
  case KT_CHANGE_LISTED: /* the next poll has the detail */
  case KT_CHANGE_EVICTED: break;
  }
}
