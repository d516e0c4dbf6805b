/* SPDX-License-Identifier: MIT */
/* What is cached of one task, and which of it is shown. */
#include "kt-held.h"

#include "base/kt-error.h"

void
kt_held_init (KtHeld *held, KtClock *clock, const KtStorePolicy *policy)
{
  *held = (KtHeld){ .clock = clock, .policy = policy };
}

void
kt_held_clear (KtHeld *held)
{
  g_clear_pointer (&held->full.task, kt_task_unref);
  g_clear_pointer (&held->listed.task, kt_task_unref);
  g_clear_error (&held->error);
  g_clear_pointer (&held->trace_id, g_free);
}

gboolean
kt_held_is_empty (const KtHeld *held)
{
  return held->full.task == NULL && held->listed.task == NULL;
}

static gsize
task_size (const KtTask *task)
{
  return task != NULL ? kt_task_size (task) : 0;
}

gsize
kt_held_size (const KtHeld *held)
{
  return task_size (held->full.task) + task_size (held->listed.task);
}

/* What there is to show in MODE, NULL when there is nothing: of two, the newer. */
static const KtCached *
newest (const KtHeld *held, KtStoreMode mode)
{
  if (mode == KT_STORE_LISTED && held->listed.task != NULL
      && (held->full.task == NULL || held->listed.asked_at > held->full.asked_at))
    return &held->listed;
  return held->full.task != NULL ? &held->full : NULL;
}

/* The same, if it is fresh. The detail goes first: all files of a directory are then of one snapshot. */
static const KtCached *
freshest (const KtHeld *held, KtStoreMode mode, KtUsec now)
{
  const KtCached *cached = newest (held, mode);

  if (held->full.task != NULL && now < held->full.expires_at)
    return &held->full;
  return cached != NULL && now < cached->expires_at ? cached : NULL;
}

/* What is shown, fresh or not. */
static const KtCached *
shown (const KtHeld *held, KtStoreMode mode, KtUsec now)
{
  const KtCached *cached = freshest (held, mode, now);
  return cached != NULL ? cached : newest (held, mode);
}

/* Until when a snapshot may stand in for one that cannot be had. */
static KtUsec
stale_until (const KtCached *cached, const KtStorePolicy *policy)
{
  return kt_time_add (cached->expires_at, policy->max_stale);
}

static void
show (const KtHeld *held, const KtCached *cached, KtUsec now, KtSnapshot *snapshot)
{
  *snapshot = (KtSnapshot){
    .task = cached->task,
    .fetched_wall = cached->fetched_wall,
    .fetched_at = cached->fetched_at,
    .changed_wall = cached->changed_wall,
    .known_wall = held->known_wall,
    .moved_wall = held->moved_wall,
    .expires_at = cached->expires_at,
    .trace_id = cached == &held->full ? held->trace_id : NULL,
    .incomplete_at = kt_task_is_incomplete (cached->task, held->listed.task) ? cached->status_at : KT_TIME_UNKNOWN,
  };
  if (now >= cached->expires_at && held->error != NULL) {
    snapshot->stale = TRUE;
    snapshot->error = held->error;
    snapshot->expires_at = MIN (held->retry_at, stale_until (cached, held->policy));
  }
}

static gboolean
may_stand_in (const KtHeld *held, const KtCached *cached, KtUsec now)
{
  return cached != NULL && now < stale_until (cached, held->policy) && !kt_error_is_answer (held->error);
}

const GError *
kt_held_outcome (const KtHeld *held, KtStoreMode mode, KtSnapshot *snapshot)
{
  KtUsec now = kt_clock_monotonic (held->clock);
  const KtCached *cached = shown (held, mode, now);
  gboolean failed = held->error != NULL && (mode == KT_STORE_AGAIN || freshest (held, mode, now) == NULL);

  if (failed && (mode == KT_STORE_AGAIN || !may_stand_in (held, cached, now)))
    return held->error;
  show (held, cached, now, snapshot);
  return NULL;
}

static void
replace (KtHeld *held, KtCached *cached, KtTask *task)
{
  kt_task_unref (cached->task);
  cached->task = kt_task_ref (task);
  cached->changed_wall = kt_clock_wall (held->clock);
}

/* Whether TASK, which CACHED is to have from now on, brings something new. The first detail after a
 * summary, and the first summary after a detail, say the same things in their own ways: then only the status counts. */
static gboolean
is_news (const KtHeld *held, const KtCached *cached, const KtTask *task)
{
  const KtTask *other = cached == &held->full ? held->listed.task : held->full.task;

  return cached->task != NULL || other == NULL || !g_str_equal (other->status, task->status);
}

/* TASK, of a request that was made at ASKED_AT, is what CACHED has from now on. It was current AGE ago, and holds
 * for TTL from then on. An equal task stays the same object. */
static void
hold (KtHeld *held, KtCached *cached, KtTask *task, KtUsec asked_at, KtUsec age, KtUsec ttl)
{
  KtUsec now = kt_clock_monotonic (held->clock);

  if (kt_task_is_final (task))
    ttl = held->policy->ended_ttl;
  cached->asked_at = asked_at - age;
  cached->fetched_at = now - age;
  cached->fetched_wall = kt_clock_wall (held->clock) - age;
  cached->expires_at = kt_time_add (now - age, ttl);
  if (cached->task == NULL || !g_str_equal (cached->task->status, task->status))
    cached->status_at = now;
  if (cached->task != NULL && kt_task_says_same (cached->task, task))
    return; /* nothing has changed: the old snapshot goes on */
  if (is_news (held, cached, task))
    held->known_wall = cached->fetched_wall;
  if (cached->task != NULL) /* else somebody has only asked in another way */
    held->moved_wall = cached->fetched_wall;
  replace (held, cached, task);
}

void
kt_held_keep (KtHeld *held, const KtResponse *response, KtUsec asked_at)
{
  KtTask *task = response->task;
  g_autoptr (KtTask) completed = held->listed.task != NULL ? kt_task_completed (task, held->listed.task) : NULL;

  g_free (held->trace_id);
  held->trace_id = g_strdup (response->trace_id);
  g_clear_error (&held->error);
  /* a list that was requested later may have come first: then the response is for those who wait for it, and no
   * others */
  hold (held, &held->full, completed != NULL ? completed : task, asked_at, response->age,
        held->listed.task != NULL && held->listed.asked_at > asked_at - response->age ? 0 : held->policy->ttl);
}

gboolean
kt_held_offer (KtHeld *held, KtTask *task, KtUsec asked_at, KtUsec age, KtUsec ttl)
{
  const KtUsec now = kt_clock_monotonic (held->clock);
  const KtTask *full = held->full.task;
  g_autoptr (KtTask) completed = full != NULL ? kt_task_completed (full, task) : NULL;
  gboolean is_fresh = full != NULL && now < held->full.expires_at;
  gboolean other_end =
      is_fresh && kt_task_is_final (full) && kt_task_is_final (task) && !g_str_equal (full->status, task->status);

  hold (held, &held->listed, task, asked_at, age, ttl);
  if (other_end)
    held->full.expires_at = now;
  if (completed != NULL) {
    replace (held, &held->full, completed);
    held->known_wall = held->full.changed_wall;
  }
  return other_end || (is_fresh && completed != NULL);
}

void
kt_held_fail (KtHeld *held, const GError *error)
{
  g_clear_error (&held->error);
  held->error = g_error_copy (error);
  held->retry_at = kt_time_add (kt_clock_monotonic (held->clock), held->policy->negative_ttl);
}

void
kt_held_forget_failure (KtHeld *held)
{
  held->retry_at = kt_clock_monotonic (held->clock);
}

gboolean
kt_held_knows (const KtHeld *held, KtStoreMode mode)
{
  const KtUsec now = kt_clock_monotonic (held->clock);
  return freshest (held, mode, now) != NULL || (held->error != NULL && now < held->retry_at);
}

KtTask *
kt_held_newest (const KtHeld *held)
{
  const KtCached *cached = newest (held, KT_STORE_LISTED);

  if (held->full.task != NULL && kt_task_is_final (held->full.task)
      && kt_clock_monotonic (held->clock) < held->full.expires_at)
    return held->full.task;
  return cached != NULL ? cached->task : NULL;
}

gboolean
kt_held_peek (const KtHeld *held, KtStoreMode mode, KtSnapshot *snapshot)
{
  const KtUsec now = kt_clock_monotonic (held->clock);
  const KtCached *cached = shown (held, mode, now);

  if (cached != NULL)
    show (held, cached, now, snapshot);
  return cached != NULL;
}
