/* SPDX-License-Identifier: MIT */
#include "kt-clock.h"

/* All timers of the system clock are one GSource: each request under way has one, and a turn of the main loop looks at
 * every source there is. */
struct KtTimer {
  gint64 at;
  KtTimerFunc func;
  gpointer data;
  GSequenceIter *place; /* in TIMERS */
};

static GSequence *timers; /* KtTimer, by time, then by the order of their start */
static GSource *timer_source;

static void
wait_for_first (void)
{
  GSequenceIter *first = g_sequence_get_begin_iter (timers);

  g_source_set_ready_time (timer_source,
                           g_sequence_iter_is_end (first) ? -1 : ((KtTimer *) g_sequence_get (first))->at);
}

static gboolean
dispatch (GSource *source, GSourceFunc callback G_GNUC_UNUSED, gpointer data G_GNUC_UNUSED)
{
  gint64 now = g_source_get_time (source);
  GSequenceIter *first;

  while (!g_sequence_iter_is_end (first = g_sequence_get_begin_iter (timers))
         && ((KtTimer *) g_sequence_get (first))->at <= now) {
    g_autofree KtTimer *timer = g_sequence_get (first);
    g_sequence_remove (first);
    timer->func (timer->data);
  }
  wait_for_first ();
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs timer_funcs = { .dispatch = dispatch };

static int
compare (gconstpointer a, gconstpointer b, gpointer data G_GNUC_UNUSED)
{
  const KtTimer *x = a, *y = b;
  return x->at < y->at ? -1 : x->at > y->at;
}

static gint64
system_monotonic (KtClock *clock)
{
  return g_get_monotonic_time ();
}

static gint64
system_real (KtClock *clock)
{
  return g_get_real_time ();
}

static KtTimer *
system_start (KtClock *clock, gint64 at, KtTimerFunc func, gpointer data)
{
  KtTimer *timer = g_new (KtTimer, 1);

  if (timers == NULL) {
    timers = g_sequence_new (NULL);
    timer_source = g_source_new (&timer_funcs, sizeof (GSource));
    g_source_attach (timer_source, NULL);
  }
  *timer = (KtTimer){ .at = at, .func = func, .data = data };
  timer->place = g_sequence_insert_sorted (timers, timer, compare, NULL);
  wait_for_first ();
  return timer;
}

static void
system_stop (KtClock *clock, KtTimer *timer)
{
  g_sequence_remove (timer->place);
  wait_for_first ();
  g_free (timer);
}

KtClock *
kt_clock_system (void)
{
  static KtClock clock = {
    .monotonic = system_monotonic,
    .real = system_real,
    .start = system_start,
    .stop = system_stop,
  };
  return &clock;
}

gint64
kt_clock_monotonic (KtClock *clock)
{
  return clock->monotonic (clock);
}

gint64
kt_clock_real (KtClock *clock)
{
  return clock->real (clock);
}

KtTimer *
kt_clock_start (KtClock *clock, gint64 at, KtTimerFunc func, gpointer data)
{
  return clock->start (clock, at, func, data);
}

void
kt_clock_stop (KtClock *clock, KtTimer **timer)
{
  if (*timer != NULL)
    clock->stop (clock, g_steal_pointer (timer));
}

gint64
kt_time_add (gint64 a, gint64 b)
{
  return a > KT_TIME_NEVER - b ? KT_TIME_NEVER : a + b;
}
