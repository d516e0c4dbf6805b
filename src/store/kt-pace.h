/* SPDX-License-Identifier: MIT */
#pragma once

#include "model/kt-task.h"

/* How often to ask for a task whose end somebody waits for: seldom while there is a long way to go or nothing moves,
 * often near the end. Pure: times are the caller's. */
typedef struct {
  gint progress;    /* as last seen, -1: unknown or nothing seen yet */
  char *status;     /* the same, a reference (GRefString); NULL: nothing seen yet */
  KtUsec moved_at;  /* when one of them was first seen as it is now */
  KtUsec per_point; /* time that a point of progress last took, 0: not known yet */
} KtPace;

/* Bounds of an interval, as parts and multiples of the ttl. */
#define KT_PACE_FASTEST(ttl) ((ttl) / 2)
#define KT_PACE_SLOWEST(ttl) ((ttl) *4)

/* Nothing seen yet. */
void kt_pace_init (KtPace *pace);
void kt_pace_clear (KtPace *pace);

/* TASK has been seen at AT. */
void kt_pace_see (KtPace *pace, const KtTask *task, KtUsec at);

/* How long after AT, when the task was last seen, to ask again: a third of the time that is left at the speed of the
 * last progress, or TTL while no speed is known; a quarter of the time for which nothing has moved when that is more;
 * between the two bounds. */
KtUsec kt_pace_interval (const KtPace *pace, KtUsec ttl, KtUsec at);
