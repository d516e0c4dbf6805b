/* SPDX-License-Identifier: MIT */
/* Goes into the background and reports readiness to the parent. */
#include "kt-daemon.h"

#include "base/kt-log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct KtDaemon {
  int report; /* to the parent, -1 when there is none (any more) */
};

/* What goes through the pipe: the exit code, then the message. */
static void
wait_for_child (int report)
{
  unsigned char code = 1;
  char message[4096];
  size_t used = 0;
  ssize_t n;

  while ((n = read (report, &code, 1)) < 0 && errno == EINTR)
    ;
  while (used < sizeof (message) - 1 && (n = read (report, message + used, sizeof (message) - 1 - used)) > 0)
    used += (size_t) n;
  if (used > 0)
    fprintf (stderr, "kootaskfs: %.*s\n", (int) used, message);
  else if (code != 0)
    fprintf (stderr, "kootaskfs: ended before the mount was ready\n");
  _exit (code);
}

KtDaemon *
kt_daemon_start (gboolean foreground)
{
  KtDaemon *daemon = g_new0 (KtDaemon, 1);
  int ends[2];
  pid_t child;

  daemon->report = -1;
  if (foreground)
    return daemon;
  if (pipe2 (ends, O_CLOEXEC) != 0 || (child = fork ()) < 0) {
    fprintf (stderr, "kootaskfs: cannot go into the background: %s\n", g_strerror (errno));
    exit (EXIT_FAILURE);
  }
  if (child > 0) {
    close (ends[1]);
    wait_for_child (ends[0]);
  }
  close (ends[0]);
  daemon->report = ends[1];
  setsid ();
  kt_log_open (KT_LOG_SYSLOG, FALSE);
  return daemon;
}

static void
report (KtDaemon *daemon, int code, const char *message)
{
  unsigned char byte = (unsigned char) code;

  /* when the parent is gone nobody minds */
  if (write (daemon->report, &byte, 1) == 1 && message != NULL && write (daemon->report, message, strlen (message)) < 0)
    g_debug ("nobody hears: %s", message);
  close (daemon->report);
  daemon->report = -1;
}

void
kt_daemon_ready (KtDaemon *daemon, const char *warning)
{
  g_autofree char *text = warning != NULL ? kt_log_redact (warning) : NULL;
  int null;

  if (daemon->report < 0) {
    if (text != NULL)
      g_warning ("%s", text);
    return;
  }
  null = open ("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; null >= 0 && fd <= 2; fd++)
    dup2 (null, fd);
  if (null > 2)
    close (null);
  if (chdir ("/") != 0)
    g_warning ("cannot leave the working directory: %s", g_strerror (errno));
  report (daemon, 0, text);
}

void
kt_daemon_failed (KtDaemon *daemon, int code, const char *message)
{
  g_autofree char *text = kt_log_redact (message);

  if (daemon->report >= 0)
    report (daemon, code, text);
  else
    fprintf (stderr, "kootaskfs: %s\n", text);
}

void
kt_daemon_free (KtDaemon *daemon)
{
  if (daemon == NULL)
    return;
  if (daemon->report >= 0)
    close (daemon->report);
  g_free (daemon);
}
