/* SPDX-License-Identifier: MIT */
/* Links to tasks in tasks/. */
#include "kt-entry-ops.h"
#include "kt-tree-private.h"

#include <string.h>

static char *
target (const KtNode *node)
{
  return g_strconcat ("../../tasks/", kt_node_name (node), NULL);
}

static void
describe (KtTree *tree, KtNode *node, KtKey *key, KtInode *inode, KtUsec *mtime_wall)
{
  g_autofree char *text = target (node);

  inode->stat.st_size = (off_t) strlen (text);
  *mtime_wall = tree->started_wall;
}

const KtEntryOps kt_entry_link = { .mode = S_IFLNK | 0777, .describe = describe, .readlink = target };
