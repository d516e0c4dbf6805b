/* SPDX-License-Identifier: MIT */
/* The names in tasks/TASKID/files/: those of the task's files in its snapshot. */
#include "kt-entry-ops.h"
#include "kt-lookup.h"
#include "kt-tree-private.h"

static KtOutcome
find (KtLookup *lookup)
{
  const KtOperation *operation = &lookup->operation;
  const KtSnapshot *snapshot = lookup->snapshot;
  KtTree *tree = operation->tree;
  KtNode *node;

  if (snapshot == NULL)
    return kt_lookup_needs_task (lookup, operation->key, KT_STORE_FRESH);
  if (kt_task_find_file (snapshot->task, lookup->name) == NULL)
    return kt_lookup_absent (lookup, 0);
  node = kt_nodes_look_up (tree->nodes, operation->node, lookup->row, lookup->name, snapshot->task->key);
  return kt_lookup_found (lookup, node, snapshot->task->key, kt_tree_timeout_until (tree, snapshot->expires_at));
}

static const char *
name_at (gconstpointer task, guint index)
{
  return g_array_index (((const KtTask *) task)->files, KtTaskFile, index).name;
}

static void
list (KtTree *tree, const KtNode *dir, const KtSnapshot *snapshot, KtNameList *list)
{
  if (snapshot != NULL)
    *list = (KtNameList){ snapshot->task->files->len, name_at, NULL, kt_task_ref (snapshot->task),
                          (GDestroyNotify) kt_task_unref };
}

const KtNames kt_names_files = { find, list };
