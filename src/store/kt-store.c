/* SPDX-License-Identifier: MIT */
/* The cache of snapshots: who waits for which request, and what is evicted when memory is short. */
#include "kt-store.h"

#include "kt-held.h"

#define EVICTIONS_PER_TURN 64 /* then the loop's other sources have theirs */

typedef struct {
  KtStore *store;
  KtKey *key;
  KtHeld held;
  gsize size; /* as counted in KtStore.bytes */
  /* the flight */
  gboolean in_flight;
  KtUsec asked_at;
  GQueue waiting; /* KtWaiter: for the flight under way */
  GQueue next;    /* KtWaiter: for the one after it */
  GList lru;      /* KtStore.lru, most recent first */
} Slot;

struct KtWaiter {
  KtStore *store;
  GQueue *queue; /* which it stands in */
  GList link;
  KtStoreMode mode;
  KtUsec deadline;
  KtStoreDone done;
  gpointer data;
};

struct KtStore {
  KtClock *clock;
  KtStorePolicy policy;
  KtSource *source;
  KtChanges *changes;
  KtTimer *evicting; /* more is to go */
  GHashTable *slots; /* KtKey → Slot */
  GQueue lru;
  guint64 bytes;
  guint flights;
  guint waiters;
  guint64 *hits;
  guint64 *joins;
  guint64 *misses;
  guint64 *prefetches;
  guint64 *stale;
};

static void on_landed (const KtResponse *response, const GError *error, gpointer data);

static void
slot_free (gpointer data)
{
  Slot *slot = data;

  slot->store->bytes -= slot->size;
  g_queue_unlink (&slot->store->lru, &slot->lru);
  kt_held_clear (&slot->held);
  kt_key_unref (slot->key);
  g_free (slot);
}

static Slot *
slot_get (KtStore *store, KtKey *key)
{
  Slot *slot = g_hash_table_lookup (store->slots, key);

  if (slot == NULL) {
    slot = g_new0 (Slot, 1);
    slot->store = store;
    slot->key = kt_key_ref (key);
    kt_held_init (&slot->held, store->clock, &store->policy);
    slot->lru.data = slot;
    slot->size = sizeof (Slot);
    store->bytes += slot->size;
    g_hash_table_insert (store->slots, slot->key, slot);
    g_queue_push_head_link (&store->lru, &slot->lru);
  } else if (store->lru.head != &slot->lru) {
    g_queue_unlink (&store->lru, &slot->lru);
    g_queue_push_head_link (&store->lru, &slot->lru);
  }
  return slot;
}

/* The slot goes; what it had goes to EVICTED, a batch of changes. */
static void
let_go (Slot *slot, GArray **evicted)
{
  KtStore *store = slot->store;

  if (!kt_held_is_empty (&slot->held))
    kt_changes_add (evicted,
                    &(KtChange){ .kind = KT_CHANGE_EVICTED, .key = slot->key, .before = slot->held.full.task });
  g_hash_table_remove (store->slots, slot->key);
}

static void on_evict (gpointer data);

/* Lets the least recently used go until the rest fits. What is in flight stays, and the last one asked for, however
 * large: else each of its files would be a request. */
static void
evict (KtStore *store)
{
  GList *link = store->lru.tail;
  GArray *evicted = NULL;
  guint n = 0;

  kt_clock_stop (store->clock, &store->evicting);
  while (store->bytes > store->policy.memory && link != store->lru.head) {
    Slot *slot = link->data;
    link = link->prev;
    if (slot->in_flight)
      continue;
    if (n++ == EVICTIONS_PER_TURN) {
      store->evicting = kt_clock_start (store->clock, kt_clock_monotonic (store->clock), on_evict, store);
      break;
    }
    let_go (slot, &evicted);
  }
  kt_changes_publish (store->changes, evicted);
}

static void
on_evict (gpointer data)
{
  KtStore *store = data;

  store->evicting = NULL;
  evict (store);
}

/* Gives DONE what the slot holds now; the waiter's own memory is not touched. */
static void
reply (Slot *slot, KtStoreMode mode, KtStoreDone done, gpointer data)
{
  KtSnapshot snapshot;
  const GError *failure = kt_held_outcome (&slot->held, mode, &snapshot);

  if (failure != NULL) {
    g_autoptr (GError) error = g_error_copy (failure); /* DONE may change the slot */
    done (NULL, error, data);
    return;
  }
  if (snapshot.stale)
    ++*slot->store->stale;
  kt_task_ref (snapshot.task);
  done (&snapshot, NULL, data);
  kt_task_unref (snapshot.task);
}

static void
take_off (Slot *slot, KtUsec deadline)
{
  KtStore *store = slot->store;

  if (!slot->in_flight)
    store->flights++;
  slot->in_flight = TRUE;
  slot->asked_at = kt_clock_monotonic (store->clock);
  kt_source_fetch (store->source, slot->key, deadline, on_landed, slot);
}

/* What is held has changed: so has the memory it takes. */
static void
count_size (Slot *slot)
{
  slot->store->bytes -= slot->size;
  slot->size = sizeof (Slot) + kt_held_size (&slot->held);
  slot->store->bytes += slot->size;
}

/* A summary replaces that of the last list; the change goes to LISTED, a batch of changes. */
static void
offer (KtStore *store, KtTask *task, KtUsec asked_at, KtUsec age, KtUsec ttl, GArray **listed)
{
  Slot *slot = slot_get (store, task->key);
  const KtCached *cached = &slot->held.listed;
  g_autoptr (KtTask) before = cached->task != NULL ? kt_task_ref (cached->task) : NULL;
  KtChange change = { .kind = KT_CHANGE_LISTED, .key = task->key, .before = before };

  change.supersedes = kt_held_offer (&slot->held, task, asked_at, age, ttl);
  change.after = cached->task;
  change.asked_at = cached->asked_at;
  change.at_wall = cached->fetched_wall;
  count_size (slot);
  kt_changes_add (listed, &change);
}

void
kt_store_offer (KtStore *store, GPtrArray *tasks, KtUsec asked_at, KtUsec age, KtUsec ttl)
{
  GArray *listed = NULL;

  for (guint i = 0; i < tasks->len; i++)
    offer (store, g_ptr_array_index (tasks, i), asked_at, age, ttl, &listed);
  kt_changes_publish (store->changes, listed);
  evict (store);
}

/* A request has ended: what is cached now, or why it is not. The result, a batch of one change, is to be published once
 * the waiters have it. *KEPT is the slot of the task, another one when the family has just been found out. */
static GArray *
keep (Slot *slot, const KtResponse *response, const GError *error, Slot **kept)
{
  GArray *fetched = NULL;
  KtChange change = { .kind = KT_CHANGE_FETCHED, .error = (GError *) error };
  g_autoptr (KtTask) before = NULL;
  const KtCached *cached;
  gboolean was_fresh;

  *kept = error == NULL ? slot_get (slot->store, response->task->key) : slot;
  cached = &(*kept)->held.full;
  before = cached->task != NULL ? kt_task_ref (cached->task) : NULL;
  was_fresh = before != NULL && cached->expires_at > kt_clock_monotonic (slot->store->clock);
  if (error == NULL) {
    kt_held_keep (&(*kept)->held, response, slot->asked_at);
    count_size (*kept);
    change.after = cached->task;
    change.supersedes = was_fresh && change.after != before;
    change.asked_at = cached->asked_at;
    change.at_wall = cached->fetched_wall;
  } else {
    kt_held_fail (&slot->held, error);
  }
  change.key = (*kept)->key;
  change.before = before;
  kt_changes_add (&fetched, &change);
  return fetched;
}

static void
on_landed (const KtResponse *response, const GError *error, gpointer data)
{
  Slot *slot = data;
  KtStore *store = slot->store;
  GQueue landed = slot->waiting;
  Slot *kept;
  GArray *fetched = keep (slot, response, error, &kept);
  GList *link;

  /* in_flight stays while the callbacks run: what they ask for waits for the next flight, and the slot is not
   * evicted */
  g_queue_init (&slot->waiting);
  for (link = landed.head; link != NULL; link = link->next)
    ((KtWaiter *) link->data)->queue = &landed;
  while ((link = g_queue_pop_head_link (&landed)) != NULL) {
    KtWaiter *waiter = link->data;
    store->waiters--;
    reply (kept, waiter->mode, waiter->done, waiter->data);
    g_free (waiter);
  }
  /* who came too late for this flight, or has come just now, boards the next one */
  while ((link = g_queue_pop_head_link (&slot->next)) != NULL) {
    ((KtWaiter *) link->data)->queue = &slot->waiting;
    g_queue_push_tail_link (&slot->waiting, link);
  }
  if (!g_queue_is_empty (&slot->waiting)) {
    take_off (slot, ((KtWaiter *) slot->waiting.head->data)->deadline);
  } else {
    store->flights--;
    slot->in_flight = FALSE;
    if (kept != slot)
      g_hash_table_remove (store->slots, slot->key); /* the request has become one for KEPT's key */
  }
  kt_changes_publish (store->changes, fetched);
  evict (store);
}

gboolean
kt_store_has (KtStore *store, KtKey *key, KtStoreMode mode)
{
  const Slot *slot = g_hash_table_lookup (store->slots, key);
  return slot != NULL && kt_held_knows (&slot->held, mode);
}

gboolean
kt_store_try (KtStore *store, KtKey *key, KtStoreMode mode, KtSnapshot *snapshot, const GError **error)
{
  const Slot *slot = g_hash_table_lookup (store->slots, key);

  if (slot == NULL || !kt_held_knows (&slot->held, mode))
    return FALSE;
  *error = kt_held_outcome (&slot->held, mode, snapshot);
  return TRUE;
}

KtUsec
kt_store_ready_at (const KtStore *store)
{
  return kt_source_ready_at (store->source);
}

gboolean
kt_store_is_asking (KtStore *store, KtKey *key)
{
  const Slot *slot = g_hash_table_lookup (store->slots, key);
  return slot != NULL && slot->in_flight;
}

void
kt_store_prefetch (KtStore *store, KtKey *key, KtUsec deadline)
{
  Slot *slot = slot_get (store, key);

  if (slot->in_flight || kt_held_knows (&slot->held, KT_STORE_FRESH))
    return;
  ++*store->prefetches;
  take_off (slot, deadline);
}

KtWaiter *
kt_store_get (KtStore *store, KtKey *key, KtStoreMode mode, KtUsec deadline, KtStoreDone done, gpointer data)
{
  Slot *slot = slot_get (store, key);
  KtWaiter *waiter;

  if (mode != KT_STORE_AGAIN && kt_held_knows (&slot->held, mode)) {
    ++*store->hits;
    reply (slot, mode, done, data);
    return NULL;
  }
  waiter = g_new0 (KtWaiter, 1);
  waiter->store = store;
  waiter->link.data = waiter;
  waiter->mode = mode;
  waiter->deadline = deadline;
  waiter->done = done;
  waiter->data = data;
  /* AGAIN must not be content with a request that began before it was asked for */
  waiter->queue = slot->in_flight && mode == KT_STORE_AGAIN ? &slot->next : &slot->waiting;
  g_queue_push_tail_link (waiter->queue, &waiter->link);
  store->waiters++;
  if (slot->in_flight) {
    ++*store->joins;
  } else {
    ++*store->misses;
    take_off (slot, deadline);
  }
  return waiter;
}

void
kt_waiter_cancel (KtWaiter *waiter)
{
  waiter->store->waiters--;
  g_queue_unlink (waiter->queue, &waiter->link);
  g_free (waiter);
}

gboolean
kt_store_peek (KtStore *store, KtKey *key, KtStoreMode mode, KtSnapshot *snapshot)
{
  const Slot *slot = g_hash_table_lookup (store->slots, key);
  return slot != NULL && kt_held_peek (&slot->held, mode, snapshot);
}

KtTask *
kt_store_newest (KtStore *store, KtKey *key)
{
  const Slot *slot = g_hash_table_lookup (store->slots, key);
  return slot != NULL ? kt_held_newest (&slot->held) : NULL;
}

const GError *
kt_store_peek_error (KtStore *store, KtKey *key)
{
  const Slot *slot = g_hash_table_lookup (store->slots, key);
  return slot != NULL ? slot->held.error : NULL;
}

void
kt_store_forget_failures (KtStore *store)
{
  GArray *outdated = NULL;
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, store->slots);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    Slot *slot = value;
    KtTask *task = slot->held.full.task;
    if (slot->held.error == NULL)
      continue;
    kt_held_forget_failure (&slot->held);
    if (!kt_held_is_empty (&slot->held))
      kt_changes_add (&outdated,
                      &(KtChange){ .kind = KT_CHANGE_OUTDATED, .key = slot->key, .before = task, .after = task });
  }
  kt_changes_publish (store->changes, outdated);
}

static guint64
count_bytes (gpointer data)
{
  return ((KtStore *) data)->bytes;
}

static guint64
count_slots (gpointer data)
{
  return g_hash_table_size (((KtStore *) data)->slots);
}

static guint64
count_flights (gpointer data)
{
  return ((KtStore *) data)->flights;
}

static guint64
count_waiters (gpointer data)
{
  return ((KtStore *) data)->waiters;
}

static void
add_metrics (KtStore *store, KtMetrics *metrics)
{
  static const char name[] = "kootaskfs_cache_lookups_total";
  static const char help[] = "Lookups of tasks in the cache, by outcome: join is waiting for a request under way";

  store->hits = kt_metrics_counter (metrics, name, help, "outcome", "hit");
  store->joins = kt_metrics_counter (metrics, name, help, "outcome", "join");
  store->misses = kt_metrics_counter (metrics, name, help, "outcome", "miss");
  store->prefetches =
      kt_metrics_counter (metrics, "kootaskfs_prefetches_total", "Tasks fetched ahead of a reader", NULL, NULL);
  store->stale =
      kt_metrics_counter (metrics, "kootaskfs_stale_answers_total",
                          "Answers from a snapshot that is no longer fresh, as no newer one could be had", NULL, NULL);
  kt_metrics_gauge (metrics, "kootaskfs_cache_bytes", "Memory that cached tasks hold", count_bytes, store);
  kt_metrics_gauge (metrics, "kootaskfs_cache_entries", "Tasks in the cache", count_slots, store);
  kt_metrics_gauge (metrics, "kootaskfs_flights", "Tasks that are being fetched", count_flights, store);
  kt_metrics_gauge (metrics, "kootaskfs_waiters", "Operations and others that wait for a task being fetched",
                    count_waiters, store);
}

KtStore *
kt_store_new (KtClock *clock, KtChanges *changes, KtMetrics *metrics, const KtStorePolicy *policy, KtSource *source)
{
  KtStore *store = g_new0 (KtStore, 1);

  store->clock = clock;
  store->changes = changes;
  store->policy = *policy;
  store->source = source;
  store->slots = g_hash_table_new_full (kt_key_hash, kt_key_equal, NULL, slot_free);
  g_queue_init (&store->lru);
  add_metrics (store, metrics);
  return store;
}

void
kt_store_free (KtStore *store)
{
  if (store == NULL)
    return;
  kt_clock_stop (store->clock, &store->evicting);
  g_hash_table_unref (store->slots);
  g_free (store);
}

void
kt_store_set_policy (KtStore *store, const KtStorePolicy *policy)
{
  store->policy = *policy;
  evict (store);
}

KtUsec
kt_store_negative_ttl (const KtStore *store)
{
  return store->policy.negative_ttl;
}

KtUsec
kt_store_max_stale (const KtStore *store)
{
  return store->policy.max_stale;
}

KtUsec
kt_store_ttl (const KtStore *store)
{
  return store->policy.ttl;
}
