/* SPDX-License-Identifier: MIT */
/* Directory listings: what stands in a directory at one moment. */
#include "kt-tree-private.h"

#include "base/kt-error.h"

/* The rows of the table that stand there by name, then the ids: of tasks, of shares, or of a task's files. */
struct KtListing {
  KtTree *tree;
  KtNode *dir;
  guint64 generation; /* of the catalog */
  GPtrArray *rows;    /* const KtEntry */
  const KtEntry *ids; /* the row of all other names, NULL: there are none */
  GPtrArray *keys;    /* KtKey */
  GPtrArray *shares;
  KtTask *task;
};

static mode_t
type_of (const KtEntry *row)
{
  switch (row->kind) {
  case KT_ENTRY_DIR: return S_IFDIR;
  case KT_ENTRY_FILE:
  case KT_ENTRY_PACKAGE:
  case KT_ENTRY_CTL: return S_IFREG;
  case KT_ENTRY_LINK: return S_IFLNK;
  }
  return 0;
}

static KtListing *
listing_new (KtTree *tree, KtNode *dir, const KtSnapshot *snapshot)
{
  KtListing *listing = g_new0 (KtListing, 1);
  KtPlace place = dir->entry->below;
  guint families = kt_tree_families_of (tree, dir);

  listing->tree = tree;
  listing->dir = kt_node_ref (dir);
  listing->generation = kt_catalog_generation (tree->catalog);
  listing->rows = g_ptr_array_new ();
  listing->ids = kt_entry_of_ids (place, families);
  for (const KtEntry *row = kt_entries (); row->place != KT_PLACE_NONE; row++)
    if (row->place == place && row->name != NULL && (row->families & families) != 0
        && (row->kind != KT_ENTRY_PACKAGE || kt_tree_has_package (tree, kt_tree_key_of (tree, dir))))
      g_ptr_array_add (listing->rows, (gpointer) row);
  if (place == KT_PLACE_TASKS)
    listing->keys = kt_catalog_list (tree->catalog);
  else if (place == KT_PLACE_SHARE)
    listing->keys = kt_catalog_list_share (tree->catalog, kt_node_name (dir));
  else if (place == KT_PLACE_SHARES)
    listing->shares = kt_catalog_list_shares (tree->catalog);
  else if (snapshot != NULL)
    listing->task = kt_task_ref (snapshot->task);
  return listing;
}

void
kt_listing_free (KtListing *listing)
{
  if (listing == NULL)
    return;
  kt_node_unref (listing->tree->nodes, listing->dir);
  g_ptr_array_unref (listing->rows);
  g_clear_pointer (&listing->keys, g_ptr_array_unref);
  g_clear_pointer (&listing->shares, g_ptr_array_unref);
  kt_task_unref (listing->task);
  g_free (listing);
}

/* A task's names are there without its answer, which only says more; those of its files as long as one is had. */
static void
on_list_answer (const KtSnapshot *snapshot, const GError *error, gpointer data)
{
  KtOperation *operation = data;
  KtTreeListed listed = (KtTreeListed) operation->callback;
  KtSnapshot last;

  if (error != NULL && kt_tree_last_names (operation->tree, operation->key, error, &last)) {
    snapshot = &last;
    error = NULL;
  } else if (operation->node->entry->below == KT_PLACE_TASK) {
    error = NULL;
  }
  listed (error == NULL ? listing_new (operation->tree, operation->node, snapshot) : NULL, error, operation->data);
  kt_operation_free (operation);
}

static void
on_lists (gpointer data)
{
  KtOperation *operation = data;
  KtTreeListed listed = (KtTreeListed) operation->callback;

  listed (listing_new (operation->tree, operation->node, NULL), NULL, operation->data);
  kt_operation_free (operation);
}

/* tasks/: the service's own lists come first. */
static KtOperation *
list_tasks (KtTree *tree, KtNode *dir, KtTreeListed listed, gpointer data)
{
  KtOperation *operation = kt_operation_new (tree, dir, NULL, NULL, (KtTreeCallback) listed, data);
  KtListsWaiter *waiter = kt_lists_get (tree->lists, on_lists, operation);

  if (waiter == NULL)
    return NULL; /* answered already: the call is gone */
  operation->lists_waiter = waiter;
  return operation;
}

KtOperation *
kt_tree_list (KtTree *tree, guint64 id, KtTreeListed listed, gpointer data)
{
  KtNode *dir = kt_nodes_get (tree->nodes, id);

  if (dir == NULL || dir->entry->kind != KT_ENTRY_DIR) {
    g_autoptr (GError) error = g_error_new_literal (KT_ERROR, KT_ERROR_NOT_FOUND, "there is no such directory");
    listed (NULL, error, data);
    return NULL;
  }
  switch (dir->entry->below) {
  case KT_PLACE_TASKS: return list_tasks (tree, dir, listed, data);
  case KT_PLACE_FILES:
    if (kt_entry_of_ids (KT_PLACE_FILES, kt_tree_families_of (tree, dir)) == NULL)
      break; /* the family has none */
    G_GNUC_FALLTHROUGH;
  case KT_PLACE_TASK: /* what there is depends on it, and who lists a task will read it */
    return kt_operation_start (tree, dir, NULL, kt_tree_key_of (tree, dir), KT_STORE_FRESH, on_list_answer,
                               (KtTreeCallback) listed, data);
  case KT_PLACE_NONE:
  case KT_PLACE_ROOT:
  case KT_PLACE_FILE:
  case KT_PLACE_SHARES:
  case KT_PLACE_SHARE:
  case KT_PLACE_CONTROL: break;
  }
  listed (listing_new (tree, dir, NULL), NULL, data);
  return NULL;
}

const char *
kt_listing_name (const KtListing *listing, guint index, mode_t *type)
{
  if (index < listing->rows->len) {
    const KtEntry *row = g_ptr_array_index (listing->rows, index);
    *type = type_of (row);
    return row->name;
  }
  index -= listing->rows->len;
  if (listing->ids == NULL)
    return NULL;
  *type = type_of (listing->ids);
  if (listing->keys != NULL && index < listing->keys->len)
    return ((const KtKey *) g_ptr_array_index (listing->keys, index))->task_id;
  if (listing->shares != NULL && index < listing->shares->len)
    return g_ptr_array_index (listing->shares, index);
  if (listing->task != NULL && index < listing->task->files->len)
    return g_array_index (listing->task->files, KtTaskFile, index).name;
  return NULL;
}

static gboolean
look_up (KtListing *listing, guint index, KtInode *entry)
{
  KtTree *tree = listing->tree;
  mode_t type;
  const char *name = kt_listing_name (listing, index, &type);
  g_auto (KtWant) want = { 0 };
  const GError *error;
  KtSnapshot snapshot;

  if (listing->dir->entry->below == KT_PLACE_TASKS && listing->generation == kt_catalog_generation (tree->catalog)) {
    /* as kt_tree_resolve() would, without looking up again what the listing holds: there may be a million of these */
    KtKey *key = g_ptr_array_index (listing->keys, index);
    KtNode *node = kt_nodes_look_up (tree->nodes, listing->dir, listing->ids, name, key);
    kt_tree_describe (tree, node, key, entry);
    if (entry->attr_timeout == 0) {
      kt_tree_settle_mtime (tree, key);
      kt_tree_describe (tree, node, key, entry);
    }
    entry->entry_timeout = KT_TIME_NEVER;
    return TRUE;
  }
  if (kt_tree_resolve (tree, listing->dir, name, NULL, entry, &want, NULL))
    return entry->id != 0;
  if (want.key == NULL || !kt_store_try (tree->store, want.key, want.mode, &snapshot, &error))
    return FALSE;
  kt_want_clear (&want);
  if (error != NULL)
    return kt_tree_resolve_failure (tree, listing->dir, name, error, entry);
  return kt_tree_resolve (tree, listing->dir, name, &snapshot, entry, &want, NULL) && entry->id != 0;
}

gboolean
kt_listing_look_up (KtListing *listing, guint index, KtInode *entry)
{
  gboolean found = look_up (listing, index, entry);
  KtNode *node = found ? kt_nodes_get (listing->tree->nodes, entry->id) : NULL;

  if (node != NULL && node->content != NULL) {
    node->lasting = TRUE;
    entry->attr_timeout = KT_TIME_NEVER;
  }
  return found;
}
