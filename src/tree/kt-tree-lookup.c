/* SPDX-License-Identifier: MIT */
/* LOOKUP: finds a name with what is cached, or asks for what it takes and tries again. */
#include "kt-tree-private.h"

#include "base/kt-error.h"

static void on_lookup_answer (const KtAnswer *answer, const GError *store_error, gpointer data);

/* The list has told what it can: the task's answer is what it is now, and asked for anew only if that was let go. */
static void
on_list_told (gpointer data)
{
  KtTreeCall *call = data;
  gboolean was_beginning = call->is_beginning;
  KtAnswer answer;

  call->lists_waiter = NULL;
  if (kt_store_peek (call->tree->store, call->key, call->mode, &answer)) {
    on_lookup_answer (&answer, NULL, call);
    return;
  }
  call->is_beginning = TRUE;
  call->waiter = kt_store_get (call->tree->store, call->key, call->mode, call->deadline, on_lookup_answer, call);
  call->is_beginning = was_beginning;
  if (call->has_ended && !was_beginning)
    kt_tree_call_free (call);
}

/* Between the two halves of a lookup: waits for the list that may tell what ANSWER lacks. */
static void
ask_list (KtTreeCall *call, const KtAnswer *answer)
{
  KtListsWaiter *waiter;

  call->waiter = NULL;
  call->has_list = TRUE;
  waiter = kt_lists_complete (call->tree->lists, answer, call->deadline, on_list_told, call);
  if (waiter != NULL) /* else the call may be gone */
    call->lists_waiter = waiter;
}

static void
on_lookup_answer (const KtAnswer *answer, const GError *store_error, gpointer data)
{
  KtTreeCall *call = data;
  KtTreeFound callback = (KtTreeFound) call->callback;
  g_autoptr (GError) error = store_error != NULL ? g_error_copy (store_error) : NULL;
  g_auto (KtWant) want = { .no_list = call->has_list };
  KtTreeEntry entry = { 0 };
  gboolean is_found = FALSE;

  if (error == NULL)
    is_found = kt_tree_resolve (call->tree, call->node, call->name, answer, &entry, &want, &error);
  else
    is_found = kt_tree_resolve_failure (call->tree, call->node, call->name, error, &entry);
  if (!is_found && error == NULL && want.list) {
    ask_list (call, answer);
    return;
  }
  if (!is_found && error == NULL) {
    kt_tree_ask_package (call);
    return;
  }
  if (is_found)
    g_clear_error (&error);
  callback (is_found ? &entry : NULL, error, call->data);
  kt_tree_call_free (call);
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

KtTreeCall *
kt_tree_lookup (KtTree *tree, guint64 parent, const char *name, KtTreeFound callback, gpointer data)
{
  g_autoptr (GError) error = NULL;
  g_auto (KtWant) want = { 0 };
  KtNode *dir = node_of (tree, parent, &error);
  KtTreeEntry entry = { 0 };
  gboolean is_found = FALSE;

  if (dir != NULL)
    is_found = kt_tree_resolve (tree, dir, name, NULL, &entry, &want, &error);
  if (want.key != NULL)
    return kt_tree_call (tree, dir, name, want.key, want.mode, on_lookup_answer, (KtTreeCallback) callback, data);
  callback (is_found ? &entry : NULL, error, data);
  return NULL;
}

void
kt_tree_forget (KtTree *tree, guint64 id, guint64 count)
{
  kt_nodes_forget (tree->nodes, id, count);
}
