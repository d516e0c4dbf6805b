/* SPDX-License-Identifier: MIT */
/* Reads of package.zip, which may wait for its host. */
#include "base/kt-error.h"
#include "kt-operation.h"
#include "kt-tree-private.h"

typedef struct {
  KtOperation operation;
  KtTreeBytes bytes;
  gpointer data;
} Read;

static void
on_bytes (const struct iovec *parts, int n, const GError *error, gpointer data)
{
  Read *read = data;

  read->bytes (parts, n, error, read->data);
  kt_operation_free (&read->operation);
}

KtOperation *
kt_tree_read_package (KtTree *tree, guint64 id, gint64 offset, gsize size, KtTreeBytes bytes, gpointer data)
{
  KtNode *node = kt_nodes_get (tree->nodes, id);
  KtPackageRead *waiting;
  Read *read;

  if (node == NULL || node->package == NULL) {
    g_autoptr (GError) error = g_error_new_literal (KT_ERROR, KT_ERROR_NOT_FOUND, "there is no such file");
    bytes (NULL, 0, error, data);
    return NULL;
  }
  read = kt_operation_new (sizeof (Read), tree, node, node->key);
  read->bytes = bytes;
  read->data = data;
  waiting = kt_package_read (node->package, offset, size, read->operation.deadline, on_bytes, read);
  if (waiting == NULL)
    return NULL; /* it has ended already, and is gone */
  read->operation.package_read = waiting;
  return &read->operation;
}
