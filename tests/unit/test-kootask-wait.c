/* SPDX-License-Identifier: MIT */
/* The parts of kootask-wait that are pure: durations, bars, which outcome decides. */
#include "kt-test.h"

#include "../../kootask-wait/bar.h"
#include "../../kootask-wait/duration.h"

#include <string.h>

static void
test_durations (void)
{
  static const struct {
    const char *text;
    gint64 milliseconds; /* -1: refused */
  } cases[] = {
    { "30", 30000 }, { "30s", 30000 }, { "1.5m", 90000 }, { "2h", 7200000 }, { "1d", 86400000 }, { "0", 0 },
    { ".5", 500 },   { "", -1 },       { "s", -1 },       { "-1", -1 },      { "+1", -1 },       { " 1", -1 },
    { "1 s", -1 },   { "1w", -1 },     { "1ms", -1 },     { "0x10", -1 },    { "1e3", -1 },      { "inf", -1 },
    { "nan", -1 },   { "1.2.3", -1 },  { "1,5", -1 },     { ".", -1 },
  };
  gint64 duration;

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    const gboolean ok = duration_parse (cases[i].text, &duration);
    g_test_message ("'%s'", cases[i].text);
    g_assert_cmpint (ok ? duration / 1000 : -1, ==, cases[i].milliseconds);
  }
  g_assert_true (duration_parse ("99999999999999999999d", &duration));
  g_assert_cmpint (duration, >, 0);
}

static Task *
make (const char *id, const char *status, int progress)
{
  Task *task = task_new (id);

  task->status = g_strdup (status);
  task->progress = progress;
  return task;
}

static void
assert_line (Task *task, guint width, const char *expected)
{
  g_autofree char *line = bar_line (task, width);

  g_assert_cmpstr (line, ==, expected);
  g_assert_cmpint (g_utf8_strlen (line, -1), <=, width);
}

/* No line is wider than it may be; what does not fit is left out, the bar first. */
static void
test_bar (void)
{
  Task *task = make ("/m/tasks/1234", "running", 40), *failing = make ("7", "running", 40),
       *wide = make ("\xe4\xbb\xbb\xe5\x8a\xa1", "running", -1);

  assert_line (task, 40, "1234 running   [=======>          ]  40%");
  assert_line (task, 20, "1234 running");
  assert_line (task, 8, "1234 ru~");
  assert_line (task, 4, "1234");
  assert_line (task, 3, "12~");
  task->progress = 0;
  assert_line (task, 40, "1234 running   [>                 ]   0%");
  task->progress = 100;
  assert_line (task, 40, "1234 running   [==================] 100%");
  task->progress = -1;
  assert_line (task, 40, "1234 running");
  failing->error = 5;
  assert_line (failing, 40, "7 Input/output error");
  assert_line (wide, 12, "\xe4\xbb\xbb\xe5\x8a\xa1 running");
  for (guint width = 1; width < 300; width++)
    for (int progress = -1; progress <= 100; progress++) {
      g_autofree char *line = NULL;
      task->progress = progress;
      line = bar_line (task, width);
      g_assert_cmpuint (strlen (line), <=, MIN (width, BAR_WIDTH_MAX));
    }
  task_free (task);
  task_free (failing);
  task_free (wide);
}

/* As many lines as there is room for; the last one counts those that are not shown. */
static void
test_lines (void)
{
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func ((GDestroyNotify) task_free);

  for (guint i = 0; i < 10; i++) {
    g_ptr_array_add (tasks, make ("7", "running", -1));
    if (i < 3)
      ((Task *) tasks->pdata[i])->outcome = TASK_SUCCEEDED; /* is not shown any more */
  }
  for (guint height = 0; height < 12; height++) {
    g_autoptr (GPtrArray) lines = bar_lines (tasks, 79, height);
    g_assert_cmpuint (lines->len, ==, CLAMP (height, 1, 7));
    if (height < 7 && height > 1)
      g_assert_true (g_str_has_prefix (lines->pdata[lines->len - 1], "and "));
  }
}

static void
test_printable (void)
{
  g_autofree char *safe = task_printable ("a\033[31m\n\x7f\xff"
                                          "b\xe2\x80\xae"
                                          "c");

  g_assert_null (strpbrk (safe, "\033\n\x7f"));
  g_assert_null (strstr (safe, "\xe2\x80\xae"));
  g_assert_true (g_utf8_validate (safe, -1, NULL));
}

/* "Of several tasks the worst decides: trouble, then failed, then canceled." */
static void
test_worse (void)
{
  static const TaskOutcome order[] = { TASK_TROUBLE, TASK_FAILED, TASK_CANCELED, TASK_SUCCEEDED };

  for (gsize i = 0; i < G_N_ELEMENTS (order); i++)
    for (gsize k = 0; k < G_N_ELEMENTS (order); k++)
      g_assert_cmpint (task_worse (order[i], order[k]), ==, order[MIN (i, k)]);
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
  g_test_add_func ("/kootask-wait/durations", test_durations);
  g_test_add_func ("/kootask-wait/bar", test_bar);
  g_test_add_func ("/kootask-wait/lines", test_lines);
  g_test_add_func ("/kootask-wait/printable", test_printable);
  g_test_add_func ("/kootask-wait/worse", test_worse);
  return g_test_run ();
}
