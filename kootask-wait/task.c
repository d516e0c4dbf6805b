/* SPDX-License-Identifier: MIT */
/* One task as its files say it is. */
#include "task.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VALUE_MAX 256 /* bytes; no status, result or progress is longer */

static const char *const names[TASK_FILES] = { "status", "progress" };

char *
task_printable (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  GString *out = g_string_new (NULL);

  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char (p)) {
    const gunichar letter = g_utf8_get_char (p);
    g_string_append_unichar (out, g_unichar_isprint (letter) && !g_unichar_iszerowidth (letter) ? letter : '?');
  }
  return g_string_free (out, FALSE);
}

Task *
task_new (const char *path)
{
  char *resolved = realpath (path, NULL);
  Task *task = g_new0 (Task, 1);
  g_autofree char *name = NULL;

  task->path = g_strdup (resolved != NULL ? resolved : path);
  free (resolved);
  name = g_path_get_basename (task->path);
  task->id = task_printable (name);
  task->outcome = TASK_RUNNING;
  task->progress = -1;
  for (guint i = 0; i < TASK_FILES; i++)
    task->files[i] = -1;
  return task;
}

static void
close_files (Task *task)
{
  for (guint i = 0; i < TASK_FILES; i++) {
    if (task->files[i] >= 0)
      close (task->files[i]);
    task->files[i] = -1;
  }
}

void
task_free (Task *task)
{
  close_files (task);
  g_free (task->path);
  g_free (task->id);
  g_free (task->status);
  g_free (task->result);
  g_free (task);
}

/* The line in the task's file NAME, safe to print; *FILE is open then. NULL with errno. (transfer full) */
static char *
read_value (const Task *task, const char *name, int *file)
{
  g_autofree char *path = g_build_filename (task->path, name, NULL);
  char text[VALUE_MAX];
  gssize length;

  *file = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (*file < 0)
    return NULL;
  length = pread (*file, text, sizeof (text) - 1, 0);
  if (length < 0)
    return NULL;
  text[length] = '\0';
  return task_printable (g_strchomp (text));
}

/* Of a task that has ended, 0; or an errno. */
static int
conclude (Task *task)
{
  g_autofree char *result = NULL;
  int file, error;

  if (g_str_equal (task->status, "canceled")) {
    task->outcome = TASK_CANCELED;
    return 0;
  }
  if (g_str_equal (task->status, "failed")) {
    task->outcome = TASK_FAILED;
    return 0;
  }
  if (!g_str_equal (task->status, "completed"))
    return 0;                                  /* it has not ended */
  result = read_value (task, "result", &file); /* what has ended changes no more, so it goes with the status */
  error = errno;
  if (file >= 0)
    close (file);
  if (result == NULL)
    return error;
  task->outcome = result[0] == '\0' || g_str_equal (result, "succeeded") ? TASK_SUCCEEDED : TASK_FAILED;
  task->result = g_steal_pointer (&result);
  return 0;
}

/* Reads all; 0, or an errno. */
static int
look (Task *task, gboolean with_progress)
{
  g_autofree char *status = read_value (task, names[0], &task->files[0]);
  g_autofree char *progress = NULL;

  if (status == NULL)
    return errno;
  g_free (task->status);
  task->status = g_steal_pointer (&status);
  if (with_progress)
    progress = read_value (task, names[1], &task->files[1]);
  if (progress != NULL) {
    guint64 percent;
    task->progress = g_ascii_string_to_unsigned (progress, 10, 0, 100, &percent, NULL) ? (int) percent : -1;
  }
  return conclude (task);
}

/* Whether the mount may well show something else the next time. */
static gboolean
is_passing (int error)
{
  static const int passing[] = { ETIMEDOUT, EHOSTUNREACH, EBUSY, EIO, EBADMSG, EINTR, EAGAIN };

  for (gsize i = 0; i < G_N_ELEMENTS (passing); i++)
    if (passing[i] == error)
      return TRUE;
  return FALSE;
}

void
task_look (Task *task, gboolean with_progress, gint64 now)
{
  close_files (task);
  task->error = look (task, with_progress);
  if (task->error == 0) {
    task->failing_since = 0;
  } else {
    if (task->failing_since == 0)
      task->failing_since = now;
    if (!is_passing (task->error) || now - task->failing_since >= TASK_PATIENCE)
      task->outcome = TASK_TROUBLE;
  }
  if (task->outcome != TASK_RUNNING)
    close_files (task);
}

TaskOutcome
task_worse (TaskOutcome a, TaskOutcome b)
{
  static const TaskOutcome order[] = { TASK_TROUBLE, TASK_FAILED, TASK_CANCELED };

  for (gsize i = 0; i < G_N_ELEMENTS (order); i++)
    if (order[i] == a || order[i] == b)
      return order[i];
  return TASK_SUCCEEDED;
}
