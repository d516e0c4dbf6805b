/* SPDX-License-Identifier: MIT */
#include "kt-clock.h"

/* A timer of the system clock is a GSource with a ready time; the KtTimer is the source itself. */
typedef struct {
  GSource source;
  KtTimerFunc func;
  gpointer data;
} TimerSource;

static gboolean
timer_dispatch (GSource *source, GSourceFunc callback G_GNUC_UNUSED, gpointer data G_GNUC_UNUSED)
{
  TimerSource *timer = (TimerSource *) source;
  timer->func (timer->data);
  return G_SOURCE_REMOVE;
}

static GSourceFuncs timer_funcs = { .dispatch = timer_dispatch };

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
  GSource *source = g_source_new (&timer_funcs, sizeof (TimerSource));
  TimerSource *timer = (TimerSource *) source;

  timer->func = func;
  timer->data = data;
  g_source_set_ready_time (source, at);
  g_source_attach (source, NULL);
  g_source_unref (source); /* the context keeps it until it fires or is stopped */
  return (KtTimer *) source;
}

static void
system_stop (KtClock *clock, KtTimer *timer)
{
  g_source_destroy ((GSource *) timer);
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
