/* SPDX-License-Identifier: MIT */
/* The attributes of an inode: mode, size and times, and how long they hold. */
#include "kt-tree-private.h"

#include "base/kt-units.h"

/* The kernel counts timeouts in jiffies and rounds up, twice: up to 20 ms where it ticks 100 times a second. An old
 * value must never outlive a newer one that came from the next response. */
#define KERNEL_ROUNDING (20 * KT_MS)

KtKey *
kt_tree_key_of (KtTree *tree, const KtNode *node)
{
  KtKey *known = node->key != NULL ? kt_catalog_find (tree->catalog, node->key->task_id) : NULL;
  return known != NULL ? known : node->key;
}

guint
kt_tree_facts_of (KtTree *tree, const KtNode *node)
{
  const KtKey *key = kt_tree_key_of (tree, node);
  return key != NULL ? kt_family_facts (key->family) : KT_FACTS_ALL;
}

KtUsec
kt_tree_timeout_until (KtTree *tree, KtUsec until)
{
  if (until == KT_TIME_NEVER)
    return KT_TIME_NEVER;
  return MAX (0, until - kt_clock_monotonic (tree->clock) - KERNEL_ROUNDING);
}

/* ended, else started, else created, else when a response last had it */
static KtUsec
known_mtime (const KtSnapshot *snapshot)
{
  const KtTask *task = snapshot->task;

  if (task->ended != KT_TIME_UNKNOWN)
    return task->ended * KT_SECOND;
  if (task->started != KT_TIME_UNKNOWN)
    return task->started * KT_SECOND;
  if (task->created != KT_TIME_UNKNOWN)
    return task->created * KT_SECOND;
  return snapshot->changed_wall;
}

KtUsec
kt_tree_task_mtime (KtTree *tree, KtKey *key)
{
  KtUsec mtime_wall = kt_catalog_mtime (tree->catalog, key);
  KtSnapshot snapshot;

  if (mtime_wall != 0 || !kt_store_peek (tree->store, key, KT_STORE_LISTED, &snapshot))
    return mtime_wall;
  mtime_wall = MAX (known_mtime (&snapshot), snapshot.moved_wall);
  kt_catalog_set_mtime (tree->catalog, key, mtime_wall);
  return mtime_wall;
}

KtUsec
kt_tree_move_mtime (KtTree *tree, KtKey *key)
{
  const KtUsec mtime_wall = kt_tree_task_mtime (tree, key);
  KtSnapshot snapshot;

  if (!kt_store_peek (tree->store, key, KT_STORE_LISTED, &snapshot) || snapshot.moved_wall <= mtime_wall)
    return mtime_wall;
  kt_catalog_set_mtime (tree->catalog, key, snapshot.moved_wall);
  return snapshot.moved_wall;
}

void
kt_tree_settle_mtime (KtTree *tree, KtKey *key)
{
  if (key != NULL && kt_tree_task_mtime (tree, key) == 0)
    kt_catalog_set_mtime (tree->catalog, key, kt_catalog_changed_wall (tree->catalog));
}

void
kt_tree_describe_content (KtTree *tree, KtNode *node, KtKey *key, KtInode *inode, KtUsec *mtime_wall)
{
  inode->attr_timeout = node->lasting ? KT_TIME_NEVER : 0;
  inode->stat.st_size = node->failure != NULL ? KT_FAILURE_SIZE : (off_t) g_bytes_get_size (node->content);
}

static struct timespec
time_of (KtUsec wall)
{
  return (struct timespec){ .tv_sec = wall / KT_SECOND, .tv_nsec = wall % KT_SECOND * 1000 };
}

void
kt_tree_describe (KtTree *tree, KtNode *node, KtKey *key, KtInode *inode)
{
  const KtEntryOps *ops = node->entry->ops;
  KtUsec mtime_wall = node->mtime_wall;

  inode->id = node->id;
  inode->attr_timeout = KT_TIME_NEVER;
  inode->stat = (struct stat){
    /* cp compares the number it has seen with that of the file it has then opened */
    .st_ino = ops->is_remade ? KT_NODE_ROOT_ID + 1 + kt_entry_index (tree->files, node->entry) : node->id,
    .st_mode = ops->mode,
    .st_uid = tree->options.uid,
    .st_gid = tree->options.gid,
    .st_nlink = 1, /* of a directory: subdirectories are not counted */
    .st_blksize = 4096,
  };
  ops->describe (tree, node, key, inode, &mtime_wall);
  inode->stat.st_blocks = (inode->stat.st_size + 511) / 512;
  inode->stat.st_mtim = inode->stat.st_atim = time_of (mtime_wall);
  /* reading a task's files may move its mtime, and what is made anew at each lookup has another each time; tar takes a
   * ctime that moves for a file or directory changed under it */
  inode->stat.st_ctim = time_of (S_ISDIR (ops->mode) || ops->is_remade ? tree->started_wall : mtime_wall);
}

gboolean
kt_tree_getattr (KtTree *tree, guint64 id, KtInode *entry)
{
  KtNode *node = kt_nodes_get (tree->nodes, id);
  KtKey *key;

  if (node == NULL)
    return FALSE;
  key = kt_tree_key_of (tree, node);
  if (S_ISDIR (node->entry->ops->mode))
    kt_tree_settle_mtime (tree, key);
  kt_tree_describe (tree, node, key, entry);
  return TRUE;
}

char *
kt_tree_readlink (KtTree *tree, guint64 id)
{
  const KtNode *node = kt_nodes_get (tree->nodes, id);
  return node != NULL && node->entry->ops->readlink != NULL ? node->entry->ops->readlink (node) : NULL;
}
