/* SPDX-License-Identifier: MIT */
/* Who waits for which request, and what is let go when memory is short. */
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
} Entry;

struct KtWaiter {
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
  KtStoreObserver observer;
  gpointer observer_data;
  KtStoreEvicted evicted;
  gpointer evicted_data;
  KtTimer *evicting;   /* more is to go */
  GHashTable *entries; /* KtKey → Entry */
  GQueue lru;
  guint64 bytes;
  guint64 *hits;
  guint64 *joins;
  guint64 *misses;
  guint64 *prefetches;
  guint64 *stale;
};

static void on_landed (const KtResponse *response, const GError *error, gpointer data);

static void
entry_free (gpointer data)
{
  Entry *entry = data;

  entry->store->bytes -= entry->size;
  g_queue_unlink (&entry->store->lru, &entry->lru);
  kt_held_clear (&entry->held);
  kt_key_unref (entry->key);
  g_free (entry);
}

static Entry *
entry_get (KtStore *store, KtKey *key)
{
  Entry *entry = g_hash_table_lookup (store->entries, key);

  if (entry == NULL) {
    entry = g_new0 (Entry, 1);
    entry->store = store;
    entry->key = kt_key_ref (key);
    kt_held_init (&entry->held, store->clock, &store->policy);
    entry->lru.data = entry;
    entry->size = sizeof (Entry);
    store->bytes += entry->size;
    g_hash_table_insert (store->entries, entry->key, entry);
    g_queue_push_head_link (&store->lru, &entry->lru);
  } else if (store->lru.head != &entry->lru) {
    g_queue_unlink (&store->lru, &entry->lru);
    g_queue_push_head_link (&store->lru, &entry->lru);
  }
  return entry;
}

static void
let_go (Entry *entry)
{
  KtStore *store = entry->store;
  g_autoptr (KtKey) key = !kt_held_is_empty (&entry->held) ? kt_key_ref (entry->key) : NULL;

  g_hash_table_remove (store->entries, entry->key);
  if (key != NULL && store->evicted != NULL)
    store->evicted (key, store->evicted_data);
}

static void on_evict (gpointer data);

/* Lets the least recently used go until the rest fits. What is in flight stays, and the last one asked for, however
 * large: else each of its files would be a request. */
static void
evict (KtStore *store)
{
  GList *link = store->lru.tail;
  guint evicted = 0;

  kt_clock_stop (store->clock, &store->evicting);
  while (store->bytes > store->policy.memory && link != store->lru.head) {
    Entry *entry = link->data;
    link = link->prev;
    if (entry->in_flight)
      continue;
    if (evicted++ == EVICTIONS_PER_TURN) {
      store->evicting = kt_clock_start (store->clock, kt_clock_monotonic (store->clock), on_evict, store);
      return;
    }
    let_go (entry);
  }
}

static void
on_evict (gpointer data)
{
  KtStore *store = data;

  store->evicting = NULL;
  evict (store);
}

/* Answers from what the entry holds now; the waiter's own memory is not touched. */
static void
reply (Entry *entry, KtStoreMode mode, KtStoreDone done, gpointer data)
{
  KtSnapshot snapshot;
  const GError *failure = kt_held_outcome (&entry->held, mode, &snapshot);

  if (failure != NULL) {
    g_autoptr (GError) error = g_error_copy (failure); /* DONE may change the entry */
    done (NULL, error, data);
    return;
  }
  if (snapshot.stale)
    ++*entry->store->stale;
  kt_task_ref (snapshot.task);
  done (&snapshot, NULL, data);
  kt_task_unref (snapshot.task);
}

static void
take_off (Entry *entry, KtUsec deadline)
{
  KtStore *store = entry->store;

  entry->in_flight = TRUE;
  entry->asked_at = kt_clock_monotonic (store->clock);
  kt_source_fetch (store->source, entry->key, deadline, on_landed, entry);
}

/* What is held has changed: so has the memory it takes. */
static void
count_size (Entry *entry)
{
  entry->store->bytes -= entry->size;
  entry->size = sizeof (Entry) + kt_held_size (&entry->held);
  entry->store->bytes += entry->size;
}

gboolean
kt_store_offer (KtStore *store, KtTask *task, KtUsec asked_at, KtUsec age, KtUsec ttl)
{
  Entry *entry = entry_get (store, task->key);
  gboolean has_changed = kt_held_offer (&entry->held, task, asked_at, age, ttl);

  count_size (entry);
  evict (store);
  return has_changed;
}

static void
on_landed (const KtResponse *response, const GError *error, gpointer data)
{
  Entry *entry = data;
  KtStore *store = entry->store;
  GQueue landed = entry->waiting;
  Entry *kept = entry;
  g_autoptr (KtKey) key = NULL;
  GList *link;

  if (error == NULL) {
    kept = entry_get (store, response->task->key); /* another one, when the family has just been found out */
    kt_held_keep (&kept->held, response, entry->asked_at);
    count_size (kept);
  } else {
    kt_held_fail (&entry->held, error);
  }

  /* in_flight stays while the callbacks run: what they ask for waits for the next flight, and the entry is not
   * evicted */
  key = kt_key_ref (kept->key);
  g_queue_init (&entry->waiting);
  for (link = landed.head; link != NULL; link = link->next)
    ((KtWaiter *) link->data)->queue = &landed;
  while ((link = g_queue_pop_head_link (&landed)) != NULL) {
    KtWaiter *waiter = link->data;
    reply (kept, waiter->mode, waiter->done, waiter->data);
    g_free (waiter);
  }
  /* who came too late for this flight, or has come just now, boards the next one */
  while ((link = g_queue_pop_head_link (&entry->next)) != NULL) {
    ((KtWaiter *) link->data)->queue = &entry->waiting;
    g_queue_push_tail_link (&entry->waiting, link);
  }
  if (!g_queue_is_empty (&entry->waiting))
    take_off (entry, ((KtWaiter *) entry->waiting.head->data)->deadline);
  else if (kept == entry)
    entry->in_flight = FALSE;
  else
    g_hash_table_remove (store->entries, entry->key); /* the question has become that for KEY */
  if (store->observer != NULL)
    store->observer (key, error, store->observer_data);
  evict (store);
}

gboolean
kt_store_has (KtStore *store, KtKey *key, KtStoreMode mode)
{
  const Entry *entry = g_hash_table_lookup (store->entries, key);
  return entry != NULL && kt_held_knows (&entry->held, mode);
}

gboolean
kt_store_try (KtStore *store, KtKey *key, KtStoreMode mode, KtSnapshot *snapshot, const GError **error)
{
  const Entry *entry = g_hash_table_lookup (store->entries, key);

  if (entry == NULL || !kt_held_knows (&entry->held, mode))
    return FALSE;
  *error = kt_held_outcome (&entry->held, mode, snapshot);
  return TRUE;
}

gboolean
kt_store_is_asking (KtStore *store, KtKey *key)
{
  const Entry *entry = g_hash_table_lookup (store->entries, key);
  return entry != NULL && entry->in_flight;
}

void
kt_store_prefetch (KtStore *store, KtKey *key, KtUsec deadline)
{
  Entry *entry = entry_get (store, key);

  if (entry->in_flight || kt_held_knows (&entry->held, KT_STORE_FRESH))
    return;
  ++*store->prefetches;
  take_off (entry, deadline);
}

KtWaiter *
kt_store_get (KtStore *store, KtKey *key, KtStoreMode mode, KtUsec deadline, KtStoreDone done, gpointer data)
{
  Entry *entry = entry_get (store, key);
  KtWaiter *waiter;

  if (mode != KT_STORE_AGAIN && kt_held_knows (&entry->held, mode)) {
    ++*store->hits;
    reply (entry, mode, done, data);
    return NULL;
  }
  waiter = g_new0 (KtWaiter, 1);
  waiter->link.data = waiter;
  waiter->mode = mode;
  waiter->deadline = deadline;
  waiter->done = done;
  waiter->data = data;
  /* AGAIN must not be content with a request that began before it was asked for */
  waiter->queue = entry->in_flight && mode == KT_STORE_AGAIN ? &entry->next : &entry->waiting;
  g_queue_push_tail_link (waiter->queue, &waiter->link);
  if (entry->in_flight) {
    ++*store->joins;
  } else {
    ++*store->misses;
    take_off (entry, deadline);
  }
  return waiter;
}

void
kt_waiter_cancel (KtWaiter *waiter)
{
  g_queue_unlink (waiter->queue, &waiter->link);
  g_free (waiter);
}

gboolean
kt_store_peek (KtStore *store, KtKey *key, KtStoreMode mode, KtSnapshot *snapshot)
{
  const Entry *entry = g_hash_table_lookup (store->entries, key);
  return entry != NULL && kt_held_peek (&entry->held, mode, snapshot);
}

const GError *
kt_store_peek_error (KtStore *store, KtKey *key)
{
  const Entry *entry = g_hash_table_lookup (store->entries, key);
  return entry != NULL ? entry->held.error : NULL;
}

void
kt_store_forget_failures (KtStore *store)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, store->entries);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    Entry *entry = value;
    if (entry->held.error == NULL)
      continue;
    kt_held_forget_failure (&entry->held);
    if (!kt_held_is_empty (&entry->held) && store->evicted != NULL)
      store->evicted (entry->key, store->evicted_data);
  }
}

static guint64
count_bytes (gpointer data)
{
  return ((KtStore *) data)->bytes;
}

static guint64
count_entries (gpointer data)
{
  return g_hash_table_size (((KtStore *) data)->entries);
}

KtStore *
kt_store_new (KtClock *clock, KtMetrics *metrics, const KtStorePolicy *policy, KtSource *source)
{
  static const char name[] = "kootaskfs_cache_lookups", help[] = "Answers asked of the cache, by how it went";
  KtStore *store = g_new0 (KtStore, 1);

  store->clock = clock;
  store->policy = *policy;
  store->source = source;
  store->entries = g_hash_table_new_full (kt_key_hash, kt_key_equal, NULL, entry_free);
  g_queue_init (&store->lru);
  store->hits = kt_metrics_counter (metrics, name, help, "outcome", "hit");
  store->joins = kt_metrics_counter (metrics, name, help, "outcome", "join");
  store->misses = kt_metrics_counter (metrics, name, help, "outcome", "miss");
  store->prefetches =
      kt_metrics_counter (metrics, "kootaskfs_prefetches", "Answers fetched ahead of a scan", NULL, NULL);
  store->stale =
      kt_metrics_counter (metrics, "kootaskfs_stale_answers", "Answers given though no longer fresh", NULL, NULL);
  kt_metrics_gauge (metrics, "kootaskfs_cache_bytes", "Memory held by cached answers", count_bytes, store);
  kt_metrics_gauge (metrics, "kootaskfs_cache_entries", "Tasks in the cache", count_entries, store);
  return store;
}

void
kt_store_free (KtStore *store)
{
  if (store == NULL)
    return;
  kt_clock_stop (store->clock, &store->evicting);
  g_hash_table_unref (store->entries);
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

void
kt_store_set_observer (KtStore *store, KtStoreObserver observer, gpointer data)
{
  store->observer = observer;
  store->observer_data = data;
}

void
kt_store_set_evicted (KtStore *store, KtStoreEvicted evicted, gpointer data)
{
  store->evicted = evicted;
  store->evicted_data = data;
}
