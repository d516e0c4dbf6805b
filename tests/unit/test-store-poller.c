/* SPDX-License-Identifier: MIT */
/* Who holds an interest, and when there is a poll. */
#include "kt-test.h"

#include "base/kt-units.h"
#include "kt-fake-clock.h"
#include "store/kt-poller.h"

#include <string.h>

#define PACE (2 * KT_SECOND)

/* Subjects are strings; the pace is counted from when a poll began. */
typedef struct {
  KtFakeClock *clock;
  KtPoller *poller;
  KtUsec pace;
  guint polls;
  KtUsec began_at; /* KT_TIME_UNKNOWN: never */
  gboolean is_polling;
  KtInterest **drops;    /* what poll() does */
  gboolean ends_at_once; /* the same */
} Fixture;

static gpointer
ref (gpointer subject)
{
  return g_strdup (subject);
}

static KtUsec
due_at (gpointer subject, gpointer data)
{
  const Fixture *f = data;

  if (f->is_polling)
    return KT_TIME_NEVER;
  return f->began_at == KT_TIME_UNKNOWN ? 0 : f->began_at + f->pace;
}

static void
poll (gpointer subject, gpointer data)
{
  Fixture *f = data;

  g_assert_cmpstr (subject, ==, "7");
  g_assert_false (f->is_polling);
  f->polls++;
  f->began_at = kt_fake_clock_now (f->clock);
  f->is_polling = !f->ends_at_once;
  if (f->drops != NULL)
    kt_interest_drop (g_steal_pointer (&f->drops));
  if (f->ends_at_once)
    kt_poller_update (f->poller, subject);
  g_assert_cmpstr (subject, ==, "7");
}

static const KtPollerOps ops = {
  .hash = g_str_hash,
  .equal = g_str_equal,
  .ref = ref,
  .unref = g_free,
  .due_at = due_at,
  .poll = poll,
};

static void
set_up (Fixture *f, gconstpointer data)
{
  f->clock = kt_fake_clock_new ();
  f->poller = kt_poller_new (kt_fake_clock (f->clock), &ops, f);
  f->began_at = KT_TIME_UNKNOWN;
  f->pace = PACE;
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_assert_cmpuint (kt_fake_clock_timers (f->clock), ==, 0);
  kt_poller_free (f->poller);
  kt_fake_clock_free (f->clock);
}

static KtInterest *
hold (Fixture *f)
{
  char subject[] = "7"; /* gone when this returns */
  KtInterest *interest = kt_poller_hold (f->poller, subject);

  memset (subject, 'x', 1);
  return interest;
}

/* The poll under way has ended. */
static void
end (Fixture *f)
{
  g_assert_true (f->is_polling);
  f->is_polling = FALSE;
  kt_poller_update (f->poller, (gpointer) "7");
}

static void
test_one_for_all (Fixture *f, gconstpointer data)
{
  KtInterest *interests[1000];

  for (guint i = 0; i < 1000; i++)
    interests[i] = hold (f);
  g_assert_cmpuint (f->polls, ==, 1);
  end (f);
  kt_fake_clock_advance (f->clock, PACE);
  g_assert_cmpuint (f->polls, ==, 2);
  for (guint i = 1; i < 1000; i++)
    kt_interest_drop (&interests[i]);
  end (f);
  kt_fake_clock_advance (f->clock, PACE);
  g_assert_cmpuint (f->polls, ==, 3); /* one is left */
  kt_interest_drop (&interests[0]);
  g_assert_null (interests[0]);
  end (f);
}

static void
test_pace (Fixture *f, gconstpointer data)
{
  KtInterest *interest = hold (f);

  for (guint round = 1; round <= 3; round++) {
    g_assert_cmpuint (f->polls, ==, round);
    kt_fake_clock_advance (f->clock, KT_SECOND);
    end (f); /* well or not */
    kt_fake_clock_advance (f->clock, PACE - KT_SECOND - 1);
    g_assert_cmpuint (f->polls, ==, round);
    kt_fake_clock_advance (f->clock, 1);
  }
  kt_fake_clock_advance (f->clock, 10 * PACE); /* a poll that takes long is no reason for another */
  g_assert_cmpuint (f->polls, ==, 4);
  end (f); /* then the next is due */
  g_assert_cmpuint (f->polls, ==, 5);
  kt_interest_drop (&interest);
  end (f);
}

/* Nobody holds an interest, so there is no poll; and who comes again too soon waits for the pace. */
static void
test_drop (Fixture *f, gconstpointer data)
{
  KtInterest *interest = hold (f);

  end (f);
  kt_fake_clock_advance (f->clock, KT_SECOND);
  kt_interest_drop (&interest);
  kt_interest_drop (&interest); /* NULL */
  g_assert_cmpuint (kt_fake_clock_timers (f->clock), ==, 0);
  interest = hold (f);
  g_assert_cmpuint (f->polls, ==, 1);
  kt_fake_clock_advance (f->clock, KT_SECOND);
  g_assert_cmpuint (f->polls, ==, 2);
  kt_interest_drop (&interest);
  end (f);
  kt_fake_clock_advance (f->clock, 10 * PACE);
  g_assert_cmpuint (f->polls, ==, 2);
}

/* The last one may go while the poll begins. */
static void
test_drop_within_poll (Fixture *f, gconstpointer data)
{
  KtInterest *interest = hold (f);

  end (f);
  f->drops = &interest;
  kt_fake_clock_advance (f->clock, PACE);
  g_assert_cmpuint (f->polls, ==, 2);
  g_assert_null (interest);
  end (f);
  kt_fake_clock_advance (f->clock, 10 * PACE);
  g_assert_cmpuint (f->polls, ==, 2);
}

/* A poll that ends before poll() returns is followed by the next at its time, and never from within poll(). */
static void
test_ends_at_once (Fixture *f, gconstpointer data)
{
  KtInterest *interest;

  f->ends_at_once = TRUE;
  f->pace = 0;
  interest = hold (f);
  g_assert_cmpuint (f->polls, ==, 1);
  f->pace = PACE;
  kt_fake_clock_advance (f->clock, PACE - 1);
  g_assert_cmpuint (f->polls, ==, 1);
  kt_fake_clock_advance (f->clock, 1);
  g_assert_cmpuint (f->polls, ==, 2);
  kt_interest_drop (&interest);
}

/* A poll that somebody else began counts. */
static void
test_begun_elsewhere (Fixture *f, gconstpointer data)
{
  KtInterest *interest;

  f->is_polling = TRUE;
  f->began_at = kt_fake_clock_now (f->clock);
  interest = hold (f);
  kt_fake_clock_advance (f->clock, PACE + 1);
  g_assert_cmpuint (f->polls, ==, 0);
  end (f);
  g_assert_cmpuint (f->polls, ==, 1);
  kt_interest_drop (&interest);
  end (f);
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
#define TEST(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)
  TEST ("/store/poller/one-for-all", test_one_for_all);
  TEST ("/store/poller/pace", test_pace);
  TEST ("/store/poller/drop", test_drop);
  TEST ("/store/poller/drop-within-poll", test_drop_within_poll);
  TEST ("/store/poller/ends-at-once", test_ends_at_once);
  TEST ("/store/poller/begun-elsewhere", test_begun_elsewhere);
  return g_test_run ();
}
