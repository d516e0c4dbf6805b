/* SPDX-License-Identifier: MIT */
/* How often to ask for a task whose end somebody waits for. */
#include "kt-pace.h"

void
kt_pace_init (KtPace *pace)
{
  *pace = (KtPace){ .progress = -1 };
}

void
kt_pace_clear (KtPace *pace)
{
  g_clear_pointer (&pace->status, g_ref_string_release);
}

void
kt_pace_see (KtPace *pace, const KtTask *task, KtUsec at)
{
  const gboolean first = pace->status == NULL;
  const gint points = task->progress - pace->progress;

  if (!first && points == 0 && g_str_equal (task->status, pace->status))
    return;
  if (!first && points > 0 && pace->progress >= 0)
    pace->per_point = (at - pace->moved_at) / points;
  else if (points < 0)
    pace->per_point = 0; /* it has begun anew */
  pace->progress = task->progress;
  kt_pace_clear (pace);
  pace->status = g_ref_string_acquire (task->status);
  pace->moved_at = at;
}

KtUsec
kt_pace_interval (const KtPace *pace, KtUsec ttl, KtUsec at)
{
  KtUsec interval = ttl;

  if (pace->status != NULL) {
    if (pace->per_point > 0)
      interval = (100 - pace->progress) * pace->per_point / 3;
    interval = MAX (interval, (at - pace->moved_at) / 4);
  }
  return CLAMP (interval, KT_PACE_FASTEST (ttl), KT_PACE_SLOWEST (ttl));
}
