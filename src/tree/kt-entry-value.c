/* SPDX-License-Identifier: MIT */
/* Files of a task, rendered from a snapshot: each content is a version of its own. */
#include "base/kt-error.h"
#include "kt-entry-ops.h"
#include "kt-lookup.h"
#include "kt-tree-private.h"

/* The node of the version that the snapshot has of the task, or of its FILE. */
static KtNode *
look_up_version (KtLookup *lookup, const KtTaskFile *file)
{
  const KtOperation *operation = &lookup->operation;
  const KtSnapshot *snapshot = lookup->snapshot;
  const KtTask *task = snapshot->task;
  const KtSubject subject = { .task = task, .file = file };
  g_autoptr (GBytes) content = lookup->row->render (&subject);
  KtUsec first_mtime_wall = snapshot->known_wall;

  /* what has ended says itself when it last changed; of the rest we know when we saw it */
  if (kt_task_is_final (task) && task->ended != KT_TIME_UNKNOWN)
    first_mtime_wall = task->ended * KT_SECOND;
  return kt_nodes_look_up_version (operation->tree->nodes, operation->node, lookup->row, content, first_mtime_wall,
                                   snapshot->changed_wall);
}

/* How long the name leads to the version. A summary of a running task may be overtaken by the detail that the next
 * file of the same directory takes, so it has no timeout. */
static KtUsec
timeout_of (const KtLookup *lookup)
{
  KtTree *tree = lookup->operation.tree;
  const KtTask *task = lookup->snapshot->task;
  KtUsec timeout =
      task->from_list && !kt_task_is_final (task) ? 0 : kt_tree_timeout_until (tree, lookup->snapshot->expires_at);

  if (lookup->row->shows_times)
    timeout = MIN (timeout, kt_tree_timeout_until (tree, kt_lists_complete_at (tree->lists, lookup->snapshot)));
  return timeout;
}

/* Finds the version, which has a FILE as its subject when the directory is one of a file. */
static KtOutcome
found (KtLookup *lookup, const KtTaskFile *file)
{
  return kt_lookup_found (lookup, look_up_version (lookup, file), lookup->snapshot->task->key, timeout_of (lookup));
}

static KtOutcome
resolve (KtLookup *lookup)
{
  const KtTree *tree = lookup->operation.tree;

  if (lookup->snapshot == NULL)
    return kt_lookup_needs_task (lookup, lookup->operation.key,
                                 (lookup->row->summary & lookup->facts) != 0 ? KT_STORE_LISTED : KT_STORE_FRESH);
  if (lookup->row->shows_times && !lookup->has_list
      && kt_lists_complete_at (tree->lists, lookup->snapshot) <= kt_clock_monotonic (tree->clock))
    return KT_NEEDS_LIST;
  return found (lookup, NULL);
}

static KtOutcome
resolve_of_file (KtLookup *lookup)
{
  const KtSnapshot *snapshot = lookup->snapshot;
  const KtTaskFile *file;

  if (snapshot == NULL)
    return kt_lookup_needs_task (lookup, lookup->operation.key, KT_STORE_FRESH);
  file = kt_task_find_file (snapshot->task, kt_node_name (lookup->operation.node));
  if (file != NULL)
    return found (lookup, file);
  lookup->error = g_error_new_literal (KT_ERROR, KT_ERROR_NOT_FOUND, "the task has no such file any more");
  return KT_FAILED;
}

/* What looking NODE up again would fail with, as far as known; NULL: it would not. */
static const GError *
failure_of (KtTree *tree, KtKey *key, KtStoreMode mode, const KtNode *node)
{
  const GError *error = NULL;
  KtSnapshot snapshot;

  if (!kt_store_try (tree->store, key, mode, &snapshot, &error) && node->failure != NULL)
    error = kt_store_peek_error (tree->store, key); /* it has been overcome, or is to be asked for again */
  return error;
}

/* Whether NODE's content is what the newest snapshot in memory has; FILE_ID: of that file. */
static gboolean
is_current (const KtSnapshot *snapshot, const KtNode *node, const char *file_id)
{
  const KtTaskFile *file = file_id != NULL ? kt_task_find_file (snapshot->task, file_id) : NULL;
  g_autoptr (GBytes) content = NULL;

  if (file_id != NULL && file == NULL)
    return FALSE;
  content = node->entry->render (&(KtSubject){ .task = snapshot->task, .file = file });
  return g_bytes_equal (content, node->content);
}

/* The inode is a version. It has changed when the name leads, as far as known, to another one, or to a failure. */
static guint
poll_version (KtTree *tree, const KtNode *node, const char *file_id)
{
  KtKey *key = kt_catalog_find (tree->catalog, node->key->task_id);
  const GError *error;
  KtStoreMode mode;
  KtSnapshot snapshot;

  if (key == NULL)
    return KT_POLL_CHANGED;
  mode = (node->entry->summary & kt_family_facts (key->family)) != 0 ? KT_STORE_LISTED : KT_STORE_FRESH;
  error = failure_of (tree, key, mode, node);
  if (error != NULL)
    return node->failure != NULL && g_error_matches (node->failure, error->domain, error->code) ? KT_POLL_DEFAULT
                                                                                                : KT_POLL_CHANGED;
  if (!kt_store_peek (tree->store, key, mode, &snapshot))
    return KT_POLL_DEFAULT;
  return node->failure == NULL && is_current (&snapshot, node, file_id) ? KT_POLL_DEFAULT : KT_POLL_CHANGED;
}

static guint
poll_value (KtTree *tree, const KtNode *node, guint64 *seen)
{
  return poll_version (tree, node, NULL);
}

static guint
poll_value_of_file (KtTree *tree, const KtNode *node, guint64 *seen)
{
  return poll_version (tree, node, kt_node_name (node->parent));
}

const KtEntryOps kt_entry_value = {
  .mode = S_IFREG | 0444,
  .resolve = resolve,
  .describe = kt_tree_describe_content,
  .read = kt_tree_read_content,
  .poll = poll_value,
};

const KtEntryOps kt_entry_file_value = {
  .mode = S_IFREG | 0444,
  .resolve = resolve_of_file,
  .describe = kt_tree_describe_content,
  .read = kt_tree_read_content,
  .poll = poll_value_of_file,
};
