/* SPDX-License-Identifier: MIT */
/* Where the token comes from, and commands that print it. */
#include "kt-test.h"

#include "app/kt-command.h"
#include "app/kt-token-source.h"
#include "base/kt-log.h"
#include "base/kt-units.h"
#include "kt-fake-clock.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

typedef struct {
  char *dir;
  char *path;
  KtFakeClock *clock;
  KtConfig config; /* only what a source looks at */
  KtTokenSource *source;
  /* how the last read ended */
  guint calls; /* of the callback */
  char *token;
  GError *error;
  guint changes;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->dir = g_dir_make_tmp ("kootaskfs-XXXXXX", NULL);
  f->path = g_build_filename (f->dir, "file", NULL);
  f->clock = kt_fake_clock_new ();
  g_unsetenv ("CREDENTIALS_DIRECTORY");
}

static void
write_file (const char *path, const char *text, int mode)
{
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  g_assert_cmpint (g_chmod (path, mode), ==, 0);
}

static void
forget (Fixture *f)
{
  f->calls = 0;
  g_clear_pointer (&f->token, g_free);
  g_clear_error (&f->error);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_autofree char *credential = g_build_filename (f->dir, KT_TOKEN_CREDENTIAL, NULL);
  g_autofree char *secret = g_build_filename (f->dir, KT_SECRET_CREDENTIAL, NULL);

  kt_token_source_free (f->source);
  kt_fake_clock_free (f->clock);
  forget (f);
  kt_log_forget_secrets ();
  g_unlink (f->path);
  g_unlink (credential);
  g_unlink (secret);
  g_assert_cmpint (g_rmdir (f->dir), ==, 0);
  g_free (f->path);
  g_free (f->dir);
}

static void
on_token (const char *token, const GError *error, gpointer data)
{
  Fixture *f = data;

  g_assert_true ((token == NULL) != (error == NULL));
  f->calls++;
  f->token = g_strdup (token);
  f->error = error != NULL ? g_error_copy (error) : NULL;
}

/* The source of f->config, or the error with PART. */
static gboolean
choose (Fixture *f, const char *environment, const char *part)
{
  g_autoptr (GError) error = NULL;

  g_clear_pointer (&f->source, kt_token_source_free);
  f->source = kt_token_source_new (kt_fake_clock (f->clock), &f->config, environment, &error);
  if (part != NULL)
    kt_assert_failed (&error, KT_ERROR_CONFIG, part);
  return f->source != NULL;
}

static void
start (Fixture *f)
{
  forget (f);
  kt_token_source_read (f->source, on_token, f);
}

static void
wait_told (Fixture *f)
{
  while (f->calls == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (f->calls, ==, 1);
}

/* What the configuration, the environment and the credentials give. */
static void
assert_token (Fixture *f, const char *environment, const char *expected)
{
  g_assert_true (choose (f, environment, NULL));
  start (f);
  wait_told (f);
  g_assert_no_error (f->error);
  g_assert_cmpstr (f->token, ==, expected);
  kt_assert_text (kt_log_redact (expected), "***");
}

/* The first of file, command, environment, credential. */
static void
test_precedence (Fixture *f, gconstpointer data)
{
  g_autofree char *credential = g_build_filename (f->dir, KT_TOKEN_CREDENTIAL, NULL);

  g_assert_false (choose (f, NULL, "no token: expected token-file or token-command"));
  g_setenv ("CREDENTIALS_DIRECTORY", f->dir, TRUE);
  g_assert_false (choose (f, NULL, "the credential koodrive.token"));
  write_file (credential, "by-credential", 0440);
  assert_token (f, NULL, "by-credential");
  assert_token (f, "by-environment", "by-environment");
  f->config.token_command = (char *) "echo by-command";
  assert_token (f, "by-environment", "by-command");
  f->config.token_command = NULL;
  write_file (f->path, "by-file\n", 0600);
  f->config.token_file = f->path;
  assert_token (f, "by-environment", "by-file");
}

/* With app-id only the app's secret counts. */
static void
test_app_secret (Fixture *f, gconstpointer data)
{
  g_autofree char *credential = g_build_filename (f->dir, KT_SECRET_CREDENTIAL, NULL);

  f->config.app_id = (char *) "APP";
  g_assert_false (choose (f, "by-environment", "no app secret: expected app-secret-file"));
  g_setenv ("CREDENTIALS_DIRECTORY", f->dir, TRUE);
  g_assert_false (choose (f, "by-environment", "the credential koodrive.app-secret"));
  write_file (credential, "by-credential", 0400);
  assert_token (f, "by-environment", "by-credential");
  write_file (f->path, "by-file\n", 0600);
  f->config.app_secret_file = f->path;
  assert_token (f, NULL, "by-file");
}

static void
on_changed (gpointer data)
{
  ((Fixture *) data)->changes++;
}

/* A file is read again as it is now, and said to have changed. */
static void
test_changes (Fixture *f, gconstpointer data)
{
  write_file (f->path, "first", 0600);
  f->config.token_file = f->path;
  g_assert_true (choose (f, NULL, NULL));
  kt_token_source_watch (f->source, on_changed, f);
  write_file (f->path, "second", 0600);
  while (f->changes == 0)
    g_main_context_iteration (NULL, TRUE);
  start (f);
  g_assert_cmpstr (f->token, ==, "second");
  write_file (f->path, "third", 0644);
  start (f);
  kt_assert_failed (&f->error, KT_ERROR_CONFIG, "(mode 0644)");
  f->config.token_file = NULL;
  g_assert_true (choose (f, "token", NULL));
  kt_token_source_watch (f->source, on_changed, f); /* there is nothing to watch */
}

static void
run (Fixture *f, const char *command)
{
  f->config.token_command = (char *) command;
  g_assert_true (choose (f, NULL, NULL));
  start (f);
  g_assert_cmpuint (f->calls, ==, 0);
}

static void
test_command (Fixture *f, gconstpointer data)
{
  static const char *const commands[] = {
    "echo hunter2hunter2; echo more",
    "echo hunter2hunter2; head -c 300000 /dev/zero",   /* more than is kept and than a pipe holds */
    "echo hunter2hunter2; sleep 3 2>/dev/null & true", /* what stays behind is no reason to wait */
    "echo hunter2hunter2; exec >&-; sleep 0.1",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++) {
    run (f, commands[i]);
    wait_told (f);
    g_assert_no_error (f->error);
    g_assert_cmpstr (f->token, ==, "hunter2hunter2");
  }
  g_assert_cmpuint (kt_fake_clock_timers (f->clock), ==, 0);
}

static void
test_bad_commands (Fixture *f, gconstpointer data)
{
  static const char *const table[][2] = {
    { "echo hunter2; exit 3", "token-command: the command failed" },
    { "kill -KILL $$", "token-command: the command failed" },
    { "/nonexistent/command 2>/dev/null", "token-command: the command failed" },
    { "echo", "the first line is empty" },
    { "true", "the first line is empty" },
    { "printf 'a\\001b'", "printable ASCII" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    run (f, table[i][0]);
    wait_told (f);
    g_assert_null (strstr (f->error->message, "hunter2"));
    kt_assert_failed (&f->error, KT_ERROR_CONFIG, table[i][1]);
  }
}

/* A command that also writes its shell's process id, once it runs, with a child that holds the pipe. */
static pid_t
run_endless (Fixture *f)
{
  g_autofree char *command =
      g_strdup_printf ("sleep 1000 & echo $! > '%s.tmp'; mv '%s.tmp' '%s'; wait", f->path, f->path, f->path);
  g_autofree char *text = NULL;

  run (f, command);
  while (!g_file_get_contents (f->path, &text, NULL, NULL))
    g_usleep (1000);
  return (pid_t) g_ascii_strtoll (text, NULL, 10);
}

/* It is gone, or a zombie that its new parent has not collected yet. */
static gboolean
has_ended (pid_t pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/stat", pid);
  g_autofree char *text = NULL;

  return !g_file_get_contents (path, &text, NULL, NULL) || strstr (text, ") Z ") != NULL;
}

/* After ten seconds it is ended, children included. */
static void
test_command_limit (Fixture *f, gconstpointer data)
{
  pid_t child = run_endless (f);

  kt_fake_clock_advance (f->clock, KT_COMMAND_SECONDS * KT_SECOND - 1);
  g_assert_false (has_ended (child));
  kt_fake_clock_advance (f->clock, 1);
  wait_told (f);
  kt_assert_failed (&f->error, KT_ERROR_CONFIG, "token-command: the command took more than 10 s");
  while (!has_ended (child))
    g_usleep (1000);
  g_assert_cmpint (waitpid (-1, NULL, WNOHANG), ==, -1); /* no zombie of ours */
  g_assert_cmpint (errno, ==, ECHILD);
}

/* The same when it is not wanted any more; its reader gets an error. */
static void
test_command_stopped (Fixture *f, gconstpointer data)
{
  pid_t child = run_endless (f);

  g_clear_pointer (&f->source, kt_token_source_free);
  g_assert_cmpuint (f->calls, ==, 1);
  kt_assert_failed (&f->error, KT_ERROR_STOPPED, "");
  g_assert_cmpuint (kt_fake_clock_timers (f->clock), ==, 0);
  while (!has_ended (child))
    g_usleep (1000);
  g_assert_cmpint (waitpid (-1, NULL, WNOHANG), ==, -1);
  g_assert_cmpint (errno, ==, ECHILD);
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
#define TEST(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)
  TEST ("/app/token/precedence", test_precedence);
  TEST ("/app/token/app-secret", test_app_secret);
  TEST ("/app/token/changes", test_changes);
  TEST ("/app/token/command", test_command);
  TEST ("/app/token/bad-commands", test_bad_commands);
  TEST ("/app/token/command-limit", test_command_limit);
  TEST ("/app/token/command-stopped", test_command_stopped);
  return g_test_run ();
}
