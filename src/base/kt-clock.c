/* SPDX-License-Identifier: MIT */
/* The machine's clock and its timers. */
/* The clock counts the time asleep (CLOCK_BOOTTIME), the main loop's does not (CLOCK_MONOTONIC). So a time is converted
 * for the loop, and whether a timer is due is asked of the clock alone: none is early. What becomes due while the
 * machine sleeps is called when the loop turns next, for whatever reason. */
#include "kt-clock.h"

#include <time.h>

/* All timers of the system clock are one GSource: each request under way has one, and a turn of the main loop looks at
 * every source there is. */
struct KtTimer {
  KtUsec at;
  KtTimerFunc func;
  gpointer data;
  GSequenceIter *place; /* in TIMERS */
};

static GSequence *timers; /* KtTimer, by time, then by the order of their start */
static GSource *timer_source;
static KtUsec awaited = KT_TIME_NEVER; /* what the source waits for */

static gint64
boot_time (void)
{
  struct timespec now;

  clock_gettime (CLOCK_BOOTTIME, &now);
  return (gint64) now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

/* NULL when there is none. */
static KtTimer *
first_timer (void)
{
  GSequenceIter *first = g_sequence_get_begin_iter (timers);

  return g_sequence_iter_is_end (first) ? NULL : g_sequence_get (first);
}

static void
wait_for_first (void)
{
  KtTimer *first = first_timer ();
  KtUsec at = first != NULL ? first->at : KT_TIME_NEVER;
  KtUsec left;

  if (at == awaited)
    return; /* setting the source anew costs a system call */
  awaited = at;
  left = MAX (0, at - boot_time ());
  g_source_set_ready_time (timer_source, at == KT_TIME_NEVER ? -1 : kt_time_add (g_get_monotonic_time (), left));
}

/* The loop's clock may not know yet. */
static gboolean
prepare (GSource *source G_GNUC_UNUSED, int *timeout)
{
  KtTimer *first = first_timer ();

  *timeout = -1;
  return first != NULL && first->at <= boot_time ();
}

static gboolean
dispatch (GSource *source G_GNUC_UNUSED, GSourceFunc callback G_GNUC_UNUSED, gpointer data G_GNUC_UNUSED)
{
  KtUsec now = boot_time ();
  KtTimer *first;

  while ((first = first_timer ()) != NULL && first->at <= now) {
    g_autofree KtTimer *timer = first;
    g_sequence_remove (timer->place);
    timer->func (timer->data);
  }
  awaited = 0; /* the source's time has passed, also if the clock's has not quite */
  wait_for_first ();
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs timer_funcs = { .prepare = prepare, .dispatch = dispatch };

static int
compare (gconstpointer a, gconstpointer b, gpointer data G_GNUC_UNUSED)
{
  const KtTimer *x = a, *y = b;
  return x->at < y->at ? -1 : x->at > y->at;
}

static KtUsec
system_monotonic (KtClock *clock)
{
  return boot_time ();
}

static KtUsec
system_wall (KtClock *clock)
{
  return g_get_real_time ();
}

static KtTimer *
system_start (KtClock *clock, KtUsec at, KtTimerFunc func, gpointer data)
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
    .wall = system_wall,
    .start = system_start,
    .stop = system_stop,
  };
  return &clock;
}

KtUsec
kt_clock_monotonic (KtClock *clock)
{
  return clock->monotonic (clock);
}

KtUsec
kt_clock_wall (KtClock *clock)
{
  return clock->wall (clock);
}

KtTimer *
kt_clock_start (KtClock *clock, KtUsec at, KtTimerFunc func, gpointer data)
{
  return clock->start (clock, at, func, data);
}

void
kt_clock_stop (KtClock *clock, KtTimer **timer)
{
  if (*timer != NULL)
    clock->stop (clock, g_steal_pointer (timer));
}

KtUsec
kt_time_add (KtUsec a, KtUsec b)
{
  return a > KT_TIME_NEVER - b ? KT_TIME_NEVER : a + b;
}
