/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-catalog.h"
#include "kt-store.h"

/* The lists of the families that have one (KT_FACT_LISTED): read when somebody looks, and kept for a ttl. What they
 * name goes to the catalog, their summaries to the store. A list that cannot be had leaves everything as it was; the
 * others are read all the same. Times are microseconds. */
typedef struct KtLists KtLists;
typedef struct KtListsWaiter KtListsWaiter;

typedef struct {
  guint families;      /* KT_FAMILY_BIT()s of those chosen */
  KtUsec ttl;          /* how long a list holds */
  KtUsec negative_ttl; /* how long a failure is remembered */
  KtUsec page_timeout; /* of each page, and of kt_lists_get() */
} KtListsPolicy;

/* All that is passed in outlives the lists; POLICY is copied. */
KtLists *kt_lists_new (KtClock *clock, KtStore *store, KtCatalog *catalog, const KtListsPolicy *policy,
                       KtSource *source);

/* The source has ended all requests and no waiter is left. */
void kt_lists_free (KtLists *lists);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtLists, kt_lists_free)

/* From now on. A family that is not chosen any more keeps what it had listed until the next mount. */
void kt_lists_set_policy (KtLists *lists, const KtListsPolicy *policy);

/* As kt_store_forget_failures(): a list that failed is read when somebody looks next. */
void kt_lists_forget_failures (KtLists *lists);

/* Calls DONE when the lists are fresh, or cannot be had, or page-timeout has passed. When that is so already, DONE
 * is called before this returns, and the result is NULL. Else the result is valid until DONE is called or it is
 * cancelled. */
typedef void (*KtListsDone) (gpointer data);
KtListsWaiter *kt_lists_get (KtLists *lists, KtListsDone done, gpointer data);
void kt_lists_cancel (KtListsWaiter *waiter);

/* Whether each chosen list has been read once, well or not. */
gboolean kt_lists_have_been_read (const KtLists *lists);

/* When kt_lists_get() would next read a list (monotonic): now when that is past, KT_TIME_NEVER when none is chosen, or
 * one is being read. */
KtUsec kt_lists_due_at (const KtLists *lists);

/* From when on (monotonic) a list may have the times that SNAPSHOT lacks (KtSnapshot.incomplete_at): 0 for now,
 * KT_TIME_NEVER when it lacks none, or its family has no list, or that is not chosen. */
KtUsec kt_lists_complete_at (KtLists *lists, const KtSnapshot *snapshot);

/* As kt_lists_get(), of the one list that may have now what SNAPSHOT lacks. DONE is called when that list has had
 * the task, or cannot be had, or DEADLINE (monotonic) has passed. The list is requested after the task got its status.
 * All who wait share one reading, and one a second begins at the most. */
KtListsWaiter *kt_lists_complete (KtLists *lists, const KtSnapshot *snapshot, KtUsec deadline, KtListsDone done,
                                  gpointer data);

/* What `.kootaskfs/metrics` says of the lists, which outlive METRICS' last use. */
void kt_lists_add_metrics (KtLists *lists, KtMetrics *metrics);

/* A line for each chosen list on how it is. (transfer full) */
char *kt_lists_format (const KtLists *lists);
