/* SPDX-License-Identifier: MIT */
/* An operation that waits: for the store, for a list, or for a package. */
#include "kt-tree-private.h"

KtTreeCall *
kt_tree_call_new (KtTree *tree, KtNode *node, const char *name, KtKey *key, KtTreeCallback callback, gpointer data)
{
  KtTreeCall *call = g_new0 (KtTreeCall, 1);

  call->tree = tree;
  call->node = kt_node_ref (node);
  call->name = g_strdup (name);
  call->key = key != NULL ? kt_key_ref (key) : NULL;
  call->callback = callback;
  call->data = data;
  call->deadline = kt_time_add (kt_clock_monotonic (tree->clock), tree->options.deadline);
  return call;
}

KtTreeCall *
kt_tree_call (KtTree *tree, KtNode *node, const char *name, KtKey *key, KtStoreMode mode, KtStoreDone done,
              KtTreeCallback callback, gpointer data)
{
  KtTreeCall *call = kt_tree_call_new (tree, node, name, key, callback, data);

  if (mode != KT_STORE_AGAIN && kt_catalog_find (tree->catalog, key->task_id) == key)
    kt_scan_note (tree->scan, key, mode, call->deadline);
  call->mode = mode;
  call->is_beginning = TRUE;
  call->waiter = kt_store_get (tree->store, key, mode, call->deadline, done, call);
  call->is_beginning = FALSE;
  if (!call->has_ended)
    return call;
  kt_tree_call_free (call);
  return NULL;
}

void
kt_tree_call_free (KtTreeCall *call)
{
  if (call->is_beginning) {
    call->has_ended = TRUE;
    return;
  }
  kt_node_unref (call->tree->nodes, call->node);
  kt_key_unref (call->key);
  g_clear_error (&call->refusal);
  g_free (call->name);
  g_free (call);
}

void
kt_tree_cancel (KtTreeCall *call)
{
  if (call->package != NULL) {
    kt_package_cancel (call->package);
  } else if (call->waiter != NULL) {
    kt_waiter_cancel (call->waiter);
  } else if (call->lists_waiter != NULL) {
    kt_lists_cancel (call->lists_waiter);
  } else {
    call->callback = NULL; /* a touch whose names the kernel is forgetting: it ends by itself */
    return;
  }
  kt_tree_call_free (call);
}
