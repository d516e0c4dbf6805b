/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/kt-clock.h"

/* Interests: who wants which subject polled. A subject, as a task or a list, is polled while somebody holds an
 * interest in it: one poll for all holders, at a pace that the owner of the subject sets. The poller remembers
 * nothing of a subject that nobody holds an interest in, and makes no request itself. */
typedef struct KtPoller KtPoller;
typedef struct KtInterest KtInterest;

typedef struct {
  GHashFunc hash; /* of a subject; as for GHashTable, as is the next */
  GEqualFunc equal;
  /* A reference of the poller's own to a subject, and its return; NULL when subjects outlive the poller. */
  gpointer (*ref) (gpointer subject);
  void (*unref) (gpointer subject);
  /* When SUBJECT is to be polled next (monotonic): now when that is past, KT_TIME_NEVER while it is being polled,
   * whoever began that. */
  KtUsec (*due_at) (gpointer subject, gpointer data);
  /* Begins a poll of SUBJECT. From then on due_at() is later than it was. */
  void (*poll) (gpointer subject, gpointer data);
} KtPollerOps;

/* OPS is static; CLOCK and DATA outlive the poller. */
KtPoller *kt_poller_new (KtClock *clock, const KtPollerOps *ops, gpointer data);

/* All interests have been dropped. */
void kt_poller_free (KtPoller *poller);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtPoller, kt_poller_free)

/* Has SUBJECT polled until the interest is dropped, the first time before this returns if it is due. (transfer full) */
KtInterest *kt_poller_hold (KtPoller *poller, gpointer subject);

/* Clears *INTEREST, which may be NULL. A poll that is under way goes on. */
void kt_interest_drop (KtInterest **interest);

/* due_at() of SUBJECT is another now: a poll, whoever began it, has ended, well or not. When somebody holds an
 * interest and the next poll is due, it begins before this returns, unless this is called by poll(). */
void kt_poller_update (KtPoller *poller, gpointer subject);
