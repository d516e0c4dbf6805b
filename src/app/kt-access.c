/* SPDX-License-Identifier: MIT */
/* Builds what it takes to reach the service: HTTP clients, secrets and the service, from the configuration. */
#include "kt-access.h"

#include "base/kt-error.h"
#include "base/kt-log.h"
#include "kt-environment.h"
#include "kt-file-watch.h"
#include "kt-secret.h"
#include "kt-token-source.h"

/* A configuration's secrets on their way in. */
typedef struct {
  const KtConfig *config; /* NULL: nothing is on its way */
  KtTokenSource *source;
  char *token;
  GHashTable *share_tokens;
  KtFileWatch *share_watch;
  KtAccessReady ready;
  gpointer data;
} Coming;

struct KtAccess {
  KtClock *clock;
  KtHealth *health;
  KtMetrics *metrics;
  char *environment_token;
  KtHttpClient *http;
  KtService *service;
  KtTokenSource *source;
  GHashTable *share_files; /* share id → file of its token */
  KtFileWatch *share_watch;
  Coming coming;
  void (*changed) (gpointer data);
  gpointer changed_data;
};

/* The shares' temporary tokens, NULL and the error when one cannot be read. (transfer full) */
static GHashTable *
read_share_tokens (GHashTable *files, GError **error)
{
  g_autoptr (GHashTable) tokens =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) kt_secret_free);
  GHashTableIter iter;
  const char *share_id, *path;

  g_hash_table_iter_init (&iter, files);
  while (g_hash_table_iter_next (&iter, (gpointer *) &share_id, (gpointer *) &path)) {
    char *token = kt_secret_from_file (path, error);
    if (token == NULL)
      return NULL;
    g_hash_table_insert (tokens, g_strdup (share_id), token);
  }
  return g_steal_pointer (&tokens);
}

static void
report_change (KtAccess *access)
{
  if (access->changed != NULL)
    access->changed (access->changed_data);
}

static void
on_changed_token (const char *token, const GError *error, gpointer data)
{
  KtAccess *access = data;

  if (token == NULL) {
    kt_health_failure (access->health, kt_clock_wall (access->clock), "token not re-read", NULL, error);
    return;
  }
  kt_service_set_token (access->service, token);
  report_change (access);
}

static void
on_token_file_changed (gpointer data)
{
  KtAccess *access = data;

  if (access->source != NULL)
    kt_token_source_read (access->source, on_changed_token, access);
}

static void
on_share_files_changed (gpointer data)
{
  KtAccess *access = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GHashTable) tokens = NULL;

  if (access->service == NULL)
    return; /* they are still to be read */
  tokens = read_share_tokens (access->share_files, &error);
  if (tokens == NULL) {
    kt_health_failure (access->health, kt_clock_wall (access->clock), "kdstoken not re-read", NULL, error);
    return;
  }
  kt_service_set_share_tokens (access->service, tokens);
  report_change (access);
}

/* NULL when there are none, or they cannot be watched. (transfer full) */
static KtFileWatch *
watch_share_files (KtAccess *access, GHashTable *files)
{
  g_autoptr (GPtrArray) paths = g_ptr_array_new ();
  g_autoptr (GError) why = NULL;
  KtFileWatch *watch = NULL;
  GHashTableIter iter;
  gpointer path;

  g_hash_table_iter_init (&iter, files);
  while (g_hash_table_iter_next (&iter, NULL, &path))
    g_ptr_array_add (paths, path);
  g_ptr_array_add (paths, NULL);
  if (paths->len > 1)
    watch = kt_file_watch_new ((const char *const *) paths->pdata, on_share_files_changed, access, &why);
  if (why != NULL)
    g_warning ("changes of the shares' tokens go unseen until SIGHUP: %s", why->message);
  return watch;
}

static void
coming_clear (Coming *coming)
{
  g_clear_pointer (&coming->share_watch, kt_file_watch_free);
  g_clear_pointer (&coming->source, kt_token_source_free);
  g_clear_pointer (&coming->token, kt_secret_free);
  g_clear_pointer (&coming->share_tokens, g_hash_table_unref);
  coming->config = NULL;
}

/* The secrets are there, or ERROR says why not. */
static void
end_prepare (KtAccess *access, const GError *error)
{
  Coming *coming = &access->coming;

  coming->ready (error, coming->data);
  coming_clear (coming);
}

static void
on_token (const char *token, const GError *error, gpointer data)
{
  KtAccess *access = data;

  access->coming.token = g_strdup (token);
  end_prepare (access, error);
}

void
kt_access_prepare (KtAccess *access, const KtConfig *config, KtAccessReady ready, gpointer data)
{
  Coming *coming = &access->coming;
  g_autoptr (GError) error = NULL;

  *coming = (Coming){ .config = config, .ready = ready, .data = data };
  coming->share_watch = watch_share_files (access, config->share_token_files);
  coming->share_tokens = read_share_tokens (config->share_token_files, &error);
  if (coming->share_tokens != NULL)
    coming->source = kt_token_source_new (access->clock, config, access->environment_token, &error);
  if (coming->source == NULL) {
    end_prepare (access, error);
    return;
  }
  kt_token_source_watch (coming->source, on_token_file_changed, access);
  kt_token_source_read (coming->source, on_token, access);
}

void
kt_access_commit (KtAccess *access)
{
  Coming *coming = &access->coming;
  const KtConfig *config = coming->config;
  g_autoptr (GTimeZone) zone = g_time_zone_new_identifier (config->time_zone);
  const KtServiceOptions options = {
    .endpoint = config->endpoint,
    .user_id = config->user_id,
    .token = coming->token,
    .scheme = config->token_scheme,
    .app_id = config->app_id,
    .session_id = config->session_id,
    .keep_alive = config->keep_alive,
    .read_token = kt_token_source_read,
    .token_source = coming->source,
    .agent_name = config->agent_name,
    .language = config->language,
    .zone = zone,
    .share_tokens = coming->share_tokens,
    .families = config->families,
  };

  if (access->service == NULL)
    access->service = kt_service_new (access->http, access->clock, access->health, access->metrics, &options);
  else
    kt_service_set_options (access->service, &options);
  kt_http_client_set_limits (access->http, &config->limits);
  kt_token_source_free (access->source);
  access->source = g_steal_pointer (&coming->source);
  g_clear_pointer (&access->share_files, g_hash_table_unref);
  access->share_files = g_hash_table_ref (config->share_token_files);
  kt_file_watch_free (access->share_watch);
  access->share_watch = g_steal_pointer (&coming->share_watch);
}

typedef struct {
  KtAccess *access;
  gboolean done;
  GError *error;
} First;

static void
on_first_ready (const GError *error, gpointer data)
{
  First *first = data;

  first->done = TRUE;
  if (error == NULL)
    kt_access_commit (first->access);
  else
    first->error = g_error_copy (error);
}

KtTransport *
kt_access_transport (const KtConfig *config, GError **error)
{
  const KtCurlOptions options = {
    .ca_file = config->ca_file,
    .proxy = config->proxy != NULL ? config->proxy : kt_environment_proxy (),
  };

  return kt_transport_curl_new (&options, error);
}

KtAccess *
kt_access_new (const KtConfig *config, const char *environment_token, KtClock *clock, KtHealth *health,
               KtMetrics *metrics, const gboolean *stop, GError **error)
{
  KtTransport *transport = kt_access_transport (config, error);
  g_autoptr (KtAccess) access = NULL;
  First first = { 0 };

  if (transport == NULL)
    return NULL;
  first.access = access = g_new0 (KtAccess, 1);
  access->clock = clock;
  access->health = health;
  access->metrics = metrics;
  access->environment_token = g_strdup (environment_token);
  access->http = kt_http_client_new (clock, transport, &config->limits, metrics);
  kt_access_prepare (access, config, on_first_ready, &first);
  while (!first.done && !*stop)
    g_main_context_iteration (NULL, TRUE);
  if (!first.done) {
    kt_access_stop (access); /* which ends the reading */
    g_clear_error (&first.error);
    g_set_error (&first.error, KT_ERROR, KT_ERROR_STOPPED, "ended by a signal before it was mounted");
  }
  if (first.error != NULL) {
    g_propagate_error (error, first.error);
    return NULL;
  }
  return g_steal_pointer (&access);
}

void
kt_access_set_observer (KtAccess *access, void (*changed) (gpointer data), gpointer data)
{
  access->changed = changed;
  access->changed_data = data;
}

KtService *
kt_access_service (KtAccess *access)
{
  return access->service;
}

void
kt_access_stop (KtAccess *access)
{
  if (access == NULL || access->http == NULL)
    return;
  /* the first runs the main context, and each may lead to requests to those after it */
  if (access->service != NULL)
    kt_service_stop (access->service);
  g_clear_pointer (&access->coming.source, kt_token_source_free);
  g_clear_pointer (&access->source, kt_token_source_free);
  g_clear_pointer (&access->http, kt_http_client_free);
}

void
kt_access_free (KtAccess *access)
{
  if (access == NULL)
    return;
  kt_access_stop (access);
  coming_clear (&access->coming);
  kt_file_watch_free (access->share_watch);
  g_clear_pointer (&access->share_files, g_hash_table_unref);
  kt_service_free (access->service);
  kt_secret_free (access->environment_token);
  g_free (access);
}
