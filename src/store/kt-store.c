/* SPDX-License-Identifier: MIT */
#include "kt-store.h"

#include "base/kt-error.h"

#define EVICTIONS_PER_TURN 64 /* then the loop's other sources have theirs */

/* One answer that is kept, TASK NULL when there is none. */
typedef struct {
  KtTask *task;
  gint64 asked; /* monotonic: of two answers the newer is that to the later question, whichever came first */
  gint64 fetched_real;
  gint64 fetched;
  gint64 changed_real;
  gint64 fresh_until;
  gint64 since; /* monotonic: when TASK's status was first seen */
} Held;

typedef struct {
  KtStore *store;
  KtKey *key;
  Held full;         /* the last good answer about this task alone */
  Held listed;       /* what a list last told of it */
  gint64 moved_real; /* wall clock, when one of them last differed from the one before it */
  char *trace_id;
  gsize size;
  /* the last failure, if none was overcome since */
  GError *error;
  gint64 failed_until; /* the service is not asked before */
  /* the flight */
  gboolean in_flight;
  gint64 asked;
  GQueue waiting; /* KtWaiter: for the flight under way */
  GQueue next;    /* KtWaiter: for the one after it */
  GList lru;      /* KtStore.lru, most recent first */
} Entry;

struct KtWaiter {
  GQueue *queue; /* which it stands in */
  GList link;
  KtStoreMode mode;
  gint64 deadline;
  KtStoreDone done;
  gpointer data;
};

struct KtStore {
  KtClock *clock;
  KtStorePolicy policy;
  KtStoreFetch fetch;
  gpointer source;
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

static void on_landed (KtTask *task, const char *trace_id, const GError *error, gpointer data);

static void
entry_free (gpointer data)
{
  Entry *entry = data;

  entry->store->bytes -= entry->size;
  g_queue_unlink (&entry->store->lru, &entry->lru);
  kt_task_unref (entry->full.task);
  kt_task_unref (entry->listed.task);
  g_clear_error (&entry->error);
  g_free (entry->trace_id);
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
  g_autoptr (KtKey) key = entry->full.task != NULL || entry->listed.task != NULL ? kt_key_ref (entry->key) : NULL;

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

/* What the entry has to show to one who asks in MODE, NULL when it is nothing: of two, the newer. */
static const Held *
newest (const Entry *entry, KtStoreMode mode)
{
  if (mode == KT_STORE_LISTED && entry->listed.task != NULL
      && (entry->full.task == NULL || entry->listed.asked > entry->full.asked))
    return &entry->listed;
  return entry->full.task != NULL ? &entry->full : NULL;
}

/* The same, if it is fresh. What is held of the task alone goes first: all files of a directory are then of one
 * answer. */
static const Held *
freshest (const Entry *entry, KtStoreMode mode, gint64 now)
{
  const Held *held = newest (entry, mode);

  if (entry->full.task != NULL && now < entry->full.fresh_until)
    return &entry->full;
  return held != NULL && now < held->fresh_until ? held : NULL;
}

/* What the entry shows, fresh or not. */
static const Held *
shown (const Entry *entry, KtStoreMode mode, gint64 now)
{
  const Held *held = freshest (entry, mode, now);
  return held != NULL ? held : newest (entry, mode);
}

static void
on_evict (gpointer data)
{
  KtStore *store = data;

  store->evicting = NULL;
  evict (store);
}

/* Until when an answer may stand in for one that cannot be had. */
static gint64
stand_in_until (const Held *held, const KtStore *store)
{
  return kt_time_add (held->fresh_until, store->policy.max_stale);
}

static void
entry_show (const Entry *entry, const Held *held, gint64 now, KtAnswer *answer)
{
  *answer = (KtAnswer){
    .task = held->task,
    .fetched_real = held->fetched_real,
    .fetched = held->fetched,
    .changed_real = held->changed_real,
    .moved_real = entry->moved_real,
    .valid_until = held->fresh_until,
    .trace_id = held == &entry->full ? entry->trace_id : NULL,
    .untold_since = kt_task_is_untold (held->task, entry->listed.task) ? held->since : KT_TIME_UNKNOWN,
  };
  if (now >= held->fresh_until && entry->error != NULL) {
    answer->stale = TRUE;
    answer->error = entry->error;
    answer->valid_until = MIN (entry->failed_until, stand_in_until (held, entry->store));
  }
}

static gboolean
may_stand_in (const Entry *entry, const Held *held, gint64 now)
{
  /* "no such task" is an answer, not a failure to get one */
  return held != NULL && now < stand_in_until (held, entry->store)
         && !g_error_matches (entry->error, KT_ERROR, KT_ERROR_NOT_FOUND);
}

/* What the entry has to say now to one who asks in MODE: NULL and *ANSWER, or the failure. */
static const GError *
outcome (const Entry *entry, KtStoreMode mode, KtAnswer *answer)
{
  gint64 now = kt_clock_monotonic (entry->store->clock);
  const Held *held = shown (entry, mode, now);
  gboolean failed = entry->error != NULL && (mode == KT_STORE_AGAIN || freshest (entry, mode, now) == NULL);

  if (failed && (mode == KT_STORE_AGAIN || !may_stand_in (entry, held, now)))
    return entry->error;
  entry_show (entry, held, now, answer);
  return NULL;
}

/* Answers from what the entry holds now; the waiter's own memory is not touched. */
static void
reply (Entry *entry, KtStoreMode mode, KtStoreDone done, gpointer data)
{
  KtAnswer answer;
  const GError *failure = outcome (entry, mode, &answer);

  if (failure != NULL) {
    g_autoptr (GError) error = g_error_copy (failure); /* DONE may change the entry */
    done (NULL, error, data);
    return;
  }
  if (answer.stale)
    ++*entry->store->stale;
  kt_task_ref (answer.task);
  done (&answer, NULL, data);
  kt_task_unref (answer.task);
}

static void
take_off (Entry *entry, gint64 deadline)
{
  KtStore *store = entry->store;

  entry->in_flight = TRUE;
  entry->asked = kt_clock_monotonic (store->clock);
  store->fetch (store->source, entry->key, deadline, on_landed, entry);
}

static void
replace (Entry *entry, Held *held, KtTask *task)
{
  gsize added = kt_task_size (task) - (held->task != NULL ? kt_task_size (held->task) : 0);

  kt_task_unref (held->task);
  held->task = kt_task_ref (task);
  held->changed_real = kt_clock_real (entry->store->clock);
  entry->size += added;
  entry->store->bytes += added;
}

/* TASK, the answer to what was ASKED then, is what HELD holds from now on, for LIFE. */
static void
hold (Entry *entry, Held *held, KtTask *task, gint64 asked, gint64 life)
{
  gint64 now = kt_clock_monotonic (entry->store->clock);

  if (kt_task_is_final (task))
    life = entry->store->policy.ended_ttl;
  held->asked = asked;
  held->fetched = now;
  held->fetched_real = kt_clock_real (entry->store->clock);
  held->fresh_until = kt_time_add (now, life);
  if (held->task == NULL || !g_str_equal (held->task->status, task->status))
    held->since = now;
  if (held->task != NULL && kt_task_says_same (held->task, task))
    return; /* nothing has changed: the old snapshot goes on */
  if (held->task != NULL)
    entry->moved_real = held->fetched_real;
  replace (entry, held, task);
}

static void
keep_answer (Entry *entry, KtTask *task, gint64 asked, const char *trace_id)
{
  g_autoptr (KtTask) completed = entry->listed.task != NULL ? kt_task_completed (task, entry->listed.task) : NULL;

  g_free (entry->trace_id);
  entry->trace_id = g_strdup (trace_id);
  g_clear_error (&entry->error);
  /* a list of a later moment may have been seen already: then the answer is for who waited for it and no more */
  hold (entry, &entry->full, completed != NULL ? completed : task, asked,
        entry->listed.task != NULL && entry->listed.asked > asked ? 0 : entry->store->policy.ttl);
}

gboolean
kt_store_offer (KtStore *store, KtTask *task, gint64 asked, gint64 life)
{
  Entry *entry = entry_get (store, task->key);
  gint64 now = kt_clock_monotonic (store->clock);
  const KtTask *full = entry->full.task;
  g_autoptr (KtTask) completed = full != NULL ? kt_task_completed (full, task) : NULL;
  gboolean is_fresh = full != NULL && now < entry->full.fresh_until;
  gboolean other_end =
      is_fresh && kt_task_is_final (full) && kt_task_is_final (task) && !g_str_equal (full->status, task->status);

  hold (entry, &entry->listed, task, asked, life);
  if (other_end)
    entry->full.fresh_until = now;
  if (completed != NULL)
    replace (entry, &entry->full, completed);
  evict (store);
  return other_end || (is_fresh && completed != NULL);
}

static void
on_landed (KtTask *task, const char *trace_id, const GError *error, gpointer data)
{
  Entry *entry = data;
  KtStore *store = entry->store;
  GQueue landed = entry->waiting;
  Entry *kept = entry;
  g_autoptr (KtKey) key = NULL;
  GList *link;

  if (task != NULL) {
    kept = entry_get (store, task->key); /* another one, when the family has just been found out */
    keep_answer (kept, task, entry->asked, trace_id);
  } else {
    g_clear_error (&entry->error);
    entry->error = g_error_copy (error);
    entry->failed_until = kt_time_add (kt_clock_monotonic (store->clock), store->policy.negative_ttl);
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

/* A fresh answer, or a failure not to be repeated yet. */
static gboolean
knows (const Entry *entry, KtStoreMode mode, gint64 now)
{
  return freshest (entry, mode, now) != NULL || (entry->error != NULL && now < entry->failed_until);
}

gboolean
kt_store_has (KtStore *store, KtKey *key, KtStoreMode mode)
{
  const Entry *entry = g_hash_table_lookup (store->entries, key);
  return entry != NULL && knows (entry, mode, kt_clock_monotonic (store->clock));
}

gboolean
kt_store_try (KtStore *store, KtKey *key, KtStoreMode mode, KtAnswer *answer, const GError **error)
{
  const Entry *entry = g_hash_table_lookup (store->entries, key);

  if (entry == NULL || !knows (entry, mode, kt_clock_monotonic (store->clock)))
    return FALSE;
  *error = outcome (entry, mode, answer);
  return TRUE;
}

gboolean
kt_store_is_asking (KtStore *store, KtKey *key)
{
  const Entry *entry = g_hash_table_lookup (store->entries, key);
  return entry != NULL && entry->in_flight;
}

void
kt_store_prefetch (KtStore *store, KtKey *key, gint64 deadline)
{
  Entry *entry = entry_get (store, key);

  if (entry->in_flight || knows (entry, KT_STORE_FRESH, kt_clock_monotonic (store->clock)))
    return;
  ++*store->prefetches;
  take_off (entry, deadline);
}

KtWaiter *
kt_store_get (KtStore *store, KtKey *key, KtStoreMode mode, gint64 deadline, KtStoreDone done, gpointer data)
{
  Entry *entry = entry_get (store, key);
  KtWaiter *waiter;

  if (mode != KT_STORE_AGAIN && knows (entry, mode, kt_clock_monotonic (store->clock))) {
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
kt_store_peek (KtStore *store, KtKey *key, KtStoreMode mode, KtAnswer *answer)
{
  const Entry *entry = g_hash_table_lookup (store->entries, key);
  gint64 now = kt_clock_monotonic (store->clock);
  const Held *held = entry != NULL ? shown (entry, mode, now) : NULL;

  if (held == NULL)
    return FALSE;
  entry_show (entry, held, now, answer);
  return TRUE;
}

const GError *
kt_store_peek_error (KtStore *store, KtKey *key)
{
  const Entry *entry = g_hash_table_lookup (store->entries, key);
  return entry != NULL ? entry->error : NULL;
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
kt_store_new (KtClock *clock, KtMetrics *metrics, const KtStorePolicy *policy, KtStoreFetch fetch, gpointer source)
{
  static const char name[] = "kootaskfs_cache_lookups", help[] = "Answers asked of the cache, by how it went";
  KtStore *store = g_new0 (KtStore, 1);

  store->clock = clock;
  store->policy = *policy;
  store->fetch = fetch;
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

gint64
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
