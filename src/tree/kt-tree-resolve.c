/* SPDX-License-Identifier: MIT */
/* What a name in a directory leads to, with the answer that takes, if any, at hand. */
#include "kt-tree-private.h"

#include "base/kt-error.h"
#include "base/kt-names.h"
#include "base/kt-units.h"

/* There is no such name, for LIFE. */
static gboolean
absent (KtInode *entry, KtUsec timeout)
{
  *entry = (KtInode){ .entry_timeout = timeout };
  return TRUE;
}

static gboolean
found (KtTree *tree, KtNode *dir, const KtEntry *row, const char *name, KtKey *key, KtUsec timeout, KtInode *entry)
{
  kt_tree_describe (tree, kt_nodes_look_up (tree->nodes, dir, row, name, key), key, entry);
  entry->entry_timeout = timeout;
  return TRUE;
}

/* A file of a task, from an answer. */
static gboolean
found_version (KtTree *tree, KtNode *dir, const KtEntry *row, const KtSnapshot *snapshot, KtInode *entry,
               GError **error)
{
  const KtTask *task = snapshot->task;
  KtSubject subject = { .task = task };
  KtUsec first_mtime_wall = snapshot->known_wall;
  g_autoptr (GBytes) content = NULL;

  if (row->place == KT_PLACE_FILE) {
    subject.file = kt_task_find_file (task, kt_node_name (dir));
    if (subject.file == NULL) {
      g_set_error (error, KT_ERROR, KT_ERROR_NOT_FOUND, "the task has no such file any more");
      return FALSE;
    }
  }
  content = row->render (&subject);
  /* what has ended says itself when it last changed; of the rest we know when we saw it */
  if (kt_task_is_final (task) && task->ended != KT_TIME_UNKNOWN)
    first_mtime_wall = task->ended * KT_SECOND;
  kt_tree_describe (tree,
                    kt_nodes_look_up_version (tree->nodes, dir, row, content, first_mtime_wall, snapshot->changed_wall),
                    task->key, entry);
  /* what only a list told of a task that goes on may be overtaken by what the next file of the same directory asks for */
  entry->entry_timeout =
      task->from_list && !kt_task_is_final (task) ? 0 : kt_tree_timeout_until (tree, snapshot->expires_at);
  if (row->timed)
    entry->entry_timeout =
        MIN (entry->entry_timeout, kt_tree_timeout_until (tree, kt_lists_complete_at (tree->lists, snapshot)));
  return TRUE;
}

gboolean
kt_tree_last_names (KtTree *tree, KtKey *key, const GError *error, KtSnapshot *snapshot)
{
  return !g_error_matches (error, KT_ERROR, KT_ERROR_NOT_FOUND)
         && kt_store_peek (tree->store, key, KT_STORE_FRESH, snapshot);
}

gboolean
kt_tree_resolve_failure (KtTree *tree, KtNode *dir, const char *name, const GError *error, KtInode *entry)
{
  KtKey *key = dir->key != NULL ? kt_catalog_find (tree->catalog, dir->key->task_id) : NULL;
  guint families = kt_tree_families_of (tree, dir);
  const KtEntry *row = kt_entry_find (dir->entry->below, name, families);
  KtUsec now = kt_clock_wall (tree->clock);
  KtSnapshot snapshot;

  if (key == NULL)
    return FALSE;
  if (g_error_matches (error, KT_ERROR, KT_ERROR_NOT_FOUND) && kt_catalog_is_only_found (tree->catalog, key))
    return FALSE; /* so it is known no more */
  if (row != NULL) {
    kt_tree_describe (tree, kt_nodes_look_up_failure (tree->nodes, dir, row, error, now), key, entry);
    entry->entry_timeout = 0;
    return TRUE;
  }
  row = kt_entry_of_ids (dir->entry->below, families);
  if (row == NULL || !kt_tree_last_names (tree, key, error, &snapshot)
      || kt_task_find_file (snapshot.task, name) == NULL)
    return FALSE;
  return found (tree, dir, row, name, key, 0, entry);
}

/* A file about this mount, as of now. */
static gboolean
found_about (KtTree *tree, KtNode *dir, const KtEntry *row, KtInode *entry)
{
  KtSubject subject = { .about = &tree->about };
  g_autoptr (GBytes) content = row->render (&subject);
  KtUsec now = kt_clock_wall (tree->clock);

  kt_tree_describe (tree, kt_nodes_look_up_version (tree->nodes, dir, row, content, now, now), NULL, entry);
  entry->entry_timeout = 0;
  return TRUE;
}

void
kt_want_clear (KtWant *want)
{
  g_clear_pointer (&want->key, kt_key_unref);
}

static gboolean
wants (KtKey *key, KtStoreMode mode, KtWant *want)
{
  want->key = kt_key_ref (key);
  want->mode = mode;
  return FALSE;
}

/* Whether a task of one of FAMILIES may be looked for that nobody has named. */
static gboolean
may_look_for (KtTree *tree, guint families)
{
  return (tree->options.families & families) != 0;
}

/* tasks/ID: what is known is there without asking; another id is asked for in the families that take no more than an
 * id. */
static gboolean
resolve_task (KtTree *tree, KtNode *dir, const KtEntry *row, const char *name, const KtSnapshot *snapshot,
              KtInode *entry, KtWant *want)
{
  KtKey *known = kt_catalog_find (tree->catalog, name);

  if (known == NULL && snapshot == NULL) {
    g_autoptr (KtKey) key = kt_key_new (KT_FAMILY_UNKNOWN, name);
    if (!may_look_for (tree, KT_FAMILIES_ALL & ~KT_FAMILY_BIT (KT_FAMILY_SHARE)))
      return absent (entry, 0);
    return wants (key, KT_STORE_FRESH, want);
  }
  if (known == NULL)
    kt_catalog_add (tree->catalog, KT_CATALOG_FOUND, snapshot->task->key);
  return found (tree, dir, row, name, known != NULL ? known : snapshot->task->key, KT_TIME_NEVER, entry);
}

/* shares/SHAREID/ID */
static gboolean
resolve_link (KtTree *tree, KtNode *dir, const KtEntry *row, const char *name, const KtSnapshot *snapshot,
              KtInode *entry, KtWant *want)
{
  g_autoptr (KtKey) key = kt_key_new_share (kt_node_name (dir), name);
  KtKey *known = kt_catalog_find (tree->catalog, name);
  gboolean is_known = known != NULL && kt_key_equal (known, key);

  if (!is_known && snapshot == NULL && !may_look_for (tree, KT_FAMILY_BIT (KT_FAMILY_SHARE)))
    return absent (entry, 0);
  if (!is_known && snapshot == NULL)
    return wants (key, KT_STORE_FRESH, want);
  if (!is_known)
    kt_catalog_add (tree->catalog, KT_CATALOG_FOUND, key);
  return found (tree, dir, row, name, key, KT_TIME_NEVER, entry);
}

/* tasks/ID/files/FILEID */
static gboolean
resolve_file (KtTree *tree, KtNode *dir, const KtEntry *row, const char *name, const KtSnapshot *snapshot,
              KtInode *entry, KtWant *want)
{
  if (snapshot == NULL)
    return wants (kt_tree_key_of (tree, dir), KT_STORE_FRESH, want);
  if (kt_task_find_file (snapshot->task, name) == NULL)
    return absent (entry, 0);
  return found (tree, dir, row, name, snapshot->task->key, kt_tree_timeout_until (tree, snapshot->expires_at), entry);
}

gboolean
kt_tree_resolve (KtTree *tree, KtNode *dir, const char *name, const KtSnapshot *snapshot, KtInode *entry, KtWant *want,
                 GError **error)
{
  KtPlace place = dir->entry->below;
  guint families = kt_tree_families_of (tree, dir);
  const KtEntry *row = kt_entry_find (place, name, families);

  if (row != NULL && (row->kind == KT_ENTRY_DIR || row->kind == KT_ENTRY_CTL))
    return found (tree, dir, row, name, kt_tree_key_of (tree, dir), KT_TIME_NEVER, entry);
  if (row != NULL && place == KT_PLACE_CONTROL)
    return found_about (tree, dir, row, entry);
  if (row != NULL && snapshot == NULL)
    return wants (kt_tree_key_of (tree, dir), (row->listed & families) != 0 ? KT_STORE_LISTED : KT_STORE_FRESH, want);
  if (row != NULL && row->kind == KT_ENTRY_PACKAGE)
    return kt_tree_resolve_package (tree, dir, row, snapshot, entry);
  if (row != NULL && row->timed && !want->no_list
      && kt_lists_complete_at (tree->lists, snapshot) <= kt_clock_monotonic (tree->clock)) {
    want->list = TRUE;
    return FALSE;
  }
  if (row != NULL)
    return found_version (tree, dir, row, snapshot, entry, error);

  row = kt_entry_of_ids (place, families);
  if (row == NULL)
    return absent (entry, KT_TIME_NEVER);
  if (place == KT_PLACE_FILES)
    return resolve_file (tree, dir, row, name, snapshot, entry, want);
  if (!kt_id_is_valid (name))
    return absent (entry, KT_TIME_NEVER);
  if (place == KT_PLACE_TASKS)
    return resolve_task (tree, dir, row, name, snapshot, entry, want);
  if (place == KT_PLACE_SHARE)
    return resolve_link (tree, dir, row, name, snapshot, entry, want);
  return found (tree, dir, row, name, NULL, KT_TIME_NEVER, entry); /* shares/: any id may be a share */
}
