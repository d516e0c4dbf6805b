/* SPDX-License-Identifier: MIT */
/* What is held of one task, and what of it is shown. */
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

/* What there is to show to one who asks in MODE, NULL when it is nothing: of two, the newer. */
static const KtHeldTask *
newest (const KtHeld *held, KtStoreMode mode)
{
  if (mode == KT_STORE_LISTED && held->listed.task != NULL
      && (held->full.task == NULL || held->listed.asked_at > held->full.asked_at))
    return &held->listed;
  return held->full.task != NULL ? &held->full : NULL;
}

/* The same, if it is fresh. What is held of the task alone goes first: all files of a directory are then of one
 * answer. */
static const KtHeldTask *
freshest (const KtHeld *held, KtStoreMode mode, KtUsec now)
{
  const KtHeldTask *slot = newest (held, mode);

  if (held->full.task != NULL && now < held->full.expires_at)
    return &held->full;
  return slot != NULL && now < slot->expires_at ? slot : NULL;
}

/* What is shown, fresh or not. */
static const KtHeldTask *
shown (const KtHeld *held, KtStoreMode mode, KtUsec now)
{
  const KtHeldTask *slot = freshest (held, mode, now);
  return slot != NULL ? slot : newest (held, mode);
}

/* Until when an answer may stand in for one that cannot be had. */
static KtUsec
stale_until (const KtHeldTask *slot, const KtStorePolicy *policy)
{
  return kt_time_add (slot->expires_at, policy->max_stale);
}

static void
show (const KtHeld *held, const KtHeldTask *slot, KtUsec now, KtSnapshot *snapshot)
{
  *snapshot = (KtSnapshot){
    .task = slot->task,
    .fetched_wall = slot->fetched_wall,
    .fetched_at = slot->fetched_at,
    .changed_wall = slot->changed_wall,
    .known_wall = held->known_wall,
    .moved_wall = held->moved_wall,
    .expires_at = slot->expires_at,
    .trace_id = slot == &held->full ? held->trace_id : NULL,
    .incomplete_at = kt_task_is_incomplete (slot->task, held->listed.task) ? slot->status_at : KT_TIME_UNKNOWN,
  };
  if (now >= slot->expires_at && held->error != NULL) {
    snapshot->stale = TRUE;
    snapshot->error = held->error;
    snapshot->expires_at = MIN (held->retry_at, stale_until (slot, held->policy));
  }
}

static gboolean
may_stand_in (const KtHeld *held, const KtHeldTask *slot, KtUsec now)
{
  /* "no such task" is an answer, not a failure to get one */
  return slot != NULL && now < stale_until (slot, held->policy)
         && !g_error_matches (held->error, KT_ERROR, KT_ERROR_NOT_FOUND);
}

const GError *
kt_held_outcome (const KtHeld *held, KtStoreMode mode, KtSnapshot *snapshot)
{
  KtUsec now = kt_clock_monotonic (held->clock);
  const KtHeldTask *slot = shown (held, mode, now);
  gboolean failed = held->error != NULL && (mode == KT_STORE_AGAIN || freshest (held, mode, now) == NULL);

  if (failed && (mode == KT_STORE_AGAIN || !may_stand_in (held, slot, now)))
    return held->error;
  show (held, slot, now, snapshot);
  return NULL;
}

static void
replace (KtHeld *held, KtHeldTask *slot, KtTask *task)
{
  kt_task_unref (slot->task);
  slot->task = kt_task_ref (task);
  slot->changed_wall = kt_clock_wall (held->clock);
}

/* Whether TASK, of which SNAPSHOT is to tell from now on, brings something new. The first answer of its own after a
 * list, and the other way about, say the same things in their own ways: only the status tells. */
static gboolean
is_news (const KtHeld *held, const KtHeldTask *slot, const KtTask *task)
{
  const KtTask *other = slot == &held->full ? held->listed.task : held->full.task;

  return slot->task != NULL || other == NULL || !g_str_equal (other->status, task->status);
}

/* TASK, the answer to what was ASKED then, is what SNAPSHOT shows from now on. It was current AGE ago, and holds for LIFE from
 * then on. */
static void
hold (KtHeld *held, KtHeldTask *slot, KtTask *task, KtUsec asked_at, KtUsec age, KtUsec ttl)
{
  KtUsec now = kt_clock_monotonic (held->clock);

  if (kt_task_is_final (task))
    ttl = held->policy->ended_ttl;
  slot->asked_at = asked_at - age;
  slot->fetched_at = now - age;
  slot->fetched_wall = kt_clock_wall (held->clock) - age;
  slot->expires_at = kt_time_add (now - age, ttl);
  if (slot->task == NULL || !g_str_equal (slot->task->status, task->status))
    slot->status_at = now;
  if (slot->task != NULL && kt_task_says_same (slot->task, task))
    return; /* nothing has changed: the old snapshot goes on */
  if (is_news (held, slot, task))
    held->known_wall = slot->fetched_wall;
  if (slot->task != NULL) /* else somebody has only asked in another way */
    held->moved_wall = slot->fetched_wall;
  replace (held, slot, task);
}

void
kt_held_keep (KtHeld *held, const KtResponse *response, KtUsec asked_at)
{
  KtTask *task = response->task;
  g_autoptr (KtTask) completed = held->listed.task != NULL ? kt_task_completed (task, held->listed.task) : NULL;

  g_free (held->trace_id);
  held->trace_id = g_strdup (response->trace_id);
  g_clear_error (&held->error);
  /* a list of a later moment may have been seen already: then the answer is for who waited for it and no more */
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

gboolean
kt_held_peek (const KtHeld *held, KtStoreMode mode, KtSnapshot *snapshot)
{
  const KtUsec now = kt_clock_monotonic (held->clock);
  const KtHeldTask *slot = shown (held, mode, now);

  if (slot != NULL)
    show (held, slot, now, snapshot);
  return slot != NULL;
}
