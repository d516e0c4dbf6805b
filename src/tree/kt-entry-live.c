/* SPDX-License-Identifier: MIT */
/* Files that show this mount as it is when they are looked up. */
#include "kt-entry-ops.h"
#include "kt-lookup.h"
#include "kt-tree-private.h"

static KtOutcome
resolve (KtLookup *lookup)
{
  const KtOperation *operation = &lookup->operation;
  KtTree *tree = operation->tree;
  const KtSubject subject = { .about = &tree->about };
  g_autoptr (GBytes) content = lookup->row->render (&subject);
  KtUsec now_wall = kt_clock_wall (tree->clock);
  KtNode *node = kt_nodes_look_up_version (tree->nodes, operation->node, lookup->row, content, now_wall, now_wall);

  return kt_lookup_found (lookup, node, NULL, 0);
}

const KtEntryOps kt_entry_live = {
  .mode = S_IFREG | 0444,
  .is_remade = TRUE,
  .resolve = resolve,
  .describe = kt_tree_describe_content,
  .read = kt_tree_read_content,
};
