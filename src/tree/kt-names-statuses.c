/* SPDX-License-Identifier: MIT */
/* The names in by-status/, the words of statuses, and in by-status/STATUS/, the tasks that are shown with it. */
#include "base/kt-names.h"
#include "kt-entry-ops.h"
#include "kt-lookup.h"
#include "kt-tree-private.h"
#include "model/kt-words.h"

#include <string.h>

char *
kt_status_word (KtTree *tree, const char *name)
{
  g_autoptr (GPtrArray) words = NULL;

  if (kt_status_is_known (name))
    return g_strdup (name);
  words = kt_catalog_list_statuses (tree->catalog);
  for (guint i = 0; i < words->len; i++) {
    g_autofree char *encoded = kt_name_encode (g_ptr_array_index (words, i));
    if (g_str_equal (encoded, name))
      return g_strdup (g_ptr_array_index (words, i));
  }
  return NULL;
}

/* Whether LOOKUP has to wait for lists that nobody has read yet. */
static gboolean
needs_lists (const KtLookup *lookup)
{
  return !lookup->has_lists && !kt_lists_have_been_read (lookup->operation.tree->lists);
}

/* The words that we know are there for good, others while a task has them. */
static KtOutcome
find_status (KtLookup *lookup)
{
  KtTree *tree = lookup->operation.tree;
  g_autofree char *word = kt_status_word (tree, lookup->name);
  KtOutcome outcome;

  if (word == NULL && !g_str_has_prefix (lookup->name, KT_STATUS_UNKNOWN))
    return kt_lookup_absent (lookup, KT_TIME_NEVER);
  if (word == NULL)
    return needs_lists (lookup) ? KT_NEEDS_LISTS : kt_lookup_absent (lookup, 0);
  outcome = kt_lookup_constant (lookup);
  if (!kt_status_is_known (word))
    lookup->inode.entry_timeout = 0;
  return outcome;
}

static const char *
name_at (gconstpointer names, guint index)
{
  return g_ptr_array_index ((GPtrArray *) names, index);
}

static void
list_statuses (KtTree *tree, const KtNode *dir, const KtSnapshot *snapshot, KtNameList *list)
{
  g_autoptr (GPtrArray) words = kt_catalog_list_statuses (tree->catalog);
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);

  for (const char *const *word = kt_statuses; *word != NULL; word++)
    g_ptr_array_add (names, g_strdup (*word));
  for (guint i = 0; i < words->len; i++)
    if (!kt_status_is_known (g_ptr_array_index (words, i)))
      g_ptr_array_add (names, kt_name_encode (g_ptr_array_index (words, i)));
  *list = (KtNameList){ names->len, name_at, NULL, names, (GDestroyNotify) g_ptr_array_unref };
}

/* The name leads there as long as the task has the status, so it has no timeout. Who looks for one task again and again
 * watches that task; a walk over many is none. */
static KtOutcome
find_task (KtLookup *lookup)
{
  const KtOperation *operation = &lookup->operation;
  KtTree *tree = operation->tree;
  KtKey *key = kt_catalog_find (tree->catalog, lookup->name);
  const char *status = key != NULL ? kt_views_status (tree->views, key) : NULL;
  g_autofree char *word = NULL;
  KtNode *node;

  if (key != NULL && !lookup->is_listing)
    kt_watch_look (tree->watch, key, key);
  if (status == NULL && needs_lists (lookup) && kt_id_is_valid (lookup->name))
    return KT_NEEDS_LISTS;
  word = status != NULL ? kt_status_word (tree, kt_node_name (operation->node)) : NULL;
  if (g_strcmp0 (word, status) != 0 || status == NULL)
    return kt_lookup_absent (lookup, 0);
  node = kt_nodes_look_up (tree->nodes, operation->node, lookup->row, lookup->name, key);
  return kt_lookup_found (lookup, node, key, 0);
}

static const char *
task_at (gconstpointer keys, guint index)
{
  return ((const KtKey *) g_ptr_array_index ((GPtrArray *) keys, index))->task_id;
}

static void
list_tasks (KtTree *tree, const KtNode *dir, const KtSnapshot *snapshot, KtNameList *list)
{
  g_autofree char *word = kt_status_word (tree, kt_node_name (dir));
  GPtrArray *keys;

  if (word == NULL)
    return;
  kt_views_settle (tree->views);
  keys = kt_catalog_list_status (tree->catalog, word);
  *list = (KtNameList){ keys->len, task_at, NULL, keys, (GDestroyNotify) g_ptr_array_unref };
}

const KtNames kt_names_statuses = { find_status, list_statuses };
const KtNames kt_names_status_tasks = { find_task, list_tasks };
