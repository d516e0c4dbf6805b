/* SPDX-License-Identifier: MIT */
/* ctl: a file that takes the word cancel and has no content. */
#include "base/kt-error.h"
#include "kt-entry-ops.h"
#include "kt-lookup.h"
#include "kt-touch.h"
#include "kt-tree-private.h"

#include <string.h>

static void
report (KtTree *tree, const KtKey *key, const GError *error)
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
explain_refusal (KtTouch *touch, const KtSnapshot *snapshot, const GError *error)
{
  g_autoptr (GError) declined = g_steal_pointer (&touch->error);

  if (g_error_matches (error, KT_ERROR, KT_ERROR_REFUSED) || g_error_matches (error, KT_ERROR, KT_ERROR_NOT_FOUND)) {
    touch->error = g_error_copy (error); /* that is why, and it has been reported */
    return;
  }
  if (!refuse_ended (snapshot != NULL ? snapshot->task : NULL, declined->message, &touch->error))
    g_set_error (&touch->error, KT_ERROR, KT_ERROR_DECLINED, "the service does not cancel it: %s", declined->message);
  report (touch->operation.tree, touch->operation.key, touch->error);
}

/* The service has been asked again; how that went is another matter. */
static void
on_cancel_seen (const KtSnapshot *snapshot, const GError *error, gpointer data)
{
  KtTouch *touch = data;

  if (touch->error != NULL)
    explain_refusal (touch, snapshot, error);
  kt_touch_invalidate (touch);
}

static void
on_cancelled (const GError *error, gpointer data)
{
  KtTouch *touch = data;

  touch->error = error != NULL ? g_error_copy (error) : NULL;
  if (error == NULL || g_error_matches (error, KT_ERROR, KT_ERROR_DECLINED))
    kt_operation_ask (&touch->operation, KT_STORE_AGAIN, on_cancel_seen);
  else
    kt_touch_end (touch);
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

/* Why the text cannot be done; FALSE when it can. */
static gboolean
refuse_word (KtTree *tree, const KtWrite *text, GError **error)
{
  if (text->offset != 0 || !is_word (text->text, text->size, "cancel"))
    g_set_error (error, KT_ERROR, KT_ERROR_BAD_WORD, "that is no word to write there: expected cancel");
  else if (tree->cancel == NULL)
    g_set_error (error, KT_ERROR, KT_ERROR_FORBIDDEN,
                 "cancelling is off: expected allow-cancel = yes in [service] of the configuration");
  else
    return FALSE;
  report (tree, NULL, *error);
  return TRUE;
}

/* What has ended stays so: the service need not be asked. */
static gboolean
has_ended (KtTree *tree, KtKey *key, GError **error)
{
  KtSnapshot snapshot;

  if (!kt_store_peek (tree->store, key, KT_STORE_LISTED, &snapshot) || !refuse_ended (snapshot.task, NULL, error))
    return FALSE;
  report (tree, key, *error);
  return TRUE;
}

static KtOperation *
write_word (KtTree *tree, KtNode *node, const KtWrite *text, KtTreeTouched written, gpointer data)
{
  KtKey *key = kt_tree_key_of (tree, node);
  g_autoptr (GError) error = NULL;
  KtTouch *touch;

  if (refuse_word (tree, text, &error) || has_ended (tree, key, &error)) {
    written (error, data);
    return NULL;
  }
  touch = kt_touch_new (tree, node, key, written, data);
  kt_source_cancel (tree->cancel, key, touch->operation.deadline, on_cancelled, touch);
  return &touch->operation;
}

static GBytes *
read_nothing (const KtNode *node)
{
  return g_bytes_new (NULL, 0);
}

static void
describe (KtTree *tree, KtNode *node, KtKey *key, KtInode *inode, KtUsec *mtime_wall)
{
  inode->attr_timeout = 0; /* after a write the kernel takes it for longer */
  *mtime_wall = tree->started_wall;
}

const KtEntryOps kt_entry_ctl = {
  .mode = S_IFREG | 0644,
  .is_constant = TRUE,
  .resolve = kt_lookup_constant,
  .describe = describe,
  .read = read_nothing,
  .write = write_word,
};
