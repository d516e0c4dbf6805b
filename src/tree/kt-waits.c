/* SPDX-License-Identifier: MIT */
/* Who waits for which task to end, and until when a service that cannot be asked is borne with. */
#include "kt-waits.h"

#include "base/kt-error.h"

/* A task that somebody waits for. */
typedef struct {
  KtWaits *waits;
  char *id;       /* a task id belongs to one task, whose key may become another one */
  GQueue waiting; /* KtWait, in the order in which they began */
  KtTimer *limit; /* asking fails: when the first of them gives up */
} Task;

struct KtWaits {
  KtClock *clock;
  KtChanges *changes;
  KtStore *store;
  KtCatalog *catalog;
  KtWatch *watch;
  KtListener *listener;
  GHashTable *tasks; /* id → Task */
};

static void
task_free (gpointer data)
{
  Task *task = data;

  kt_clock_stop (task->waits->clock, &task->limit);
  g_free (task->id);
  g_free (task);
}

void
kt_wait_end (KtWait *wait)
{
  Task *task = wait->task;

  kt_interest_drop (&wait->interest);
  if (task == NULL)
    return;
  wait->task = NULL;
  g_queue_unlink (&task->waiting, &wait->link);
  if (g_queue_is_empty (&task->waiting))
    g_hash_table_remove (task->waits->tasks, task->id);
}

static void
finish (KtWait *wait, const KtTask *ended, const GError *error)
{
  kt_wait_end (wait);
  wait->done (ended, error, wait->data);
}

/* All who wait for TASK, which may be gone when this returns. Who begins to wait meanwhile is none of them. */
static void
finish_all (Task *task, const KtTask *ended, const GError *error)
{
  for (guint n = g_queue_get_length (&task->waiting); n > 0; n--)
    finish (task->waiting.head->data, ended, error);
}

/* When WAIT gives up if asking goes on failing. */
static KtUsec
limit_of (const KtWaits *waits, const KtWait *wait, KtUsec last_good_at)
{
  return kt_time_add (MAX (wait->began_at, last_good_at), kt_store_max_stale (waits->store));
}

static void on_limit (gpointer data);

/* Asking for the task of KEY fails: who has waited for too long gives up, the others when it is their time. TASK may be
 * gone when this returns. */
static void
bear_with (Task *task, KtKey *key)
{
  KtWaits *waits = task->waits;
  const GError *failure = kt_store_peek_error (waits->store, key);
  const KtUsec now = kt_clock_monotonic (waits->clock);
  g_autoptr (GError) error = NULL;
  KtSnapshot snapshot = { .fetched_at = 0 };

  kt_clock_stop (waits->clock, &task->limit);
  if (failure == NULL)
    return;
  kt_store_peek (waits->store, key, KT_STORE_LISTED, &snapshot);
  error = g_error_new (KT_ERROR, KT_ERROR_TIMED_OUT, "asking has failed for too long: %s", failure->message);
  for (guint n = g_queue_get_length (&task->waiting); n > 0; n--) {
    KtWait *wait = task->waiting.head->data;
    const KtUsec limit = limit_of (waits, wait, snapshot.fetched_at);
    if (now < limit) {
      task->limit = kt_clock_start (waits->clock, limit, on_limit, task);
      return;
    }
    finish (wait, NULL, error);
  }
}

static void
on_limit (gpointer data)
{
  Task *task = data;
  KtKey *key = kt_catalog_find (task->waits->catalog, task->id);

  task->limit = NULL;
  if (key != NULL)
    bear_with (task, key);
}

/* The task has another key, by which it is asked for from now on, or is known no more. */
static void
on_gone (Task *task)
{
  KtWaits *waits = task->waits;
  KtKey *key = kt_catalog_find (waits->catalog, task->id);

  if (key == NULL) {
    g_autoptr (GError) error = g_error_new_literal (KT_ERROR, KT_ERROR_NOT_FOUND, "the task is known no more");
    finish_all (task, NULL, error);
    return;
  }
  for (const GList *link = task->waiting.head; link != NULL; link = link->next) {
    KtWait *wait = link->data;
    kt_interest_drop (&wait->interest);
    wait->interest = kt_watch_task (waits->watch, key, KT_WATCH_END);
  }
}

static void
on_change (Task *task, const KtChange *change)
{
  switch (change->kind) {
  case KT_CHANGE_FETCHED:
  case KT_CHANGE_LISTED:
    if (change->error == NULL && kt_task_is_final (change->after))
      finish_all (task, change->after, NULL);
    else if (kt_error_is_answer (change->error))
      finish_all (task, NULL, change->error);
    else
      bear_with (task, change->key);
    break;
  case KT_CHANGE_GONE: on_gone (task); break;
  case KT_CHANGE_EVICTED:
  case KT_CHANGE_OUTDATED:
  case KT_CHANGE_PACKAGE: break;
  }
}

static void
on_changes (const KtChange *changes, guint n, gpointer data)
{
  const KtWaits *waits = data;

  for (guint i = 0; i < n && g_hash_table_size (waits->tasks) > 0; i++) {
    Task *task = g_hash_table_lookup (waits->tasks, changes[i].key->task_id);
    if (task != NULL)
      on_change (task, &changes[i]);
  }
}

const KtTask *
kt_waits_peek (KtWaits *waits, KtKey *key)
{
  KtSnapshot snapshot;
  return kt_store_peek (waits->store, key, KT_STORE_LISTED, &snapshot) && kt_task_is_final (snapshot.task)
             ? snapshot.task
             : NULL;
}

void
kt_wait_begin (KtWait *wait, KtWaits *waits, KtKey *key, KtWaitDone done, gpointer data)
{
  Task *task = g_hash_table_lookup (waits->tasks, key->task_id);

  if (task == NULL) {
    task = g_new0 (Task, 1);
    task->waits = waits;
    task->id = g_strdup (key->task_id);
    g_hash_table_insert (waits->tasks, task->id, task);
  }
  *wait = (KtWait){ .waits = waits, .task = task, .done = done, .data = data };
  wait->began_at = kt_clock_monotonic (waits->clock);
  wait->link.data = wait;
  g_queue_push_tail_link (&task->waiting, &wait->link);
  wait->interest = kt_watch_task (waits->watch, key, KT_WATCH_END);
}

KtWaits *
kt_waits_new (KtClock *clock, KtChanges *changes, KtStore *store, KtCatalog *catalog, KtWatch *watch)
{
  KtWaits *waits = g_new0 (KtWaits, 1);

  waits->clock = clock;
  waits->changes = changes;
  waits->store = store;
  waits->catalog = catalog;
  waits->watch = watch;
  waits->tasks = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, task_free);
  waits->listener = kt_changes_listen (changes, on_changes, waits);
  return waits;
}

void
kt_waits_free (KtWaits *waits)
{
  if (waits == NULL)
    return;
  kt_changes_unlisten (waits->changes, &waits->listener);
  g_hash_table_unref (waits->tasks);
  g_free (waits);
}
