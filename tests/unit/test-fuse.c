/* SPDX-License-Identifier: MIT */
/* Which signals end a read, and what libfuse writes to stderr. */
#include "kt-test.h"

#include "fuse/kt-fuse-private.h"
#include "fuse/kt-request-limit.h"
#include "fuse/kt-stderr.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BIT(number) (G_GUINT64_CONSTANT (1) << ((number) -1))

/* /proc/TID/status with these sets. (transfer full) */
static char *
status (guint64 thread_pending, guint64 process_pending, guint64 blocked)
{
  return g_strdup_printf ("Name:\tcat\nState:\tS (sleeping)\nThreads:\t1\nSigQ:\t1/63423\n"
                          "SigPnd:\t%016" G_GINT64_MODIFIER "x\nShdPnd:\t%016" G_GINT64_MODIFIER
                          "x\nSigBlk:\t%016" G_GINT64_MODIFIER
                          "x\nSigIgn:\t0000000000000000\nSigCgt:\tffffffffffffffff\n"
                          "CapInh:\tffffffffffffffff\n",
                          thread_pending, process_pending, blocked);
}

static void
test_signals (void)
{
  static const struct {
    guint64 thread;
    guint64 process;
    guint64 blocked;
    gboolean matters;
  } table[] = {
    { 0, 0, 0, FALSE },
    { 0, 0, ~G_GUINT64_CONSTANT (0), FALSE },
    { BIT (SIGKILL), 0, 0, TRUE },
    { 0, BIT (SIGKILL), 0, TRUE },
    { BIT (SIGKILL), 0, ~G_GUINT64_CONSTANT (0), TRUE }, /* cannot be blocked */
    { BIT (SIGINT), 0, 0, TRUE },
    { 0, BIT (SIGINT), 0, TRUE },
    { BIT (SIGINT), 0, BIT (SIGINT), FALSE },
    { 0, BIT (SIGINT), BIT (SIGINT) | BIT (SIGTERM), FALSE },
    { BIT (SIGINT), BIT (SIGTERM), BIT (SIGINT), TRUE },
    { BIT (SIGURG), 0, 0, FALSE },
    { 0, BIT (SIGURG), 0, FALSE },
    { BIT (SIGURG), BIT (SIGKILL), 0, TRUE },
    { BIT (SIGCHLD), BIT (SIGTERM), 0, TRUE },
    { BIT (SIGCHLD), BIT (SIGTERM), BIT (SIGTERM), FALSE },
    { BIT (SIGCHLD) | BIT (SIGWINCH) | BIT (SIGCONT) | BIT (SIGPROF) | BIT (SIGVTALRM) | BIT (SIGURG), 0, 0, FALSE },
    { BIT (SIGALRM), 0, 0, TRUE },
    { BIT (SIGUSR1), 0, 0, TRUE },
    { BIT (SIGHUP), 0, 0, TRUE }, /* bit 0 */
    { BIT (64), 0, 0, TRUE },     /* the last real-time signal */
    { 0, BIT (64), BIT (64), FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autofree char *text = status (table[i].thread, table[i].process, table[i].blocked);
    g_assert_cmpint (kt_signal_matters (text), ==, table[i].matters);
  }
}

/* A process may call itself "SigPnd:"; the name stands in the first line. */
static void
test_forged_name (void)
{
  g_autofree char *text = status (0, 0, 0);
  g_autofree char *forged = g_strconcat ("Name:\tSigPnd:\tffff\nUmask:\t0022\n", text + strlen ("Name:\tcat\n"), NULL);

  g_assert_false (kt_signal_matters (forged));
}

/* What is unknown is taken for a signal that matters: better an EINTR than a reader that cannot be stopped. */
static void
test_unreadable (void)
{
  g_assert_true (kt_signal_matters (""));
  g_assert_true (kt_signal_matters ("Name:\tcat\nState:\tS (sleeping)\n"));
}

/* What libfuse and its child say becomes one line; stderr is then what it was, closed or not. */
static void
test_stderr (void)
{
  static const char *const table[][2] = {
    { "", "" },
    { "fuse: device not found\n", "device not found" },
    { "fusermount3: option x\n\nfuse: mount failed", "option x; mount failed" },
    { "/usr/bin/fusermount3: a fuse: b\n", "a fuse: b" },
  };
  int before = dup (STDERR_FILENO);
  g_autofree char *text = NULL;
  KtStderr *kept;

  for (int closed = 0; closed <= 1; closed++) {
    if (closed)
      close (STDERR_FILENO);
    for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
      kept = kt_stderr_keep ();
      dprintf (STDERR_FILENO, "%s", table[i][0]);
      kt_assert_text (kt_stderr_end (kept), table[i][1]);
      g_assert_cmpint (fcntl (STDERR_FILENO, F_GETFD), ==, closed ? -1 : 0);
    }
  }
  kept = kt_stderr_keep ();
  for (guint i = 0; i < 10000; i++)
    dprintf (STDERR_FILENO, "%u", i); /* more than is kept */
  text = kt_stderr_end (kept);
  g_assert_true (g_str_has_prefix (text, "012345678910"));
  g_assert_cmpuint (strlen (text), <, 5000);
  kt_assert_text (kt_stderr_end (NULL), "");
  g_assert_cmpint (dup2 (before, STDERR_FILENO), ==, STDERR_FILENO);
  close (before);
}

/* What the kernel is told to wait at the most, and what of that is ours. */
static void
test_request_limit (void)
{
  static const struct {
    const char *normal, *most;
    int seconds; /* 0: no limit */
  } table[] = {
    { "0\n", "0\n", 0 },       { NULL, NULL, 0 },      { "0\n", "60\n", 55 }, { "60\n", "0\n", 55 },
    { "60\n", "30\n", 25 },    { "30\n", "60\n", 25 }, { "1\n", "0\n", 10 },  { "0\n", "4294967295\n", G_MAXINT32 - 5 },
    { "nonsense", "-1\n", 0 },
  };
  g_autofree char *directory = g_dir_make_tmp (NULL, NULL);
  g_autofree char *normal = g_build_filename (directory, "default_request_timeout", NULL);
  g_autofree char *most = g_build_filename (directory, "max_request_timeout", NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    if (table[i].normal != NULL) {
      g_assert_true (g_file_set_contents (normal, table[i].normal, -1, NULL));
      g_assert_true (g_file_set_contents (most, table[i].most, -1, NULL));
    }
    g_assert_cmpint (kt_request_limit (directory), ==,
                     table[i].seconds != 0 ? table[i].seconds * KT_SECOND : KT_TIME_NEVER);
    unlink (normal);
    unlink (most);
  }
  g_assert_cmpint (rmdir (directory), ==, 0);
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
  g_test_add_func ("/fuse/signals", test_signals);
  g_test_add_func ("/fuse/forged-name", test_forged_name);
  g_test_add_func ("/fuse/unreadable", test_unreadable);
  g_test_add_func ("/fuse/stderr", test_stderr);
  g_test_add_func ("/fuse/request-limit", test_request_limit);
  return g_test_run ();
}
