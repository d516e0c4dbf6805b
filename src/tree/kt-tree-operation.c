/* SPDX-License-Identifier: MIT */
/* An operation that waits: for the store, for lists, for an overview, for a package or for a change. */
#include "kt-operation.h"
#include "kt-tree-private.h"

gpointer
kt_operation_new (gsize size, KtTree *tree, KtNode *node, KtKey *key)
{
  KtOperation *operation = g_malloc0 (size);

  operation->tree = tree;
  operation->node = kt_node_ref (node);
  operation->key = key != NULL ? kt_key_ref (key) : NULL;
  operation->deadline = kt_time_add (kt_clock_monotonic (tree->clock), tree->options.deadline);
  return operation;
}

gboolean
kt_operation_ask (KtOperation *operation, KtStoreMode mode, KtStoreDone done)
{
  KtTree *tree = operation->tree;
  guint was_asking = operation->is_asking;
  KtWaiter *waiter;

  if (mode != KT_STORE_AGAIN && kt_catalog_find (tree->catalog, operation->key->task_id) == operation->key)
    kt_readahead_note (tree->readahead, operation->key, mode, operation->deadline);
  operation->is_asking = TRUE;
  waiter = kt_store_get (tree->store, operation->key, mode, operation->deadline, done, operation);
  operation->is_asking = was_asking;
  if (!operation->has_ended) {
    if (waiter != NULL)
      operation->waiter = waiter;
    return TRUE;
  }
  if (!was_asking)
    kt_operation_free (operation);
  return FALSE;
}

void
kt_operation_free (KtOperation *operation)
{
  if (operation->is_asking) {
    operation->has_ended = TRUE;
    return;
  }
  if (operation->clear != NULL)
    operation->clear (operation);
  kt_node_unref (operation->tree->nodes, operation->node);
  kt_key_unref (operation->key);
  g_free (operation);
}

void
kt_tree_cancel (KtOperation *operation)
{
  if (operation->package_find != NULL) {
    kt_package_find_cancel (operation->package_find);
  } else if (operation->package_read != NULL) {
    kt_package_read_cancel (operation->package_read);
  } else if (operation->waiter != NULL) {
    kt_waiter_cancel (operation->waiter);
  } else if (operation->lists_waiter != NULL) {
    kt_lists_cancel (operation->lists_waiter);
  } else if (operation->overview_waiter != NULL) {
    kt_overview_cancel (operation->overview_waiter);
  } else if (!operation->is_listening) {
    operation->is_cancelled = TRUE;
    return;
  }
  kt_operation_free (operation);
}
