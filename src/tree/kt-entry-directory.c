/* SPDX-License-Identifier: MIT */
/* Directories: by what they show as their mtime, and what they need before they are listed. */
#include "kt-entry-ops.h"
#include "kt-lookup.h"
#include "kt-tree-private.h"

#define DIRECTORY .mode = S_IFDIR | 0555, .is_constant = TRUE, .resolve = kt_lookup_constant

static void
describe_fixed (KtTree *tree, KtNode *node, KtKey *key, KtInode *inode, KtUsec *mtime_wall)
{
  *mtime_wall = tree->started_wall;
}

static void
describe_catalog (KtTree *tree, KtNode *node, KtKey *key, KtInode *inode, KtUsec *mtime_wall)
{
  inode->attr_timeout = 0;
  *mtime_wall = kt_catalog_changed_wall (tree->catalog);
}

/* The mtime of a task's directory, or, while that is not settled, that of the catalog. */
static KtUsec
shown_mtime (KtTree *tree, KtKey *key, KtUsec *settled_wall)
{
  *settled_wall = key != NULL ? kt_tree_task_mtime (tree, key) : 0;
  return *settled_wall != 0 ? *settled_wall : kt_catalog_changed_wall (tree->catalog);
}

/* The kernel is notified when the mtime of a task's directory moves, see kt-tree-invalidate.c. */
static void
describe_task (KtTree *tree, KtNode *node, KtKey *key, KtInode *inode, KtUsec *mtime_wall)
{
  *mtime_wall = shown_mtime (tree, key, &node->mtime_wall);
  inode->attr_timeout = node->mtime_wall != 0 ? KT_TIME_NEVER : 0;
}

/* For notifications a task's files are too many; the timeout of their names is that of the snapshot anyway. */
static void
describe_task_file (KtTree *tree, KtNode *node, KtKey *key, KtInode *inode, KtUsec *mtime_wall)
{
  KtSnapshot snapshot;
  KtUsec settled_wall;

  *mtime_wall = shown_mtime (tree, key, &settled_wall);
  inode->attr_timeout = kt_store_peek (tree->store, key, KT_STORE_FRESH, &snapshot)
                            ? kt_tree_timeout_until (tree, snapshot.expires_at)
                            : 0;
}

/* What there is depends on the task, and who lists it will read it; but where its family has nothing there, nothing. */
static KtOutcome
list_needs_task (KtTree *tree, const KtNode *dir)
{
  const KtPlace place = dir->entry->below;
  const guint facts = kt_tree_facts_of (tree, dir);

  for (const KtEntry *row = tree->files; row->ops != NULL; row++)
    if (row->place == place && (row->facts & facts) != 0)
      return KT_NEEDS_TASK;
  return KT_FOUND;
}

static KtOutcome
list_needs_lists (KtTree *tree, const KtNode *dir)
{
  return KT_NEEDS_LISTS;
}

static void
describe_statuses (KtTree *tree, KtNode *node, KtKey *key, KtInode *inode, KtUsec *mtime_wall)
{
  inode->attr_timeout = 0;
  *mtime_wall = kt_catalog_status_wall (tree->catalog, NULL);
}

static void
describe_status (KtTree *tree, KtNode *node, KtKey *key, KtInode *inode, KtUsec *mtime_wall)
{
  g_autofree char *word = kt_status_word (tree, kt_node_name (node));

  inode->attr_timeout = 0;
  *mtime_wall = kt_catalog_status_wall (tree->catalog, word != NULL ? word : kt_node_name (node));
}

/* From memory, but for the first look at all: nothing that exists is to be missing then. Who lists again and again is
 * watching. */
static KtOutcome
list_needs_first_lists (KtTree *tree, const KtNode *dir)
{
  kt_watch_look (tree->watch, dir->entry, NULL);
  return kt_lists_have_been_read (tree->lists) ? KT_FOUND : KT_NEEDS_LISTS;
}

const KtEntryOps kt_entry_directory = { DIRECTORY, .describe = describe_fixed };
const KtEntryOps kt_entry_tasks = { DIRECTORY, .describe = describe_catalog, .list_needs = list_needs_lists };
const KtEntryOps kt_entry_shares = { DIRECTORY, .describe = describe_catalog };
const KtEntryOps kt_entry_statuses = { DIRECTORY, .describe = describe_statuses, .list_needs = list_needs_first_lists };
const KtEntryOps kt_entry_status = { DIRECTORY, .describe = describe_status, .list_needs = list_needs_first_lists };
const KtEntryOps kt_entry_task = { DIRECTORY, .describe = describe_task, .list_needs = list_needs_task };
const KtEntryOps kt_entry_task_file = { DIRECTORY, .describe = describe_task_file };
