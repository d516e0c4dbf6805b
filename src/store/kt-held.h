/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-store.h"

/* What is cached of one task: the last detail, the last summary, and the last failure to get either; and which of
 * these is shown in which mode. The clock decides; nothing here makes a request or waits. */

/* One snapshot, TASK NULL when there is none. */
typedef struct {
  KtTask *task;
  KtUsec asked_at; /* monotonic: of two snapshots the newer is that of the later request, whichever ended first */
  KtUsec fetched_wall;
  KtUsec fetched_at;
  KtUsec changed_wall;
  KtUsec expires_at;
  KtUsec status_at; /* monotonic: when TASK's status was first seen */
} KtCached;

typedef struct {
  KtClock *clock;
  const KtStorePolicy *policy;
  KtCached full;
  KtCached listed;
  KtUsec known_wall; /* when one of them last brought something new */
  KtUsec moved_wall; /* when one of them last differed from the one before it, 0: none has */
  char *trace_id;    /* of FULL */
  GError *error;     /* the last failure, if none was overcome since */
  KtUsec retry_at;   /* the service is not asked before */
} KtHeld;

/* Nothing yet; CLOCK and POLICY outlive it. */
void kt_held_init (KtHeld *held, KtClock *clock, const KtStorePolicy *policy);
void kt_held_clear (KtHeld *held);

gboolean kt_held_is_empty (const KtHeld *held);

/* Bytes of memory, roughly. */
gsize kt_held_size (const KtHeld *held);

/* RESPONSE is to a request that was made at ASKED_AT (monotonic). The summary of a later list completes it, and
 * makes it expire at once. */
void kt_held_keep (KtHeld *held, const KtResponse *response, KtUsec asked_at);

/* See kt_store_offer(). TRUE when the detail is fresh and has changed so. */
gboolean kt_held_offer (KtHeld *held, KtTask *task, KtUsec asked_at, KtUsec age, KtUsec ttl);

/* ERROR is remembered for the policy's negative-ttl. */
void kt_held_fail (KtHeld *held, const GError *error);

/* The next request need not wait, whatever the last one ended in; until then the same is shown as before. */
void kt_held_forget_failure (KtHeld *held);

/* Whether there is a fresh snapshot for MODE, or a failure that is not to be repeated yet. */
gboolean kt_held_knows (const KtHeld *held, KtStoreMode mode);

/* What is shown now: NULL and *SNAPSHOT, or the failure (transfer none). There is one of the two. */
const GError *kt_held_outcome (const KtHeld *held, KtStoreMode mode, KtSnapshot *snapshot);

/* See kt_store_newest(). */
KtTask *kt_held_newest (const KtHeld *held);

/* See kt_store_peek(). */
gboolean kt_held_peek (const KtHeld *held, KtStoreMode mode, KtSnapshot *snapshot);
