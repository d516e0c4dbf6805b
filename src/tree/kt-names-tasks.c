/* SPDX-License-Identifier: MIT */
/* The names in tasks/: the ids of all tasks in the catalog, and of those that the service finds by name. */
#include "base/kt-names.h"
#include "kt-entry-ops.h"
#include "kt-lookup.h"
#include "kt-tree-private.h"

/* A known task is found without a request. Another id is asked for in the families where the id alone names a task. */
static KtOutcome
find (KtLookup *lookup)
{
  KtTree *tree = lookup->operation.tree;
  KtKey *known;
  KtNode *node;

  if (!kt_id_is_valid (lookup->name))
    return kt_lookup_absent (lookup, KT_TIME_NEVER);
  known = kt_catalog_find (tree->catalog, lookup->name);
  if (known == NULL && lookup->snapshot == NULL) {
    g_autoptr (KtKey) key = kt_key_new (KT_FAMILY_UNKNOWN, lookup->name);
    if ((tree->options.families & kt_families_with (KT_FACT_BY_ID)) == 0)
      return kt_lookup_absent (lookup, 0);
    return kt_lookup_needs_task (lookup, key, KT_STORE_FRESH);
  }
  if (known == NULL) {
    known = lookup->snapshot->task->key;
    kt_catalog_add (tree->catalog, KT_CATALOG_FOUND, known);
  }
  node = kt_nodes_look_up (tree->nodes, lookup->operation.node, lookup->row, lookup->name, known);
  return kt_lookup_found (lookup, node, known, KT_TIME_NEVER);
}

static KtKey *
key_at (gconstpointer keys, guint index)
{
  return g_ptr_array_index ((GPtrArray *) keys, index);
}

static const char *
name_at (gconstpointer keys, guint index)
{
  return key_at (keys, index)->task_id;
}

static void
list (KtTree *tree, const KtNode *dir, const KtSnapshot *snapshot, KtNameList *list)
{
  GPtrArray *keys = kt_catalog_list (tree->catalog);

  *list = (KtNameList){ keys->len, name_at, key_at, keys, (GDestroyNotify) g_ptr_array_unref };
}

const KtNames kt_names_tasks = { find, list };
