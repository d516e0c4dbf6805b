/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-poller.h"
#include "kt-store.h"

/* The tasks that are polled because somebody holds an interest in them: when each is asked for next, and that not too
 * many are at once. */
typedef struct KtPolling KtPolling;

typedef struct {
  KtUsec ttl;        /* taken to be within KT_POLLING_TTL_MIN and _MAX */
  KtUsec deadline;   /* of one poll */
  guint concurrency; /* polls under way at once at the most; others come after them, oldest first */
} KtPollingPolicy;

#define KT_POLLING_TTL_MIN (KT_SECOND / 10)
#define KT_POLLING_TTL_MAX (600 * KT_SECOND)

/* What an interest is for. */
typedef enum {
  KT_WATCH_CHANGES, /* every ttl */
  KT_WATCH_END,     /* as the task's progress suggests (kt-pace.h) */
  KT_N_WATCH_FORS,
} KtWatchFor;

/* All that is passed in outlives it; POLICY is copied. */
KtPolling *kt_polling_new (KtClock *clock, KtChanges *changes, KtStore *store, const KtPollingPolicy *policy);

/* All interests have been dropped. */
void kt_polling_free (KtPolling *polling);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtPolling, kt_polling_free)

/* From now on. */
void kt_polling_set_policy (KtPolling *polling, const KtPollingPolicy *policy);

/* The policy's ttl, within its bounds. */
KtUsec kt_polling_ttl (const KtPolling *polling);

/* See kt_watch_task(). */
KtInterest *kt_polling_hold (KtPolling *polling, KtKey *key, KtWatchFor what);

/* Tasks that somebody holds an interest in, and polls that are under way. */
guint kt_polling_size (const KtPolling *polling);
guint kt_polling_polls (const KtPolling *polling);
