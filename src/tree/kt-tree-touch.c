/* SPDX-License-Identifier: MIT */
/* What users ask for by writing: touch asks the service again, and a write goes to the file's own operation. */
#include "base/kt-error.h"
#include "kt-touch.h"
#include "kt-tree-private.h"

static void
on_snapshot (const KtSnapshot *snapshot, const GError *error, gpointer data)
{
  KtTouch *touch = data;
  KtTree *tree = touch->operation.tree;
  g_autoptr (KtKey) key = NULL;

  if (error == NULL && !S_ISDIR (touch->operation.node->entry->ops->mode)) {
    kt_touch_invalidate (touch);
    return;
  }
  /* The kernel locks a touched directory until the reply, and invalidating names takes that lock: so the reply goes
   * first. */
  key = kt_key_ref (touch->operation.key);
  touch->error = error != NULL ? g_error_copy (error) : NULL;
  kt_touch_end (touch);
  kt_tree_forget_names (tree, key, NULL, NULL);
}

static gboolean
refuse (GError **error, const char *why)
{
  g_set_error_literal (error, KT_ERROR, KT_ERROR_READ_ONLY, why);
  return TRUE;
}

KtOperation *
kt_tree_touch (KtTree *tree, guint64 id, KtTreeTouched touched, gpointer data)
{
  KtNode *node = kt_nodes_get (tree->nodes, id);
  g_autoptr (GError) error = NULL;
  KtTouch *touch;

  if ((node == NULL || node->key == NULL) && refuse (&error, "this is not of a task")) {
    touched (error, data);
    return NULL;
  }
  touch = kt_touch_new (tree, node, kt_tree_key_of (tree, node), touched, data);
  return kt_operation_ask (&touch->operation, KT_STORE_AGAIN, on_snapshot) ? &touch->operation : NULL;
}

void
kt_tree_set_cancel (KtTree *tree, KtSource *source)
{
  tree->cancel = source;
}

KtOperation *
kt_tree_write (KtTree *tree, guint64 id, const char *text, gsize size, gint64 offset, KtTreeTouched written,
               gpointer data)
{
  KtNode *node = kt_nodes_get (tree->nodes, id);
  g_autoptr (GError) error = NULL;

  if ((node == NULL || node->entry->ops->write == NULL) && refuse (&error, "nothing can be written there")) {
    written (error, data);
    return NULL;
  }
  return node->entry->ops->write (tree, node, &(KtWrite){ text, size, offset }, written, data);
}
