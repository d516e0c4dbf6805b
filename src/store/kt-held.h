/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-store.h"

/* What is held of one task: the last good answer about it alone, what a list last told of it, and the last failure to get
 * either; and what of that is shown to one who asks in which mode. The clock decides, nobody is asked, nobody waits. */

/* One answer, TASK NULL when there is none. */
typedef struct {
  KtTask *task;
  KtUsec asked_at; /* monotonic: of two answers the newer is that to the later question, whichever came first */
  KtUsec fetched_wall;
  KtUsec fetched_at;
  KtUsec changed_wall;
  KtUsec expires_at;
  KtUsec status_at; /* monotonic: when TASK's status was first seen */
} KtHeldTask;

typedef struct {
  KtClock *clock;
  const KtStorePolicy *policy;
  KtHeldTask full;
  KtHeldTask listed;
  KtUsec known_wall; /* wall clock, when one of them last brought something new */
  KtUsec moved_wall; /* wall clock, when one of them last differed from the one before it */
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

/* RESPONSE is that to what was ASKED then (monotonic). A list's later news completes it, or ends its life at once. */
void kt_held_keep (KtHeld *held, const KtResponse *response, KtUsec asked_at);

/* See kt_store_offer(). */
gboolean kt_held_offer (KtHeld *held, KtTask *task, KtUsec asked_at, KtUsec age, KtUsec ttl);

/* ERROR is remembered for the policy's negative-ttl. */
void kt_held_fail (KtHeld *held, const GError *error);

/* It may be asked for again at once, whatever happened last; until then all is shown as before. */
void kt_held_forget_failure (KtHeld *held);

/* Whether it has a fresh answer for MODE, or a failure not to be repeated yet. */
gboolean kt_held_knows (const KtHeld *held, KtStoreMode mode);

/* What there is to say now: NULL and *ANSWER, or the failure (transfer none). There is something. */
const GError *kt_held_outcome (const KtHeld *held, KtStoreMode mode, KtSnapshot *snapshot);

/* See kt_store_peek(). */
gboolean kt_held_peek (const KtHeld *held, KtStoreMode mode, KtSnapshot *snapshot);
