/* SPDX-License-Identifier: MIT */
/* Secrets from files, credentials and the environment, and what is refused. */
#include "kt-test.h"

#include "app/kt-secret.h"
#include "base/kt-log.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
  char *dir;
  char *path;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->dir = g_dir_make_tmp ("kootaskfs-XXXXXX", NULL);
  f->path = g_build_filename (f->dir, "token", NULL);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  kt_log_forget_secrets ();
  g_unlink (f->path);
  g_rmdir (f->dir);
  g_free (f->path);
  g_free (f->dir);
}

static void
write_secret (Fixture *f, const char *text, int mode)
{
  g_assert_true (g_file_set_contents (f->path, text, -1, NULL));
  g_assert_cmpint (g_chmod (f->path, mode), ==, 0);
}

static void
assert_refused (Fixture *f, const char *part)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (kt_secret_from_file (f->path, &error));
  g_assert_nonnull (strstr (error->message, f->path));
  kt_assert_failed (&error, KT_ERROR_CONFIG, part);
}

static void
assert_secret (Fixture *f, const char *expected)
{
  char *secret = kt_secret_from_file (f->path, NULL);

  g_assert_cmpstr (secret, ==, expected);
  kt_secret_free (secret);
}

static void
test_file (Fixture *f, gconstpointer data)
{
  write_secret (f, "hunter2hunter2", 0600);
  assert_secret (f, "hunter2hunter2");
  kt_assert_text (kt_log_redact ("hunter2hunter2"), "***");
  write_secret (f, "hunter2\r\nsecond line\x01\n", 0400);
  assert_secret (f, "hunter2");
  write_secret (f, "\xef\xbb\xbfhunter2\t \r\n", 0600);
  assert_secret (f, "hunter2");
  write_secret (f, "  Bearer x y  \n", 0600);
  assert_secret (f, "Bearer x y");
}

static void
test_modes (Fixture *f, gconstpointer data)
{
  static const int modes[] = { 0644, 0640, 0604, 0660, 0620, 0601 };

  for (gsize i = 0; i < G_N_ELEMENTS (modes); i++) {
    g_autofree char *mode = g_strdup_printf ("(mode %04o)", (guint) modes[i]);
    write_secret (f, "hunter2", modes[i]);
    assert_refused (f, mode);
  }
}

static void
test_bad_files (Fixture *f, gconstpointer data)
{
  assert_refused (f, "No such file");
  g_assert_cmpint (mkfifo (f->path, 0600), ==, 0);
  assert_refused (f, "the first line is empty"); /* and does not wait for a writer */
  g_unlink (f->path);
  write_secret (f, "", 0600);
  assert_refused (f, "the first line is empty");
  write_secret (f, "\nhunter2\n", 0600);
  assert_refused (f, "the first line is empty");
  write_secret (f, " \t \n", 0600);
  assert_refused (f, "the first line is empty");
  write_secret (f, "hun\tter2", 0600);
  assert_refused (f, "printable ASCII");
  write_secret (f, "hunter2\x7f", 0600);
  assert_refused (f, "printable ASCII");
  write_secret (f, "h\xc3\xbcnter2", 0600);
  assert_refused (f, "printable ASCII");
  write_secret (f, "\x1bhunter2", 0600);
  assert_refused (f, "printable ASCII");
}

static void
test_text (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  char *secret = kt_secret_from_text (" tok \nrest", "here", &error);

  g_assert_no_error (error);
  g_assert_cmpstr (secret, ==, "tok");
  kt_secret_free (secret);
  g_assert_null (kt_secret_from_text ("", "here", &error));
  kt_assert_failed (&error, KT_ERROR_CONFIG, "here");
  g_assert_null (kt_secret_from_text ("a\x01"
                                      "b",
                                      "here", &error));
  kt_assert_failed (&error, KT_ERROR_CONFIG, "printable");
}

static void
test_environment (Fixture *f, gconstpointer data)
{
  const char *before;
  char *secret;

  g_assert_null (kt_secret_from_environment ("KT_TEST_SECRET"));
  setenv ("KT_TEST_SECRET", "hunter2hunter2", 1);
  before = getenv ("KT_TEST_SECRET");
  g_assert_nonnull (before);
  secret = kt_secret_from_environment ("KT_TEST_SECRET");
  g_assert_cmpstr (secret, ==, "hunter2hunter2");
  g_assert_null (getenv ("KT_TEST_SECRET"));
  for (gsize i = 0; i < strlen ("hunter2hunter2"); i++)
    g_assert_cmpint (before[i], ==, 0); /* the bytes that /proc/PID/environ shows */
  kt_assert_text (kt_log_redact ("hunter2hunter2"), "***");
  kt_secret_free (secret);
  kt_secret_free (NULL);
}

/* The process's own environment, as /proc shows it, in a process that was started with the secret. */
static void
test_proc_environ (Fixture *f, gconstpointer data)
{
  if (g_test_subprocess ()) {
    g_autofree char *environ_text = NULL;
    gsize length;
    char *secret = kt_secret_from_environment ("KT_TEST_SECRET");
    g_assert_cmpstr (secret, ==, "hunter2hunter2");
    g_assert_true (g_file_get_contents ("/proc/self/environ", &environ_text, &length, NULL));
    g_assert_null (memmem (environ_text, length, "hunter2", strlen ("hunter2")));
    kt_secret_free (secret);
    return;
  }
  setenv ("KT_TEST_SECRET", "hunter2hunter2", 1);
  g_test_trap_subprocess (NULL, 0, 0);
  unsetenv ("KT_TEST_SECRET");
  g_test_trap_assert_passed ();
}

/* A credential of systemd's: its group may read it, others not. */
static void
test_credential (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  char *secret;

  write_secret (f, "hunter2", 0440);
  secret = kt_secret_from_credential (f->path, NULL);
  g_assert_cmpstr (secret, ==, "hunter2");
  kt_secret_free (secret);
  write_secret (f, "hunter2", 0444);
  g_assert_null (kt_secret_from_credential (f->path, &error));
  kt_assert_failed (&error, KT_ERROR_CONFIG, "(mode 0444)");
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
#define TEST(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)
  TEST ("/app/secret/file", test_file);
  TEST ("/app/secret/modes", test_modes);
  TEST ("/app/secret/bad-files", test_bad_files);
  TEST ("/app/secret/text", test_text);
  TEST ("/app/secret/environment", test_environment);
  TEST ("/app/secret/proc-environ", test_proc_environ);
  TEST ("/app/secret/credential", test_credential);
  return g_test_run ();
}
