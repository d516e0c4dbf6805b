/* SPDX-License-Identifier: MIT */
/* wait: a file that can be read once its task has ended, and says then how. */
#include "base/kt-error.h"
#include "kt-entry-ops.h"
#include "kt-lookup.h"
#include "kt-render.h"
#include "kt-tree-private.h"

/* What stat shows while the content is not known: no status is longer. A read that is shorter ends the file. */
#define SIZE_UNKNOWN 64

/* A read that waits. */
typedef struct {
  KtOperation operation;
  KtWait wait;
  KtTreePart part;
  KtTreeBytes bytes;
  gpointer data;
} Read;

static gboolean
is_listed (KtTree *tree, KtKey *key)
{
  return FALSE; /* who reads all files must not wait for all tasks */
}

static GBytes *
content_of (const KtTask *task)
{
  return kt_render_status (&(KtSubject){ .task = task });
}

/* Readers of one inode share its pages, and all but the first would wait for that one where no signal reaches them. So
 * each open has an inode of its own. */
static KtOutcome
resolve (KtLookup *lookup)
{
  const KtOperation *operation = &lookup->operation;
  KtTree *tree = operation->tree;
  const KtTask *ended = kt_waits_peek (tree->waits, operation->key);
  g_autoptr (GBytes) content = ended != NULL ? content_of (ended) : NULL;
  KtNode *node = kt_nodes_look_up_new (tree->nodes, operation->node, lookup->row, content, kt_clock_wall (tree->clock));

  return kt_lookup_found (lookup, node, operation->key, 0);
}

static void
describe (KtTree *tree, KtNode *node, KtKey *key, KtInode *inode, KtUsec *mtime_wall)
{
  inode->attr_timeout = 0;
  inode->stat.st_size = node->content != NULL ? (off_t) g_bytes_get_size (node->content) : SIZE_UNKNOWN;
}

/* The part of NODE's content. */
static void
reply (const KtNode *node, const KtTreePart *part, KtTreeBytes bytes, gpointer data)
{
  gsize size;
  const char *text = g_bytes_get_data (node->content, &size);
  const gsize from = MIN ((gsize) part->offset, size);
  const struct iovec iov = { .iov_base = (char *) text + from, .iov_len = MIN (size - from, part->size) };

  bytes (&iov, 1, NULL, data);
}

static gboolean
on_forgotten (gpointer data)
{
  Read *read = data;

  if (!read->operation.is_cancelled)
    reply (read->operation.node, &read->part, read->bytes, read->data);
  kt_operation_free (&read->operation);
  return G_SOURCE_REMOVE;
}

/* A poll may have come before the last snapshot's names timed out, and the tree, which heard of it first, has them forgotten: who
 * has the word finds no file from before the end. */
static void
on_ended (const KtTask *task, const GError *error, gpointer data)
{
  Read *read = data;
  KtOperation *operation = &read->operation;

  if (task != NULL) {
    if (operation->node->content == NULL)
      operation->node->content = content_of (task);
    operation->is_listening = FALSE; /* from now on it waits for the kernel */
    kt_tree_forget_names (operation->tree, NULL, on_forgotten, read);
    return;
  }
  kt_nodes_fail (operation->tree->nodes, operation->node, error); /* after an error the kernel READs once more */
  read->bytes (NULL, 0, error, read->data);
  kt_operation_free (operation);
}

static void
clear (KtOperation *operation)
{
  kt_wait_end (&((Read *) operation)->wait);
}

static KtOperation *
read_part (KtTree *tree, KtNode *node, const KtTreePart *part, KtTreeBytes bytes, gpointer data)
{
  KtKey *key = kt_tree_key_of (tree, node);
  const KtTask *ended = kt_waits_peek (tree->waits, key);
  g_autoptr (GError) error = NULL;
  Read *read;

  if (ended != NULL && node->content == NULL)
    node->content = content_of (ended);
  if (node->content != NULL) {
    reply (node, part, bytes, data);
    return NULL;
  }
  if (kt_catalog_find (tree->catalog, key->task_id) == NULL) {
    error = g_error_new_literal (KT_ERROR, KT_ERROR_NOT_FOUND, "the task is known no more");
    bytes (NULL, 0, error, data);
    return NULL;
  }
  read = kt_operation_new (sizeof (Read), tree, node, key);
  read->operation.clear = clear;
  read->operation.is_listening = TRUE;
  read->part = *part;
  read->bytes = bytes;
  read->data = data;
  kt_wait_begin (&read->wait, tree->waits, key, on_ended, read);
  if (part->waits)
    return &read->operation;
  /* the service is being asked now, if it is time for that: who comes again will see */
  kt_operation_free (&read->operation);
  error = g_error_new_literal (KT_ERROR, KT_ERROR_NOT_YET, "the task has not ended");
  bytes (NULL, 0, error, data);
  return NULL;
}

/* Readable once a read does not block. */
static guint
poll_end (KtTree *tree, const KtNode *node, guint64 *seen)
{
  KtKey *key = kt_catalog_find (tree->catalog, node->key->task_id);

  if (node->failure != NULL || key == NULL)
    return POLLIN | POLLRDNORM | POLLERR;
  return node->content != NULL || kt_waits_peek (tree->waits, key) != NULL ? POLLIN | POLLRDNORM : 0;
}

const KtEntryOps kt_entry_wait = {
  .mode = S_IFREG | 0444,
  .is_remade = TRUE,
  .resolve = resolve,
  .is_listed = is_listed,
  .describe = describe,
  .read_part = read_part,
  .poll = poll_end,
  .polled_for = KT_WATCH_END,
};
