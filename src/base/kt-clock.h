/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-time.h"

/* Time as the layers above see it: a vtable, so that tests set the time. All times are microseconds. Ages, deadlines
 * and timers go by the monotonic clock. It counts the time that the machine sleeps. So it is not GLib's
 * (g_get_monotonic_time(), ready times of GSources), and times of the two do not mix. The wall clock may jump: it is
 * for what is shown to people, and dates requests until the service's own time is known. */

typedef struct KtClock KtClock;
typedef struct KtTimer KtTimer;
typedef void (*KtTimerFunc) (gpointer data);

struct KtClock {
  KtUsec (*monotonic) (KtClock *clock);
  KtUsec (*wall) (KtClock *clock); /* since the Unix epoch */
  KtTimer *(*start) (KtClock *clock, KtUsec at, KtTimerFunc func, gpointer data);
  void (*stop) (KtClock *clock, KtTimer *timer);
};

/* The machine's clock; its timers run in the default GMainContext. Static. */
KtClock *kt_clock_system (void);

KtUsec kt_clock_monotonic (KtClock *clock);
KtUsec kt_clock_wall (KtClock *clock);

/* Calls FUNC once when the monotonic clock has reached AT, never earlier. It is called later when the main loop is
 * busy. A time that comes while the machine sleeps may be noticed only at the loop's next event, or as late as if
 * the machine had not slept. The timer belongs to the clock and is gone once FUNC has been called: the owner forgets
 * the pointer there. */
KtTimer *kt_clock_start (KtClock *clock, KtUsec at, KtTimerFunc func, gpointer data);

/* Takes the timer at *TIMER back, if any, and clears it. */
void kt_clock_stop (KtClock *clock, KtTimer **timer);

/* A + B, where either may be KT_TIME_NEVER; never overflows. B is not negative. */
KtUsec kt_time_add (KtUsec a, KtUsec b);
