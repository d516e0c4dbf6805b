/* SPDX-License-Identifier: MIT */
/* Files that grow: the event logs. One inode is one log, whatever is appended to it. */
#include "kt-entry-ops.h"
#include "kt-lookup.h"
#include "kt-tree-private.h"

static gboolean
is_listed (KtTree *tree, KtKey *key)
{
  return tree->events != NULL;
}

/* It is there without a request; when nothing has been seen of the task yet it is empty. */
static KtOutcome
resolve (KtLookup *lookup)
{
  const KtOperation *operation = &lookup->operation;
  KtTree *tree = operation->tree;
  KtKey *key = operation->key;
  KtNode *node;

  if (tree->events == NULL || (key != NULL && kt_catalog_find (tree->catalog, key->task_id) == NULL))
    return kt_lookup_absent (lookup, 0);
  node = kt_nodes_look_up_growing (tree->nodes, operation->node, lookup->row, tree->events,
                                   kt_event_file_hold (tree->events, key));
  return kt_lookup_found (lookup, node, key, KT_TIME_NEVER);
}

static void
describe (KtTree *tree, KtNode *node, KtKey *key, KtInode *inode, KtUsec *mtime_wall)
{
  const KtGrowing *growing = node->growing;

  inode->attr_timeout = 0;
  inode->stat.st_size = (off_t) (kt_event_file_size (growing->file) - growing->base);
  *mtime_wall = kt_event_file_mtime (growing->file);
  if (*mtime_wall == 0)
    *mtime_wall = tree->started_wall;
}

static GBytes *
read_at (const KtNode *node, guint64 offset, gsize size)
{
  const KtGrowing *growing = node->growing;
  return kt_event_file_read (growing->events, growing->file, growing->base + offset, size);
}

static void
look (KtTree *tree, KtNode *node, gboolean is_read)
{
  KtGrowing *growing = node->growing;
  const KtUsec now = kt_clock_monotonic (tree->clock);

  if (!is_read && (growing->looked_at == KT_TIME_UNKNOWN || now - growing->looked_at > KT_WATCH_AGAIN))
    return;
  growing->looked_at = now;
  kt_event_file_look (growing->events, growing->file);
}

/* Whoever opens it has not seen anything; later it is what has been appended since that was last said. It is said twice:
 * epoll_ctl() asks, tells nobody, and has epoll_wait() ask again. */
static guint
poll_growth (KtTree *tree, const KtNode *node, guint64 *seen)
{
  const guint64 once = (kt_event_file_size (node->growing->file) + 1) << 1;
  const guint64 twice = once | 1;

  if (*seen == twice)
    return KT_POLL_DEFAULT;
  *seen = *seen == once ? twice : once;
  return KT_POLL_CHANGED;
}

const KtEntryOps kt_entry_growing = {
  .mode = S_IFREG | 0444,
  .is_constant = TRUE,
  .resolve = resolve,
  .is_listed = is_listed,
  .describe = describe,
  .read_at = read_at,
  .look = look,
  .poll = poll_growth,
};
