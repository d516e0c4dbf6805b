/* SPDX-License-Identifier: MIT */
#include "kt-tree-private.h"

#include "base/kt-error.h"
#include "base/kt-units.h"

#include <string.h>

/* The kernel counts lives in jiffies and rounds up, twice: up to 20 ms where it ticks 100 times a second. An old
 * value must never outlive a newer one that came from the next answer. */
#define KERNEL_ROUNDING (20 * KT_MS)

KtKey *
kt_tree_key_of (KtTree *tree, const KtNode *node)
{
  KtKey *known = node->key != NULL ? kt_catalog_find (tree->catalog, node->key->task_id) : NULL;
  return known != NULL ? known : node->key;
}

guint
kt_tree_families_of (KtTree *tree, const KtNode *node)
{
  const KtKey *key = kt_tree_key_of (tree, node);
  return key != NULL ? KT_FAMILY_BIT (key->family) : KT_FAMILIES_ALL;
}

gint64
kt_tree_life_until (KtTree *tree, gint64 until)
{
  if (until == KT_TIME_NEVER)
    return KT_TIME_NEVER;
  return MAX (0, until - kt_clock_monotonic (tree->clock) - KERNEL_ROUNDING);
}

static char *
link_target (const KtNode *node)
{
  return g_strconcat ("../../tasks/", node->own_name, NULL);
}

/* ended, else started, else created, else when it was last heard of */
static gint64
known_mtime (const KtAnswer *answer)
{
  const KtTask *task = answer->task;

  if (task->ended != KT_TIME_UNKNOWN)
    return task->ended * KT_SECOND;
  if (task->started != KT_TIME_UNKNOWN)
    return task->started * KT_SECOND;
  if (task->created != KT_TIME_UNKNOWN)
    return task->created * KT_SECOND;
  return answer->changed_real;
}

gint64
kt_tree_task_mtime (KtTree *tree, KtKey *key)
{
  gint64 mtime = kt_catalog_mtime (tree->catalog, key);
  KtAnswer answer;

  if (mtime != 0 || !kt_store_peek (tree->store, key, KT_STORE_LISTED, &answer))
    return mtime;
  mtime = MAX (known_mtime (&answer), answer.moved_real);
  kt_catalog_set_mtime (tree->catalog, key, mtime);
  return mtime;
}

gint64
kt_tree_move_mtime (KtTree *tree, KtKey *key)
{
  gint64 mtime = kt_tree_task_mtime (tree, key);
  KtAnswer answer;

  if (!kt_store_peek (tree->store, key, KT_STORE_LISTED, &answer) || answer.moved_real <= mtime)
    return mtime;
  kt_catalog_set_mtime (tree->catalog, key, answer.moved_real);
  return answer.moved_real;
}

void
kt_tree_settle_mtime (KtTree *tree, KtKey *key)
{
  if (key != NULL && kt_tree_task_mtime (tree, key) == 0)
    kt_catalog_set_mtime (tree->catalog, key, tree->catalog_changed);
}

/* How long a directory's mtime holds goes to *LIFE. The kernel is told when that of a task changes, see
 * kt-tree-change.c; its files are too many for that, and their names live no longer than the answer anyway. */
static gint64
dir_mtime (KtTree *tree, KtNode *node, KtKey *key, gint64 *life)
{
  gint64 mtime = key != NULL ? kt_tree_task_mtime (tree, key) : 0;
  KtAnswer answer;

  switch (node->entry->below) {
  case KT_PLACE_TASK:
  case KT_PLACE_FILES:
    node->mtime = mtime;
    *life = mtime != 0 ? KT_TIME_NEVER : 0;
    return mtime != 0 ? mtime : tree->catalog_changed;
  case KT_PLACE_FILE:
    *life =
        kt_store_peek (tree->store, key, KT_STORE_FRESH, &answer) ? kt_tree_life_until (tree, answer.valid_until) : 0;
    return mtime != 0 ? mtime : tree->catalog_changed;
  case KT_PLACE_TASKS:
  case KT_PLACE_SHARES:
  case KT_PLACE_SHARE: *life = 0; return tree->catalog_changed;
  case KT_PLACE_NONE:
  case KT_PLACE_ROOT:
  case KT_PLACE_CONTROL: break;
  }
  *life = KT_TIME_NEVER;
  return tree->started;
}

/* The inode number that stat shows. Of what is made anew at each lookup it stays the same, though each version is a node of
 * its own: cp compares the number it has seen with that of the file it has then opened. */
static ino_t
shown_number (const KtNode *node)
{
  if (node->entry->place == KT_PLACE_CONTROL)
    return KT_NODE_ROOT_ID + 1 + kt_entry_index (node->entry);
  return node->id;
}

/* The size of a file. One that cannot be had has one byte, so that it is read, which tells why. */
static off_t
file_size (const KtNode *node)
{
  if (node->failure != NULL)
    return 1;
  return (off_t) (node->package != NULL ? (gsize) kt_package_size (node->package) : g_bytes_get_size (node->content));
}

void
kt_tree_describe (KtTree *tree, KtNode *node, KtKey *key, KtTreeEntry *entry)
{
  gint64 mtime = node->mtime;

  entry->id = node->id;
  entry->attr_life = KT_TIME_NEVER;
  entry->stat = (struct stat){
    .st_ino = shown_number (node),
    .st_uid = tree->options.uid,
    .st_gid = tree->options.gid,
    .st_nlink = 1, /* of a directory: subdirectories are not counted */
    .st_blksize = 4096,
  };
  switch (node->entry->kind) {
  case KT_ENTRY_DIR:
    entry->stat.st_mode = S_IFDIR | 0555;
    mtime = dir_mtime (tree, node, key, &entry->attr_life);
    break;
  case KT_ENTRY_FILE:
    entry->stat.st_mode = S_IFREG | 0444;
    entry->attr_life = node->lasting ? KT_TIME_NEVER : 0;
    entry->stat.st_size = file_size (node);
    break;
  case KT_ENTRY_CTL:
    entry->stat.st_mode = S_IFREG | 0644;
    entry->attr_life = 0; /* after a write the kernel takes it for longer */
    mtime = tree->started;
    break;
  case KT_ENTRY_PACKAGE:
    entry->stat.st_mode = S_IFREG | 0444;
    entry->stat.st_size = file_size (node);
    break;
  case KT_ENTRY_LINK: {
    g_autofree char *target = link_target (node);
    entry->stat.st_mode = S_IFLNK | 0777;
    entry->stat.st_size = (off_t) strlen (target);
    mtime = tree->started;
    break;
  }
  }
  entry->stat.st_blocks = (entry->stat.st_size + 511) / 512;
  entry->stat.st_mtim.tv_sec = mtime / KT_SECOND;
  entry->stat.st_mtim.tv_nsec = mtime % KT_SECOND * 1000;
  entry->stat.st_atim = entry->stat.st_ctim = entry->stat.st_mtim;
  if (node->entry->kind == KT_ENTRY_DIR || node->entry->place == KT_PLACE_CONTROL) {
    /* reading a task's files may move its mtime, and what is made anew at each lookup has another each time; tar takes a
     * ctime that moves for a file or directory changed under it */
    entry->stat.st_ctim.tv_sec = tree->started / KT_SECOND;
    entry->stat.st_ctim.tv_nsec = tree->started % KT_SECOND * 1000;
  }
}

KtTreeCall *
kt_tree_call_new (KtTree *tree, KtNode *node, const char *name, KtKey *key, KtTreeCallback callback, gpointer data)
{
  KtTreeCall *call = g_new0 (KtTreeCall, 1);

  call->tree = tree;
  call->node = kt_node_ref (node);
  call->name = g_strdup (name);
  call->key = key != NULL ? kt_key_ref (key) : NULL;
  call->callback = callback;
  call->data = data;
  call->deadline = kt_time_add (kt_clock_monotonic (tree->clock), tree->options.deadline);
  return call;
}

KtTreeCall *
kt_tree_call (KtTree *tree, KtNode *node, const char *name, KtKey *key, KtStoreMode mode, KtStoreDone done,
              KtTreeCallback callback, gpointer data)
{
  KtTreeCall *call = kt_tree_call_new (tree, node, name, key, callback, data);

  if (mode != KT_STORE_AGAIN && kt_catalog_find (tree->catalog, key->task_id) == key)
    kt_scan_note (tree->scan, key, mode, call->deadline);
  call->mode = mode;
  call->is_beginning = TRUE;
  call->waiter = kt_store_get (tree->store, key, mode, call->deadline, done, call);
  call->is_beginning = FALSE;
  if (!call->has_ended)
    return call;
  kt_tree_call_free (call);
  return NULL;
}

void
kt_tree_call_free (KtTreeCall *call)
{
  if (call->is_beginning) {
    call->has_ended = TRUE;
    return;
  }
  kt_node_unref (call->tree->nodes, call->node);
  kt_key_unref (call->key);
  g_clear_error (&call->refusal);
  g_free (call->name);
  g_free (call);
}

void
kt_tree_cancel (KtTreeCall *call)
{
  if (call->package != NULL) {
    kt_package_cancel (call->package);
  } else if (call->waiter != NULL) {
    kt_waiter_cancel (call->waiter);
  } else if (call->lists_waiter != NULL) {
    kt_lists_cancel (call->lists_waiter);
  } else {
    call->callback = NULL; /* a touch whose names the kernel is forgetting: it ends by itself */
    return;
  }
  kt_tree_call_free (call);
}

static void on_lookup_answer (const KtAnswer *answer, const GError *store_error, gpointer data);

/* The list has told what it can: the task's answer is what it is now, and asked for anew only if that was let go. */
static void
on_list_told (gpointer data)
{
  KtTreeCall *call = data;
  gboolean was_beginning = call->is_beginning;
  KtAnswer answer;

  call->lists_waiter = NULL;
  if (kt_store_peek (call->tree->store, call->key, call->mode, &answer)) {
    on_lookup_answer (&answer, NULL, call);
    return;
  }
  call->is_beginning = TRUE;
  call->waiter = kt_store_get (call->tree->store, call->key, call->mode, call->deadline, on_lookup_answer, call);
  call->is_beginning = was_beginning;
  if (call->has_ended && !was_beginning)
    kt_tree_call_free (call);
}

/* Between the two halves of a lookup: waits for the list that may tell what ANSWER lacks. */
static void
ask_list (KtTreeCall *call, const KtAnswer *answer)
{
  KtListsWaiter *waiter;

  call->waiter = NULL;
  call->has_list = TRUE;
  waiter = kt_lists_complete (call->tree->lists, answer, call->deadline, on_list_told, call);
  if (waiter != NULL) /* else the call may be gone */
    call->lists_waiter = waiter;
}

static void
on_lookup_answer (const KtAnswer *answer, const GError *store_error, gpointer data)
{
  KtTreeCall *call = data;
  KtTreeFound callback = (KtTreeFound) call->callback;
  g_autoptr (GError) error = store_error != NULL ? g_error_copy (store_error) : NULL;
  g_auto (KtWant) want = { .no_list = call->has_list };
  KtTreeEntry entry = { 0 };
  gboolean is_found = FALSE;

  if (error == NULL)
    is_found = kt_tree_resolve (call->tree, call->node, call->name, answer, &entry, &want, &error);
  else
    is_found = kt_tree_resolve_failure (call->tree, call->node, call->name, error, &entry);
  if (!is_found && error == NULL && want.list) {
    ask_list (call, answer);
    return;
  }
  if (!is_found && error == NULL) {
    kt_tree_ask_package (call);
    return;
  }
  if (is_found)
    g_clear_error (&error);
  callback (is_found ? &entry : NULL, error, call->data);
  kt_tree_call_free (call);
}

/* The inode the kernel named; it names none that it has forgotten, so NULL is its error. */
static KtNode *
node_of (KtTree *tree, guint64 id, GError **error)
{
  KtNode *node = kt_nodes_get (tree->nodes, id);

  if (node == NULL)
    g_set_error (error, KT_ERROR, KT_ERROR_NOT_FOUND, "there is no such inode");
  return node;
}

KtTreeCall *
kt_tree_lookup (KtTree *tree, guint64 parent, const char *name, KtTreeFound callback, gpointer data)
{
  g_autoptr (GError) error = NULL;
  g_auto (KtWant) want = { 0 };
  KtNode *dir = node_of (tree, parent, &error);
  KtTreeEntry entry = { 0 };
  gboolean is_found = FALSE;

  if (dir != NULL)
    is_found = kt_tree_resolve (tree, dir, name, NULL, &entry, &want, &error);
  if (want.key != NULL)
    return kt_tree_call (tree, dir, name, want.key, want.mode, on_lookup_answer, (KtTreeCallback) callback, data);
  callback (is_found ? &entry : NULL, error, data);
  return NULL;
}

void
kt_tree_forget (KtTree *tree, guint64 id, guint64 count)
{
  kt_nodes_forget (tree->nodes, id, count);
}

gboolean
kt_tree_getattr (KtTree *tree, guint64 id, KtTreeEntry *entry)
{
  KtNode *node = kt_nodes_get (tree->nodes, id);
  KtKey *key;

  if (node == NULL)
    return FALSE;
  key = kt_tree_key_of (tree, node);
  if (node->entry->kind == KT_ENTRY_DIR)
    kt_tree_settle_mtime (tree, key);
  kt_tree_describe (tree, node, key, entry);
  return TRUE;
}

static void
pages_free (gpointer data)
{
  KtPages *pages = data;
  g_bytes_unref (pages->content);
  g_free (pages);
}

void
kt_pages_add (GPtrArray **list, guint64 inode, gint64 offset, GBytes *content)
{
  KtPages *pages = g_new (KtPages, 1);

  *pages = (KtPages){ .inode = inode, .offset = offset, .content = g_bytes_ref (content) };
  if (*list == NULL)
    *list = g_ptr_array_new_with_free_func (pages_free);
  g_ptr_array_add (*list, pages);
}

/* Adds the file NODE to LIST, unless the kernel has it. */
static void
add_pages (GPtrArray **list, KtNode *node)
{
  if (node->content == NULL || node->stored)
    return;
  node->stored = TRUE;
  kt_pages_add (list, node->id, 0, node->content);
}

GPtrArray *
kt_tree_prime (KtTree *tree, guint64 id)
{
  KtNode *node = kt_nodes_get (tree->nodes, id);
  GPtrArray *list = NULL;

  if (node == NULL || node->lasting)
    return NULL;
  node->lasting = TRUE;
  add_pages (&list, node);
  return list;
}

GPtrArray *
kt_tree_read_on (KtTree *tree, guint64 id)
{
  KtNode *node = kt_nodes_get (tree->nodes, id);
  GPtrArray *list = NULL;

  if (node == NULL || node->stored)
    return NULL;
  node->stored = TRUE;
  if (node->parent->readers < 2 && ++node->parent->readers < 2)
    return NULL;
  for (const GList *link = node->parent->children.head; link != NULL; link = link->next)
    add_pages (&list, link->data);
  return list;
}

GBytes *
kt_tree_read (KtTree *tree, guint64 id, GError **error)
{
  const KtNode *node = kt_nodes_get (tree->nodes, id);

  if (node != NULL && node->failure != NULL) {
    g_propagate_error (error, g_error_copy (node->failure));
    return NULL;
  }
  if (node != NULL && node->entry->kind == KT_ENTRY_CTL)
    return g_bytes_new (NULL, 0);
  return node != NULL && node->content != NULL ? g_bytes_ref (node->content) : NULL;
}

char *
kt_tree_readlink (KtTree *tree, guint64 id)
{
  const KtNode *node = kt_nodes_get (tree->nodes, id);
  return node != NULL && node->entry->kind == KT_ENTRY_LINK ? link_target (node) : NULL;
}

guint
kt_tree_nodes (KtTree *tree)
{
  return kt_nodes_size (tree->nodes);
}

void
kt_tree_set_options (KtTree *tree, const KtTreeOptions *options)
{
  tree->options.deadline = options->deadline;
  tree->options.families = options->families;
  kt_scan_set_most (tree->scan, options->scan_ahead);
}
