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

/* Ends an operation before it has begun. */
static KtOperation *
refuse (KtTreeTouched touched, gpointer data, const char *why)
{
  g_autoptr (GError) error = g_error_new_literal (KT_ERROR, KT_ERROR_READ_ONLY, why);

  touched (error, data);
  return NULL;
}

KtOperation *
kt_tree_touch (KtTree *tree, guint64 id, KtTreeTouched touched, gpointer data)
{
  KtNode *node = kt_nodes_get (tree->nodes, id);
  KtTouch *touch;

  if (node == NULL || node->key == NULL)
    return refuse (touched, data, "this is not of a task");
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

  if (node == NULL || node->entry->ops->write == NULL)
    return refuse (written, data, "nothing can be written there");
  return node->entry->ops->write (tree, node, &(KtWrite){ text, size, offset }, written, data);
}
