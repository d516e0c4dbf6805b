/* SPDX-License-Identifier: MIT */
/* What touch and ctl have in common: they end when the kernel has forgotten the names of the task. */
#include "kt-touch.h"

#include "kt-tree-private.h"

static void
clear (KtOperation *operation)
{
  g_clear_error (&((KtTouch *) operation)->error);
}

KtTouch *
kt_touch_new (KtTree *tree, KtNode *node, KtKey *key, KtTreeTouched touched, gpointer data)
{
  KtTouch *touch = kt_operation_new (sizeof (KtTouch), tree, node, key);

  touch->operation.clear = clear;
  touch->touched = touched;
  touch->data = data;
  return touch;
}

void
kt_touch_end (KtTouch *touch)
{
  if (!touch->operation.is_cancelled)
    touch->touched (touch->error, touch->data);
  kt_operation_free (&touch->operation);
}

static gboolean
on_forgotten (gpointer data)
{
  kt_touch_end (data);
  return G_SOURCE_REMOVE;
}

void
kt_touch_invalidate (KtTouch *touch)
{
  touch->operation.waiter = NULL; /* from now on it waits for the kernel */
  kt_tree_forget_names (touch->operation.tree, touch->operation.key, on_forgotten, touch);
}
