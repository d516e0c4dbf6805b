/* SPDX-License-Identifier: MIT */
/* package.zip: what the store does not have but the host that the download link leads to. */
#include "kt-tree-private.h"

#include "base/kt-error.h"
#include "base/kt-units.h"

gboolean
kt_tree_has_package (KtTree *tree, KtKey *key)
{
  KtAnswer answer;
  return tree->packages != NULL && kt_store_peek (tree->store, key, KT_STORE_FRESH, &answer)
         && answer.task->download_url[0] != '\0';
}

gboolean
kt_tree_resolve_package (KtTree *tree, KtNode *dir, const KtEntry *row, const KtAnswer *answer, KtTreeEntry *entry)
{
  const KtTask *task = answer->task;
  const GError *failure;
  KtPackage *package;
  gint64 mtime = answer->changed_real;

  if (tree->packages == NULL || task->download_url[0] == '\0') {
    *entry = (KtTreeEntry){ 0 }; /* there is no such name now */
    return TRUE;
  }
  package = kt_packages_peek (tree->packages, answer);
  if (package == NULL) {
    failure = kt_packages_failure (tree->packages, answer);
    return failure != NULL && kt_tree_resolve_failure (tree, dir, row->name, failure, entry);
  }
  if (kt_package_mtime (package) != KT_TIME_UNKNOWN)
    mtime = kt_package_mtime (package);
  else if (task->ended != KT_TIME_UNKNOWN)
    mtime = task->ended * KT_SECOND;
  kt_tree_describe (tree, kt_nodes_look_up_package (tree->nodes, dir, row, package, mtime), task->key, entry);
  entry->entry_life = kt_tree_life_until (tree, MIN (answer->valid_until, kt_package_valid_until (package)));
  return TRUE;
}

static void
on_package (const GError *find_error, gpointer data)
{
  KtTreeCall *call = data;
  KtTree *tree = call->tree;
  g_autoptr (GError) error = find_error != NULL ? g_error_copy (find_error) : NULL;
  g_auto (KtWant) want = { 0 };
  KtTreeEntry entry = { 0 };
  KtAnswer answer;
  gboolean is_found = FALSE;

  if (error == NULL && kt_store_peek (tree->store, call->key, KT_STORE_FRESH, &answer))
    is_found = kt_tree_resolve (tree, call->node, call->name, &answer, &entry, &want, &error);
  if (!is_found && error == NULL)
    error = g_error_new_literal (KT_ERROR, KT_ERROR_NOT_FOUND, "the task or its package has just gone");
  if (error != NULL)
    kt_packages_remember_failure (tree->packages, call->key, error);
  if (error != NULL && kt_tree_resolve_failure (tree, call->node, call->name, error, &entry)) {
    is_found = TRUE;
    g_clear_error (&error);
  }
  ((KtTreeFound) call->callback) (is_found ? &entry : NULL, error, call->data);
  kt_tree_call_free (call);
}

void
kt_tree_ask_package (KtTreeCall *call)
{
  call->waiter = NULL;
  call->package = kt_packages_find (call->tree->packages, call->key, call->deadline, on_package, call);
}

static void
on_bytes (const struct iovec *parts, int n, const GError *error, gpointer data)
{
  KtTreeCall *call = data;

  ((KtTreeBytes) call->callback) (parts, n, error, call->data);
  kt_tree_call_free (call);
}

KtTreeCall *
kt_tree_read_package (KtTree *tree, guint64 id, gint64 offset, gsize size, KtTreeBytes bytes, gpointer data)
{
  KtNode *node = kt_nodes_get (tree->nodes, id);
  KtPackageCall *waiting;
  KtTreeCall *call;

  if (node == NULL || node->package == NULL) {
    g_autoptr (GError) error = g_error_new_literal (KT_ERROR, KT_ERROR_NOT_FOUND, "there is no such file");
    bytes (NULL, 0, error, data);
    return NULL;
  }
  call = kt_tree_call_new (tree, node, NULL, node->key, (KtTreeCallback) bytes, data);
  waiting = kt_package_read (node->package, offset, size, call->deadline, on_bytes, call);
  if (waiting == NULL)
    return NULL; /* answered already: the call is gone */
  call->package = waiting;
  return call;
}
