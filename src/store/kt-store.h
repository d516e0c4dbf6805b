/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/kt-clock.h"
#include "base/kt-metrics.h"
#include "base/kt-units.h"
#include "model/kt-source.h"

/* The cache: what the service last said of each task, how long that holds, and who waits for the next answer. At
 * most one request a task is under way, ever (a flight); all who ask meanwhile wait for it. Times are microseconds.
 *
 * A task asked for without its family (KT_FAMILY_UNKNOWN) is kept under the key that its answer has. */
typedef struct KtStore KtStore;
typedef struct KtWaiter KtWaiter;

typedef struct {
  KtUsec ttl;          /* a running task's answer is fresh this long */
  KtUsec ended_ttl;    /* an ended task's; KT_TIME_NEVER: for good */
  KtUsec negative_ttl; /* a failure is remembered this long before the service is asked again */
  KtUsec max_stale;    /* how long past its freshness an answer stands in when asking again fails */
  guint64 memory;      /* bytes of answers kept; the least recently used go first */
} KtStorePolicy;

/* What is held of a task at this moment; valid during the call that shows it. */
typedef struct {
  KtTask *task;
  KtUsec fetched_wall; /* wall clock */
  KtUsec fetched_at;   /* monotonic, as are the next two */
  KtUsec changed_wall; /* wall clock of the answer that first had this content */
  KtUsec known_wall; /* wall clock since when nothing that is held of the task has changed, in this answer or another */
  KtUsec moved_wall; /* wall clock of the last answer that differed from the one before, 0: none did */
  KtUsec expires_at; /* nobody need ask again before */
  gboolean stale;    /* stands in for an answer that could not be had */
  const char *trace_id; /* NULL of what a list told */
  const GError *error;  /* why it is stale, NULL when fresh */
  KtUsec incomplete_at; /* monotonic: since when it has had this status, of which no list has told the times that TASK
                         * lacks; KT_TIME_UNKNOWN when it lacks none, or a list has told what it knows */
} KtSnapshot;

/* Exactly one of ANSWER and ERROR is set. */
typedef void (*KtStoreDone) (const KtSnapshot *snapshot, const GError *error, gpointer data);

/* Called when a request for KEY has ended, after its waiters: with the error it ended in, or NULL. */
typedef void (*KtStoreObserver) (KtKey *key, const GError *error, gpointer data);

KtStore *kt_store_new (KtClock *clock, KtMetrics *metrics, const KtStorePolicy *policy, KtSource *source);

/* The source has ended all requests and no waiter is left. */
void kt_store_free (KtStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtStore, kt_store_free)

/* From now on; what is cached keeps the life it was given, what no longer fits goes bit by bit. */
void kt_store_set_policy (KtStore *store, const KtStorePolicy *policy);

/* How long a failure is remembered before asking again, by the policy. */
KtUsec kt_store_negative_ttl (const KtStore *store);

void kt_store_set_observer (KtStore *store, KtStoreObserver observer, gpointer data);

/* Called when the answer of KEY was let go for want of memory, or is not to stand in for another one any more. */
typedef void (*KtStoreEvicted) (KtKey *key, gpointer data);
void kt_store_set_evicted (KtStore *store, KtStoreEvicted evicted, gpointer data);

typedef enum {
  KT_STORE_FRESH,  /* from memory while that is fresh, else from the service */
  KT_STORE_LISTED, /* the same, and what a list told will do while it is newer */
  KT_STORE_AGAIN,  /* from the service, by a request that begins after this call */
} KtStoreMode;

/* Gives the task's answer to DONE: at once, before this returns (then the result is NULL), or when the flight has
 * landed (then the result is the waiter, good until DONE is called or it is cancelled). When the service
 * cannot be asked, FRESH gives the last good answer, marked stale, as long as the policy allows; AGAIN always tells
 * the failure. DEADLINE (monotonic) is that of a flight that this call starts. */
KtWaiter *kt_store_get (KtStore *store, KtKey *key, KtStoreMode mode, KtUsec deadline, KtStoreDone done, gpointer data);

/* Whether kt_store_get() in MODE, FRESH or LISTED, would answer from memory. */
gboolean kt_store_has (KtStore *store, KtKey *key, KtStoreMode mode);

/* What it would answer from memory: TRUE and *ANSWER, or *ERROR (transfer none); FALSE when it would ask. */
gboolean kt_store_try (KtStore *store, KtKey *key, KtStoreMode mode, KtSnapshot *snapshot, const GError **error);

/* Whether a request for KEY is under way. */
gboolean kt_store_is_asking (KtStore *store, KtKey *key);

/* Has the answer fetched for somebody who will ask soon, unless memory has it or a flight is under way. */
void kt_store_prefetch (KtStore *store, KtKey *key, KtUsec deadline);

/* DONE will not be called. The flight goes on: its answer is of use to the next. */
void kt_waiter_cancel (KtWaiter *waiter);

/* What memory holds, of whatever age: TRUE and *ANSWER, or FALSE. In mode FRESH that is what the service told of the
 * task alone, in mode LISTED the same while it is fresh, else the newer of it and what a list told. Never a request. */
gboolean kt_store_peek (KtStore *store, KtKey *key, KtStoreMode mode, KtSnapshot *snapshot);

/* A list that was ASKED for then (monotonic) told of TASK (from_list), as it was AGE ago, which holds for LIFE from then on,
 * or, when it has ended, for ended-ttl. What is held of the task alone takes from it what it lacks, as the time of the end, and lives no
 * longer when the list knows another end. TRUE when that was fresh and has changed so. */
gboolean kt_store_offer (KtStore *store, KtTask *task, KtUsec asked_at, KtUsec age, KtUsec ttl);

/* No failure is remembered any more: there is reason to believe that asking again helps. */
void kt_store_forget_failures (KtStore *store);

/* The last failure to get KEY that no success has followed, or NULL. */
const GError *kt_store_peek_error (KtStore *store, KtKey *key);
