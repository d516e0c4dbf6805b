/* SPDX-License-Identifier: MIT */
/* What users may ask for by writing: touch, and the words that ctl takes. */
#include "kt-tree-private.h"

#include "base/kt-error.h"

#include <string.h>

static gboolean
on_forgotten (gpointer data)
{
  KtOperation *operation = data;

  if (operation->callback != NULL)
    ((KtTreeTouched) operation->callback) (operation->refusal, operation->data);
  kt_operation_free (operation);
  return G_SOURCE_REMOVE;
}

static void
on_touch_answer (const KtSnapshot *snapshot, const GError *error, gpointer data)
{
  KtOperation *operation = data;
  KtTree *tree = operation->tree;
  KtTreeTouched touched = (KtTreeTouched) operation->callback;

  if (error == NULL && operation->node->entry->kind != KT_ENTRY_DIR) {
    operation->waiter = NULL; /* from now on it waits for the kernel */
    kt_tree_forget_names (tree, operation->key, on_forgotten, operation);
  } else {
    /* A touched directory is locked by the kernel until it is answered, and forgetting names needs that lock: so the
     * answer goes first. */
    touched (error, operation->data);
    kt_tree_forget_names (tree, operation->key, NULL, NULL);
    kt_operation_free (operation);
  }
}

KtOperation *
kt_tree_touch (KtTree *tree, guint64 id, KtTreeTouched touched, gpointer data)
{
  KtNode *node = kt_nodes_get (tree->nodes, id);

  if (node == NULL || node->key == NULL) {
    g_autoptr (GError) error = g_error_new_literal (KT_ERROR, KT_ERROR_READ_ONLY, "this is not of a task");
    touched (error, data);
    return NULL;
  }
  return kt_operation_start (tree, node, NULL, kt_tree_key_of (tree, node), KT_STORE_AGAIN, on_touch_answer,
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
  kt_health_failure_elsewhere (tree->about.health, kt_clock_wall (tree->clock), what, error);
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
explain_refusal (KtOperation *operation, const KtSnapshot *snapshot, const GError *error)
{
  g_autoptr (GError) declined = g_steal_pointer (&operation->refusal);

  if (g_error_matches (error, KT_ERROR, KT_ERROR_REFUSED) || g_error_matches (error, KT_ERROR, KT_ERROR_NOT_FOUND)) {
    operation->refusal = g_error_copy (error); /* that is why, and it has been told */
    return;
  }
  if (!refuse_ended (snapshot != NULL ? snapshot->task : NULL, declined->message, &operation->refusal))
    g_set_error (&operation->refusal, KT_ERROR, KT_ERROR_DECLINED, "the service does not cancel it: %s",
                 declined->message);
  tell (operation->tree, operation->key, operation->refusal);
}

/* The service has been asked again; how that went is another matter. */
static void
on_cancel_seen (const KtSnapshot *snapshot, const GError *error, gpointer data)
{
  KtOperation *operation = data;

  if (operation->refusal != NULL)
    explain_refusal (operation, snapshot, error);
  operation->waiter = NULL;
  kt_tree_forget_names (operation->tree, operation->key, on_forgotten, operation);
}

static void
on_cancelled (const GError *error, gpointer data)
{
  KtOperation *operation = data;
  KtTree *tree = operation->tree;

  if (error == NULL || g_error_matches (error, KT_ERROR, KT_ERROR_DECLINED)) {
    operation->refusal = error != NULL ? g_error_copy (error) : NULL;
    operation->waiter =
        kt_store_get (tree->store, operation->key, KT_STORE_AGAIN, operation->deadline, on_cancel_seen, operation);
    return;
  }
  if (operation->callback != NULL)
    ((KtTreeTouched) operation->callback) (error, operation->data);
  kt_operation_free (operation);
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
  KtSnapshot snapshot;

  if (!kt_store_peek (tree->store, key, KT_STORE_LISTED, &snapshot) || !refuse_ended (snapshot.task, NULL, error))
    return FALSE;
  tell (tree, key, *error);
  return TRUE;
}

KtOperation *
kt_tree_write (KtTree *tree, guint64 id, const char *text, gsize size, gint64 offset, KtTreeTouched written,
               gpointer data)
{
  KtNode *node = kt_nodes_get (tree->nodes, id);
  g_autoptr (GError) error = NULL;
  KtOperation *operation;

  if (refuse_word (tree, node, text, size, offset, &error) || has_ended (tree, kt_tree_key_of (tree, node), &error)) {
    written (error, data);
    return NULL;
  }
  operation = kt_operation_new (tree, node, NULL, kt_tree_key_of (tree, node), (KtTreeCallback) written, data);
  kt_source_cancel (tree->cancel, operation->key, operation->deadline, on_cancelled, operation);
  return operation;
}
