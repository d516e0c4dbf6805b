/* SPDX-License-Identifier: MIT */
/* One try of a lookup: what a name in a directory leads to, with the snapshot at hand. */
#include "kt-lookup.h"

#include "base/kt-error.h"
#include "kt-tree-private.h"

void
kt_lookup_init (KtLookup *lookup, KtTree *tree, KtNode *dir, const char *name)
{
  KtKey *key = kt_tree_key_of (tree, dir);

  *lookup = (KtLookup){
    .operation = { .tree = tree, .node = dir, .key = key != NULL ? kt_key_ref (key) : NULL },
    .name = name,
    .facts = key != NULL ? kt_family_facts (key->family) : KT_FACTS_ALL,
  };
}

void
kt_lookup_clear (KtLookup *lookup)
{
  kt_key_unref (lookup->operation.key);
  g_clear_error (&lookup->error);
}

KtOutcome
kt_lookup_found (KtLookup *lookup, KtNode *node, KtKey *key, KtUsec timeout)
{
  kt_tree_describe (lookup->operation.tree, node, key, &lookup->inode);
  lookup->inode.entry_timeout = timeout;
  return KT_FOUND;
}

KtOutcome
kt_lookup_absent (KtLookup *lookup, KtUsec timeout)
{
  lookup->inode = (KtInode){ .entry_timeout = timeout };
  return KT_ABSENT;
}

KtOutcome
kt_lookup_needs_task (KtLookup *lookup, KtKey *key, KtStoreMode mode)
{
  kt_key_ref (key);
  kt_key_unref (lookup->operation.key);
  lookup->operation.key = key;
  lookup->mode = mode;
  return KT_NEEDS_TASK;
}

KtOutcome
kt_lookup_constant (KtLookup *lookup)
{
  const KtOperation *operation = &lookup->operation;
  KtNode *node = kt_nodes_look_up (operation->tree->nodes, operation->node, lookup->row, lookup->name, operation->key);

  return kt_lookup_found (lookup, node, operation->key, KT_TIME_NEVER);
}

KtOutcome
kt_lookup_resolve (KtLookup *lookup)
{
  const KtEntry *files = lookup->operation.tree->files;
  KtPlace place = lookup->operation.node->entry->below;

  if (lookup->row == NULL)
    lookup->row = kt_entry_find (files, place, lookup->name, lookup->facts);
  if (lookup->row == NULL)
    lookup->row = kt_entry_find_names (files, place, lookup->facts);
  if (lookup->row == NULL)
    return kt_lookup_absent (lookup, KT_TIME_NEVER);
  return lookup->row->names != NULL ? lookup->row->names->find (lookup) : lookup->row->ops->resolve (lookup);
}

gboolean
kt_lookup_last_names (KtTree *tree, KtKey *key, const GError *error, KtSnapshot *snapshot)
{
  return !g_error_matches (error, KT_ERROR, KT_ERROR_NOT_FOUND)
         && kt_store_peek (tree->store, key, KT_STORE_FRESH, snapshot);
}

/* The same from the last good snapshot: whether that has the name. */
static gboolean
find_in_last_names (KtLookup *lookup, KtKey *key, const GError *error)
{
  KtSnapshot last;
  KtOutcome outcome;

  if (!kt_lookup_last_names (lookup->operation.tree, key, error, &last))
    return FALSE;
  lookup->snapshot = &last;
  outcome = lookup->row->names->find (lookup);
  lookup->snapshot = NULL;
  lookup->inode.entry_timeout = 0;
  return outcome == KT_FOUND;
}

KtOutcome
kt_lookup_fail (KtLookup *lookup, const GError *error)
{
  KtTree *tree = lookup->operation.tree;
  KtNode *dir = lookup->operation.node;
  KtKey *key = dir->key != NULL ? kt_catalog_find (tree->catalog, dir->key->task_id) : NULL;

  if (g_error_matches (error, KT_ERROR, KT_ERROR_NOT_FOUND) && key != NULL
      && kt_catalog_is_only_found (tree->catalog, key))
    key = NULL; /* so it is known no more */
  if (key != NULL && lookup->row->names == NULL) {
    KtNode *node = kt_nodes_look_up_failure (tree->nodes, dir, lookup->row, error, kt_clock_wall (tree->clock));
    return kt_lookup_found (lookup, node, key, 0);
  }
  if (key != NULL && find_in_last_names (lookup, key, error))
    return KT_FOUND;
  g_clear_error (&lookup->error);
  lookup->error = g_error_copy (error);
  return KT_FAILED;
}

KtOutcome
kt_lookup_from_cache (KtLookup *lookup)
{
  KtOutcome outcome = kt_lookup_resolve (lookup);
  const GError *error;
  KtSnapshot snapshot;

  if (outcome != KT_NEEDS_TASK
      || !kt_store_try (lookup->operation.tree->store, lookup->operation.key, lookup->mode, &snapshot, &error))
    return outcome;
  if (error != NULL)
    return kt_lookup_fail (lookup, error);
  lookup->snapshot = &snapshot;
  outcome = kt_lookup_resolve (lookup);
  lookup->snapshot = NULL;
  return outcome;
}
