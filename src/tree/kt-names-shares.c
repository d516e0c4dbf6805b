/* SPDX-License-Identifier: MIT */
/* The names in shares/, the shares that tasks are of, and in shares/SHAREID/, their tasks. */
#include "base/kt-names.h"
#include "kt-entry-ops.h"
#include "kt-lookup.h"
#include "kt-tree-private.h"

/* Any id may be a share: the service cannot be asked whether there is one. */
static KtOutcome
find_share (KtLookup *lookup)
{
  if (!kt_id_is_valid (lookup->name))
    return kt_lookup_absent (lookup, KT_TIME_NEVER);
  return kt_lookup_constant (lookup);
}

static const char *
share_at (gconstpointer shares, guint index)
{
  return g_ptr_array_index ((GPtrArray *) shares, index);
}

static void
list_shares (KtTree *tree, const KtNode *dir, const KtSnapshot *snapshot, KtNameList *list)
{
  GPtrArray *shares = kt_catalog_list_shares (tree->catalog);

  *list = (KtNameList){ shares->len, share_at, NULL, shares, (GDestroyNotify) g_ptr_array_unref };
}

/* A known task is found without a request; another one is asked for. */
static KtOutcome
find_task (KtLookup *lookup)
{
  const KtOperation *operation = &lookup->operation;
  KtTree *tree = operation->tree;
  g_autoptr (KtKey) key = NULL;
  const KtKey *known;
  KtNode *node;

  if (!kt_id_is_valid (lookup->name))
    return kt_lookup_absent (lookup, KT_TIME_NEVER);
  key = kt_key_new_share (kt_node_name (operation->node), lookup->name);
  known = kt_catalog_find (tree->catalog, lookup->name);
  if (known == NULL || !kt_key_equal (known, key)) {
    if (lookup->snapshot == NULL && (tree->options.families & kt_families_with (KT_FACT_OF_SHARE)) == 0)
      return kt_lookup_absent (lookup, 0);
    if (lookup->snapshot == NULL)
      return kt_lookup_needs_task (lookup, key, KT_STORE_FRESH);
    kt_catalog_add (tree->catalog, KT_CATALOG_FOUND, key);
  }
  node = kt_nodes_look_up (tree->nodes, operation->node, lookup->row, lookup->name, key);
  return kt_lookup_found (lookup, node, key, KT_TIME_NEVER);
}

static const char *
task_at (gconstpointer keys, guint index)
{
  return ((const KtKey *) g_ptr_array_index ((GPtrArray *) keys, index))->task_id;
}

static void
list_tasks (KtTree *tree, const KtNode *dir, const KtSnapshot *snapshot, KtNameList *list)
{
  GPtrArray *keys = kt_catalog_list_share (tree->catalog, kt_node_name (dir));

  *list = (KtNameList){ keys->len, task_at, NULL, keys, (GDestroyNotify) g_ptr_array_unref };
}

const KtNames kt_names_shares = { find_share, list_shares };
const KtNames kt_names_share_tasks = { find_task, list_tasks };
