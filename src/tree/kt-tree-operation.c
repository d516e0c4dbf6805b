/* SPDX-License-Identifier: MIT */
/* An operation that waits: for the store, for a list, or for a package. */
#include "kt-tree-private.h"

KtOperation *
kt_operation_new (KtTree *tree, KtNode *node, const char *name, KtKey *key, KtTreeCallback callback, gpointer data)
{
  KtOperation *operation = g_new0 (KtOperation, 1);

  operation->tree = tree;
  operation->node = kt_node_ref (node);
  operation->name = g_strdup (name);
  operation->key = key != NULL ? kt_key_ref (key) : NULL;
  operation->callback = callback;
  operation->data = data;
  operation->deadline = kt_time_add (kt_clock_monotonic (tree->clock), tree->options.deadline);
  return operation;
}

KtOperation *
kt_operation_start (KtTree *tree, KtNode *node, const char *name, KtKey *key, KtStoreMode mode, KtStoreDone done,
                    KtTreeCallback callback, gpointer data)
{
  KtOperation *operation = kt_operation_new (tree, node, name, key, callback, data);

  if (mode != KT_STORE_AGAIN && kt_catalog_find (tree->catalog, key->task_id) == key)
    kt_readahead_note (tree->readahead, key, mode, operation->deadline);
  operation->mode = mode;
  operation->is_beginning = TRUE;
  operation->waiter = kt_store_get (tree->store, key, mode, operation->deadline, done, operation);
  operation->is_beginning = FALSE;
  if (!operation->has_ended)
    return operation;
  kt_operation_free (operation);
  return NULL;
}

void
kt_operation_free (KtOperation *operation)
{
  if (operation->is_beginning) {
    operation->has_ended = TRUE;
    return;
  }
  kt_node_unref (operation->tree->nodes, operation->node);
  kt_key_unref (operation->key);
  g_clear_error (&operation->refusal);
  g_free (operation->name);
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
  } else {
    operation->callback = NULL; /* a touch whose names the kernel is forgetting: it ends by itself */
    return;
  }
  kt_operation_free (operation);
}
