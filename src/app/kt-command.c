/* SPDX-License-Identifier: MIT */
/* Runs a shell command for its output. */
#include "kt-command.h"

#include "base/kt-error.h"
#include "base/kt-units.h"
#include "kt-process.h"

#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LONGEST_OUTPUT 65536

struct KtCommand {
  KtClock *clock;
  GPid pid; /* 0 once it has ended */
  guint exit_source;
  int fd;
  guint fd_source;
  KtTimer *timeout;
  gboolean timed_out;
  KtCommandDone done;
  gpointer data;
  gsize used;
  char output[LONGEST_OUTPUT + 1];
};

/* In the child. A group of its own, so that it can be killed with its children: one of them holding the pipe would keep
 * us waiting. */
static void
set_up_child (gpointer data)
{
  setpgid (0, 0);
  kt_process_reset_signals ();
}

/* Reads what there is; TRUE when more may come. What does not fit is dropped. */
static gboolean
drain (KtCommand *command)
{
  char rest[4096];
  gboolean full;
  ssize_t n;

  do {
    full = command->used == LONGEST_OUTPUT;
    n = read (command->fd, full ? rest : command->output + command->used,
              full ? sizeof (rest) : LONGEST_OUTPUT - command->used);
    if (n > 0 && !full)
      command->used += (gsize) n;
  } while (n > 0);
  explicit_bzero (rest, sizeof (rest));
  return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static gboolean
on_output (int fd, GIOCondition condition, gpointer data)
{
  KtCommand *command = data;

  if (drain (command))
    return G_SOURCE_CONTINUE;
  command->fd_source = 0;
  return G_SOURCE_REMOVE;
}

static void
on_exit_status (GPid pid, int status, gpointer data)
{
  KtCommand *command = data;
  g_autoptr (GError) why = NULL;
  g_autoptr (GError) error = NULL;

  command->pid = 0;
  command->exit_source = 0;
  kt_clock_stop (command->clock, &command->timeout);
  drain (command);
  if (command->timed_out)
    g_set_error (&error, KT_ERROR, KT_ERROR_CONFIG, "the command took more than %d s", KT_COMMAND_SECONDS);
  else if (!g_spawn_check_wait_status (status, &why))
    g_set_error (&error, KT_ERROR, KT_ERROR_CONFIG, "the command failed: %s", why->message);
  command->done (error == NULL ? command->output : NULL, error, command->data);
}

static void
on_timeout (gpointer data)
{
  KtCommand *command = data;

  command->timeout = NULL;
  command->timed_out = TRUE;
  kill (-command->pid, SIGKILL);
}

KtCommand *
kt_command_start (KtClock *clock, const char *line, KtCommandDone done, gpointer data, GError **error)
{
  char *argv[] = { (char *) "/bin/sh", (char *) "-c", (char *) line, NULL };
  KtCommand *command = g_new0 (KtCommand, 1);
  g_autoptr (GError) why = NULL;

  command->clock = clock;
  command->done = done;
  command->data = data;
  if (!g_spawn_async_with_pipes (NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_CLOEXEC_PIPES, set_up_child,
                                 NULL, &command->pid, NULL, &command->fd, NULL, &why)) {
    g_set_error_literal (error, KT_ERROR, KT_ERROR_CONFIG, why->message);
    g_free (command);
    return NULL;
  }
  g_unix_set_fd_nonblocking (command->fd, TRUE, NULL);
  command->fd_source = g_unix_fd_add (command->fd, G_IO_IN, on_output, command);
  command->exit_source = g_child_watch_add (command->pid, on_exit_status, command);
  command->timeout =
      kt_clock_start (clock, kt_clock_monotonic (clock) + KT_COMMAND_SECONDS * KT_SECOND, on_timeout, command);
  return command;
}

void
kt_command_free (KtCommand *command)
{
  if (command == NULL)
    return;
  kt_clock_stop (command->clock, &command->timeout);
  g_clear_handle_id (&command->exit_source, g_source_remove);
  g_clear_handle_id (&command->fd_source, g_source_remove);
  if (command->pid != 0) {
    kill (-command->pid, SIGKILL);
    waitpid (command->pid, NULL, 0); /* at once, by that signal */
  }
  close (command->fd);
  explicit_bzero (command, sizeof (*command));
  g_free (command);
}
