/* SPDX-License-Identifier: MIT */
/* What shows all tasks, as it is rendered. */
#include "kt-test.h"

#include "base/kt-units.h"
#include "tree/kt-entry-ops.h"
#include "tree/kt-render.h"

#include <string.h>

#define NOW    1727687972LL
#define HEADER "ID                  KIND  TYPE     STATUS    PROGRESS            OK   FAIL  AGE\n"

static void
shown_clear (gpointer data)
{
  KtShown *shown = data;
  kt_key_unref (shown->key);
  kt_task_unref (shown->task);
}

static GArray *
tasks_new (void)
{
  GArray *tasks = g_array_new (FALSE, FALSE, sizeof (KtShown));

  g_array_set_clear_func (tasks, shown_clear);
  return tasks;
}

/* A job that was created AGE seconds ago, for the caller to fill. */
static KtTask *
add (GArray *tasks, const char *id, const char *status, KtSec age)
{
  KtKey *key = kt_key_new (KT_FAMILY_JOB, id);
  const KtShown shown = { .key = key, .task = kt_task_new (key) };

  kt_task_share (&shown.task->status, status);
  shown.task->created = NOW - age;
  g_array_append_val (tasks, shown);
  return shown.task;
}

static char *
render (GArray *tasks, GBytes *(*function) (const KtSubject *subject), KtUsec *last)
{
  KtAll all = { .tasks = tasks, .now = NOW, .ages_last = -1 };
  const KtSubject subject = { .all = &all };
  g_autoptr (GBytes) bytes = function (&subject);
  gsize size;
  const char *data = g_bytes_get_data (bytes, &size);

  if (last != NULL)
    *last = all.ages_last;
  return g_strndup (data, size);
}

/* "`overview` has a header line and a line for each task: running tasks first, and in both groups the newest first." */
static void
test_order (void)
{
  g_autoptr (GArray) tasks = tasks_new ();
  KtUsec last;

  kt_assert_text (render (tasks, kt_render_overview, NULL), HEADER);
  add (tasks, "1", "completed", 300);
  add (tasks, "2", "running", 90000);
  add (tasks, "3", "pending", 200);
  add (tasks, "4", "running", 400);
  add (tasks, "5", "completed", 300);
  add (tasks, "6", "failed", 0)->created = KT_TIME_UNKNOWN;
  add (tasks, "7", "failed", 0)->created = KT_TIME_UNKNOWN;
  g_array_index (tasks, KtShown, 6).task->ended = NOW - 250;
  kt_assert_text (render (tasks, kt_render_overview, &last),
                  HEADER "4                   job   -        running   -                    -      -   6m\n"
                         "2                   job   -        running   -                    -      -  25h\n"
                         "3                   job   -        pending   -                    -      -   3m\n"
                         "7                   job   -        failed    -                    -      -    -\n"
                         "5                   job   -        completed -                    -      -   5m\n"
                         "1                   job   -        completed -                    -      -   5m\n"
                         "6                   job   -        failed    -                    -      -    -\n");
  g_assert_cmpint (last, ==, 60 * KT_SECOND);
}

/* "No line is wider than 80 columns of a terminal", whatever the service sends. "What does not fit into its column is cut,
 * and ends with `+`." "OK and FAIL are `success-count` and `fail-count`. From a million on they are in k, M, G and so on" */
static void
test_widths (void)
{
  g_autoptr (GArray) tasks = tasks_new ();
  KtTask *task = add (tasks, "abcdefghijklmnopqrstuvwxyz-0123456789_ABCDEFGHIJKLMNOPQRSTUVWXYZ0", "", 0);
  KtUsec last;

  kt_task_share (&task->type, "unknown-\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e");
  kt_task_share (&task->status, "unknown-%1B[31m\xe2\x80\xae");
  task->progress = 100;
  task->success_count = G_MAXINT64;
  task->fail_count = 999999;
  task = add (tasks, "1234567890123456789", "completed", 119);
  kt_task_share (&task->type, "a\xe6\x97\xa5\xe6\x9c\xac\033");
  task->progress = 99;
  task->success_count = 1000000;
  task->fail_count = 0;
  task = add (tasks, "2", "completed", 2000LL * 86400);
  task->success_count = 123456789;
  task->progress = 0;
  kt_assert_text (
      render (tasks, kt_render_overview, &last),
      HEADER "abcdefghijklmnopqr+ job   unknown+ unknown-+ [########] 100%  9223P 999999   0s\n"
             "1234567890123456789 job   a\xe6\x97\xa5\xe6\x9c\xac?   completed [#######.]  99%  1000k      0 119s\n"
             "2                   job   -        completed [........]   0%   123M      -   5y\n");
  g_assert_cmpint (last, ==, KT_SECOND);
}

/* "AGE is the time since `created`, in s up to two minutes, then in m, h, d and y, rounded down." */
static void
test_ages (void)
{
  static const struct {
    KtSec age;
    const char *text;
  } table[] = {
    { -500, "  0s" },     { 0, "  0s" },        { 119, "119s" },     { 120, "  2m" },
    { 7199, "119m" },     { 7200, "  2h" },     { 172799, " 47h" },  { 172800, "  2d" },
    { 86399999, "999d" }, { 86400000, "  2y" }, { NOW - 1, " 54y" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autoptr (GArray) tasks = tasks_new ();
    g_autofree char *text = NULL;
    add (tasks, "1", "running", table[i].age);
    text = render (tasks, kt_render_overview, NULL);
    text[strlen (text) - 1] = '\0';
    g_assert_cmpstr (text + strlen (text) - 4, ==, table[i].text);
  }
}

/* "Both have the members of `task.json` in their order, and `error`"; "`overview.json` is one array with a line for each
 * task." "What is not known is empty in `overview.csv`, and `null` in `overview.json`." */
static void
test_scripts (void)
{
  g_autoptr (GArray) tasks = tasks_new ();
  KtTask *task = add (tasks, "1", "completed", 0);
  KtUsec last;

  kt_assert_text (render (tasks, kt_render_overview_csv, NULL),
                  "id,kind,type,status,result,progress,created,started,ended,user,name,successCount,failCount,error\n"
                  "1,job,,completed,,,2024-09-30T09:19:32Z,,,,,,,\n");
  kt_task_set (&task->name, g_strdup ("a \"b\",\n\xff"));
  task->fail_count = 3;
  add (tasks, "2", "", 0)->created = KT_TIME_UNKNOWN;
  g_array_index (tasks, KtShown, 1).error = "EACCES";
  kt_assert_text (render (tasks, kt_render_overview_csv, &last),
                  "id,kind,type,status,result,progress,created,started,ended,user,name,successCount,failCount,error\n"
                  "1,job,,completed,,,2024-09-30T09:19:32Z,,,,\"a \"\"b\"\",\n\xef\xbf\xbd\",,3,\n"
                  "2,job,,,,,,,,,,,,EACCES\n");
  g_assert_cmpint (last, ==, KT_TIME_NEVER);
  kt_assert_text (
      render (tasks, kt_render_overview_json, &last),
      "[\n{\"id\":\"1\",\"kind\":\"job\",\"type\":null,\"status\":\"completed\",\"result\":null,\"progress\":null,"
      "\"created\":\"2024-09-30T09:19:32Z\",\"started\":null,\"ended\":null,\"user\":null,"
      "\"name\":\"a \\\"b\\\",\\u000a\xef\xbf\xbd\",\"successCount\":null,\"failCount\":3,\"error\":null},\n"
      "{\"id\":\"2\",\"kind\":\"job\",\"type\":null,\"status\":null,\"result\":null,\"progress\":null,"
      "\"created\":null,\"started\":null,\"ended\":null,\"user\":null,\"name\":null,\"successCount\":null,"
      "\"failCount\":null,\"error\":\"EACCES\"}\n]\n");
  g_assert_cmpint (last, ==, KT_TIME_NEVER);
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
  g_test_add_func ("/overview/order", test_order);
  g_test_add_func ("/overview/widths", test_widths);
  g_test_add_func ("/overview/ages", test_ages);
  g_test_add_func ("/overview/scripts", test_scripts);
  return g_test_run ();
}
