/* SPDX-License-Identifier: MIT */
/* Files that show all tasks, as memory has them. */
#include "kt-entry-ops.h"
#include "kt-lookup.h"
#include "kt-tree-private.h"

/* Who looks again and again is watching; so the name has no timeout. The first look of all waits for the lists: a table
 * without the tasks that exist would not be the truth. */
static KtOutcome
resolve (KtLookup *lookup)
{
  const KtOperation *operation = &lookup->operation;
  KtTree *tree = operation->tree;
  KtUsec made_wall;
  GBytes *content;
  KtNode *node;

  if (lookup->is_listing)
    return KT_NEEDS_VIEW;
  if (!lookup->has_lists && !lookup->has_view)
    kt_watch_look (tree->watch, lookup->row, NULL);
  if (!lookup->has_lists && !kt_lists_have_been_read (tree->lists))
    return KT_NEEDS_LISTS;
  content = lookup->has_view ? kt_overview_last (tree->overview, lookup->row, &made_wall)
                             : kt_overview_get (tree->overview, lookup->row, &made_wall);
  if (content == NULL)
    return KT_NEEDS_VIEW;
  node = kt_nodes_look_up_version (tree->nodes, operation->node, lookup->row, content, made_wall, made_wall);
  return kt_lookup_found (lookup, node, NULL, 0);
}

const KtEntryOps kt_entry_overview = {
  .mode = S_IFREG | 0444,
  .is_remade = TRUE,
  .resolve = resolve,
  .describe = kt_tree_describe_content,
  .read = kt_tree_read_content,
};
