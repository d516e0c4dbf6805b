/* SPDX-License-Identifier: MIT */
#include "kt-app.h"

#include "base/kt-error.h"
#include "base/kt-log.h"
#include "fuse/kt-fuse.h"
#include "kt-secret.h"
#include "kt-watch-list.h"
#include "service/kt-service.h"
#include "store/kt-catalog.h"

#include <glib-unix.h>
#include <unistd.h>

typedef struct {
  const KtOptions *options;
  KtConfig *config;
  KtDaemon *daemon;
  GMainLoop *loop;
  KtClock *clock;
  char *environment_token; /* of $KOOTASKFS_TOKEN, NULL when it was not set */

  KtMetrics *metrics;
  KtHealth *health;
  KtHttpClient *http;
  KtService *service;
  KtStore *store;
  KtCatalog *catalog;
  KtLists *lists;
  KtTree *tree;
  KtFuse *fuse;
  KtFileWatch *watch;
  guint signals[3];

  /* the token at start, or why there is none */
  char *first_token;
  GError *first_error;
  /* while a token command runs */
  KtConfig *coming; /* the configuration it runs for */
  gboolean token_pending;
} App;

static void
report (App *app, const char *what, const GError *error)
{
  kt_health_failure (app->health, kt_clock_real (app->clock), what, NULL, error);
}

static char *
about_config (gpointer data)
{
  return kt_config_format (((App *) data)->config);
}

static char *
about_metrics (gpointer data)
{
  return kt_metrics_format (((App *) data)->metrics);
}

static char *
about_tasks (gpointer data)
{
  const App *app = data;
  g_autofree char *lists = kt_lists_format (app->lists);
  GString *out = g_string_new (NULL);

  g_string_append_printf (out, "tasks: %u", kt_catalog_size (app->catalog));
  for (KtFamily i = 0; i < KT_N_FAMILIES; i++)
    g_string_append_printf (out, "%s%u %s", i == 0 ? " (" : ", ", kt_catalog_count (app->catalog, i),
                            kt_family_word (i));
  g_string_append_printf (out, ")\n%s", lists);
  return g_string_free (out, FALSE);
}

static void
fetch (gpointer source, KtKey *key, gint64 deadline, KtStoreFetchDone done, gpointer data)
{
  kt_service_fetch (source, key, deadline, done, data);
}

static void
fetch_list (gpointer source, KtFamily family, gint64 patience, KtListsPage page, KtListsListed listed, gpointer data)
{
  kt_service_list (source, family, patience, page, listed, data);
}

/* The shares' temporary tokens, NULL and the error when one cannot be read. (transfer full) */
static GHashTable *
read_share_tokens (const KtConfig *config, GError **error)
{
  g_autoptr (GHashTable) tokens =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) kt_secret_free);
  GHashTableIter iter;
  const char *share_id, *path;

  g_hash_table_iter_init (&iter, config->share_token_files);
  while (g_hash_table_iter_next (&iter, (gpointer *) &share_id, (gpointer *) &path)) {
    char *token = kt_secret_from_file (path, error);
    if (token == NULL)
      return NULL;
    g_hash_table_insert (tokens, g_strdup (share_id), token);
  }
  return g_steal_pointer (&tokens);
}

/* Makes CONFIG with TOKEN the service's options; what is not read anew at once stays as it is when that fails. */
static gboolean
apply_service (App *app, const KtConfig *config, const char *token, GError **error)
{
  g_autoptr (GHashTable) share_tokens = read_share_tokens (config, error);
  g_autoptr (GTimeZone) zone = g_time_zone_new_identifier (config->time_zone);
  KtServiceOptions options = {
    .endpoint = config->endpoint,
    .user_id = config->user_id,
    .token = token,
    .scheme = config->token_scheme,
    .agent_name = config->agent_name,
    .language = config->language,
    .zone = zone,
    .share_tokens = share_tokens,
    .families = config->families,
  };

  if (share_tokens == NULL)
    return FALSE;
  if (app->service == NULL)
    app->service = kt_service_new (app->http, app->clock, app->health, app->metrics, &options);
  else
    kt_service_set_options (app->service, &options);
  return TRUE;
}

/* The tasks of the watch list; none is configured: no tasks. (transfer full) */
static GPtrArray *
read_watch_list (const KtConfig *config, GError **error)
{
  if (config->watch_file == NULL)
    return g_ptr_array_new ();
  return kt_watch_list_load (config->watch_file, error);
}

static void
on_watch_list_changed (gpointer data)
{
  App *app = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) keys = read_watch_list (app->config, &error);

  if (keys != NULL)
    kt_tree_set_watched (app->tree, keys);
  else
    report (app, "watch list not re-read", error);
}

/* Watches the list, then reads it: no change goes unseen. *WATCH, which was NULL, is (transfer full). */
static GPtrArray *
follow_watch_list (App *app, const KtConfig *config, KtFileWatch **watch, GError **error)
{
  g_autoptr (GError) why = NULL;
  GPtrArray *keys;

  if (config->watch_file != NULL)
    *watch = kt_file_watch_new (config->watch_file, on_watch_list_changed, app, &why);
  keys = read_watch_list (config, error);
  if (keys != NULL && why != NULL)
    g_warning ("changes of %s go unseen until SIGHUP: %s", config->watch_file, why->message);
  return keys;
}

static KtTreeOptions
tree_options (const KtConfig *config)
{
  return (KtTreeOptions){
    .uid = getuid (),
    .gid = getgid (),
    .deadline = config->deadline,
    .scan_ahead = config->limits.concurrency,
    .families = config->families,
  };
}

static KtListsPolicy
lists_policy (const KtConfig *config)
{
  return (KtListsPolicy){
    .families = config->families,
    .ttl = config->list_ttl,
    .negative_ttl = config->cache.negative_ttl,
    .patience = config->deadline,
  };
}

/* The second half of a reload, when the token is there. */
static void
reload_with_token (App *app, const char *token, const GError *token_error)
{
  g_autoptr (KtConfig) config = g_steal_pointer (&app->coming);
  g_autoptr (GError) error = token_error != NULL ? g_error_copy (token_error) : NULL;
  g_autoptr (KtFileWatch) watch = NULL;
  g_autoptr (GPtrArray) keys = error == NULL ? follow_watch_list (app, config, &watch, &error) : NULL;
  KtTreeOptions options;
  KtListsPolicy lists;

  if (keys == NULL || !apply_service (app, config, token, &error)) {
    report (app, "configuration not re-read", error);
    return;
  }
  options = tree_options (config);
  lists = lists_policy (config);
  kt_config_free (app->config);
  app->config = g_steal_pointer (&config);
  kt_http_client_set_limits (app->http, &app->config->limits);
  kt_store_set_policy (app->store, &app->config->cache);
  kt_lists_set_policy (app->lists, &lists);
  kt_tree_set_options (app->tree, &options);
  kt_tree_set_watched (app->tree, keys);
  kt_file_watch_free (app->watch);
  app->watch = g_steal_pointer (&watch);
  g_message ("configuration read again");
}

static void
on_reload_token (char *token, const GError *error, gpointer data)
{
  App *app = data;

  app->token_pending = FALSE;
  reload_with_token (app, token, error);
  kt_secret_free (token);
}

/* Gives CONFIG's token to DONE: from its file, its command or the environment. */
static void
get_token (App *app, const KtConfig *config, KtSecretDone done)
{
  g_autoptr (GError) error = NULL;
  char *token = NULL;

  if (config->token_command != NULL) {
    app->token_pending = TRUE;
    kt_secret_from_command (config->token_command, done, app);
    return;
  }
  if (config->token_file != NULL)
    token = kt_secret_from_file (config->token_file, &error);
  else if (app->environment_token != NULL)
    token = kt_secret_from_text (app->environment_token, "$" KT_TOKEN_VARIABLE, &error);
  else
    g_set_error (&error, KT_ERROR, KT_ERROR_CONFIG,
                 "no token: expected token-file or token-command in [service], or $" KT_TOKEN_VARIABLE);
  done (token, error, app);
}

static KtConfig *
load_config (const KtOptions *options, GError **error)
{
  return kt_config_load (options->config_path, (char **) options->config_options->pdata, options->endpoint, error);
}

static gboolean
on_reload (gpointer data)
{
  App *app = data;
  g_autoptr (GError) error = NULL;

  if (app->token_pending)
    return G_SOURCE_CONTINUE; /* a reload is under way */
  app->coming = load_config (app->options, &error);
  if (app->coming != NULL && !g_str_equal (app->coming->endpoint, app->config->endpoint)) {
    /* what is cached, and requests under way, are the old one's, which must not see the new one's token */
    g_set_error (&error, KT_ERROR, KT_ERROR_CONFIG, "another endpoint takes effect at the next mount only");
    g_clear_pointer (&app->coming, kt_config_free);
  }
  if (app->coming == NULL)
    report (app, "configuration not re-read", error);
  else
    get_token (app, app->coming, on_reload_token);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_quit (gpointer data)
{
  g_main_loop_quit (((App *) data)->loop);
  return G_SOURCE_CONTINUE;
}

static void
on_mount_ready (gpointer data)
{
  kt_daemon_ready (((App *) data)->daemon);
}

static void
on_mount_ended (gpointer data)
{
  g_main_loop_quit (((App *) data)->loop);
}

static gboolean
build_tree (App *app, GError **error)
{
  const KtConfig *config = app->config;
  const KtTreeOptions options = tree_options (config);
  const KtListsPolicy lists = lists_policy (config);
  const KtAbout about = {
    .health = app->health,
    .config = about_config,
    .metrics = about_metrics,
    .tasks = about_tasks,
    .data = app,
  };
  g_autoptr (GPtrArray) keys = follow_watch_list (app, config, &app->watch, error);

  if (keys == NULL)
    return FALSE;
  app->store = kt_store_new (app->clock, app->metrics, &config->cache, fetch, app->service);
  app->catalog = kt_catalog_new ();
  app->lists = kt_lists_new (app->clock, app->store, app->catalog, &lists, fetch_list, app->service);
  app->tree = kt_tree_new (app->clock, app->store, app->catalog, app->lists, &about, &options);
  kt_tree_set_watched (app->tree, keys);
  return TRUE;
}

static gboolean
build_http (App *app, GError **error)
{
  const KtCurlOptions curl_options = { .ca_file = app->config->ca_file, .proxy = app->config->proxy };
  KtTransport *transport = kt_transport_curl_new (&curl_options, error);

  if (transport == NULL)
    return FALSE;
  app->http = kt_http_client_new (app->clock, transport, &app->config->limits, app->metrics);
  return TRUE;
}

static void
on_first_token (char *token, const GError *error, gpointer data)
{
  App *app = data;

  app->token_pending = FALSE;
  app->first_token = token;
  app->first_error = error != NULL ? g_error_copy (error) : NULL;
}

static gboolean
build_service (App *app, GError **error)
{
  gboolean ok;

  get_token (app, app->config, on_first_token);
  while (app->token_pending)
    g_main_context_iteration (NULL, TRUE);
  if (app->first_token == NULL) {
    g_propagate_error (error, g_steal_pointer (&app->first_error));
    return FALSE;
  }
  ok = apply_service (app, app->config, app->first_token, error);
  g_clear_pointer (&app->first_token, kt_secret_free);
  return ok;
}

static gboolean
build_fuse (App *app, const char *mountpoint, GError **error)
{
  const KtFuseEvents events = { .ready = on_mount_ready, .ended = on_mount_ended, .data = app };
  g_autoptr (GPtrArray) options = g_ptr_array_new_with_free_func (g_free);

  g_ptr_array_add (options, g_strdup ("subtype=kootaskfs"));
  g_ptr_array_add (options, g_strdup_printf ("fsname=%s", app->config->endpoint));
  if (app->options->debug)
    g_ptr_array_add (options, g_strdup ("debug"));
  for (char **option = (char **) app->options->fuse_options->pdata; *option != NULL; option++) {
    g_ptr_array_add (options, g_strdup (*option));
    /* open never reaches us, so the kernel must keep others from mapping a file for writing and changing its pages for
     * everybody */
    if (g_str_equal (*option, "allow_other") || g_str_equal (*option, "allow_root"))
      g_ptr_array_add (options, g_strdup ("default_permissions"));
  }
  g_ptr_array_add (options, NULL);
  app->fuse = kt_fuse_new (app->tree, app->clock, app->metrics, (char **) options->pdata, &events, error);
  return app->fuse != NULL && kt_fuse_mount (app->fuse, mountpoint, error);
}

/* From right to left; whatever was not built is NULL. */
static void
take_down (App *app)
{
  for (gsize i = 0; i < G_N_ELEMENTS (app->signals); i++)
    if (app->signals[i] != 0)
      g_source_remove (app->signals[i]);
  kt_file_watch_free (app->watch);
  kt_fuse_free (app->fuse);
  kt_http_client_free (app->http); /* ends the requests, which the service and the store are told of */
  kt_tree_free (app->tree);
  kt_lists_free (app->lists);
  kt_catalog_free (app->catalog);
  kt_store_free (app->store);
  kt_service_free (app->service);
  kt_health_free (app->health);
  kt_metrics_free (app->metrics);
  kt_config_free (app->coming);
  kt_config_free (app->config);
  kt_secret_free (app->environment_token);
  g_main_loop_unref (app->loop);
  kt_log_forget_secrets ();
}

gboolean
kt_app_run (const KtOptions *options, KtConfig *config, char *environment_token, const char *mountpoint,
            KtDaemon *daemon, GError **error)
{
  App app = {
    .options = options,
    .config = config,
    .daemon = daemon,
    .loop = g_main_loop_new (NULL, FALSE),
    .clock = kt_clock_system (),
    .environment_token = environment_token,
    .metrics = kt_metrics_new (),
    .health = kt_health_new (),
  };
  gboolean ok;

  app.signals[0] = g_unix_signal_add (SIGTERM, on_quit, &app);
  app.signals[1] = g_unix_signal_add (SIGINT, on_quit, &app);
  app.signals[2] = g_unix_signal_add (SIGHUP, on_reload, &app);
  ok = build_http (&app, error) && build_service (&app, error) && build_tree (&app, error)
       && build_fuse (&app, mountpoint, error);
  if (ok)
    g_main_loop_run (app.loop);
  take_down (&app);
  return ok;
}
