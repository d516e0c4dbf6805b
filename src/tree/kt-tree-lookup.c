/* SPDX-License-Identifier: MIT */
/* LOOKUP: finds a name with what is cached, or asks for what it takes and tries again. */
#include "kt-tree-private.h"

#include "base/kt-error.h"

static void on_lookup_answer (const KtSnapshot *snapshot, const GError *store_error, gpointer data);

/* The list has told what it can: the task's answer is what it is now, and asked for anew only if that was let go. */
static void
on_list_told (gpointer data)
{
  KtOperation *operation = data;
  gboolean was_beginning = operation->is_beginning;
  KtSnapshot snapshot;

  operation->lists_waiter = NULL;
  if (kt_store_peek (operation->tree->store, operation->key, operation->mode, &snapshot)) {
    on_lookup_answer (&snapshot, NULL, operation);
    return;
  }
  operation->is_beginning = TRUE;
  operation->waiter = kt_store_get (operation->tree->store, operation->key, operation->mode, operation->deadline,
                                    on_lookup_answer, operation);
  operation->is_beginning = was_beginning;
  if (operation->has_ended && !was_beginning)
    kt_operation_free (operation);
}

/* Between the two halves of a lookup: waits for the list that may tell what ANSWER lacks. */
static void
ask_list (KtOperation *operation, const KtSnapshot *snapshot)
{
  KtListsWaiter *waiter;

  operation->waiter = NULL;
  operation->has_list = TRUE;
  waiter = kt_lists_complete (operation->tree->lists, snapshot, operation->deadline, on_list_told, operation);
  if (waiter != NULL) /* else the call may be gone */
    operation->lists_waiter = waiter;
}

static void
on_lookup_answer (const KtSnapshot *snapshot, const GError *store_error, gpointer data)
{
  KtOperation *operation = data;
  KtTreeFound callback = (KtTreeFound) operation->callback;
  g_autoptr (GError) error = store_error != NULL ? g_error_copy (store_error) : NULL;
  g_auto (KtWant) want = { .no_list = operation->has_list };
  KtInode entry = { 0 };
  gboolean is_found = FALSE;

  if (error == NULL)
    is_found = kt_tree_resolve (operation->tree, operation->node, operation->name, snapshot, &entry, &want, &error);
  else
    is_found = kt_tree_resolve_failure (operation->tree, operation->node, operation->name, error, &entry);
  if (!is_found && error == NULL && want.list) {
    ask_list (operation, snapshot);
    return;
  }
  if (!is_found && error == NULL) {
    kt_tree_ask_package (operation);
    return;
  }
  if (is_found)
    g_clear_error (&error);
  callback (is_found ? &entry : NULL, error, operation->data);
  kt_operation_free (operation);
}

/* The inode the kernel named; it names none that it has forgotten, so NULL is its error. */
static KtNode *
node_of (KtTree *tree, guint64 id, GError **error)
{
  KtNode *node = kt_nodes_get (tree->nodes, id);

  if (node == NULL)
    g_set_error (error, KT_ERROR, KT_ERROR_NOT_FOUND, "there is no such inode");
  return node;
}

KtOperation *
kt_tree_lookup (KtTree *tree, guint64 parent, const char *name, KtTreeFound callback, gpointer data)
{
  g_autoptr (GError) error = NULL;
  g_auto (KtWant) want = { 0 };
  KtNode *dir = node_of (tree, parent, &error);
  KtInode entry = { 0 };
  gboolean is_found = FALSE;

  if (dir != NULL)
    is_found = kt_tree_resolve (tree, dir, name, NULL, &entry, &want, &error);
  if (want.key != NULL)
    return kt_operation_start (tree, dir, name, want.key, want.mode, on_lookup_answer, (KtTreeCallback) callback, data);
  callback (is_found ? &entry : NULL, error, data);
  return NULL;
}

void
kt_tree_forget (KtTree *tree, guint64 id, guint64 count)
{
  kt_nodes_forget (tree->nodes, id, count);
}
