/* SPDX-License-Identifier: MIT */
#include "kt-tree-private.h"

#include "base/kt-error.h"
#include "base/kt-names.h"
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

/* ended, else started, else created, else when it was last heard of, else when this mount began */
gint64
kt_tree_task_mtime (KtTree *tree, KtKey *key)
{
  KtAnswer answer;

  if (!kt_store_peek (tree->store, key, KT_STORE_LISTED, &answer))
    return tree->started;
  if (answer.task->ended != KT_TIME_UNKNOWN)
    return answer.task->ended * KT_SECOND;
  if (answer.task->started != KT_TIME_UNKNOWN)
    return answer.task->started * KT_SECOND;
  if (answer.task->created != KT_TIME_UNKNOWN)
    return answer.task->created * KT_SECOND;
  return answer.changed_real;
}

static gint64
catalog_mtime (KtTree *tree)
{
  guint64 generation = kt_catalog_generation (tree->catalog);

  if (generation != tree->catalog_generation)
    tree->catalog_changed = kt_clock_real (tree->clock);
  tree->catalog_generation = generation;
  return tree->catalog_changed;
}

/* How long a directory's mtime holds goes to *LIFE. The kernel is told when that of a task's directory changes. */
static gint64
dir_mtime (KtTree *tree, KtNode *node, KtKey *key, gint64 *life)
{
  switch (node->entry->below) {
  case KT_PLACE_TASK: *life = KT_TIME_NEVER; return node->mtime = kt_tree_task_mtime (tree, key);
  case KT_PLACE_FILES:
  case KT_PLACE_FILE: *life = 0; return kt_tree_task_mtime (tree, key);
  case KT_PLACE_TASKS:
  case KT_PLACE_SHARES:
  case KT_PLACE_SHARE: *life = 0; return catalog_mtime (tree);
  case KT_PLACE_NONE:
  case KT_PLACE_ROOT:
  case KT_PLACE_CONTROL: break;
  }
  *life = KT_TIME_NEVER;
  return tree->started;
}

void
kt_tree_describe (KtTree *tree, KtNode *node, KtKey *key, KtTreeEntry *entry)
{
  gint64 mtime = node->mtime;

  entry->id = node->id;
  entry->attr_life = KT_TIME_NEVER;
  entry->stat = (struct stat){
    .st_ino = node->id,
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
    entry->attr_life = node->primed ? KT_TIME_NEVER : 0;
    entry->stat.st_size = (off_t) g_bytes_get_size (node->content);
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
  if (node->entry->kind == KT_ENTRY_DIR) {
    /* reading a task's files may move its mtime; tar takes a ctime that moves for a directory changed under it */
    entry->stat.st_ctim.tv_sec = tree->started / KT_SECOND;
    entry->stat.st_ctim.tv_nsec = tree->started % KT_SECOND * 1000;
  }
}

/* There is no such name, for LIFE. */
static gboolean
absent (KtTreeEntry *entry, gint64 life)
{
  *entry = (KtTreeEntry){ .entry_life = life };
  return TRUE;
}

static gboolean
found (KtTree *tree, KtNode *dir, const KtEntry *row, const char *name, KtKey *key, gint64 life, KtTreeEntry *entry)
{
  kt_tree_describe (tree, kt_nodes_look_up (tree->nodes, dir, row, name, key), key, entry);
  entry->entry_life = life;
  return TRUE;
}

/* A file of a task, from an answer. */
static gboolean
found_version (KtTree *tree, KtNode *dir, const KtEntry *row, const KtAnswer *answer, KtTreeEntry *entry,
               GError **error)
{
  const KtTask *task = answer->task;
  KtSubject subject = { .task = task };
  gint64 first_mtime = answer->changed_real;
  g_autoptr (GBytes) content = NULL;

  if (row->place == KT_PLACE_FILE) {
    subject.file = kt_task_find_file (task, kt_node_name (dir));
    if (subject.file == NULL) {
      g_set_error (error, KT_ERROR, KT_ERROR_NOT_FOUND, "the task has no such file any more");
      return FALSE;
    }
  }
  content = row->render (&subject);
  /* what has ended says itself when it last changed; of the rest we know when we saw it */
  if (kt_task_is_final (task) && task->ended != KT_TIME_UNKNOWN)
    first_mtime = task->ended * KT_SECOND;
  kt_tree_describe (tree, kt_nodes_look_up_version (tree->nodes, dir, row, content, first_mtime, answer->changed_real),
                    task->key, entry);
  /* what only a list told of a task that goes on may be overtaken by what the next file of the same directory asks for */
  entry->entry_life = task->from_list && !kt_task_is_final (task) ? 0 : kt_tree_life_until (tree, answer->valid_until);
  return TRUE;
}

/* A file about this mount, as of now. */
static gboolean
found_about (KtTree *tree, KtNode *dir, const KtEntry *row, KtTreeEntry *entry)
{
  KtSubject subject = { .about = &tree->about };
  g_autoptr (GBytes) content = row->render (&subject);
  gint64 now = kt_clock_real (tree->clock);

  kt_tree_describe (tree, kt_nodes_look_up_version (tree->nodes, dir, row, content, now, now), NULL, entry);
  entry->entry_life = 0;
  return TRUE;
}

void
kt_want_clear (KtWant *want)
{
  g_clear_pointer (&want->key, kt_key_unref);
}

static gboolean
wants (KtKey *key, KtStoreMode mode, KtWant *want)
{
  want->key = kt_key_ref (key);
  want->mode = mode;
  return FALSE;
}

/* Whether a task of one of FAMILIES may be looked for that nobody has named. */
static gboolean
may_look_for (KtTree *tree, guint families)
{
  return (tree->options.families & families) != 0;
}

/* tasks/ID: what is known is there without asking; another id is asked for in the families that take no more than an id. */
static gboolean
resolve_task (KtTree *tree, KtNode *dir, const KtEntry *row, const char *name, const KtAnswer *answer,
              KtTreeEntry *entry, KtWant *want)
{
  KtKey *known = kt_catalog_find (tree->catalog, name);

  if (known == NULL && answer == NULL) {
    g_autoptr (KtKey) key = kt_key_new (KT_FAMILY_UNKNOWN, name);
    if (!may_look_for (tree, KT_FAMILIES_ALL & ~KT_FAMILY_BIT (KT_FAMILY_SHARE)))
      return absent (entry, 0);
    return wants (key, KT_STORE_FRESH, want);
  }
  if (known == NULL)
    kt_catalog_add (tree->catalog, KT_CATALOG_FOUND, answer->task->key);
  return found (tree, dir, row, name, known != NULL ? known : answer->task->key, KT_TIME_NEVER, entry);
}

/* shares/SHAREID/ID */
static gboolean
resolve_link (KtTree *tree, KtNode *dir, const KtEntry *row, const char *name, const KtAnswer *answer,
              KtTreeEntry *entry, KtWant *want)
{
  g_autoptr (KtKey) key = kt_key_new_share (kt_node_name (dir), name);
  KtKey *known = kt_catalog_find (tree->catalog, name);
  gboolean is_known = known != NULL && kt_key_equal (known, key);

  if (!is_known && answer == NULL && !may_look_for (tree, KT_FAMILY_BIT (KT_FAMILY_SHARE)))
    return absent (entry, 0);
  if (!is_known && answer == NULL)
    return wants (key, KT_STORE_FRESH, want);
  if (!is_known)
    kt_catalog_add (tree->catalog, KT_CATALOG_FOUND, key);
  return found (tree, dir, row, name, key, KT_TIME_NEVER, entry);
}

/* tasks/ID/files/FILEID */
static gboolean
resolve_file (KtTree *tree, KtNode *dir, const KtEntry *row, const char *name, const KtAnswer *answer,
              KtTreeEntry *entry, KtWant *want)
{
  if (answer == NULL)
    return wants (kt_tree_key_of (tree, dir), KT_STORE_FRESH, want);
  if (kt_task_find_file (answer->task, name) == NULL)
    return absent (entry, 0);
  return found (tree, dir, row, name, answer->task->key, kt_tree_life_until (tree, answer->valid_until), entry);
}

gboolean
kt_tree_resolve (KtTree *tree, KtNode *dir, const char *name, const KtAnswer *answer, KtTreeEntry *entry, KtWant *want,
                 GError **error)
{
  KtPlace place = dir->entry->below;
  guint families = kt_tree_families_of (tree, dir);
  const KtEntry *row = kt_entry_find (place, name, families);

  if (row != NULL && row->kind == KT_ENTRY_DIR)
    return found (tree, dir, row, name, kt_tree_key_of (tree, dir), KT_TIME_NEVER, entry);
  if (row != NULL && place == KT_PLACE_CONTROL)
    return found_about (tree, dir, row, entry);
  if (row != NULL)
    return answer != NULL ? found_version (tree, dir, row, answer, entry, error)
                          : wants (kt_tree_key_of (tree, dir),
                                   (row->listed & families) != 0 ? KT_STORE_LISTED : KT_STORE_FRESH, want);

  row = kt_entry_of_ids (place);
  if (row == NULL)
    return absent (entry, KT_TIME_NEVER);
  if (place == KT_PLACE_FILES)
    return resolve_file (tree, dir, row, name, answer, entry, want);
  if (!kt_id_is_valid (name))
    return absent (entry, KT_TIME_NEVER);
  if (place == KT_PLACE_TASKS)
    return resolve_task (tree, dir, row, name, answer, entry, want);
  if (place == KT_PLACE_SHARE)
    return resolve_link (tree, dir, row, name, answer, entry, want);
  return found (tree, dir, row, name, NULL, KT_TIME_NEVER, entry); /* shares/: any id may be a share */
}

KtTreeCall *
kt_tree_call_new (KtTree *tree, KtNode *node, const char *name, KtTreeCallback callback, gpointer data)
{
  KtTreeCall *call = g_new0 (KtTreeCall, 1);

  call->tree = tree;
  call->node = kt_node_ref (node);
  call->name = g_strdup (name);
  call->callback = callback;
  call->data = data;
  return call;
}

KtTreeCall *
kt_tree_call (KtTree *tree, KtNode *node, const char *name, KtKey *key, KtStoreMode mode, KtStoreDone done,
              KtTreeCallback callback, gpointer data)
{
  KtTreeCall *call = kt_tree_call_new (tree, node, name, callback, data);
  gint64 deadline = kt_time_add (kt_clock_monotonic (tree->clock), tree->options.deadline);
  KtWaiter *waiter;

  call->key = kt_key_ref (key);
  if (mode != KT_STORE_AGAIN && kt_catalog_find (tree->catalog, key->task_id) == key)
    kt_scan_note (tree->scan, key, mode, deadline);
  waiter = kt_store_get (tree->store, key, mode, deadline, done, call);
  if (waiter == NULL)
    return NULL; /* answered already: the call is gone */
  call->waiter = waiter;
  return call;
}

void
kt_tree_call_free (KtTreeCall *call)
{
  kt_node_unref (call->tree->nodes, call->node);
  kt_key_unref (call->key);
  g_free (call->name);
  g_free (call);
}

void
kt_tree_cancel (KtTreeCall *call)
{
  if (call->waiter != NULL) {
    kt_waiter_cancel (call->waiter);
  } else if (call->lists_waiter != NULL) {
    kt_lists_cancel (call->lists_waiter);
  } else {
    call->callback = NULL; /* a touch whose names the kernel is forgetting: it ends by itself */
    return;
  }
  kt_tree_call_free (call);
}

static void
on_lookup_answer (const KtAnswer *answer, const GError *store_error, gpointer data)
{
  KtTreeCall *call = data;
  KtTreeFound callback = (KtTreeFound) call->callback;
  g_autoptr (GError) error = store_error != NULL ? g_error_copy (store_error) : NULL;
  g_auto (KtWant) want = { 0 };
  KtTreeEntry entry = { 0 };
  gboolean is_found = FALSE;

  if (error == NULL)
    is_found = kt_tree_resolve (call->tree, call->node, call->name, answer, &entry, &want, &error);
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

  if (node == NULL)
    return FALSE;
  kt_tree_describe (tree, node, kt_tree_key_of (tree, node), entry);
  return TRUE;
}

GBytes *
kt_tree_prime (KtTree *tree, guint64 id)
{
  KtNode *node = kt_nodes_get (tree->nodes, id);

  if (node == NULL || node->primed)
    return NULL;
  node->primed = TRUE;
  return node->content != NULL ? g_bytes_ref (node->content) : NULL;
}

GBytes *
kt_tree_read (KtTree *tree, guint64 id)
{
  const KtNode *node = kt_nodes_get (tree->nodes, id);
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
