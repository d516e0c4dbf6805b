/* SPDX-License-Identifier: MIT */
/* koodrive-sim, a local KooDrive for trials and tests of kootaskfs: construction, signals, the end. */
#include "options.h"
#include "server.h"

#include <gio/gio.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_USAGE = 2 };

/* The first line of the file, trimmed, in *SECRET, which stays NULL when there is no file. */
static gboolean
read_secret (const char *file, char **secret, GError **error)
{
  g_autofree char *text = NULL;

  if (file == NULL)
    return TRUE;
  if (!g_file_get_contents (file, &text, NULL, error))
    return FALSE;
  text[strcspn (text, "\n")] = '\0';
  if (*g_strstrip (text) == '\0') {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "%s: nothing in the first line", file);
    return FALSE;
  }
  *secret = g_steal_pointer (&text);
  return TRUE;
}

static gint64
to_microseconds (double seconds)
{
  return (gint64) (seconds * G_USEC_PER_SEC + 0.5);
}

/* FALSE when a file of secrets cannot be read. */
static gboolean
init_auth (Sim *sim, const SimOptions *options, GError **error)
{
  SimAuthConfig config = { .idle = to_microseconds (options->token_idle), .app_id = g_strdup (options->app_id) };
  gboolean good = read_secret (options->token_file, &config.token, error)
                  && read_secret (options->session_id_file, &config.session_id, error)
                  && read_secret (options->app_secret_file, &config.app_secret, error);

  if (config.token == NULL)
    config.token = g_strdup (SIM_DEFAULT_TOKEN);
  sim->auth = sim_auth_new (&config, sim_now (sim));
  return good;
}

/* FALSE when the simulator cannot be set up; sim_clear() is to be called in any case. */
static gboolean
sim_init (Sim *sim, const SimOptions *options, GError **error)
{
  const SimTaskCounts counts = {
    .shares = (guint) options->n_tasks,
    .imports = (guint) options->n_imports,
    .transfers = (guint) options->n_transfers,
    .jobs = (guint) options->n_jobs,
  };

  g_mutex_init (&sim->lock);
  g_cond_init (&sim->stop_cond);
  sim->latency = options->latency;
  sim->clock_offset = (gint64) options->clock_offset * G_USEC_PER_SEC;
  sim->auth_status = (guint) options->auth_status;
  sim->first_shapes = sim->shapes = options->shapes;
  sim->tasks = sim_tasks_new (&counts, to_microseconds (options->duration), sim_now (sim));
  sim->packages =
      sim_packages_new ((guint64) options->package_size, to_microseconds (options->link_ttl), options->package_host);
  sim->journal = sim_journal_new ();
  sim->faults = sim_faults_new ();
  sim->overrides = sim_overrides_new ();
  return init_auth (sim, options, error);
}

/* Writes the watch list, if one is wanted: whole or not at all. */
static gboolean
write_watch_list (const Sim *sim, const char *file, GError **error)
{
  if (file == NULL)
    return TRUE;
  g_autofree char *list = sim_tasks_watch_list (sim->tasks);
  return g_file_set_contents_full (file, list, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0644, error);
}

static void
sim_clear (Sim *sim)
{
  sim_auth_free (sim->auth);
  sim_tasks_free (sim->tasks);
  sim_packages_free (sim->packages);
  sim_journal_free (sim->journal);
  sim_faults_free (sim->faults);
  sim_overrides_free (sim->overrides);
  g_cond_clear (&sim->stop_cond);
  g_mutex_clear (&sim->lock);
}

/* Serves until one of SIGNALS, which are blocked. Gives the exit status. */
static int
run (const SimOptions *options, const sigset_t *signals)
{
  g_autoptr (GError) error = NULL;
  Sim sim = { 0 };
  SimServer *server = NULL;
  int signal_number;

  if (sim_init (&sim, options, &error))
    server = sim_server_start (&sim, options->bind, (guint) options->port, &error);
  if (server != NULL && write_watch_list (&sim, options->watch_list, &error)) {
    printf ("koodrive-sim: listening on %s\n", sim_server_url (server));
    fflush (stdout);
    sigwait (signals, &signal_number);
  } else {
    fprintf (stderr, "koodrive-sim: %s\n", error->message);
  }
  sim_server_stop (server);
  sim_clear (&sim);
  return error == NULL ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main (int argc, char **argv)
{
  g_auto (SimOptions) options = { 0 };
  g_autoptr (GError) error = NULL;
  sigset_t signals;

  setlocale (LC_CTYPE, ""); /* for the letters in --help; messages stay English */
  if (!sim_options_parse (&options, argc, argv, &error)) {
    fprintf (stderr, "koodrive-sim: %s (try --help)\n", error->message);
    return EXIT_USAGE;
  }
  if (options.version) {
    printf ("koodrive-sim %s\n", KT_VERSION);
    return EXIT_SUCCESS;
  }

  /* GLib makes a locale when it reads its first number; a thread that waits for another to do so gets its errno in the
   * way, and takes the number for none */
  g_ascii_strtoull ("0", NULL, 10);
  /* blocked here so that every thread inherits it and only sigwait() gets them */
  sigemptyset (&signals);
  sigaddset (&signals, SIGTERM);
  sigaddset (&signals, SIGINT);
  sigprocmask (SIG_BLOCK, &signals, NULL);
  signal (SIGPIPE, SIG_IGN);
  return run (&options, &signals);
}
