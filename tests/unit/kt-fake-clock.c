/* SPDX-License-Identifier: MIT */
/* The fake clock: it stands still until a test moves it. */
#include "kt-fake-clock.h"

#include "base/kt-units.h"

struct KtTimer {
  KtUsec at;
  guint64 order;
  KtTimerFunc func;
  gpointer data;
};

struct KtFakeClock {
  KtClock vtable;
  KtUsec now;
  KtUsec wall;
  guint64 started;
  GList *timers; /* KtTimer, by time, then by the order of their start */
};

static gint64
fake_monotonic (KtClock *clock)
{
  return ((KtFakeClock *) clock)->now;
}

static gint64
fake_wall (KtClock *clock)
{
  return ((KtFakeClock *) clock)->wall;
}

static gint
compare (gconstpointer a, gconstpointer b)
{
  const KtTimer *x = a, *y = b;

  if (x->at != y->at)
    return x->at < y->at ? -1 : 1;
  return x->order < y->order ? -1 : 1;
}

static KtTimer *
fake_start (KtClock *clock, KtUsec at, KtTimerFunc func, gpointer data)
{
  KtFakeClock *fake = (KtFakeClock *) clock;
  KtTimer *timer = g_new0 (KtTimer, 1);

  *timer = (KtTimer){ .at = at, .order = fake->started++, .func = func, .data = data };
  fake->timers = g_list_insert_sorted (fake->timers, timer, compare);
  return timer;
}

static void
fake_stop (KtClock *clock, KtTimer *timer)
{
  KtFakeClock *fake = (KtFakeClock *) clock;
  GList *link = g_list_find (fake->timers, timer);

  g_assert_nonnull (link); /* else it has fired or was stopped before */
  fake->timers = g_list_delete_link (fake->timers, link);
  g_free (timer);
}

KtFakeClock *
kt_fake_clock_new (void)
{
  KtFakeClock *fake = g_new0 (KtFakeClock, 1);

  fake->vtable = (KtClock){ fake_monotonic, fake_wall, fake_start, fake_stop };
  fake->now = 1000 * KT_SECOND;
  fake->wall = KT_FAKE_EPOCH * KT_SECOND;
  return fake;
}

void
kt_fake_clock_free (KtFakeClock *fake)
{
  g_assert_null (fake->timers);
  g_free (fake);
}

KtClock *
kt_fake_clock (KtFakeClock *fake)
{
  return &fake->vtable;
}

gint64
kt_fake_clock_now (KtFakeClock *fake)
{
  return fake->now;
}

void
kt_fake_clock_advance (KtFakeClock *fake, gint64 microseconds)
{
  KtUsec until = fake->now + microseconds;
  KtUsec to_wall = fake->wall - fake->now;

  while (fake->timers != NULL && ((KtTimer *) fake->timers->data)->at <= until) {
    g_autofree KtTimer *timer = fake->timers->data;
    fake->timers = g_list_delete_link (fake->timers, fake->timers);
    fake->now = MAX (fake->now, timer->at);
    fake->wall = fake->now + to_wall;
    timer->func (timer->data);
  }
  fake->now = until;
  fake->wall = until + to_wall;
}

void
kt_fake_clock_jump (KtFakeClock *fake, gint64 microseconds)
{
  fake->wall += microseconds;
}

guint
kt_fake_clock_timers (KtFakeClock *fake)
{
  return g_list_length (fake->timers);
}
