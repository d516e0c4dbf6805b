/* SPDX-License-Identifier: MIT */
/* package.zip: what the store does not have, but the host that the task's download link leads to. */
#include "kt-entry-ops.h"
#include "kt-lookup.h"
#include "kt-tree-private.h"

static gboolean
is_listed (KtTree *tree, KtKey *key)
{
  KtSnapshot snapshot;
  return tree->packages != NULL && kt_store_peek (tree->store, key, KT_STORE_FRESH, &snapshot)
         && snapshot.task->download_url[0] != '\0';
}

/* The host's own time, else the end of the task, else when the response came that had the link. */
static KtUsec
mtime_of (const KtPackage *package, const KtSnapshot *snapshot)
{
  if (kt_package_mtime (package) != KT_TIME_UNKNOWN)
    return kt_package_mtime (package);
  return snapshot->task->ended != KT_TIME_UNKNOWN ? snapshot->task->ended * KT_SECOND : snapshot->changed_wall;
}

static KtOutcome
resolve (KtLookup *lookup)
{
  const KtOperation *operation = &lookup->operation;
  KtTree *tree = operation->tree;
  const KtSnapshot *snapshot = lookup->snapshot;
  const GError *failure;
  KtPackage *package;
  KtNode *node;

  if (snapshot == NULL)
    return kt_lookup_needs_task (lookup, operation->key, KT_STORE_FRESH);
  if (tree->packages == NULL || snapshot->task->download_url[0] == '\0')
    return kt_lookup_absent (lookup, 0);
  package = kt_packages_peek (tree->packages, snapshot);
  if (package == NULL) {
    failure = kt_packages_failure (tree->packages, snapshot);
    return failure != NULL && kt_lookup_fail (lookup, failure) == KT_FOUND ? KT_FOUND : KT_NEEDS_PACKAGE;
  }
  node = kt_nodes_look_up_package (tree->nodes, operation->node, lookup->row, package, mtime_of (package, snapshot));
  return kt_lookup_found (lookup, node, snapshot->task->key,
                          kt_tree_timeout_until (tree, MIN (snapshot->expires_at, kt_package_expires_at (package))));
}

static void
describe (KtTree *tree, KtNode *node, KtKey *key, KtInode *inode, KtUsec *mtime_wall)
{
  inode->stat.st_size = node->failure != NULL ? KT_FAILURE_SIZE : (off_t) kt_package_size (node->package);
}

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

static KtOperation *
read_part (KtTree *tree, KtNode *node, const KtTreePart *part, KtTreeBytes bytes, gpointer data)
{
  Read *read = kt_operation_new (sizeof (Read), tree, node, node->key);
  KtPackageRead *waiting;

  read->bytes = bytes;
  read->data = data;
  waiting = kt_package_read (node->package, part->offset, part->size, read->operation.deadline, on_bytes, read);
  if (waiting == NULL)
    return NULL; /* it has ended already, and is gone */
  read->operation.package_read = waiting;
  return &read->operation;
}

const KtEntryOps kt_entry_package = {
  .mode = S_IFREG | 0444,
  .resolve = resolve,
  .is_listed = is_listed,
  .describe = describe,
  .read_part = read_part,
};
