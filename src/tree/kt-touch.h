/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-operation.h"

/* An operation that has the service asked again and the kernel forget what it had: touch, or a word written to ctl. */
typedef struct {
  KtOperation operation;
  KtTreeTouched touched;
  gpointer data;
  GError *error; /* what it ends in */
} KtTouch;

KtTouch *kt_touch_new (KtTree *tree, KtNode *node, KtKey *key, KtTreeTouched touched, gpointer data);

/* Has the names of the task invalidated; the operation ends when the kernel has forgotten them. */
void kt_touch_invalidate (KtTouch *touch);

/* Reports the error, unless the operation was cancelled, and frees the operation. */
void kt_touch_end (KtTouch *touch);
