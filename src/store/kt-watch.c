/* SPDX-License-Identifier: MIT */
/* Who watches one task, who watches all, and who does so by looking again and again. */
#include "kt-watch.h"

#include "model/kt-words.h"

#define SCANNED_PER_TURN 4096 /* tasks of the catalog; then the loop's other sources have their turn */
#define INTERVALS        3    /* without a look, after which nobody looks any more */

/* Somebody who looks. */
typedef struct {
  KtWatch *watch;
  gconstpointer view;
  KtKey *key;           /* NULL: at all tasks */
  KtUsec began_at;      /* the last look */
  KtInterest *interest; /* NULL: looked once */
  KtTimer *end;         /* nobody looks any more */
} Look;

struct KtWatch {
  KtClock *clock;
  KtChanges *changes;
  KtStore *store;
  KtCatalog *catalog;
  KtLists *lists;
  KtPolling *polling;
  KtListener *listener;
  GHashTable *looks; /* view → Look */
  /* while all are watched: */
  KtPoller *all;               /* its one subject is the watch */
  GHashTable *interests;       /* KtKey → KtInterest; NULL: not all are watched */
  KtUsec seen_at;              /* when it was last seen whether lists are fresh */
  KtListsWaiter *lists_waiter; /* for the reading under way */
  GPtrArray *scanned;          /* KtKey: the catalog, which is being looked through for tasks that have not ended */
  guint n_scanned;             /* of them are done */
  KtTimer *scan;               /* goes on with it */
  guint64 generation;          /* of the catalog that was scanned last */
};

/* Whether a task is to be polled for those who watch all: it has not ended, as far as known. */
static gboolean
is_running (KtWatch *watch, KtKey *key)
{
  KtSnapshot snapshot;

  if (!kt_store_peek (watch->store, key, KT_STORE_LISTED, &snapshot)) {
    const char *status = kt_catalog_status (watch->catalog, key); /* which stays when the rest is evicted */
    return status == NULL || !kt_status_is_final (status);
  }
  if (!kt_task_is_final (snapshot.task))
    return TRUE;
  /* a list may have its end, which the detail that was shown until then does not have yet */
  return kt_store_peek (watch->store, key, KT_STORE_FRESH, &snapshot) && !kt_task_is_final (snapshot.task);
}

/* All are watched: so is the task of KEY, if it is running. */
static void
consider (KtWatch *watch, KtKey *key)
{
  const gboolean is_held = g_hash_table_contains (watch->interests, key);
  const gboolean is_wanted = is_running (watch, key);

  if (is_held && !is_wanted)
    g_hash_table_remove (watch->interests, key);
  else if (!is_held && is_wanted)
    g_hash_table_insert (watch->interests, kt_key_ref (key), kt_polling_hold (watch->polling, key, KT_WATCH_CHANGES));
}

static gboolean
is_known (const KtWatch *watch, const KtKey *key)
{
  const KtKey *known = kt_catalog_find (watch->catalog, key->task_id);
  return known != NULL && kt_key_equal (known, key);
}

static void
on_changes (const KtChange *changes, guint n, gpointer data)
{
  KtWatch *watch = data;

  for (guint i = 0; i < n && watch->interests != NULL; i++)
    switch (changes[i].kind) {
    case KT_CHANGE_FETCHED:
    case KT_CHANGE_LISTED:
      if (is_known (watch, changes[i].key))
        consider (watch, changes[i].key);
      break;
    case KT_CHANGE_GONE: g_hash_table_remove (watch->interests, changes[i].key); break;
    case KT_CHANGE_EVICTED:
    case KT_CHANGE_OUTDATED:
    case KT_CHANGE_PACKAGE: break;
    }
}

static void
on_scan (gpointer data)
{
  KtWatch *watch = data;
  const guint end = MIN (watch->n_scanned + SCANNED_PER_TURN, watch->scanned->len);

  watch->scan = NULL;
  while (watch->n_scanned < end) {
    KtKey *key = g_ptr_array_index (watch->scanned, watch->n_scanned++);
    if (is_known (watch, key)) /* it may have gone since the scan began */
      consider (watch, key);
  }
  if (end < watch->scanned->len)
    watch->scan = kt_clock_start (watch->clock, kt_clock_monotonic (watch->clock), on_scan, watch);
  else
    g_clear_pointer (&watch->scanned, g_ptr_array_unref);
}

/* Looks through the catalog: tasks may be new that no response has been about. */
static void
scan (KtWatch *watch)
{
  if (watch->generation == kt_catalog_generation (watch->catalog) || watch->scanned != NULL)
    return;
  watch->generation = kt_catalog_generation (watch->catalog);
  watch->scanned = kt_catalog_list (watch->catalog);
  watch->n_scanned = 0;
  on_scan (watch);
}

/* The lists have been read, or that takes longer than one waits for it. */
static void
on_lists (gpointer data)
{
  KtWatch *watch = data;

  watch->lists_waiter = NULL;
  watch->seen_at = kt_clock_monotonic (watch->clock);
  if (watch->interests != NULL)
    scan (watch);
  kt_poller_update (watch->all, watch);
}

/* When to see whether tasks are new, and lists are not fresh. */
static KtUsec
all_due_at (gpointer subject, gpointer data)
{
  const KtWatch *watch = data;
  const KtUsec next_at = kt_time_add (watch->seen_at, kt_polling_ttl (watch->polling));
  const KtUsec due_at = MAX (kt_lists_due_at (watch->lists), watch->seen_at + KT_POLLING_TTL_MIN);

  return MAX (kt_store_ready_at (watch->store), MIN (next_at, due_at));
}

static void
poll_all (gpointer subject, gpointer data)
{
  KtWatch *watch = data;

  watch->seen_at = kt_clock_monotonic (watch->clock);
  scan (watch);
  if (watch->lists_waiter == NULL)
    watch->lists_waiter = kt_lists_get (watch->lists, on_lists, watch);
}

static void
drop_interest (gpointer interest)
{
  kt_interest_drop ((KtInterest **) &interest);
}

static gpointer
begin_all (gpointer subject)
{
  KtWatch *watch = subject;

  watch->interests = g_hash_table_new_full (kt_key_hash, kt_key_equal, (GDestroyNotify) kt_key_unref, drop_interest);
  watch->generation = 0; /* the catalog's is more */
  watch->seen_at = 0;    /* long ago */
  return watch;
}

static void
end_all (gpointer subject)
{
  KtWatch *watch = subject;

  kt_clock_stop (watch->clock, &watch->scan);
  g_clear_pointer (&watch->scanned, g_ptr_array_unref);
  g_clear_pointer (&watch->interests, g_hash_table_unref);
}

static const KtPollerOps all_ops = {
  .hash = g_direct_hash,
  .equal = g_direct_equal,
  .ref = begin_all,
  .unref = end_all,
  .due_at = all_due_at,
  .poll = poll_all,
};

KtInterest *
kt_watch_task (KtWatch *watch, KtKey *key, KtWatchFor what)
{
  return kt_polling_hold (watch->polling, key, what);
}

KtInterest *
kt_watch_all (KtWatch *watch)
{
  return kt_poller_hold (watch->all, watch);
}

static void
look_free (gpointer data)
{
  Look *look = data;

  kt_clock_stop (look->watch->clock, &look->end);
  kt_interest_drop (&look->interest);
  kt_key_unref (look->key);
  g_free (look);
}

static void
on_looked_away (gpointer data)
{
  Look *look = data;

  look->end = NULL;
  kt_watch_look_away (look->watch, look->view);
}

void
kt_watch_look_away (KtWatch *watch, gconstpointer view)
{
  g_hash_table_remove (watch->looks, view);
}

/* LOOK begins now; it is the last one unless another comes within TIMEOUT. */
static void
look_begin (Look *look, KtUsec now, KtUsec timeout)
{
  look->began_at = now;
  kt_clock_stop (look->watch->clock, &look->end);
  look->end = kt_clock_start (look->watch->clock, kt_time_add (now, timeout), on_looked_away, look);
}

void
kt_watch_look (KtWatch *watch, gconstpointer view, KtKey *key)
{
  const KtUsec now = kt_clock_monotonic (watch->clock);
  Look *look = g_hash_table_lookup (watch->looks, view);

  if (look == NULL) {
    look = g_new0 (Look, 1);
    look->watch = watch;
    look->view = view;
    look->key = key != NULL ? kt_key_ref (key) : NULL;
    g_hash_table_insert (watch->looks, (gpointer) view, look);
    look_begin (look, now, KT_WATCH_AGAIN);
    return;
  }
  if (now - look->began_at < KT_WATCH_GLANCE)
    return;
  look_begin (look, now, INTERVALS * MAX (now - look->began_at, kt_polling_ttl (watch->polling)));
  if (look->interest == NULL)
    look->interest = key != NULL ? kt_watch_task (watch, key, KT_WATCH_CHANGES) : kt_watch_all (watch);
}

void
kt_watch_set_policy (KtWatch *watch, const KtPollingPolicy *policy)
{
  kt_polling_set_policy (watch->polling, policy);
}

guint
kt_watch_size (const KtWatch *watch)
{
  return kt_polling_size (watch->polling);
}

guint
kt_watch_polls (const KtWatch *watch)
{
  return kt_polling_polls (watch->polling);
}

gboolean
kt_watch_is_all (const KtWatch *watch)
{
  return watch->interests != NULL;
}

static guint64
count_watched (gpointer watch)
{
  return kt_watch_size (watch);
}

static guint64
count_polls (gpointer watch)
{
  return kt_watch_polls (watch);
}

void
kt_watch_add_metrics (KtWatch *watch, KtMetrics *metrics)
{
  kt_metrics_gauge (metrics, "kootaskfs_watched_tasks", "Tasks that are polled, as somebody watches or waits for them",
                    count_watched, watch);
  kt_metrics_gauge (metrics, "kootaskfs_polls", "Polls of watched tasks that are under way", count_polls, watch);
}

KtWatch *
kt_watch_new (KtClock *clock, KtChanges *changes, KtStore *store, KtCatalog *catalog, KtLists *lists,
              const KtPollingPolicy *policy)
{
  KtWatch *watch = g_new0 (KtWatch, 1);

  watch->clock = clock;
  watch->changes = changes;
  watch->store = store;
  watch->catalog = catalog;
  watch->lists = lists;
  watch->polling = kt_polling_new (clock, changes, store, policy);
  watch->looks = g_hash_table_new_full (g_direct_hash, g_direct_equal, NULL, look_free);
  watch->all = kt_poller_new (clock, &all_ops, watch);
  watch->listener = kt_changes_listen (changes, on_changes, watch);
  return watch;
}

void
kt_watch_free (KtWatch *watch)
{
  if (watch == NULL)
    return;
  g_hash_table_unref (watch->looks);
  if (watch->lists_waiter != NULL)
    kt_lists_cancel (watch->lists_waiter);
  kt_changes_unlisten (watch->changes, &watch->listener);
  kt_poller_free (watch->all);
  kt_polling_free (watch->polling);
  g_free (watch);
}
