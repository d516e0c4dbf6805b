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
static const KtSnapshot *
newest (const KtHeld *held, KtStoreMode mode)
{
  if (mode == KT_STORE_LISTED && held->listed.task != NULL
      && (held->full.task == NULL || held->listed.asked > held->full.asked))
    return &held->listed;
  return held->full.task != NULL ? &held->full : NULL;
}

/* The same, if it is fresh. What is held of the task alone goes first: all files of a directory are then of one
 * answer. */
static const KtSnapshot *
freshest (const KtHeld *held, KtStoreMode mode, gint64 now)
{
  const KtSnapshot *snapshot = newest (held, mode);

  if (held->full.task != NULL && now < held->full.fresh_until)
    return &held->full;
  return snapshot != NULL && now < snapshot->fresh_until ? snapshot : NULL;
}

/* What is shown, fresh or not. */
static const KtSnapshot *
shown (const KtHeld *held, KtStoreMode mode, gint64 now)
{
  const KtSnapshot *snapshot = freshest (held, mode, now);
  return snapshot != NULL ? snapshot : newest (held, mode);
}

/* Until when an answer may stand in for one that cannot be had. */
static gint64
stand_in_until (const KtSnapshot *snapshot, const KtStorePolicy *policy)
{
  return kt_time_add (snapshot->fresh_until, policy->max_stale);
}

static void
show (const KtHeld *held, const KtSnapshot *snapshot, gint64 now, KtAnswer *answer)
{
  *answer = (KtAnswer){
    .task = snapshot->task,
    .fetched_real = snapshot->fetched_real,
    .fetched = snapshot->fetched,
    .changed_real = snapshot->changed_real,
    .known_real = held->known_real,
    .moved_real = held->moved_real,
    .valid_until = snapshot->fresh_until,
    .trace_id = snapshot == &held->full ? held->trace_id : NULL,
    .untold_since = kt_task_is_untold (snapshot->task, held->listed.task) ? snapshot->since : KT_TIME_UNKNOWN,
  };
  if (now >= snapshot->fresh_until && held->error != NULL) {
    answer->stale = TRUE;
    answer->error = held->error;
    answer->valid_until = MIN (held->failed_until, stand_in_until (snapshot, held->policy));
  }
}

static gboolean
may_stand_in (const KtHeld *held, const KtSnapshot *snapshot, gint64 now)
{
  /* "no such task" is an answer, not a failure to get one */
  return snapshot != NULL && now < stand_in_until (snapshot, held->policy)
         && !g_error_matches (held->error, KT_ERROR, KT_ERROR_NOT_FOUND);
}

const GError *
kt_held_outcome (const KtHeld *held, KtStoreMode mode, KtAnswer *answer)
{
  gint64 now = kt_clock_monotonic (held->clock);
  const KtSnapshot *snapshot = shown (held, mode, now);
  gboolean failed = held->error != NULL && (mode == KT_STORE_AGAIN || freshest (held, mode, now) == NULL);

  if (failed && (mode == KT_STORE_AGAIN || !may_stand_in (held, snapshot, now)))
    return held->error;
  show (held, snapshot, now, answer);
  return NULL;
}

static void
replace (KtHeld *held, KtSnapshot *snapshot, KtTask *task)
{
  kt_task_unref (snapshot->task);
  snapshot->task = kt_task_ref (task);
  snapshot->changed_real = kt_clock_real (held->clock);
}

/* Whether TASK, of which SNAPSHOT is to tell from now on, brings something new. The first answer of its own after a
 * list, and the other way about, say the same things in their own ways: only the status tells. */
static gboolean
is_news (const KtHeld *held, const KtSnapshot *snapshot, const KtTask *task)
{
  const KtTask *other = snapshot == &held->full ? held->listed.task : held->full.task;

  return snapshot->task != NULL || other == NULL || !g_str_equal (other->status, task->status);
}

/* TASK, the answer to what was ASKED then, is what SNAPSHOT shows from now on. It was current AGE ago, and holds for LIFE from
 * then on. */
static void
hold (KtHeld *held, KtSnapshot *snapshot, KtTask *task, gint64 asked, gint64 age, gint64 life)
{
  gint64 now = kt_clock_monotonic (held->clock);

  if (kt_task_is_final (task))
    life = held->policy->ended_ttl;
  snapshot->asked = asked - age;
  snapshot->fetched = now - age;
  snapshot->fetched_real = kt_clock_real (held->clock) - age;
  snapshot->fresh_until = kt_time_add (now - age, life);
  if (snapshot->task == NULL || !g_str_equal (snapshot->task->status, task->status))
    snapshot->since = now;
  if (snapshot->task != NULL && kt_task_says_same (snapshot->task, task))
    return; /* nothing has changed: the old snapshot goes on */
  if (is_news (held, snapshot, task))
    held->known_real = snapshot->fetched_real;
  if (snapshot->task != NULL) /* else somebody has only asked in another way */
    held->moved_real = snapshot->fetched_real;
  replace (held, snapshot, task);
}

void
kt_held_keep (KtHeld *held, const KtResponse *response, gint64 asked)
{
  KtTask *task = response->task;
  g_autoptr (KtTask) completed = held->listed.task != NULL ? kt_task_completed (task, held->listed.task) : NULL;

  g_free (held->trace_id);
  held->trace_id = g_strdup (response->trace_id);
  g_clear_error (&held->error);
  /* a list of a later moment may have been seen already: then the answer is for who waited for it and no more */
  hold (held, &held->full, completed != NULL ? completed : task, asked, response->age,
        held->listed.task != NULL && held->listed.asked > asked - response->age ? 0 : held->policy->ttl);
}

gboolean
kt_held_offer (KtHeld *held, KtTask *task, gint64 asked, gint64 age, gint64 life)
{
  const gint64 now = kt_clock_monotonic (held->clock);
  const KtTask *full = held->full.task;
  g_autoptr (KtTask) completed = full != NULL ? kt_task_completed (full, task) : NULL;
  gboolean is_fresh = full != NULL && now < held->full.fresh_until;
  gboolean other_end =
      is_fresh && kt_task_is_final (full) && kt_task_is_final (task) && !g_str_equal (full->status, task->status);

  hold (held, &held->listed, task, asked, age, life);
  if (other_end)
    held->full.fresh_until = now;
  if (completed != NULL) {
    replace (held, &held->full, completed);
    held->known_real = held->full.changed_real;
  }
  return other_end || (is_fresh && completed != NULL);
}

void
kt_held_fail (KtHeld *held, const GError *error)
{
  g_clear_error (&held->error);
  held->error = g_error_copy (error);
  held->failed_until = kt_time_add (kt_clock_monotonic (held->clock), held->policy->negative_ttl);
}

void
kt_held_forgive (KtHeld *held)
{
  held->failed_until = kt_clock_monotonic (held->clock);
}

gboolean
kt_held_knows (const KtHeld *held, KtStoreMode mode)
{
  const gint64 now = kt_clock_monotonic (held->clock);
  return freshest (held, mode, now) != NULL || (held->error != NULL && now < held->failed_until);
}

gboolean
kt_held_peek (const KtHeld *held, KtStoreMode mode, KtAnswer *answer)
{
  const gint64 now = kt_clock_monotonic (held->clock);
  const KtSnapshot *snapshot = shown (held, mode, now);

  if (snapshot != NULL)
    show (held, snapshot, now, answer);
  return snapshot != NULL;
}
