/* SPDX-License-Identifier: MIT */
/* main(): shows the version, checks, or mounts. */
#include "base/kt-error.h"
#include "base/kt-log.h"
#include "kt-app.h"
#include "kt-check.h"
#include "kt-mountpoint.h"
#include "kt-process.h"
#include "kt-secret.h"
#include "kt-token-source.h"

#include <stdio.h>
#include <sys/resource.h>

/* Exit codes: 2 and 1 as usual, 78 is EX_CONFIG of sysexits.h. */
static int
exit_code (const GError *error)
{
  if (g_error_matches (error, KT_ERROR, KT_ERROR_USAGE))
    return 2;
  return g_error_matches (error, KT_ERROR, KT_ERROR_CONFIG) ? 78 : 1;
}

static int
check (const KtOptions *options, const char *environment_token, GError **error)
{
  g_autoptr (KtConfig) config = kt_options_load_config (options, error);

  return config != NULL ? kt_check_run (config, environment_token, stdout) : 0;
}

static gboolean
run (const KtOptions *options, const char *environment_token, KtDaemon **daemon, GError **error)
{
  g_autofree char *mountpoint = NULL;
  KtConfig *config = kt_options_load_config (options, error);

  if (config == NULL || (mountpoint = kt_mountpoint_prepare (options->mountpoint, error)) == NULL) {
    kt_config_free (config);
    return FALSE;
  }
  *daemon = kt_daemon_start (options->foreground);
  return kt_app_run (options, config, environment_token, mountpoint, *daemon, error);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (KtOptions) options = NULL;
  g_autoptr (KtDaemon) daemon = NULL;
  char *environment_token;
  int code = 0;

  kt_process_init ();
  kt_log_init ();
  setrlimit (RLIMIT_CORE, &(struct rlimit){ 0, 0 }); /* a core file would hold the token */
  environment_token = kt_secret_from_environment (KT_TOKEN_VARIABLE);
  options = kt_options_parse (argc, argv, &error);
  if (options != NULL && options->version) {
    printf ("kootaskfs " KT_VERSION "\n");
  } else if (options != NULL) {
    /* a check says itself what there is to say */
    kt_log_open (options->check && !options->debug ? KT_LOG_NOWHERE : KT_LOG_STDERR, options->debug);
    if (options->check)
      code = check (options, environment_token, &error);
    else
      run (options, environment_token, &daemon, &error);
  }
  kt_secret_free (environment_token);
  if (error != NULL) {
    g_autofree char *text = kt_log_redact (error->message); /* one line, whatever was written */
    code = exit_code (error);
    if (daemon != NULL)
      kt_daemon_failed (daemon, code, error->message);
    else
      fprintf (stderr, "kootaskfs: %s\n", text);
  }
  kt_log_forget_secrets (); /* no message comes after this */
  return code;
}
