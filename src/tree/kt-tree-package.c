/* SPDX-License-Identifier: MIT */
/* package.zip: what the store does not have but the host that the download link leads to. */
#include "kt-tree-private.h"

#include "base/kt-error.h"
#include "base/kt-units.h"

gboolean
kt_tree_has_package (KtTree *tree, KtKey *key)
{
  KtSnapshot snapshot;
  return tree->packages != NULL && kt_store_peek (tree->store, key, KT_STORE_FRESH, &snapshot)
         && snapshot.task->download_url[0] != '\0';
}

gboolean
kt_tree_resolve_package (KtTree *tree, KtNode *dir, const KtEntry *row, const KtSnapshot *snapshot, KtInode *entry)
{
  const KtTask *task = snapshot->task;
  const GError *failure;
  KtPackage *package;
  KtUsec mtime_wall = snapshot->changed_wall;

  if (tree->packages == NULL || task->download_url[0] == '\0') {
    *entry = (KtInode){ 0 }; /* there is no such name now */
    return TRUE;
  }
  package = kt_packages_peek (tree->packages, snapshot);
  if (package == NULL) {
    failure = kt_packages_failure (tree->packages, snapshot);
    return failure != NULL && kt_tree_resolve_failure (tree, dir, row->name, failure, entry);
  }
  if (kt_package_mtime (package) != KT_TIME_UNKNOWN)
    mtime_wall = kt_package_mtime (package);
  else if (task->ended != KT_TIME_UNKNOWN)
    mtime_wall = task->ended * KT_SECOND;
  kt_tree_describe (tree, kt_nodes_look_up_package (tree->nodes, dir, row, package, mtime_wall), task->key, entry);
  entry->entry_timeout = kt_tree_timeout_until (tree, MIN (snapshot->expires_at, kt_package_expires_at (package)));
  return TRUE;
}

static void
on_package (const GError *find_error, gpointer data)
{
  KtOperation *operation = data;
  KtTree *tree = operation->tree;
  g_autoptr (GError) error = find_error != NULL ? g_error_copy (find_error) : NULL;
  g_auto (KtWant) want = { 0 };
  KtInode entry = { 0 };
  KtSnapshot snapshot;
  gboolean is_found = FALSE;

  if (error == NULL && kt_store_peek (tree->store, operation->key, KT_STORE_FRESH, &snapshot))
    is_found = kt_tree_resolve (tree, operation->node, operation->name, &snapshot, &entry, &want, &error);
  if (!is_found && error == NULL)
    error = g_error_new_literal (KT_ERROR, KT_ERROR_NOT_FOUND, "the task or its package has just gone");
  if (error != NULL)
    kt_packages_remember_failure (tree->packages, operation->key, error);
  if (error != NULL && kt_tree_resolve_failure (tree, operation->node, operation->name, error, &entry)) {
    is_found = TRUE;
    g_clear_error (&error);
  }
  ((KtTreeFound) operation->callback) (is_found ? &entry : NULL, error, operation->data);
  kt_operation_free (operation);
}

void
kt_tree_ask_package (KtOperation *operation)
{
  operation->waiter = NULL;
  operation->package_find =
      kt_packages_find (operation->tree->packages, operation->key, operation->deadline, on_package, operation);
}

static void
on_bytes (const struct iovec *parts, int n, const GError *error, gpointer data)
{
  KtOperation *operation = data;

  ((KtTreeBytes) operation->callback) (parts, n, error, operation->data);
  kt_operation_free (operation);
}

KtOperation *
kt_tree_read_package (KtTree *tree, guint64 id, gint64 offset, gsize size, KtTreeBytes bytes, gpointer data)
{
  KtNode *node = kt_nodes_get (tree->nodes, id);
  KtPackageRead *waiting;
  KtOperation *operation;

  if (node == NULL || node->package == NULL) {
    g_autoptr (GError) error = g_error_new_literal (KT_ERROR, KT_ERROR_NOT_FOUND, "there is no such file");
    bytes (NULL, 0, error, data);
    return NULL;
  }
  operation = kt_operation_new (tree, node, NULL, node->key, (KtTreeCallback) bytes, data);
  waiting = kt_package_read (node->package, offset, size, operation->deadline, on_bytes, operation);
  if (waiting == NULL)
    return NULL; /* answered already: the call is gone */
  operation->package_read = waiting;
  return operation;
}
