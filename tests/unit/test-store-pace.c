/* SPDX-License-Identifier: MIT */
/* How often a task is asked for whose end somebody waits for: a table. */
#include "kt-test.h"

#include "model/kt-words.h"
#include "store/kt-pace.h"

#define TTL (5 * KT_SECOND)

typedef struct {
  const char *what;
  struct {
    int at; /* seconds */
    const char *status;
    gint progress;
  } seen[4];
  int at;       /* seconds */
  int interval; /* milliseconds */
} Case;

static const Case cases[] = {
  { "nothing seen", { { 0 } }, 10, 5000 },
  { "no speed known yet", { { 0, KT_STATUS_RUNNING, 10 } }, 0, 5000 },
  { "a third of what is left", { { 0, KT_STATUS_RUNNING, 10 }, { 5, KT_STATUS_RUNNING, 20 } }, 5, 13333 },
  { "a long way to go", { { 0, KT_STATUS_RUNNING, 1 }, { 5, KT_STATUS_RUNNING, 2 } }, 5, 20000 },
  { "fast near the end", { { 0, KT_STATUS_RUNNING, 80 }, { 5, KT_STATUS_RUNNING, 99 } }, 5, 2500 },
  { "all done, not ended", { { 0, KT_STATUS_RUNNING, 90 }, { 5, KT_STATUS_RUNNING, 100 } }, 5, 2500 },
  { "slower when it stalls near the end",
    { { 0, KT_STATUS_RUNNING, 80 }, { 5, KT_STATUS_RUNNING, 99 }, { 45, KT_STATUS_RUNNING, 99 } },
    45,
    10000 },
  { "slower when there is no progress", { { 0, KT_STATUS_RUNNING, -1 } }, 60, 15000 },
  { "slowest", { { 0, KT_STATUS_PENDING, -1 } }, 3600, 20000 },
  { "another status is a move", { { 0, KT_STATUS_PENDING, -1 }, { 3600, KT_STATUS_RUNNING, -1 } }, 3600, 5000 },
  { "begun anew",
    { { 0, KT_STATUS_RUNNING, 80 }, { 5, KT_STATUS_RUNNING, 99 }, { 10, KT_STATUS_RUNNING, 3 } },
    10,
    5000 },
};

static void
test_table (void)
{
  g_autoptr (KtKey) key = kt_key_new (KT_FAMILY_BASIC, "7");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    const Case *test = &cases[i];
    KtPace pace;

    g_test_message ("%s", test->what);
    kt_pace_init (&pace);
    for (gsize s = 0; s < G_N_ELEMENTS (test->seen) && test->seen[s].status != NULL; s++) {
      g_autoptr (KtTask) task = kt_task_new (key);
      kt_task_share (&task->status, test->seen[s].status);
      task->progress = test->seen[s].progress;
      kt_pace_see (&pace, task, test->seen[s].at * KT_SECOND);
    }
    g_assert_cmpint (kt_pace_interval (&pace, TTL, test->at * KT_SECOND) / KT_MS, ==, test->interval);
    kt_pace_clear (&pace);
  }
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
  g_test_add_func ("/store/pace", test_table);
  return g_test_run ();
}
