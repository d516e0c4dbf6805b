/* SPDX-License-Identifier: MIT */
/* kootask-wait: waits until tasks have ended, and exits with what has become of them. */
#include "duration.h"
#include "screen.h"
#include "task.h"

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#define EXIT_USAGE   64  /* EX_USAGE */
#define EXIT_TIMEOUT 124 /* as of coreutils' timeout */

/* All are looked at anew so often: where poll(2) tells of changes it should not be needed, elsewhere it is all there
 * is. */
#define LOOK_EVERY    (30 * G_USEC_PER_SEC)
#define LOOK_UNPOLLED G_USEC_PER_SEC

#define STEP G_USEC_PER_SEC /* tasks that cannot be read are looked at so often, and bars drawn */

#define EVENTS_AT_ONCE 64

typedef struct {
  GPtrArray *tasks; /* Task */
  gboolean any;
  gboolean quiet;
  gint64 deadline; /* monotonic, G_MAXINT64: none */
  Screen *screen;  /* NULL: none */
  int epoll;
  gboolean is_polled; /* the files tell of changes */
  guint running;
} Waiting;

static volatile sig_atomic_t signalled; /* the signal that ends us */

static void
on_signal (int number)
{
  if (number != SIGWINCH)
    signalled = number;
}

/* Has epoll tell of the task's changes. Each file tells once: then it is opened again. */
static void
register_files (Waiting *waiting, Task *task)
{
  struct epoll_event event = { .events = EPOLLPRI | EPOLLERR | EPOLLONESHOT, .data.ptr = task };

  for (guint i = 0; i < TASK_FILES; i++)
    if (task->files[i] >= 0 && epoll_ctl (waiting->epoll, EPOLL_CTL_ADD, task->files[i], &event) != 0)
      waiting->is_polled = FALSE;
}

static void
report (Waiting *waiting, const Task *task)
{
  screen_clear (waiting->screen);
  if (task->outcome == TASK_TROUBLE) {
    g_printerr ("kootask-wait: %s: %s\n", task->id, g_strerror (task->error));
  } else if (!waiting->quiet) {
    g_print ("%s %s%s%s\n", task->id, task->status, task->result != NULL && task->result[0] != '\0' ? " " : "",
             task->result != NULL ? task->result : "");
    fflush (stdout);
  }
}

static void
look_at (Waiting *waiting, Task *task)
{
  if (task->outcome != TASK_RUNNING)
    return;
  task_look (task, waiting->screen != NULL, g_get_monotonic_time ());
  if (task->outcome == TASK_RUNNING) {
    register_files (waiting, task);
  } else {
    waiting->running--;
    report (waiting, task);
  }
}

/* Whether nothing is left to wait for; then *OUTCOME is what it has come to. */
static gboolean
is_over (const Waiting *waiting, TaskOutcome *outcome)
{
  TaskOutcome worst = TASK_SUCCEEDED;

  for (guint i = 0; i < waiting->tasks->len; i++) {
    const Task *task = waiting->tasks->pdata[i];
    if (task->outcome == TASK_RUNNING)
      continue;
    if (waiting->any && task->outcome != TASK_TROUBLE) {
      *outcome = task->outcome;
      return TRUE;
    }
    worst = task_worse (worst, task->outcome);
  }
  *outcome = worst;
  return waiting->running == 0;
}

static gboolean
is_failing (const Waiting *waiting)
{
  for (guint i = 0; i < waiting->tasks->len; i++)
    if (((const Task *) waiting->tasks->pdata[i])->failing_since != 0)
      return TRUE;
  return FALSE;
}

/* Looks at all, or at those only that cannot be read. A look may take as long as a request, so it is not begun when the
 * time is over. */
static void
look_at_all (Waiting *waiting, gboolean failing_only)
{
  for (guint i = 0; i < waiting->tasks->len && signalled == 0; i++) {
    Task *task = waiting->tasks->pdata[i];
    if (i > 0 && g_get_monotonic_time () >= waiting->deadline)
      return;
    if (!failing_only || task->failing_since != 0)
      look_at (waiting, task);
  }
}

/* Waits until something has changed, or it is time to look, and looks. LOOKED is when all were looked at last. */
static void
wait_once (Waiting *waiting, gint64 *looked)
{
  const gint64 next = *looked + (waiting->is_polled ? LOOK_EVERY : LOOK_UNPOLLED);
  const gint64 now = g_get_monotonic_time ();
  const gint64 step = waiting->screen != NULL || is_failing (waiting) ? now + STEP : next;
  const gint64 until = MIN (MIN (next, step), waiting->deadline);
  struct epoll_event events[EVENTS_AT_ONCE];
  /* rounded up, so as not to wake before the time */
  const int n = epoll_wait (waiting->epoll, events, EVENTS_AT_ONCE, (int) ((MAX (until - now, 0) + 999) / 1000));

  for (int i = 0; i < n && signalled == 0; i++)
    look_at (waiting, events[i].data.ptr);
  if (g_get_monotonic_time () < next) {
    if (n <= 0)
      look_at_all (waiting, TRUE);
    return;
  }
  *looked = g_get_monotonic_time ();
  look_at_all (waiting, FALSE);
}

static int
wait_for_tasks (Waiting *waiting)
{
  gint64 looked = g_get_monotonic_time ();
  TaskOutcome outcome = TASK_SUCCEEDED;

  look_at_all (waiting, FALSE);
  while (!is_over (waiting, &outcome)) {
    if (signalled != 0)
      return 0;
    if (g_get_monotonic_time () >= waiting->deadline)
      return EXIT_TIMEOUT;
    screen_show (waiting->screen, waiting->tasks);
    wait_once (waiting, &looked);
  }
  return (int) outcome;
}

/* As many files as we may open: one or two a task. */
static void
raise_limit (void)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    (void) setrlimit (RLIMIT_NOFILE, &limit);
  }
}

/* While bars are shown they are taken away before a signal ends us. */
static void
catch_signals (void)
{
  static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH };
  const struct sigaction action = { .sa_handler = on_signal };

  for (gsize i = 0; i < G_N_ELEMENTS (numbers); i++) {
    struct sigaction before;
    if (sigaction (numbers[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
      (void) sigaction (numbers[i], &action, NULL);
  }
}

static int
usage (const char *what)
{
  g_printerr ("kootask-wait: %s\nTry 'kootask-wait --help'.\n", what);
  return EXIT_USAGE;
}

int
main (int argc, char **argv)
{
  g_autofree char *timeout = NULL;
  g_auto (GStrv) paths = NULL;
  gboolean any = FALSE, quiet = FALSE, version = FALSE;
  const GOptionEntry entries[] = {
    { "timeout", 't', 0, G_OPTION_ARG_STRING, &timeout, "wait no longer than that: 30, 90s, 5m, 2h, 1d; 0 is no limit",
      "DURATION" },
    { "any", 'a', 0, G_OPTION_ARG_NONE, &any, "until one task has ended, not all", NULL },
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &quiet, "write nothing but errors", NULL },
    { "version", 'V', 0, G_OPTION_ARG_NONE, &version, "show the version", NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &paths, NULL, "TASKDIR..." },
    { .long_name = NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;
  Waiting waiting = { .deadline = G_MAXINT64, .is_polled = TRUE };
  gint64 duration = 0;
  int code;

  setlocale (LC_ALL, "");
  g_option_context_set_summary (context,
                                "Waits until tasks of a kootaskfs have ended. Each is named by its directory, as in\n"
                                "MOUNT/tasks/TASKID.");
  g_option_context_set_description (
      context, "Exit status: 0 succeeded, 1 failed or in part, 2 canceled, 75 trouble, 124 timeout,\n"
               "64 bad usage. Of several tasks the first of 75, 1, 2 and 0 that one of them has.");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    return usage (error->message);
  if (version) {
    g_print ("kootask-wait %s\n", KT_VERSION);
    return EXIT_SUCCESS;
  }
  if (timeout != NULL && !duration_parse (timeout, &duration))
    return usage ("--timeout: expected a number, with s, m, h or d behind it or without");
  if (paths == NULL)
    return usage ("expected the directory of a task, as MOUNT/tasks/TASKID");

  if (duration > 0)
    waiting.deadline = g_get_monotonic_time () + duration;
  waiting.any = any;
  waiting.quiet = quiet;
  waiting.screen = quiet ? NULL : screen_new (STDERR_FILENO);
  waiting.epoll = epoll_create1 (EPOLL_CLOEXEC);
  waiting.tasks = g_ptr_array_new_with_free_func ((GDestroyNotify) task_free);
  for (char **path = paths; *path != NULL; path++)
    g_ptr_array_add (waiting.tasks, task_new (*path));
  waiting.running = waiting.tasks->len;
  raise_limit ();
  if (waiting.screen != NULL)
    catch_signals ();
  code = wait_for_tasks (&waiting);
  screen_free (waiting.screen);
  g_ptr_array_unref (waiting.tasks);
  close (waiting.epoll);
  if (signalled != 0) {
    (void) signal (signalled, SIG_DFL);
    raise (signalled);
  }
  return code;
}
