/* SPDX-License-Identifier: MIT */
/* Puts the layers together, runs the loop, and takes them down. */
#include "kt-app.h"

#include "base/kt-error.h"
#include "base/kt-units.h"
#include "fuse/kt-fuse.h"
#include "kt-access.h"
#include "kt-environment.h"
#include "kt-figures.h"
#include "kt-inotify.h"
#include "kt-trim.h"
#include "kt-verify.h"
#include "kt-watch-follow.h"
#include "service/kt-service.h"
#include "store/kt-census.h"
#include "store/kt-catalog.h"
#include "package/kt-package.h"

#include <glib-unix.h>
#include <malloc.h>
#include <unistd.h>

typedef struct {
  const KtOptions *options;
  KtConfig *config;
  KtDaemon *daemon;
  GMainLoop *loop;
  gboolean quitting; /* no reload comes in any more */
  KtClock *clock;

  KtMetrics *metrics;
  KtHealth *health;
  KtAccess *access;
  KtHttpClient *package_http; /* of its own: nothing of the service's requests can get into those for packages */
  KtChanges *changes;
  KtStore *store;
  KtPackages *packages;
  KtCatalog *catalog;
  KtLists *lists;
  KtCensus *census;
  KtWatch *watch;
  KtEvents *events;
  KtTree *tree;
  KtFuse *fuse;
  KtWatchFollow *watch_list;
  KtInotify *inotify; /* NULL: the configuration says no */
  KtTrim *trim;
  KtKey *example;   /* the first watched task of the start */
  guint signals[2]; /* that end the mount */
  guint hangup;
  KtConfig *coming; /* a configuration on its way in, while its secrets are read */
} App;

static void
report (App *app, const char *what, const GError *error)
{
  kt_health_failure (app->health, kt_clock_wall (app->clock), what, NULL, error);
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
on_watch_list_changed (GPtrArray *keys, const GError *error, gpointer data)
{
  App *app = data;

  if (keys != NULL)
    kt_catalog_set (app->catalog, KT_CATALOG_WATCHED, keys);
  else
    report (app, "watch list not re-read", error);
}

static KtTreeOptions
tree_options (const KtConfig *config)
{
  return (KtTreeOptions){
    .uid = getuid (),
    .gid = getgid (),
    .deadline = config->deadline,
    .readahead = config->limits.concurrency,
    .families = config->families,
  };
}

static guint64
count_watches (gpointer data)
{
  return kt_tree_watched (((App *) data)->tree);
}

static guint
count_nodes (gpointer data)
{
  return kt_tree_nodes (((App *) data)->tree);
}

static guint64
count_event_bytes (gpointer data)
{
  return kt_events_memory (((App *) data)->events);
}

static KtListsPolicy
lists_policy (const KtConfig *config)
{
  return (KtListsPolicy){
    .families = config->families,
    .ttl = config->list_ttl,
    .negative_ttl = config->cache.negative_ttl,
    .page_timeout = config->deadline,
  };
}

/* Polls leave room for those who read: half of the connections, and no more than are sent in a quarter of the time that
 * a reader waits. */
static KtPollingPolicy
polling_policy (const KtConfig *config)
{
  guint concurrency = config->limits.concurrency / 2;

  if (config->limits.rate > 0)
    concurrency = (guint) MIN ((gint64) concurrency, config->limits.rate * config->deadline / (4 * KT_SECOND));
  return (
      KtPollingPolicy){ .ttl = config->cache.ttl, .deadline = config->deadline, .concurrency = MAX (concurrency, 1) };
}

/* Who watches is looked for, or not, as the configuration says. */
static void
apply_inotify (App *app)
{
  if (app->config->inotify && app->inotify == NULL)
    app->inotify = kt_inotify_new (app->clock, app->tree, kt_fuse_device (app->fuse));
  else if (!app->config->inotify)
    g_clear_pointer (&app->inotify, kt_inotify_free);
}

/* What a reload changes in the layers above the service. */
static void
apply_config (App *app)
{
  const KtConfig *config = app->config;
  const KtTreeOptions options = tree_options (config);
  const KtListsPolicy lists = lists_policy (config);
  const KtPollingPolicy polling = polling_policy (config);

  kt_store_set_policy (app->store, &config->cache);
  kt_lists_set_policy (app->lists, &lists);
  kt_watch_set_policy (app->watch, &polling);
  apply_inotify (app);
  kt_events_set_memory (app->events, config->events_memory);
  kt_tree_set_options (app->tree, &options);
  kt_tree_set_cancel (app->tree, config->allow_cancel ? kt_service_source (kt_access_service (app->access)) : NULL);
}

/* There is another secret: what was refused before may not be now. */
static void
on_other_secret (gpointer data)
{
  App *app = data;

  kt_store_forget_failures (app->store);
  kt_lists_forget_failures (app->lists);
}

/* The second half of a reload, when the secrets are there or ERROR says why not. */
static void
on_reload_ready (const GError *access_error, gpointer data)
{
  App *app = data;
  g_autoptr (KtConfig) config = g_steal_pointer (&app->coming);
  g_autoptr (GError) error = access_error != NULL ? g_error_copy (access_error) : NULL;
  g_autoptr (KtWatchFollow) watch = NULL;
  g_autoptr (GPtrArray) keys = NULL;

  if (app->quitting)
    return;
  if (error == NULL)
    watch = kt_watch_follow_new (config->watch_file, on_watch_list_changed, app, &keys, &error);
  if (watch == NULL) {
    report (app, "configuration not re-read", error);
    return;
  }
  kt_access_commit (app->access);
  kt_config_free (app->config);
  app->config = g_steal_pointer (&config);
  apply_config (app);
  on_other_secret (app);
  kt_catalog_set (app->catalog, KT_CATALOG_WATCHED, keys);
  kt_trim_start (app->trim);
  kt_watch_follow_free (app->watch_list);
  app->watch_list = g_steal_pointer (&watch);
  g_message ("configuration read again");
}

static gboolean
on_reload (gpointer data)
{
  App *app = data;
  g_autoptr (GError) error = NULL;

  if (app->quitting || app->access == NULL || app->coming != NULL)
    return G_SOURCE_CONTINUE; /* nothing more is read, or what is read now is new enough */
  app->coming = kt_options_load_config (app->options, &error);
  if (app->coming != NULL && !g_str_equal (app->coming->endpoint, app->config->endpoint)) {
    /* what is cached, and requests under way, are the old one's, which must not see the new one's token */
    g_set_error (&error, KT_ERROR, KT_ERROR_CONFIG, "another endpoint takes effect at the next mount only");
    g_clear_pointer (&app->coming, kt_config_free);
  }
  if (app->coming != NULL)
    kt_access_prepare (app->access, app->coming, on_reload_ready, app);
  else
    report (app, "configuration not re-read", error);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_quit (gpointer data)
{
  App *app = data;

  app->quitting = TRUE; /* the loop may not run yet */
  g_main_loop_quit (app->loop);
  return G_SOURCE_CONTINUE;
}

static void
on_verified (const char *warning, gpointer data)
{
  App *app = data;

  if (!app->quitting)
    kt_daemon_ready (app->daemon, warning);
}

static void
on_mount_ready (gpointer data)
{
  App *app = data;

  if (!app->config->verify
      || !kt_verify_start (kt_access_service (app->access), app->config, app->example, on_verified, app))
    kt_daemon_ready (app->daemon, NULL);
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
  const KtPollingPolicy polling = polling_policy (config);
  KtSource *source = kt_service_source (kt_access_service (app->access));
  const KtAbout about = {
    .health = app->health,
    .clock = app->clock,
    .config = about_config,
    .metrics = about_metrics,
    .tasks = about_tasks,
    .data = app,
  };
  g_autoptr (GPtrArray) keys = NULL;

  app->watch_list = kt_watch_follow_new (config->watch_file, on_watch_list_changed, app, &keys, error);
  if (app->watch_list == NULL)
    return FALSE;
  app->example = keys->len > 0 ? kt_key_ref (keys->pdata[0]) : NULL;
  app->changes = kt_changes_new (app->clock);
  app->store = kt_store_new (app->clock, app->changes, app->metrics, &config->cache, source);
  app->catalog = kt_catalog_new (app->clock, app->changes);
  app->lists = kt_lists_new (app->clock, app->store, app->catalog, &lists, source);
  kt_lists_add_metrics (app->lists, app->metrics);
  app->census = kt_census_new (app->changes, app->store, app->catalog, app->metrics);
  app->watch = kt_watch_new (app->clock, app->changes, app->store, app->catalog, app->lists, &polling);
  app->events = kt_events_new (app->clock, app->changes, app->catalog, app->watch, config->events_memory);
  kt_metrics_gauge (app->metrics, "kootaskfs_event_log_bytes", "Memory that the event logs of tasks take",
                    count_event_bytes, app);
  kt_watch_add_metrics (app->watch, app->metrics);
  app->packages = kt_packages_new (app->package_http, app->store, app->clock, app->changes, app->health, app->metrics,
                                   kt_environment_temporary_directory ());
  app->tree =
      kt_tree_new (app->clock, app->changes, app->store, app->catalog, app->lists, app->watch, &about, &options);
  kt_metrics_gauge (app->metrics, "kootaskfs_inotify_watches", "Inodes that are watched with inotify", count_watches,
                    app);
  kt_tree_set_packages (app->tree, app->packages);
  kt_tree_set_events (app->tree, app->events);
  kt_catalog_set (app->catalog, KT_CATALOG_WATCHED, keys);
  kt_tree_set_cancel (app->tree, config->allow_cancel ? source : NULL);
  kt_access_set_observer (app->access, on_other_secret, app);
  app->trim = kt_trim_new (app->clock, count_nodes, app);
  return TRUE;
}

/* The hosts of packages are not the service: its limits are not theirs. */
static const KtHttpLimits package_limits = { .concurrency = 64 };

static gboolean
build_package_http (App *app, GError **error)
{
  KtTransport *transport = kt_access_transport (app->config, error);

  if (transport == NULL)
    return FALSE;
  app->package_http = kt_http_client_new (app->clock, transport, &package_limits, NULL);
  return TRUE;
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
  app->quitting = TRUE; /* the main context still runs below */
  /* another one ends the process, should this take too long; SIGHUP, by itself, would do so too, before the unmount */
  for (gsize i = 0; i < G_N_ELEMENTS (app->signals); i++)
    g_source_remove (app->signals[i]);
  kt_watch_follow_free (app->watch_list);
  kt_trim_free (app->trim);
  kt_inotify_free (app->inotify);
  kt_fuse_free (app->fuse);
  if (app->access != NULL)
    kt_access_set_observer (app->access, NULL, NULL);
  kt_access_stop (app->access); /* ends the requests, with the callbacks of those that wait for them */
  kt_http_client_free (app->package_http);
  kt_tree_free (app->tree);
  kt_packages_free (app->packages);
  kt_events_free (app->events);
  kt_watch_free (app->watch);
  kt_census_free (app->census);
  kt_lists_free (app->lists);
  kt_catalog_free (app->catalog);
  kt_store_free (app->store);
  kt_changes_free (app->changes);
  kt_access_free (app->access);
  kt_health_free (app->health);
  kt_metrics_free (app->metrics);
  kt_config_free (app->config);
  kt_key_unref (app->example);
  g_source_remove (app->hangup);
  g_main_loop_unref (app->loop);
}

gboolean
kt_app_run (const KtOptions *options, KtConfig *config, const char *environment_token, const char *mountpoint,
            KtDaemon *daemon, GError **error)
{
  App app = {
    .options = options,
    .config = config,
    .daemon = daemon,
    .loop = g_main_loop_new (NULL, FALSE),
    .clock = kt_clock_system (),
    .metrics = kt_metrics_new (),
    .health = kt_health_new (),
  };
  gboolean ok;

  /* large responses in pages of their own, whatever came before: they go back when freed */
  mallopt (M_MMAP_THRESHOLD, 256 * 1024);
  app.signals[0] = g_unix_signal_add (SIGTERM, on_quit, &app);
  app.signals[1] = g_unix_signal_add (SIGINT, on_quit, &app);
  app.hangup = g_unix_signal_add (SIGHUP, on_reload, &app);
  app.access = kt_access_new (config, environment_token, app.clock, app.health, app.metrics, &app.quitting, error);
  kt_figures_add (app.metrics, app.health, config->endpoint, mountpoint);
  ok = app.access != NULL && build_package_http (&app, error) && build_tree (&app, error)
       && build_fuse (&app, mountpoint, error);
  if (ok) {
    apply_inotify (&app);
    g_main_loop_run (app.loop);
  }
  take_down (&app);
  return ok;
}
