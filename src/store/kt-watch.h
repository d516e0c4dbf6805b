/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-lists.h"
#include "kt-polling.h"

/* Who watches what. While somebody holds an interest in a task it is polled, one request for all who hold one; nothing
 * else is polled. There are three kinds of watchers: who waits for the end of a task, who wants to see each of its
 * changes, and who watches all tasks. The last two may not say so: who looks again and again is watching (see
 * kt_watch_look()). Polls heed a Retry-After (kt_store_ready_at()). What is polled is published as any other response is (kt-changes.h). */
typedef struct KtWatch KtWatch;

/* All that is passed in outlives the watch; POLICY is copied. */
KtWatch *kt_watch_new (KtClock *clock, KtChanges *changes, KtStore *store, KtCatalog *catalog, KtLists *lists,
                       const KtPollingPolicy *policy);

/* All interests have been dropped, but for those that come from looking. */
void kt_watch_free (KtWatch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtWatch, kt_watch_free)

/* From now on. */
void kt_watch_set_policy (KtWatch *watch, const KtPollingPolicy *policy);

/* Has the task of KEY polled until it has ended, or the interest is dropped. A task that nothing is cached of is polled
 * before this returns, others when they are due. The key is one that the catalog has: one of a family that is not known
 * yet is polled once. (transfer full), see kt_interest_drop(). */
KtInterest *kt_watch_task (KtWatch *watch, KtKey *key, KtWatchFor what);

/* Has the lists read whenever they are not fresh, and all tasks that have not ended polled every ttl. (transfer full) */
KtInterest *kt_watch_all (KtWatch *watch);

/* Somebody looks at VIEW, which shows the task of KEY, or all tasks when KEY is NULL. Who looks a second time, at least
 * KT_WATCH_GLANCE and at most KT_WATCH_AGAIN later, watches: an interest is held until three of the intervals between
 * two looks have passed without another one, and at least three ttl. Looks that come sooner are part of the same one:
 * reading a file takes several operations. VIEW is compared, not read; one view is of one task, or of all. */
#define KT_WATCH_GLANCE (KT_SECOND / 2)
#define KT_WATCH_AGAIN  (60 * KT_SECOND)
void kt_watch_look (KtWatch *watch, gconstpointer view, KtKey *key);

/* VIEW is gone: it may be freed. */
void kt_watch_look_away (KtWatch *watch, gconstpointer view);

/* Tasks that somebody holds an interest in, those whose polls are under way, and whether all are watched; for
 * statistics. */
guint kt_watch_size (const KtWatch *watch);
guint kt_watch_polls (const KtWatch *watch);
gboolean kt_watch_is_all (const KtWatch *watch);

/* What `.kootaskfs/metrics` says of the watch, which outlives METRICS' last use. */
void kt_watch_add_metrics (KtWatch *watch, KtMetrics *metrics);
