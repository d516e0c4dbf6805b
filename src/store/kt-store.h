/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/kt-clock.h"
#include "base/kt-metrics.h"
#include "base/kt-units.h"
#include "kt-changes.h"
#include "model/kt-source.h"

/* The cache: a snapshot of each task, how long that holds, and who waits for the next one. It is a singleflight: at
 * most one request a task is under way (a flight), and all who ask meanwhile wait for it. Times are microseconds.
 *
 * A task that is asked for without its family (KT_FAMILY_UNKNOWN) is kept under the key that its response has.
 *
 * Each snapshot that is replaced, evicted or outdated is published as a change, after those who waited for it have
 * it. */
typedef struct KtStore KtStore;
typedef struct KtWaiter KtWaiter;

typedef struct {
  KtUsec ttl;          /* a running task's snapshot is fresh this long */
  KtUsec ended_ttl;    /* an ended task's; KT_TIME_NEVER: for good */
  KtUsec negative_ttl; /* a failure is remembered this long before the service is asked again */
  KtUsec max_stale;    /* how long past its ttl a snapshot stands in when asking again fails */
  guint64 memory;      /* bytes of snapshots kept; the least recently used go first */
} KtStorePolicy;

/* What the store shows of a task at this moment; valid during the call that shows it. */
typedef struct {
  KtTask *task;
  KtUsec fetched_wall;  /* wall clock */
  KtUsec fetched_at;    /* monotonic, as are the next two */
  KtUsec changed_wall;  /* wall clock of the response that first had this content */
  KtUsec known_wall;    /* since then nothing that is cached of the task has changed, in this form or another */
  KtUsec moved_wall;    /* when a response last differed from the one of the same kind before it, 0: none has */
  KtUsec expires_at;    /* nobody need ask again before */
  gboolean stale;       /* stands in for one that could not be had */
  const char *trace_id; /* NULL when it is a summary */
  const GError *error;  /* why it is stale, NULL when fresh */
  KtUsec incomplete_at; /* monotonic: since when it has had this status, of which no list has had the times that TASK
                         * lacks; KT_TIME_UNKNOWN when it lacks none, or a list has had all that it knows */
} KtSnapshot;

/* Exactly one of SNAPSHOT and ERROR is set. */
typedef void (*KtStoreDone) (const KtSnapshot *snapshot, const GError *error, gpointer data);

/* All that is passed in outlives the store; POLICY is copied. */
KtStore *kt_store_new (KtClock *clock, KtChanges *changes, KtMetrics *metrics, const KtStorePolicy *policy,
                       KtSource *source);

/* The source has ended all requests and no waiter is left. */
void kt_store_free (KtStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtStore, kt_store_free)

/* From now on. What is cached keeps the ttl that it was given; what no longer fits is evicted bit by bit. */
void kt_store_set_policy (KtStore *store, const KtStorePolicy *policy);

/* How long a failure is remembered before the service is asked again, by the policy. */
KtUsec kt_store_negative_ttl (const KtStore *store);

/* How long a running task's snapshot is fresh, by the policy. */
KtUsec kt_store_ttl (const KtStore *store);

/* How long past its ttl a snapshot stands in when asking again fails, by the policy. */
KtUsec kt_store_max_stale (const KtStore *store);

typedef enum {
  KT_STORE_FRESH,  /* the cached snapshot while that is fresh, else a request */
  KT_STORE_LISTED, /* the same, and a summary will do while it is newer */
  KT_STORE_AGAIN,  /* a request that begins after this call */
} KtStoreMode;

/* Gives a snapshot of the task to DONE. When there is one for MODE, DONE is called before this returns, and the
 * result is NULL. Else it is called when the flight has ended; the result is the waiter, valid until then or until
 * it is cancelled. When the service cannot be asked, FRESH and LISTED give the last snapshot, marked stale, as long
 * as the policy allows; AGAIN always reports the failure. DEADLINE (monotonic) is that of a flight that begins here. */
KtWaiter *kt_store_get (KtStore *store, KtKey *key, KtStoreMode mode, KtUsec deadline, KtStoreDone done, gpointer data);

/* Whether kt_store_get() in MODE, FRESH or LISTED, would call DONE at once. */
gboolean kt_store_has (KtStore *store, KtKey *key, KtStoreMode mode);

/* What it would give at once: TRUE and *SNAPSHOT, or *ERROR (transfer none). FALSE when it would make a request. */
gboolean kt_store_try (KtStore *store, KtKey *key, KtStoreMode mode, KtSnapshot *snapshot, const GError **error);

/* Until when (monotonic) the source asks not to be polled; 0 for none. */
KtUsec kt_store_ready_at (const KtStore *store);

/* Whether a request for KEY is under way. */
gboolean kt_store_is_asking (KtStore *store, KtKey *key);

/* Fetches the task ahead of a reader, unless it is cached and fresh or a flight is under way. */
void kt_store_prefetch (KtStore *store, KtKey *key, KtUsec deadline);

/* DONE will not be called. The flight goes on: its response is of use to the next reader. */
void kt_waiter_cancel (KtWaiter *waiter);

/* What is cached, of whatever age: TRUE and *SNAPSHOT, or FALSE. In mode FRESH that is the last detail. In mode
 * LISTED that is the detail while it is fresh, else the newer of it and the last summary. Never makes a request. */
gboolean kt_store_peek (KtStore *store, KtKey *key, KtStoreMode mode, KtSnapshot *snapshot);

/* The newest that is known of the task, or NULL: the detail or the summary, but of an ended task the detail, which says
 * more, while it is fresh. (transfer none) */
KtTask *kt_store_newest (KtStore *store, KtKey *key);

/* A list that was asked for at ASKED_AT (monotonic) had TASKS (KtTask, each from_list), as they were AGE ago. Each
 * holds for TTL from then on, or, when it has ended, for ended-ttl. The cached detail takes from it what it lacks,
 * as the time of the end, and expires when the list has another end. Publishes one batch of KT_CHANGE_LISTED. */
void kt_store_offer (KtStore *store, GPtrArray *tasks, KtUsec asked_at, KtUsec age, KtUsec ttl);

/* Forgets all failures: there is reason to believe that asking again helps. */
void kt_store_forget_failures (KtStore *store);

/* The last failure to fetch KEY that no success has followed, or NULL. */
const GError *kt_store_peek_error (KtStore *store, KtKey *key);
