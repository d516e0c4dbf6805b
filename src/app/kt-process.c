/* SPDX-License-Identifier: MIT */
/* Makes the process safe from what it was started with. */
#include "kt-process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* The write fails with EPIPE or EFBIG all the same. Unlike SIG_IGN a handler is not passed on to children. */
static void
on_failed_write (int number)
{
}

void
kt_process_init (void)
{
  struct sigaction failed_write = { .sa_handler = on_failed_write, .sa_flags = SA_RESTART };
  int null;

  do
    null = open ("/dev/null", O_RDWR);
  while (null >= 0 && null <= STDERR_FILENO);
  if (null >= 0)
    close (null);
  sigaction (SIGPIPE, &failed_write, NULL);
  sigaction (SIGXFSZ, &failed_write, NULL);
  if (getenv ("HOME") != NULL && getenv ("HOME")[0] != '/')
    unsetenv ("HOME");
  signal (SIGTTOU, SIG_IGN); /* with a handler the write would be tried for ever */
}

void
kt_process_reset_signals (void)
{
  signal (SIGTTOU, SIG_DFL);
}
