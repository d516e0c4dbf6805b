/* SPDX-License-Identifier: MIT */
/* Reload and teardown of the whole program, but for the mount, which the test plays; the linker shows what the service
 * is given. */
#include "kt-test.h"

#include "app/kt-app.h"
#include "base/kt-log.h"
#include "base/kt-units.h"
#include "fuse/kt-fuse.h"
#include "service/kt-service.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>

#define QUIET (100 * KT_MS) /* how long nothing must happen */

typedef struct {
  char *dir;
  KtOptions *options;
  void (*script) (void);  /* runs while the mount does */
  void (*unmount) (void); /* runs in the middle of the teardown */
  GString *given;         /* to the service, a line each */
  guint warnings;
} Fixture;

static Fixture *f; /* libfuse's and the service's substitutes have no data of ours */

/* ---- what is played */

KtFuse *__wrap_kt_fuse_new (KtTree *tree, KtClock *clock, KtMetrics *metrics, char **options,
                            const KtFuseEvents *events, GError **error);
gboolean __wrap_kt_fuse_mount (KtFuse *fuse, const char *mountpoint, GError **error);
void __wrap_kt_fuse_free (KtFuse *fuse);
dev_t __wrap_kt_fuse_device (const KtFuse *fuse);
void __wrap_kt_service_set_options (KtService *service, const KtServiceOptions *options);
void __wrap_kt_service_set_token (KtService *service, const char *token);
void __wrap_kt_service_set_share_tokens (KtService *service, GHashTable *tokens);
void __real_kt_service_set_options (KtService *service, const KtServiceOptions *options);
void __real_kt_service_set_token (KtService *service, const char *token);
void __real_kt_service_set_share_tokens (KtService *service, GHashTable *tokens);

static gboolean
on_mounted (gpointer data)
{
  f->script ();
  return G_SOURCE_REMOVE;
}

KtFuse *
__wrap_kt_fuse_new (KtTree *tree, KtClock *clock, KtMetrics *metrics, char **options, const KtFuseEvents *events,
                    GError **error)
{
  return (KtFuse *) f;
}

gboolean
__wrap_kt_fuse_mount (KtFuse *fuse, const char *mountpoint, GError **error)
{
  g_idle_add (on_mounted, NULL);
  return TRUE;
}

dev_t
__wrap_kt_fuse_device (const KtFuse *fuse)
{
  return 0;
}

void
__wrap_kt_fuse_free (KtFuse *fuse)
{
  if (fuse != NULL && f->unmount != NULL)
    f->unmount ();
}

void
__wrap_kt_service_set_options (KtService *service, const KtServiceOptions *options)
{
  g_string_append_printf (f->given, "options of %s: %s %u\n", options->user_id, options->token,
                          g_hash_table_size (options->share_tokens));
  __real_kt_service_set_options (service, options);
}

void
__wrap_kt_service_set_token (KtService *service, const char *token)
{
  g_string_append_printf (f->given, "token %s\n", token);
  __real_kt_service_set_token (service, token);
}

void
__wrap_kt_service_set_share_tokens (KtService *service, GHashTable *tokens)
{
  g_string_append_printf (f->given, "share token %s\n", (const char *) g_hash_table_lookup (tokens, "S"));
  __real_kt_service_set_share_tokens (service, tokens);
}

/* ---- what the scripts do */

static void
write_file (const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (f->dir, name, NULL);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  g_assert_cmpint (g_chmod (path, 0600), ==, 0);
}

static void
remove_file (const char *name)
{
  g_autofree char *path = g_build_filename (f->dir, name, NULL);
  g_assert_cmpint (g_unlink (path), ==, 0);
}

/* The configuration of the user USER, with more lines in [service] and behind it. */
static void
configure (const char *user, const char *service, const char *rest)
{
  g_autofree char *text = g_strdup_printf ("[service]\nendpoint = http://127.0.0.1:9\nverify = no\nuser-id = %s\n"
                                           "%s\n[watch]\nfile = %s/tasks\n%s",
                                           user, service, f->dir, rest);
  write_file ("conf", text);
}

static void
configure_token (const char *user, const char *token_file)
{
  g_autofree char *service = g_strdup_printf ("token-file = %s/%s", f->dir, token_file);
  configure (user, service, "");
}

/* Runs the main context until the service was given something, or WARNING: until something was logged. */
static void
wait_for (gboolean warning)
{
  gint64 end = g_get_monotonic_time () + 20 * KT_SECOND;

  while (warning ? (f->warnings += kt_test_warnings ()) == 0 : f->given->len == 0) {
    g_assert_cmpint (g_get_monotonic_time (), <, end);
    g_main_context_iteration (NULL, FALSE);
    g_usleep (KT_MS);
  }
}

static void
run_for (gint64 microseconds)
{
  gint64 end = g_get_monotonic_time () + microseconds;

  while (g_get_monotonic_time () < end) {
    g_main_context_iteration (NULL, FALSE);
    g_usleep (KT_MS);
  }
}

/* The service was given just that, or nothing, since the last call. */
static void
assert_given (const char *expected)
{
  if (expected[0] != '\0')
    wait_for (FALSE);
  g_assert_cmpstr (f->given->str, ==, expected);
  g_string_truncate (f->given, 0);
}

/* A reload that fails: it is logged, and all stays: the service has its old options, and a change of the old token's
 * file is still seen. */
static void
assert_reload_fails (void)
{
  f->warnings = 0;
  kt_test_warnings ();
  raise (SIGHUP);
  wait_for (TRUE);
  run_for (QUIET / 2);
  assert_given ("");
  write_file ("token", "changed");
  assert_given ("token changed\n");
}

static void
quit (void)
{
  raise (SIGTERM);
}

/* ---- tests */

static void
run (void (*script) (void), void (*unmount) (void))
{
  g_autofree char *words = NULL;
  g_auto (GStrv) argv = NULL;
  g_autoptr (GError) error = NULL;
  KtConfig *config;
  Fixture fixture = { .dir = g_dir_make_tmp ("kootaskfs-XXXXXX", NULL), .script = script, .unmount = unmount };
  static const char *const files[] = { "conf", "token", "other", "tasks", "share" };

  f = &fixture;
  f->given = g_string_new (NULL);
  write_file ("token", "first");
  write_file ("other", "second");
  write_file ("share", "third");
  write_file ("tasks", "basic 1\n");
  configure_token ("u1", "token");
  words = g_strdup_printf ("kootaskfs -f -o config=%s/conf /mnt", f->dir);
  argv = g_strsplit (words, " ", -1);
  f->options = kt_options_parse ((int) g_strv_length (argv), argv, &error);
  g_assert_no_error (error);
  config = kt_options_load_config (f->options, &error);
  g_assert_no_error (error);
  g_assert_true (kt_app_run (f->options, config, NULL, "/mnt", NULL, &error));
  g_assert_no_error (error);
  assert_given (""); /* by the teardown */

  kt_options_free (f->options);
  kt_log_forget_secrets ();
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    remove_file (files[i]);
  g_assert_cmpint (g_rmdir (f->dir), ==, 0);
  g_string_free (f->given, TRUE);
  g_free (f->dir);
  kt_test_warnings ();
}

static void
script_reload (void)
{
  g_autofree char *share = g_strdup_printf ("[share S]\nkdstoken-file = %s/share\n", f->dir);
  g_autofree char *service = g_strdup_printf ("token-file = %s/other", f->dir);

  assert_given (""); /* the first ones came with kt_service_new() */
  configure ("u2", service, share);
  raise (SIGHUP);
  assert_given ("options of u2: second 1\n");
  write_file ("other", "changed"); /* the new files are those that are watched */
  assert_given ("token changed\n");
  write_file ("share", "changed");
  assert_given ("share token changed\n");
  write_file ("token", "nobody looks");
  run_for (QUIET);
  assert_given ("");
  quit ();
}

static void
test_reload (void)
{
  run (script_reload, NULL);
}

/* Each half way further than the one before. */
static void
script_failing (void)
{
  g_autofree char *share = g_strdup_printf ("[share S]\nkdstoken-file = %s/missing\n", f->dir);
  g_autofree char *service = g_strdup_printf ("token-file = %s/other", f->dir);

  configure ("u2", "nonsense = 1", ""); /* the configuration */
  assert_reload_fails ();
  configure ("u2", service, share); /* a share's token */
  assert_reload_fails ();
  configure_token ("u2", "missing"); /* the token's file */
  assert_reload_fails ();
  configure ("u2", "token-command = false", ""); /* the command, which takes its time */
  assert_reload_fails ();
  configure_token ("u2", "other"); /* the watch list, when all secrets are there */
  write_file ("tasks", "nonsense\n");
  assert_reload_fails ();
  write_file ("tasks", "basic 1\n"); /* and when that is mended it succeeds */
  raise (SIGHUP);
  assert_given ("options of u2: second 0\n");
  quit ();
}

static void
test_failing_reload (void)
{
  run (script_failing, NULL);
}

/* Another SIGHUP while secrets are read is not another reload: one ends, with what it has read. */
static void
script_twice (void)
{
  configure ("u2", "token-command = sleep 0.2; echo slow", "");
  raise (SIGHUP);
  run_for (QUIET / 2);
  raise (SIGHUP);
  assert_given ("options of u2: slow 0\n");
  run_for (3 * QUIET);
  assert_given ("");
  quit ();
}

static void
test_two_reloads (void)
{
  run (script_twice, NULL);
}

/* The secrets of a reload are still being read when the end comes, and never come in. */
static void
script_quit_in_reload (void)
{
  configure ("u2", "token-command = sleep 60; echo late", "");
  raise (SIGHUP);
  run_for (QUIET / 2);
  quit ();
}

static void
test_quit_while_reloading (void)
{
  gint64 begun = g_get_monotonic_time ();

  run (script_quit_in_reload, NULL);
  g_assert_cmpint (g_get_monotonic_time () - begun, <, 30 * KT_SECOND); /* the command is not waited for */
}

/* They come while the mount is being taken down, which runs the main context. */
static void
script_quit_then_ready (void)
{
  configure ("u2", "token-command = sleep 0.1; echo late", "");
  raise (SIGHUP);
  run_for (QUIET / 2);
  quit ();
}

static void
let_come (void)
{
  run_for (3 * QUIET);
  assert_given ("");
}

static void
test_ready_in_teardown (void)
{
  run (script_quit_then_ready, let_come);
}

static void
hang_up (void)
{
  configure_token ("u2", "other");
  raise (SIGHUP);
  run_for (QUIET);
  assert_given ("");
}

/* SIGHUP during the teardown, as a terminal sends it that is closed: no reload, and the teardown goes on to its end. */
static void
test_hang_up_in_teardown (void)
{
  run (quit, hang_up);
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
  g_test_add_func ("/app/reload/succeeds", test_reload);
  g_test_add_func ("/app/reload/fails", test_failing_reload);
  g_test_add_func ("/app/reload/twice", test_two_reloads);
  g_test_add_func ("/app/reload/quit-while-reloading", test_quit_while_reloading);
  g_test_add_func ("/app/reload/ready-in-teardown", test_ready_in_teardown);
  g_test_add_func ("/app/reload/hang-up-in-teardown", test_hang_up_in_teardown);
  return g_test_run ();
}
