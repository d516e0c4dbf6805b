/* SPDX-License-Identifier: MIT */
/* The part of the tree that makes the kernel forget: touch and ctl, tasks that are gone or evicted, a new watch list,
 * lists read, packages that changed. Everything else only runs out. */
#include "kt-tree-private.h"

#include "base/kt-error.h"

#include <string.h>

static GPtrArray *
stale_new (void)
{
  return g_ptr_array_new_with_free_func (g_free);
}

static void
add_stale (GPtrArray *names, const KtNode *inode, const char *name)
{
  /* one block, the name behind the struct: there may be a hundred thousand of these */
  gsize size = name != NULL ? strlen (name) + 1 : 0;
  KtStale *stale = g_malloc (sizeof (KtStale) + size);

  stale->inode = inode->id;
  stale->name = name != NULL ? memcpy (stale + 1, name, size) : NULL;
  g_ptr_array_add (names, stale);
}

/* All names below a directory that the kernel may hold; with ALL those too that are the same in every answer. */
static void
add_stale_below (GPtrArray *names, const KtNode *dir, gboolean all)
{
  for (const GList *link = dir->children.head; link != NULL; link = link->next) {
    const KtNode *child = link->data;
    add_stale_below (names, child, all);
    if (all || (child->entry->kind != KT_ENTRY_DIR && child->entry->kind != KT_ENTRY_CTL) || child->own_name != NULL)
      add_stale (names, dir, kt_node_name (child));
  }
}

/* The inode of NAME in a directory of the root, NULL while the kernel does not hold it. */
static KtNode *
find_below (KtTree *tree, const char *directory, const char *name)
{
  KtNode *dir = kt_nodes_find (tree->nodes, kt_nodes_get (tree->nodes, KT_NODE_ROOT_ID), directory);
  return dir != NULL ? kt_nodes_find (tree->nodes, dir, name) : NULL;
}

/* All below a task's directory, as above. */
static void
add_stale_task (KtTree *tree, GPtrArray *names, const KtKey *key, gboolean all)
{
  const KtNode *task = find_below (tree, "tasks", key->task_id);

  if (task != NULL)
    add_stale_below (names, task, all);
}

static void
push (KtTree *tree, GPtrArray *names, GSourceFunc done, gpointer data)
{
  if (tree->invalidate != NULL && (names->len > 0 || done != NULL)) {
    tree->invalidate (tree->kernel, names, done, data);
    return;
  }
  g_ptr_array_unref (names);
  if (done != NULL)
    done (data);
}

static gboolean
on_forgotten (gpointer data)
{
  KtTreeCall *call = data;

  if (call->callback != NULL)
    ((KtTreeTouched) call->callback) (call->refusal, call->data);
  kt_tree_call_free (call);
  return G_SOURCE_REMOVE;
}

static void
on_touch_answer (const KtAnswer *answer, const GError *error, gpointer data)
{
  KtTreeCall *call = data;
  KtTree *tree = call->tree;
  KtTreeTouched touched = (KtTreeTouched) call->callback;
  GPtrArray *names = stale_new ();

  add_stale_task (tree, names, call->key, FALSE);
  if (error == NULL && call->node->entry->kind != KT_ENTRY_DIR) {
    call->waiter = NULL; /* from now on it waits for the kernel */
    push (tree, names, on_forgotten, call);
  } else {
    /* A touched directory is locked by the kernel until it is answered, and forgetting names needs that lock: so the
     * answer goes first. */
    touched (error, call->data);
    push (tree, names, NULL, NULL);
    kt_tree_call_free (call);
  }
}

KtTreeCall *
kt_tree_touch (KtTree *tree, guint64 id, KtTreeTouched touched, gpointer data)
{
  KtNode *node = kt_nodes_get (tree->nodes, id);

  if (node == NULL || node->key == NULL) {
    g_autoptr (GError) error = g_error_new_literal (KT_ERROR, KT_ERROR_READ_ONLY, "this is not of a task");
    touched (error, data);
    return NULL;
  }
  return kt_tree_call (tree, node, NULL, kt_tree_key_of (tree, node), KT_STORE_AGAIN, on_touch_answer,
                       (KtTreeCallback) touched, data);
}

void
kt_tree_set_cancel (KtTree *tree, KtSource *source)
{
  tree->cancel = source;
}

static void
tell (KtTree *tree, const KtKey *key, const GError *error)
{
  g_autofree char *what = g_strchomp (g_strdup_printf ("ctl %s", key != NULL ? key->task_id : ""));
  kt_health_failure_elsewhere (tree->about.health, kt_clock_real (tree->clock), what, error);
}

/* Sets KT_ERROR_ENDED when TASK has ended, with what the SERVICE said, if that was asked. TASK may be NULL. */
static gboolean
refuse_ended (const KtTask *task, const char *service, GError **error)
{
  if (task == NULL || !kt_task_is_final (task))
    return FALSE;
  g_set_error (error, KT_ERROR, KT_ERROR_ENDED, "it is %s, only a pending or running job can be cancelled%s%s",
               task->status, service != NULL ? ": " : "", service != NULL ? service : "");
  return TRUE;
}

/* The service does not cancel the job, and was asked for it: why is known now. */
static void
explain_refusal (KtTreeCall *call, const KtAnswer *answer, const GError *error)
{
  g_autoptr (GError) declined = g_steal_pointer (&call->refusal);

  if (g_error_matches (error, KT_ERROR, KT_ERROR_REFUSED) || g_error_matches (error, KT_ERROR, KT_ERROR_NOT_FOUND)) {
    call->refusal = g_error_copy (error); /* that is why, and it has been told */
    return;
  }
  if (!refuse_ended (answer != NULL ? answer->task : NULL, declined->message, &call->refusal))
    g_set_error (&call->refusal, KT_ERROR, KT_ERROR_DECLINED, "the service does not cancel it: %s", declined->message);
  tell (call->tree, call->key, call->refusal);
}

/* The service has been asked again; how that went is another matter. */
static void
on_cancel_seen (const KtAnswer *answer, const GError *error, gpointer data)
{
  KtTreeCall *call = data;
  GPtrArray *names = stale_new ();

  if (call->refusal != NULL)
    explain_refusal (call, answer, error);
  add_stale_task (call->tree, names, call->key, FALSE);
  call->waiter = NULL;
  push (call->tree, names, on_forgotten, call);
}

static void
on_cancelled (const GError *error, gpointer data)
{
  KtTreeCall *call = data;
  KtTree *tree = call->tree;

  if (error == NULL || g_error_matches (error, KT_ERROR, KT_ERROR_DECLINED)) {
    call->refusal = error != NULL ? g_error_copy (error) : NULL;
    call->waiter = kt_store_get (tree->store, call->key, KT_STORE_AGAIN, call->deadline, on_cancel_seen, call);
    return;
  }
  if (call->callback != NULL)
    ((KtTreeTouched) call->callback) (error, call->data);
  kt_tree_call_free (call);
}

/* Whether TEXT is WORD, but for blanks around it. */
static gboolean
is_word (const char *text, gsize size, const char *word)
{
  while (size > 0 && g_ascii_isspace (text[size - 1]))
    size--;
  for (; size > 0 && g_ascii_isspace (*text); size--)
    text++;
  return size == strlen (word) && memcmp (text, word, size) == 0;
}

/* Why TEXT cannot be done; FALSE when it can. */
static gboolean
refuse_word (KtTree *tree, const KtNode *node, const char *text, gsize size, gint64 offset, GError **error)
{
  if (node == NULL || node->entry->kind != KT_ENTRY_CTL) {
    g_set_error (error, KT_ERROR, KT_ERROR_READ_ONLY, "nothing can be written there");
    return TRUE;
  }
  if (offset != 0 || !is_word (text, size, "cancel")) {
    g_set_error (error, KT_ERROR, KT_ERROR_BAD_WORD, "that is no word to write there: expected cancel");
  } else if (tree->cancel == NULL) {
    g_set_error (error, KT_ERROR, KT_ERROR_FORBIDDEN,
                 "cancelling is off: expected allow-cancel = yes in [service] of the configuration");
  } else {
    return FALSE;
  }
  tell (tree, NULL, *error);
  return TRUE;
}

/* What has ended stays so: the service need not be asked. */
static gboolean
has_ended (KtTree *tree, KtKey *key, GError **error)
{
  KtAnswer answer;

  if (!kt_store_peek (tree->store, key, KT_STORE_LISTED, &answer) || !refuse_ended (answer.task, NULL, error))
    return FALSE;
  tell (tree, key, *error);
  return TRUE;
}

KtTreeCall *
kt_tree_write (KtTree *tree, guint64 id, const char *text, gsize size, gint64 offset, KtTreeTouched written,
               gpointer data)
{
  KtNode *node = kt_nodes_get (tree->nodes, id);
  g_autoptr (GError) error = NULL;
  KtTreeCall *call;

  if (refuse_word (tree, node, text, size, offset, &error) || has_ended (tree, kt_tree_key_of (tree, node), &error)) {
    written (error, data);
    return NULL;
  }
  call = kt_tree_call_new (tree, node, NULL, kt_tree_key_of (tree, node), (KtTreeCallback) written, data);
  kt_source_cancel (tree->cancel, call->key, call->deadline, on_cancelled, call);
  return call;
}

/* A task is gone: its names, and that of its link, lead nowhere any more. */
static void
add_gone (KtTree *tree, GPtrArray *names, const KtKey *key)
{
  const KtNode *task = find_below (tree, "tasks", key->task_id);
  KtNode *share = find_below (tree, "shares", key->share_id);

  if (task != NULL)
    add_stale (names, task->parent, key->task_id);
  if (share != NULL && kt_nodes_find (tree->nodes, share, key->task_id) != NULL)
    add_stale (names, share, key->task_id);
}

/* A new answer may have moved the time of the task's directory, and so that of files/ in it. */
static void
add_moved (KtTree *tree, GPtrArray *names, KtKey *key)
{
  KtNode *task = find_below (tree, "tasks", key->task_id);
  const KtNode *files = task != NULL ? kt_nodes_find (tree->nodes, task, "files") : NULL;
  const gint64 mtime = kt_tree_move_mtime (tree, key);

  if (task != NULL && task->mtime != 0 && task->mtime != mtime)
    add_stale (names, task, NULL);
  if (files != NULL && files->mtime != 0 && files->mtime != mtime)
    add_stale (names, files, NULL);
}

void
kt_tree_note_names (KtTree *tree, gboolean is_change)
{
  guint64 generation = kt_catalog_generation (tree->catalog);

  if (is_change && generation != tree->catalog_generation)
    tree->catalog_changed = kt_clock_real (tree->clock);
  tree->catalog_generation = generation;
}

static void
on_request_ended (KtKey *key, const GError *error, gpointer data)
{
  KtTree *tree = data;
  GPtrArray *names = stale_new ();

  if (error == NULL)
    add_moved (tree, names, key);
  else if (g_error_matches (error, KT_ERROR, KT_ERROR_NOT_FOUND) && kt_catalog_drop_found (tree->catalog, key))
    add_gone (tree, names, key);
  kt_tree_note_names (tree, TRUE);
  push (tree, names, NULL, NULL);
}

/* Nothing is known of a task any more: what the kernel holds of it is memory too, and must not stand beside what the
 * next answer brings. */
static void
on_evicted (KtKey *key, gpointer data)
{
  KtTree *tree = data;
  GPtrArray *names = stale_new ();

  add_stale_task (tree, names, key, TRUE);
  push (tree, names, NULL, NULL);
}

void
kt_tree_set_watched (KtTree *tree, GPtrArray *keys)
{
  g_autoptr (GPtrArray) gone = kt_catalog_set (tree->catalog, KT_CATALOG_WATCHED, keys);
  GPtrArray *names = stale_new ();

  for (guint i = 0; i < gone->len; i++)
    add_gone (tree, names, g_ptr_array_index (gone, i));
  kt_tree_note_names (tree, TRUE);
  push (tree, names, NULL, NULL);
}

static void
on_lists_changed (GPtrArray *told, GPtrArray *gone, GPtrArray *superseded, gboolean is_first, gpointer data)
{
  KtTree *tree = data;
  GPtrArray *names = stale_new ();

  for (guint i = 0; i < told->len; i++)
    add_moved (tree, names, ((const KtTask *) g_ptr_array_index (told, i))->key);
  for (guint i = 0; i < gone->len; i++)
    add_gone (tree, names, g_ptr_array_index (gone, i));
  for (guint i = 0; i < superseded->len; i++)
    add_stale_task (tree, names, g_ptr_array_index (superseded, i), FALSE);
  kt_tree_note_names (tree, !is_first);
  push (tree, names, NULL, NULL);
}

static void
on_package_changed (KtKey *key, gpointer data)
{
  KtTree *tree = data;
  const KtNode *task = find_below (tree, "tasks", key->task_id);
  GPtrArray *names = stale_new ();

  for (const GList *link = task != NULL ? task->children.head : NULL; link != NULL; link = link->next)
    if (((const KtNode *) link->data)->package != NULL)
      add_stale (names, task, kt_node_name (link->data));
  push (tree, names, NULL, NULL);
}

void
kt_tree_set_packages (KtTree *tree, KtPackages *packages)
{
  tree->packages = packages;
  kt_packages_set_observer (packages, on_package_changed, tree);
}

void
kt_tree_set_push (KtTree *tree, KtPackagePush push_bytes, gpointer kernel)
{
  if (tree->packages != NULL)
    kt_packages_set_push (tree->packages, push_bytes, kernel);
}

void
kt_tree_set_invalidate (KtTree *tree, KtTreeInvalidate invalidate, gpointer kernel)
{
  tree->invalidate = invalidate;
  tree->kernel = kernel;
}

KtTree *
kt_tree_new (KtClock *clock, KtStore *store, KtCatalog *catalog, KtLists *lists, const KtAbout *about,
             const KtTreeOptions *options)
{
  KtTree *tree = g_new0 (KtTree, 1);

  tree->clock = clock;
  tree->store = store;
  tree->catalog = catalog;
  tree->lists = lists;
  tree->about = *about;
  tree->options = *options;
  tree->nodes = kt_nodes_new ();
  tree->scan = kt_scan_new (store, catalog, options->scan_ahead);
  tree->started = tree->catalog_changed = kt_clock_real (clock);
  kt_store_set_observer (store, on_request_ended, tree);
  kt_lists_set_observer (lists, on_lists_changed, tree);
  kt_store_set_evicted (store, on_evicted, tree);
  return tree;
}

void
kt_tree_free (KtTree *tree)
{
  if (tree == NULL)
    return;
  kt_store_set_observer (tree->store, NULL, NULL);
  kt_lists_set_observer (tree->lists, NULL, NULL);
  kt_store_set_evicted (tree->store, NULL, NULL);
  if (tree->packages != NULL)
    kt_packages_set_observer (tree->packages, NULL, NULL);
  kt_nodes_free (tree->nodes);
  kt_scan_free (tree->scan);
  g_free (tree);
}
