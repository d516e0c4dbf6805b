/* SPDX-License-Identifier: MIT */
#pragma once

#include "store/kt-catalog.h"
#include "store/kt-store.h"

/* What the views of all tasks show, and when that changes. A view shows what is cached and makes no request: of a task
 * its snapshot, as kt_store_peek() in mode LISTED has it, so that by-status/ and tasks/ID/status say the same; and the
 * last failure to ask for it. It listens to the change feed, and keeps the status of each task in the catalog. */
typedef struct KtViews KtViews;

/* All that is passed in outlives the views. */
KtViews *kt_views_new (KtClock *clock, KtChanges *changes, KtStore *store, KtCatalog *catalog);
void kt_views_free (KtViews *views);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtViews, kt_views_free)

/* Another number whenever what is shown of some task is another. */
guint64 kt_views_generation (const KtViews *views);

/* When that last was so: wall clock. */
KtUsec kt_views_changed_wall (const KtViews *views);

/* Brings the statuses in the catalog up to date: before tasks are listed by them. */
void kt_views_settle (KtViews *views);

/* The status word of the task of KEY, NULL when that is not known: it was never asked for, or the service says that
 * there is no such task. What was evicted keeps the last one. (transfer none) */
const char *kt_views_status (KtViews *views, KtKey *key);

/* What is shown of the task of KEY, NULL when nothing is cached: its snapshot, but in place of a summary the last
 * detail with the same status, which has more. (transfer none) */
KtTask *kt_views_task (KtViews *views, KtKey *key);
