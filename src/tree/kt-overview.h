/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-entry.h"
#include "kt-views.h"

/* The content of the files that show all tasks at once. Each is made when somebody looks, and shared by all who look
 * before anything that is shown of some task changes. Of few tasks it is made at once. Of many the loop only collects
 * what there is, a slice a turn, and a thread sorts and renders it. */
typedef struct KtOverview KtOverview;
typedef struct KtOverviewWaiter KtOverviewWaiter;

/* Up to so many tasks are few. */
#define KT_OVERVIEW_FEW 1000

/* A content that is larger is dropped when nobody has looked for KT_OVERVIEW_KEPT. */
#define KT_OVERVIEW_LARGE (1 << 20)
#define KT_OVERVIEW_KEPT  (60 * KT_SECOND)

/* The large content of ROW was dropped. */
typedef void (*KtOverviewDropped) (const KtEntry *row, gpointer data);

/* All that is passed in outlives the overview. */
KtOverview *kt_overview_new (KtClock *clock, KtViews *views, KtStore *store, KtCatalog *catalog,
                             KtOverviewDropped dropped, gpointer data);

/* Runs the main context until the thread is done; no waiter is left. */
void kt_overview_free (KtOverview *overview);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtOverview, kt_overview_free)

/* The content of ROW, and in *MADE_WALL the time that it is of; NULL when that takes a while: see
 * kt_overview_wait(). (transfer none) */
GBytes *kt_overview_get (KtOverview *overview, const KtEntry *row, KtUsec *made_wall);

/* The same as it was made last: for who has waited for it. */
GBytes *kt_overview_last (KtOverview *overview, const KtEntry *row, KtUsec *made_wall);

/* Calls DONE when the content of ROW has been made of what is cached now, or later. The result is valid until then, or
 * until it is cancelled. DONE is never called before this returns. */
typedef void (*KtOverviewDone) (gpointer data);
KtOverviewWaiter *kt_overview_wait (KtOverview *overview, const KtEntry *row, KtOverviewDone done, gpointer data);
void kt_overview_cancel (KtOverviewWaiter *waiter);
