/* SPDX-License-Identifier: MIT */
/* Polls the tasks that somebody holds an interest in, each at its pace and a bounded number at once. */
#include "kt-polling.h"

#include "kt-pace.h"

/* A task that somebody holds an interest in. */
typedef struct {
  KtPolling *polling;
  KtKey *key;
  guint pollers; /* that poll it: one for each KtWatchFor */
  KtPace pace;
  KtUsec asked_at; /* when the last request for it ended, well or not; KT_TIME_UNKNOWN: none has */
  gboolean failed; /* that one */
  GList queued;    /* in KtPolling.queue; its data is NULL while it is not in there */
} Watched;

/* A poll under way. */
typedef struct {
  KtPolling *polling;
  KtKey *key;
  KtWaiter *waiter;
  GList link; /* in KtPolling.polls */
} Poll;

struct KtPolling {
  KtClock *clock;
  KtChanges *changes;
  KtStore *store;
  KtPollingPolicy policy;
  KtListener *listener;
  GHashTable *watched; /* KtKey → Watched */
  KtPoller *pollers[KT_N_WATCH_FORS];
  GQueue polls;    /* Poll */
  GQueue queue;    /* Watched: due, while there are as many polls as there may be, or the source asks for none */
  KtTimer *resume; /* the source may be polled again */
};

KtUsec
kt_polling_ttl (const KtPolling *polling)
{
  return CLAMP (polling->policy.ttl, KT_POLLING_TTL_MIN, KT_POLLING_TTL_MAX);
}

static void
see (Watched *watched, KtUsec at)
{
  KtSnapshot snapshot;

  if (kt_store_peek (watched->polling->store, watched->key, KT_STORE_FRESH, &snapshot))
    kt_pace_see (&watched->pace, snapshot.task, at);
}

static Watched *
watched_new (KtPolling *polling, KtKey *key)
{
  Watched *watched = g_new0 (Watched, 1);
  const KtUsec now = kt_clock_monotonic (polling->clock);
  KtSnapshot snapshot;

  watched->polling = polling;
  watched->key = kt_key_ref (key);
  watched->asked_at = KT_TIME_UNKNOWN;
  kt_pace_init (&watched->pace);
  if (kt_store_peek_error (polling->store, key) != NULL && kt_store_has (polling->store, key, KT_STORE_FRESH)) {
    watched->asked_at = now; /* the store would not ask yet either */
    watched->failed = TRUE;
  } else if (kt_store_peek (polling->store, key, KT_STORE_FRESH, &snapshot)) {
    watched->asked_at = snapshot.fetched_at;
  }
  see (watched, now);
  return watched;
}

static void
watched_free (Watched *watched)
{
  if (watched->queued.data != NULL)
    g_queue_unlink (&watched->polling->queue, &watched->queued);
  kt_pace_clear (&watched->pace);
  kt_key_unref (watched->key);
  g_free (watched);
}

static gpointer
watched_ref (gpointer subject)
{
  Watched *watched = subject;

  watched->pollers++;
  return watched;
}

static void
watched_unref (gpointer subject)
{
  Watched *watched = subject;
  KtPolling *polling = watched->polling;

  if (--watched->pollers > 0)
    return;
  g_hash_table_remove (polling->watched, watched->key);
  watched_free (watched);
}

/* When to ask again; INTERVAL is the pace. */
static KtUsec
due_after (Watched *watched, KtUsec interval)
{
  KtPolling *polling = watched->polling;
  KtSnapshot snapshot;

  if (watched->queued.data != NULL || kt_store_is_asking (polling->store, watched->key))
    return KT_TIME_NEVER;
  if (kt_store_peek (polling->store, watched->key, KT_STORE_FRESH, &snapshot) && kt_task_is_final (snapshot.task)
      && snapshot.expires_at > kt_clock_monotonic (polling->clock))
    return snapshot.expires_at;
  if (watched->failed)
    interval = MAX (interval, kt_store_negative_ttl (polling->store));
  return MAX (kt_store_ready_at (polling->store),
              watched->asked_at != KT_TIME_UNKNOWN ? kt_time_add (watched->asked_at, interval) : 0);
}

static KtUsec
changes_due_at (gpointer subject, gpointer data)
{
  return due_after (subject, kt_polling_ttl (data));
}

static KtUsec
end_due_at (gpointer subject, gpointer data)
{
  Watched *watched = subject;
  const KtUsec ttl = kt_polling_ttl (data);

  return due_after (
      watched, watched->asked_at == KT_TIME_UNKNOWN ? ttl : kt_pace_interval (&watched->pace, ttl, watched->asked_at));
}

static void begin_queued (KtPolling *polling);

static void
poll_free (Poll *poll)
{
  g_queue_unlink (&poll->polling->polls, &poll->link);
  kt_key_unref (poll->key);
  g_free (poll);
}

/* When WATCHED is due has changed. */
static void
reschedule (Watched *watched)
{
  KtPolling *polling = watched->polling;

  watched->pollers++; /* what an update begins may end the last interest */
  for (KtWatchFor i = 0; i < KT_N_WATCH_FORS; i++)
    kt_poller_update (polling->pollers[i], watched);
  watched_unref (watched);
}

/* A request for the task of KEY has ended, whoever made it. */
static void
update (KtPolling *polling, const KtKey *key, const GError *error)
{
  Watched *watched = g_hash_table_lookup (polling->watched, key);

  if (watched == NULL)
    return;
  watched->asked_at = kt_clock_monotonic (polling->clock);
  watched->failed = error != NULL;
  see (watched, watched->asked_at);
  reschedule (watched);
}

static void
on_polled (const KtSnapshot *snapshot, const GError *error, gpointer data)
{
  Poll *poll = data;
  KtPolling *polling = poll->polling;
  g_autoptr (KtKey) key = kt_key_ref (poll->key);

  poll_free (poll);
  update (polling, key, error);
  begin_queued (polling);
}

static void
begin (Watched *watched)
{
  KtPolling *polling = watched->polling;
  const KtUsec deadline = kt_time_add (kt_clock_monotonic (polling->clock), polling->policy.deadline);
  Poll *poll = g_new0 (Poll, 1);

  poll->polling = polling;
  poll->key = kt_key_ref (watched->key);
  poll->link.data = poll;
  g_queue_push_tail_link (&polling->polls, &poll->link);
  poll->waiter = kt_store_get (polling->store, watched->key, KT_STORE_AGAIN, deadline, on_polled, poll);
}

static void
on_resume (gpointer data)
{
  KtPolling *polling = data;

  polling->resume = NULL;
  begin_queued (polling);
}

/* Begins as many polls as there may be. Those in the queue heed a Retry-After that has come since they were due. */
static void
begin_queued (KtPolling *polling)
{
  const KtUsec ready_at = kt_store_ready_at (polling->store);

  kt_clock_stop (polling->clock, &polling->resume);
  if (ready_at > kt_clock_monotonic (polling->clock)) {
    if (!g_queue_is_empty (&polling->queue))
      polling->resume = kt_clock_start (polling->clock, ready_at, on_resume, polling);
    return;
  }
  while (polling->polls.length < MAX (polling->policy.concurrency, 1) && !g_queue_is_empty (&polling->queue)) {
    Watched *watched = g_queue_pop_head_link (&polling->queue)->data;
    watched->queued.data = NULL;
    begin (watched);
  }
}

static void
poll (gpointer subject, gpointer data)
{
  KtPolling *polling = data;
  Watched *watched = subject;

  watched->queued.data = watched;
  g_queue_push_tail_link (&polling->queue, &watched->queued);
  begin_queued (polling);
}

static const KtPollerOps changes_ops = {
  .hash = g_direct_hash,
  .equal = g_direct_equal,
  .ref = watched_ref,
  .unref = watched_unref,
  .due_at = changes_due_at,
  .poll = poll,
};

static const KtPollerOps end_ops = {
  .hash = g_direct_hash,
  .equal = g_direct_equal,
  .ref = watched_ref,
  .unref = watched_unref,
  .due_at = end_due_at,
  .poll = poll,
};

KtInterest *
kt_polling_hold (KtPolling *polling, KtKey *key, KtWatchFor what)
{
  Watched *watched = g_hash_table_lookup (polling->watched, key);

  if (watched == NULL) {
    watched = watched_new (polling, key);
    g_hash_table_insert (polling->watched, watched->key, watched);
  }
  return kt_poller_hold (polling->pollers[what], watched);
}

static void
on_changes (const KtChange *changes, guint n, gpointer data)
{
  const KtPolling *polling = data;

  for (guint i = 0; i < n; i++) {
    Watched *watched = NULL;
    if (changes[i].kind == KT_CHANGE_FETCHED)
      update (data, changes[i].key, changes[i].error);
    else if (changes[i].kind == KT_CHANGE_LISTED && changes[i].supersedes)
      watched = g_hash_table_lookup (polling->watched, changes[i].key);
    if (watched != NULL)
      reschedule (watched); /* the detail that it waited for the end of is not fresh any more */
  }
}

void
kt_polling_set_policy (KtPolling *polling, const KtPollingPolicy *policy)
{
  polling->policy = *policy;
}

guint
kt_polling_size (const KtPolling *polling)
{
  return g_hash_table_size (polling->watched);
}

guint
kt_polling_polls (const KtPolling *polling)
{
  return polling->polls.length;
}

KtPolling *
kt_polling_new (KtClock *clock, KtChanges *changes, KtStore *store, const KtPollingPolicy *policy)
{
  static const KtPollerOps *const ops[] = { [KT_WATCH_CHANGES] = &changes_ops, [KT_WATCH_END] = &end_ops };
  KtPolling *polling = g_new0 (KtPolling, 1);

  polling->clock = clock;
  polling->changes = changes;
  polling->store = store;
  polling->policy = *policy;
  polling->watched = g_hash_table_new (kt_key_hash, kt_key_equal);
  for (KtWatchFor i = 0; i < KT_N_WATCH_FORS; i++)
    polling->pollers[i] = kt_poller_new (clock, ops[i], polling);
  polling->listener = kt_changes_listen (changes, on_changes, polling);
  return polling;
}

void
kt_polling_free (KtPolling *polling)
{
  if (polling == NULL)
    return;
  kt_changes_unlisten (polling->changes, &polling->listener);
  kt_clock_stop (polling->clock, &polling->resume);
  while (!g_queue_is_empty (&polling->polls)) {
    Poll *poll = polling->polls.head->data;
    kt_waiter_cancel (poll->waiter);
    poll_free (poll);
  }
  for (KtWatchFor i = 0; i < KT_N_WATCH_FORS; i++)
    kt_poller_free (polling->pollers[i]);
  g_hash_table_unref (polling->watched);
  g_free (polling);
}
