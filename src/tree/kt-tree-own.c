/* SPDX-License-Identifier: MIT */
/* What the daemon's own thread finds on its way to what it announces: from memory, whatever its age. */
#include "kt-tree-own.h"

#include "kt-lookup.h"
#include "kt-tree-private.h"

#include <string.h>

#define INODES_ID 2 /* less than KT_NODE_FIRST_ID: that of no node */

/* The directory of numbers. The kernel's lookups of it need no counting: it is never freed. */
static void
describe_inodes (const KtTree *tree, KtInode *entry)
{
  *entry = (KtInode){ .id = INODES_ID, .attr_timeout = KT_TIME_NEVER };
  entry->stat = (struct stat){
    .st_ino = INODES_ID,
    .st_mode = S_IFDIR | 0500,
    .st_uid = tree->options.uid,
    .st_gid = tree->options.gid,
    .st_nlink = 1,
    .st_blksize = 4096,
  };
}

/* NODE, with one lookup more, for this once. */
static gboolean
describe_once (KtTree *tree, KtNode *node, KtInode *entry)
{
  if (node == NULL)
    return FALSE;
  kt_tree_describe (tree, node, kt_tree_key_of (tree, node), entry);
  entry->entry_timeout = 0;
  return TRUE;
}

gboolean
kt_tree_look_up_own (KtTree *tree, guint64 parent, const char *name, KtInode *entry)
{
  KtNode *dir = kt_nodes_get (tree->nodes, parent);
  KtLookup lookup;
  KtOutcome outcome;

  if (parent == INODES_ID)
    return describe_once (tree, kt_nodes_look_up_again (tree->nodes, g_ascii_strtoull (name, NULL, 10)), entry);
  if (parent == KT_NODE_ROOT_ID && strcmp (name, KT_TREE_INODES) == 0) {
    describe_inodes (tree, entry);
    return TRUE;
  }
  if (dir == NULL)
    return FALSE;
  kt_lookup_init (&lookup, tree, dir, name);
  outcome = kt_lookup_from_cache (&lookup);
  *entry = lookup.inode;
  kt_lookup_clear (&lookup);
  if (outcome == KT_FOUND)
    return TRUE;
  dir = kt_nodes_find (tree->nodes, dir, name);
  return dir != NULL && describe_once (tree, kt_nodes_look_up_again (tree->nodes, dir->id), entry);
}
