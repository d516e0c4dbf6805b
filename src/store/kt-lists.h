/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-catalog.h"
#include "kt-store.h"

/* The lists of the families that the service can list: read when somebody wants to see them, kept for a time. What
 * they name goes to the catalog, what they tell to the store. A list that cannot be had leaves everything as it was,
 * and does not keep the others. Times are microseconds. */
typedef struct KtLists KtLists;
typedef struct KtListsWaiter KtListsWaiter;

/* TASKS (KtTask) have just been told of. GONE are tasks that are in the catalog no more, or are another family's now;
 * SUPERSEDED those for which kt_store_offer() was TRUE. KtKey both. IS_FIRST until the list has once been read whole. */
typedef void (*KtListsObserver) (GPtrArray *tasks, GPtrArray *gone, GPtrArray *superseded, gboolean is_first,
                                 gpointer data);

typedef struct {
  guint families;      /* KT_FAMILY_BIT()s of those chosen; share tasks have no list */
  KtUsec ttl;          /* how long a list holds */
  KtUsec negative_ttl; /* how long a failure is remembered */
  KtUsec page_timeout; /* for each page, and of one who waits */
} KtListsPolicy;

KtLists *kt_lists_new (KtClock *clock, KtStore *store, KtCatalog *catalog, const KtListsPolicy *policy,
                       KtSource *source);

/* The source has ended all requests and no waiter is left. */
void kt_lists_free (KtLists *lists);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtLists, kt_lists_free)

/* From now on. A family that is not chosen any more keeps what it had listed until the next mount. */
void kt_lists_set_policy (KtLists *lists, const KtListsPolicy *policy);

/* As kt_store_forget_failures(): a list that failed is asked for when it is next wanted. */
void kt_lists_forget_failures (KtLists *lists);

void kt_lists_set_observer (KtLists *lists, KtListsObserver observer, gpointer data);

/* Calls DONE when the lists are as new as they have to be, or cannot be had, or their waiter has run out of patience:
 * at once, before this returns (then the result is NULL), or later (then the result is good until DONE or the cancel). */
typedef void (*KtListsDone) (gpointer data);
KtListsWaiter *kt_lists_get (KtLists *lists, KtListsDone done, gpointer data);
void kt_lists_cancel (KtListsWaiter *waiter);

/* From when on (monotonic) reading a list may tell times that ANSWER lacks (KtSnapshot.incomplete_at): 0 for now, KT_TIME_NEVER
 * when it lacks none, or its family has no list, or that is not chosen. */
KtUsec kt_lists_complete_at (KtLists *lists, const KtSnapshot *snapshot);

/* As kt_lists_get(), of the one list that may tell now what ANSWER lacks: DONE is called as soon as that has told of the task,
 * or cannot, or DEADLINE (monotonic) has passed. The list is read from after the task got its status; all who wait share
 * one reading, and one a second begins at the most. */
KtListsWaiter *kt_lists_complete (KtLists *lists, const KtSnapshot *snapshot, KtUsec deadline, KtListsDone done,
                                  gpointer data);

/* A line for each chosen list on how it is. (transfer full) */
char *kt_lists_format (const KtLists *lists);
