/* SPDX-License-Identifier: MIT */
/* The attributes of an inode: mode, size and times, and how long they hold. */
#include "kt-tree-private.h"

#include "base/kt-error.h"
#include "base/kt-units.h"

#include <string.h>

/* The kernel counts lives in jiffies and rounds up, twice: up to 20 ms where it ticks 100 times a second. An old
 * value must never outlive a newer one that came from the next answer. */
#define KERNEL_ROUNDING (20 * KT_MS)

KtKey *
kt_tree_key_of (KtTree *tree, const KtNode *node)
{
  KtKey *known = node->key != NULL ? kt_catalog_find (tree->catalog, node->key->task_id) : NULL;
  return known != NULL ? known : node->key;
}

guint
kt_tree_families_of (KtTree *tree, const KtNode *node)
{
  const KtKey *key = kt_tree_key_of (tree, node);
  return key != NULL ? KT_FAMILY_BIT (key->family) : KT_FAMILIES_ALL;
}

KtUsec
kt_tree_timeout_until (KtTree *tree, KtUsec until)
{
  if (until == KT_TIME_NEVER)
    return KT_TIME_NEVER;
  return MAX (0, until - kt_clock_monotonic (tree->clock) - KERNEL_ROUNDING);
}

static char *
link_target (const KtNode *node)
{
  return g_strconcat ("../../tasks/", node->own_name, NULL);
}

/* ended, else started, else created, else when it was last heard of */
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
  mtime_wall = MAX (known_mtime (&snapshot), kt_moves_wall (tree->moves, key));
  kt_catalog_set_mtime (tree->catalog, key, mtime_wall);
  return mtime_wall;
}

KtUsec
kt_tree_move_mtime (KtTree *tree, KtKey *key)
{
  const KtUsec mtime_wall = kt_tree_task_mtime (tree, key);
  const KtUsec moved_wall = kt_moves_wall (tree->moves, key);

  if (moved_wall <= mtime_wall)
    return mtime_wall;
  kt_catalog_set_mtime (tree->catalog, key, moved_wall);
  return moved_wall;
}

void
kt_tree_settle_mtime (KtTree *tree, KtKey *key)
{
  if (key != NULL && kt_tree_task_mtime (tree, key) == 0)
    kt_catalog_set_mtime (tree->catalog, key, kt_catalog_changed_wall (tree->catalog));
}

/* How long a directory's mtime holds goes to *LIFE. The kernel is told when that of a task changes, see
 * kt-tree-change.c; its files are too many for that, and their names live no longer than the answer anyway. */
static KtUsec
dir_mtime (KtTree *tree, KtNode *node, KtKey *key, KtUsec *timeout)
{
  KtUsec mtime_wall = key != NULL ? kt_tree_task_mtime (tree, key) : 0;
  KtSnapshot snapshot;

  switch (node->entry->below) {
  case KT_PLACE_TASK:
  case KT_PLACE_FILES:
    node->mtime_wall = mtime_wall;
    *timeout = mtime_wall != 0 ? KT_TIME_NEVER : 0;
    return mtime_wall != 0 ? mtime_wall : kt_catalog_changed_wall (tree->catalog);
  case KT_PLACE_FILE:
    *timeout = kt_store_peek (tree->store, key, KT_STORE_FRESH, &snapshot)
                   ? kt_tree_timeout_until (tree, snapshot.expires_at)
                   : 0;
    return mtime_wall != 0 ? mtime_wall : kt_catalog_changed_wall (tree->catalog);
  case KT_PLACE_TASKS:
  case KT_PLACE_SHARES:
  case KT_PLACE_SHARE: *timeout = 0; return kt_catalog_changed_wall (tree->catalog);
  case KT_PLACE_NONE:
  case KT_PLACE_ROOT:
  case KT_PLACE_CONTROL: break;
  }
  *timeout = KT_TIME_NEVER;
  return tree->started_wall;
}

/* The inode number that stat shows. Of what is made anew at each lookup it stays the same, though each version is a node of
 * its own: cp compares the number it has seen with that of the file it has then opened. */
static ino_t
shown_number (const KtNode *node)
{
  if (node->entry->place == KT_PLACE_CONTROL)
    return KT_NODE_ROOT_ID + 1 + kt_entry_index (node->entry);
  return node->id;
}

/* The size of a file. One that cannot be had has one byte, so that it is read, which tells why. */
static off_t
file_size (const KtNode *node)
{
  if (node->failure != NULL)
    return 1;
  return (off_t) (node->package != NULL ? (gsize) kt_package_size (node->package) : g_bytes_get_size (node->content));
}

void
kt_tree_describe (KtTree *tree, KtNode *node, KtKey *key, KtInode *entry)
{
  KtUsec mtime_wall = node->mtime_wall;

  entry->id = node->id;
  entry->attr_timeout = KT_TIME_NEVER;
  entry->stat = (struct stat){
    .st_ino = shown_number (node),
    .st_uid = tree->options.uid,
    .st_gid = tree->options.gid,
    .st_nlink = 1, /* of a directory: subdirectories are not counted */
    .st_blksize = 4096,
  };
  switch (node->entry->kind) {
  case KT_ENTRY_DIR:
    entry->stat.st_mode = S_IFDIR | 0555;
    mtime_wall = dir_mtime (tree, node, key, &entry->attr_timeout);
    break;
  case KT_ENTRY_FILE:
    entry->stat.st_mode = S_IFREG | 0444;
    entry->attr_timeout = node->lasting ? KT_TIME_NEVER : 0;
    entry->stat.st_size = file_size (node);
    break;
  case KT_ENTRY_CTL:
    entry->stat.st_mode = S_IFREG | 0644;
    entry->attr_timeout = 0; /* after a write the kernel takes it for longer */
    mtime_wall = tree->started_wall;
    break;
  case KT_ENTRY_PACKAGE:
    entry->stat.st_mode = S_IFREG | 0444;
    entry->stat.st_size = file_size (node);
    break;
  case KT_ENTRY_LINK: {
    g_autofree char *target = link_target (node);
    entry->stat.st_mode = S_IFLNK | 0777;
    entry->stat.st_size = (off_t) strlen (target);
    mtime_wall = tree->started_wall;
    break;
  }
  }
  entry->stat.st_blocks = (entry->stat.st_size + 511) / 512;
  entry->stat.st_mtim.tv_sec = mtime_wall / KT_SECOND;
  entry->stat.st_mtim.tv_nsec = mtime_wall % KT_SECOND * 1000;
  entry->stat.st_atim = entry->stat.st_ctim = entry->stat.st_mtim;
  if (node->entry->kind == KT_ENTRY_DIR || node->entry->place == KT_PLACE_CONTROL) {
    /* reading a task's files may move its mtime, and what is made anew at each lookup has another each time; tar takes a
     * ctime that moves for a file or directory changed under it */
    entry->stat.st_ctim.tv_sec = tree->started_wall / KT_SECOND;
    entry->stat.st_ctim.tv_nsec = tree->started_wall % KT_SECOND * 1000;
  }
}

gboolean
kt_tree_getattr (KtTree *tree, guint64 id, KtInode *entry)
{
  KtNode *node = kt_nodes_get (tree->nodes, id);
  KtKey *key;

  if (node == NULL)
    return FALSE;
  key = kt_tree_key_of (tree, node);
  if (node->entry->kind == KT_ENTRY_DIR)
    kt_tree_settle_mtime (tree, key);
  kt_tree_describe (tree, node, key, entry);
  return TRUE;
}

char *
kt_tree_readlink (KtTree *tree, guint64 id)
{
  const KtNode *node = kt_nodes_get (tree->nodes, id);
  return node != NULL && node->entry->kind == KT_ENTRY_LINK ? link_target (node) : NULL;
}
