/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-node.h"
#include "kt-overview.h"

/* What all operations that wait have in common: each kind of operation begins with it and adds its callback. It
 * waits for the store, for lists, for an overview, for a package or for a change, for one at a time. */
struct KtOperation {
  KtTree *tree;
  KtNode *node;
  KtKey *key; /* of the task that it is about, or NULL */
  KtUsec deadline;
  KtWaiter *waiter;
  KtListsWaiter *lists_waiter;
  KtOverviewWaiter *overview_waiter;
  KtPackageFind *package_find;
  KtPackageRead *package_read;
  void (*clear) (KtOperation *operation); /* what its kind adds; NULL: nothing to be freed */
  guint is_asking : 1;                    /* the store is being asked, and may call back at once */
  guint has_ended : 1;                    /* meanwhile */
  guint is_cancelled : 1;                 /* nobody waits for it, but it has to end by itself */
  guint is_listening : 1;                 /* it waits for a change alone: there is nothing else to be cancelled */
};

/* An operation of SIZE bytes, which begins with a KtOperation, on NODE; KEY may be NULL. It ends with
 * kt_operation_free(). */
gpointer kt_operation_new (gsize size, KtTree *tree, KtNode *node, KtKey *key);

/* Asks the store for the operation's task. DONE gets the operation; it ends it with kt_operation_free(), or has it
 * wait for something else. FALSE when it has ended before this returns. */
gboolean kt_operation_ask (KtOperation *operation, KtStoreMode mode, KtStoreDone done);

void kt_operation_free (KtOperation *operation);
