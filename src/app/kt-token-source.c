/* SPDX-License-Identifier: MIT */
/* Where the token comes from: file, command, credential or environment. */
#include "kt-token-source.h"

#include "base/kt-error.h"
#include "kt-command.h"
#include "kt-file-watch.h"
#include "kt-secret.h"

#define CREDENTIALS "CREDENTIALS_DIRECTORY" /* set by systemd, see systemd.exec(5) */

struct KtTokenSource {
  KtClock *clock;
  char *(*read_file) (const char *path, GError **error);
  char *file; /* one of these three */
  char *command;
  char *environment;
  KtFileWatch *watch;
  KtCommand *running;
  KtTokenDone done; /* of what is running */
  gpointer data;
};

/* TOKEN is (transfer full), or NULL and ERROR is set. */
static void
finish (char *token, const GError *error, KtTokenDone done, gpointer data)
{
  done (token, error, data);
  kt_secret_free (token);
}

static void
on_output (const char *output, const GError *command_error, gpointer data)
{
  KtTokenSource *source = data;
  g_autoptr (GError) error = command_error != NULL ? g_error_copy (command_error) : NULL;
  char *token = NULL;

  if (output != NULL)
    token = kt_secret_from_text (output, "token-command", &error);
  else
    g_prefix_error (&error, "token-command: ");
  g_clear_pointer (&source->running, kt_command_free);
  finish (token, error, source->done, source->data);
}

void
kt_token_source_read (gpointer data, KtTokenDone done, gpointer done_data)
{
  KtTokenSource *source = data;
  g_autoptr (GError) error = NULL;
  char *token = NULL;

  g_assert (source->running == NULL);
  source->done = done;
  source->data = done_data;
  if (source->command != NULL)
    source->running = kt_command_start (source->clock, source->command, on_output, source, &error);
  else if (source->file != NULL)
    token = source->read_file (source->file, &error);
  else
    token = kt_secret_from_text (source->environment, "$" KT_TOKEN_VARIABLE, &error);
  if (source->running == NULL)
    finish (token, error, done, done_data);
}

void
kt_token_source_watch (KtTokenSource *source, void (*changed) (gpointer data), gpointer data)
{
  g_autoptr (GError) why = NULL;

  if (source->file != NULL)
    source->watch = kt_file_watch_new ((const char *const[]){ source->file, NULL }, changed, data, &why);
  if (why != NULL)
    g_warning ("changes of %s go unseen until a request is refused: %s", source->file, why->message);
}

/* The credential NAME becomes the source's file, if systemd has passed it. */
static gboolean
take_credential (KtTokenSource *source, const char *name)
{
  const char *directory = g_getenv (CREDENTIALS);
  g_autofree char *path = directory != NULL ? g_build_filename (directory, name, NULL) : NULL;

  if (path == NULL || !g_file_test (path, G_FILE_TEST_EXISTS))
    return FALSE;
  source->file = g_steal_pointer (&path);
  source->read_file = kt_secret_from_credential;
  return TRUE;
}

static gboolean
choose (KtTokenSource *source, const KtConfig *config, const char *environment_token, GError **error)
{
  const char *what =
      config->app_id != NULL
          ? "no app secret: expected app-secret-file in [service], or the credential " KT_SECRET_CREDENTIAL
          : "no token: expected token-file or token-command in [service], "
            "$" KT_TOKEN_VARIABLE ", or the credential " KT_TOKEN_CREDENTIAL;
  g_autofree char *origin = kt_config_origin (config);

  source->file = g_strdup (config->app_id != NULL ? config->app_secret_file : config->token_file);
  if (source->file != NULL)
    return TRUE;
  if (config->app_id == NULL) {
    source->command = g_strdup (config->token_command);
    if (source->command == NULL)
      source->environment = g_strdup (environment_token);
    if (source->command != NULL || source->environment != NULL)
      return TRUE;
  }
  if (take_credential (source, config->app_id != NULL ? KT_SECRET_CREDENTIAL : KT_TOKEN_CREDENTIAL))
    return TRUE;
  g_set_error (error, KT_ERROR, KT_ERROR_CONFIG, "%s: %s", origin, what);
  return FALSE;
}

KtTokenSource *
kt_token_source_new (KtClock *clock, const KtConfig *config, const char *environment_token, GError **error)
{
  g_autoptr (KtTokenSource) source = g_new0 (KtTokenSource, 1);

  source->clock = clock;
  source->read_file = kt_secret_from_file;
  return choose (source, config, environment_token, error) ? g_steal_pointer (&source) : NULL;
}

void
kt_token_source_free (KtTokenSource *source)
{
  if (source == NULL)
    return;
  if (source->running != NULL) {
    g_autoptr (GError) error = g_error_new_literal (KT_ERROR, KT_ERROR_STOPPED, "no longer wanted");
    g_clear_pointer (&source->running, kt_command_free);
    source->done (NULL, error, source->data);
  }
  kt_file_watch_free (source->watch);
  g_free (source->file);
  g_free (source->command);
  kt_secret_free (source->environment);
  g_free (source);
}
