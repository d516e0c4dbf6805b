/* SPDX-License-Identifier: MIT */
/* The machine's clock while the machine sleeps: the linker puts our clock_gettime() in the place of libc's. */
#include "kt-test.h"

#include "base/kt-clock.h"
#include "base/kt-units.h"

#include <time.h>

static gint64 asleep; /* microseconds that the machine has slept so far, by our account */

int __real_clock_gettime (clockid_t id, struct timespec *now);
int __wrap_clock_gettime (clockid_t id, struct timespec *now);

int
__wrap_clock_gettime (clockid_t id, struct timespec *now)
{
  int result = __real_clock_gettime (id, now);

  if (id == CLOCK_BOOTTIME)
    now->tv_sec += asleep / KT_SECOND;
  return result;
}

static void
on_timer (gpointer data)
{
  *(gint64 *) data = kt_clock_monotonic (kt_clock_system ());
}

/* Turns the loop once at least, and as long as there is something to do. */
static void
turn (void)
{
  g_main_context_wakeup (NULL);
  g_main_context_iteration (NULL, TRUE);
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

/* "Ages count the time that the machine sleeps, those of tokens too": all ages are differences of this clock. */
static void
test_counts_sleep (void)
{
  KtClock *clock = kt_clock_system ();
  gint64 real = kt_clock_wall (clock);
  gint64 before = kt_clock_monotonic (clock);
  gint64 passed;

  asleep += 8 * 3600 * KT_SECOND;
  passed = kt_clock_monotonic (clock) - before;
  g_assert_cmpint (passed, >=, 8 * 3600 * KT_SECOND);
  g_assert_cmpint (passed, <, 9 * 3600 * KT_SECOND);
  g_assert_cmpint (kt_clock_wall (clock), >=, real);
}

/* "A deadline is never early; over a sleep of the machine it may be late": whatever the two clocks are apart, also
 * when that changes while the timer runs. */
static void
test_timers_are_not_early (void)
{
  KtClock *clock = kt_clock_system ();

  for (int i = 0; i < 3; i++) {
    gint64 fired = 0, at = kt_clock_monotonic (clock) + 20 * KT_MS;
    kt_clock_start (clock, at, on_timer, &fired);
    while (fired == 0)
      g_main_context_iteration (NULL, TRUE);
    g_assert_cmpint (fired, >=, at);
    asleep += 1000 * KT_SECOND;
  }
}

/* What has become due while the machine slept is called when the loop turns next, in order; the rest waits. */
static void
test_timers_after_sleep (void)
{
  KtClock *clock = kt_clock_system ();
  KtUsec now = kt_clock_monotonic (clock), second = 0, first = 0, late = 0;
  KtTimer *never, *later;

  kt_clock_start (clock, now + 7200 * KT_SECOND, on_timer, &second);
  kt_clock_start (clock, now + 3600 * KT_SECOND, on_timer, &first);
  later = kt_clock_start (clock, now + 86400 * KT_SECOND, on_timer, &late);
  never = kt_clock_start (clock, KT_TIME_NEVER, on_timer, &late);
  turn ();
  g_assert_cmpint (first, ==, 0);
  asleep += 8 * 3600 * KT_SECOND;
  turn ();
  g_assert_cmpint (first, >, 0);
  g_assert_cmpint (second, >=, first);
  g_assert_cmpint (late, ==, 0);
  kt_clock_stop (clock, &later);
  kt_clock_stop (clock, &never);
}

/* In the past, or at the beginning of time: as soon as the loop turns. */
static void
test_timers_of_the_past (void)
{
  gint64 fired = 0;

  asleep += 3600 * KT_SECOND;
  kt_clock_start (kt_clock_system (), 0, on_timer, &fired);
  turn ();
  g_assert_cmpint (fired, >, 0);
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
  g_test_add_func ("/base/clock/counts-sleep", test_counts_sleep);
  g_test_add_func ("/base/clock/timers-are-not-early", test_timers_are_not_early);
  g_test_add_func ("/base/clock/timers-after-sleep", test_timers_after_sleep);
  g_test_add_func ("/base/clock/timers-of-the-past", test_timers_of_the_past);
  return g_test_run ();
}
