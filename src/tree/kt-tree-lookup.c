/* SPDX-License-Identifier: MIT */
/* LOOKUP: tries with what is cached, waits for what it takes and tries again. */
#include "base/kt-error.h"
#include "kt-lookup.h"
#include "kt-tree-private.h"

static void
end (KtLookup *lookup, KtOutcome outcome)
{
  gboolean has_inode = outcome == KT_FOUND || outcome == KT_ABSENT;

  lookup->found (has_inode ? &lookup->inode : NULL, has_inode ? NULL : lookup->error, lookup->data);
}

static void on_snapshot (const KtSnapshot *snapshot, const GError *error, gpointer data);
static void on_package (const GError *error, gpointer data);
static void proceed (KtLookup *lookup, KtOutcome outcome);

/* The list has brought what it has: the snapshot is what it is now, and asked for anew only if it was evicted. */
static void
on_list (gpointer data)
{
  KtLookup *lookup = data;
  KtSnapshot snapshot;

  lookup->operation.lists_waiter = NULL;
  if (kt_store_peek (lookup->operation.tree->store, lookup->operation.key, lookup->mode, &snapshot))
    on_snapshot (&snapshot, NULL, lookup);
  else
    kt_operation_ask (&lookup->operation, lookup->mode, on_snapshot);
}

/* Waits for the list that may have the times that the snapshot lacks. */
static void
wait_for_list (KtLookup *lookup)
{
  const KtSnapshot *snapshot = g_steal_pointer (&lookup->snapshot);
  KtListsWaiter *waiter;

  lookup->has_list = TRUE;
  waiter = kt_lists_complete (lookup->operation.tree->lists, snapshot, lookup->operation.deadline, on_list, lookup);
  if (waiter != NULL) /* else the lookup may be gone */
    lookup->operation.lists_waiter = waiter;
}

static void
on_lists (gpointer data)
{
  KtLookup *lookup = data;

  lookup->operation.lists_waiter = NULL;
  lookup->has_lists = TRUE;
  proceed (lookup, kt_lookup_resolve (lookup));
}

/* Waits for the lists of all tasks. */
static void
wait_for_lists (KtLookup *lookup)
{
  KtListsWaiter *waiter = kt_lists_get (lookup->operation.tree->lists, on_lists, lookup);

  if (waiter != NULL) /* else the lookup may be gone */
    lookup->operation.lists_waiter = waiter;
}

static void
on_view (gpointer data)
{
  KtLookup *lookup = data;

  lookup->operation.overview_waiter = NULL;
  lookup->has_view = TRUE;
  proceed (lookup, kt_lookup_resolve (lookup));
}

/* Ends the lookup, or waits for what it takes next. */
static void
proceed (KtLookup *lookup, KtOutcome outcome)
{
  KtOperation *operation = &lookup->operation;

  if (outcome == KT_NEEDS_LIST) {
    wait_for_list (lookup);
    return;
  }
  lookup->snapshot = NULL;
  if (outcome == KT_NEEDS_LISTS) {
    wait_for_lists (lookup);
    return;
  }
  if (outcome == KT_NEEDS_VIEW) {
    operation->overview_waiter = kt_overview_wait (operation->tree->overview, lookup->row, on_view, lookup);
    return;
  }
  if (outcome == KT_NEEDS_PACKAGE) {
    operation->package_find =
        kt_packages_find (operation->tree->packages, operation->key, operation->deadline, on_package, lookup);
    return;
  }
  end (lookup, outcome);
  kt_operation_free (operation);
}

static void
on_snapshot (const KtSnapshot *snapshot, const GError *error, gpointer data)
{
  KtLookup *lookup = data;

  lookup->operation.waiter = NULL;
  lookup->snapshot = snapshot;
  proceed (lookup, error == NULL ? kt_lookup_resolve (lookup) : kt_lookup_fail (lookup, error));
}

/* The host has been asked. */
static void
on_package (const GError *find_error, gpointer data)
{
  KtLookup *lookup = data;
  KtTree *tree = lookup->operation.tree;
  g_autoptr (GError) error = find_error != NULL ? g_error_copy (find_error) : NULL;
  KtOutcome outcome = KT_FAILED;
  KtSnapshot snapshot;

  lookup->operation.package_find = NULL;
  if (error == NULL && kt_store_peek (tree->store, lookup->operation.key, KT_STORE_FRESH, &snapshot)) {
    lookup->snapshot = &snapshot;
    outcome = kt_lookup_resolve (lookup);
  }
  if (error == NULL && outcome != KT_FOUND && outcome != KT_ABSENT)
    error = g_error_new_literal (KT_ERROR, KT_ERROR_NOT_FOUND, "the task or its package has just gone");
  if (error != NULL) {
    kt_packages_remember_failure (tree->packages, lookup->operation.key, error);
    outcome = kt_lookup_fail (lookup, error);
  }
  proceed (lookup, outcome);
}

static void
clear (KtOperation *operation)
{
  KtLookup *lookup = (KtLookup *) operation;

  g_free ((char *) lookup->name);
  g_clear_error (&lookup->error);
}

/* LOOKUP on the heap: it may have to wait. */
static KtLookup *
copy_to_heap (const KtLookup *lookup)
{
  const KtOperation *first = &lookup->operation;
  KtLookup *copy = kt_operation_new (sizeof (KtLookup), first->tree, first->node, first->key);

  copy->operation.clear = clear;
  copy->name = g_strdup (lookup->name);
  copy->row = lookup->row;
  copy->facts = lookup->facts;
  copy->mode = lookup->mode;
  copy->found = lookup->found;
  copy->data = lookup->data;
  return copy;
}

/* Waits for what a first try has come to. NULL when the lookup has ended before this returns. */
static KtOperation *
begin_waiting (KtLookup *lookup, KtOutcome outcome)
{
  KtOperation *operation = &lookup->operation;

  if (outcome == KT_NEEDS_TASK)
    return kt_operation_ask (operation, lookup->mode, on_snapshot) ? operation : NULL;
  operation->is_asking = TRUE;
  proceed (lookup, outcome);
  operation->is_asking = FALSE;
  if (!operation->has_ended)
    return operation;
  kt_operation_free (operation);
  return NULL;
}

KtOperation *
kt_tree_lookup (KtTree *tree, guint64 parent, const char *name, KtTreeFound found, gpointer data)
{
  KtNode *dir = kt_nodes_get (tree->nodes, parent);
  KtLookup first, *lookup = NULL;
  KtOutcome outcome;

  if (dir == NULL) { /* the kernel names none that it has forgotten */
    g_autoptr (GError) error = g_error_new_literal (KT_ERROR, KT_ERROR_NOT_FOUND, "there is no such inode");
    found (NULL, error, data);
    return NULL;
  }
  kt_lookup_init (&first, tree, dir, name);
  first.found = found;
  first.data = data;
  outcome = kt_lookup_resolve (&first);
  if (outcome == KT_NEEDS_TASK || outcome == KT_NEEDS_LISTS || outcome == KT_NEEDS_VIEW)
    lookup = copy_to_heap (&first);
  else
    end (&first, outcome);
  kt_lookup_clear (&first);
  return lookup != NULL ? begin_waiting (lookup, outcome) : NULL;
}

void
kt_tree_forget (KtTree *tree, guint64 id, guint64 count)
{
  kt_nodes_forget (tree->nodes, id, count);
}
