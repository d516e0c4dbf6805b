/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-node.h"
#include "store/kt-watch.h"

/* Those who wait for tasks to end. While somebody waits for a task it is polled, one request for all; each wait ends
 * with the response that shows the end, when the service says that there is no such task, or when it could not be asked
 * for so long that what was known is worth nothing any more (max-stale). */
typedef struct KtWaits KtWaits;

/* All that is passed in outlives the waits. */
KtWaits *kt_waits_new (KtClock *clock, KtChanges *changes, KtStore *store, KtCatalog *catalog, KtWatch *watch);

/* Nobody waits any more. */
void kt_waits_free (KtWaits *waits);

/* TASK has ended, or ERROR says why that cannot be known. */
typedef void (*KtWaitDone) (const KtTask *task, const GError *error, gpointer data);

/* Somebody who waits; a part of what waits, with no memory of its own. */
typedef struct {
  KtWaits *waits;
  gpointer task; /* that is waited for; NULL: nobody waits */
  GList link;
  KtInterest *interest;
  KtUsec began_at;
  KtWaitDone done;
  gpointer data;
} KtWait;

/* The task of KEY if it is known to have ended, as its `status` shows, or NULL. (transfer none) */
const KtTask *kt_waits_peek (KtWaits *waits, KtKey *key);

/* Calls DONE once the task of KEY, which is not known to have ended, has; never before this returns. */
void kt_wait_begin (KtWait *wait, KtWaits *waits, KtKey *key, KtWaitDone done, gpointer data);

/* DONE is not called any more. It may have been. */
void kt_wait_end (KtWait *wait);
