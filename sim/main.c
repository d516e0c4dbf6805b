/* SPDX-License-Identifier: MIT */
/* koodrive-sim: a KooDrive of its own for trials and tests of kootaskfs. */
#include <gio/gio.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server.h"

#define DEFAULT_TOKEN "koodrive-sim-token"
#define MAX_TASKS     100000
#define MAX_LATENCY   (60 * 60 * 1000) /* milliseconds */
#define MAX_DURATION  1e7              /* seconds */

enum { EXIT_USAGE = 2 };

typedef struct {
  int port, n_tasks, n_imports, latency;
  double duration;
  char *bind, *token_file, *watch_list;
  gboolean version;
} Options;

static void
options_clear (Options *options)
{
  g_free (options->bind);
  g_free (options->token_file);
  g_free (options->watch_list);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

static GOptionContext *
make_context (Options *options)
{
  const GOptionEntry entries[] = {
    { "port", 0, 0, G_OPTION_ARG_INT, &options->port, "Listen on port N (8642; 0 picks a free one)", "N" },
    { "bind", 0, 0, G_OPTION_ARG_STRING, &options->bind, "Listen on this address (127.0.0.1)", "ADDR" },
    { "tasks", 0, 0, G_OPTION_ARG_INT, &options->n_tasks, "Make N share tasks besides the sample (8)", "N" },
    { "imports", 0, 0, G_OPTION_ARG_INT, &options->n_imports, "Make N import tasks besides the sample (2)", "N" },
    { "duration", 0, 0, G_OPTION_ARG_DOUBLE, &options->duration,
      "A task takes so long, fractions allowed (20; 0 = all have already ended)", "SECONDS" },
    { "latency", 0, 0, G_OPTION_ARG_INT, &options->latency, "Wait before each answer of the service (0)", "MS" },
    { "token-file", 0, 0, G_OPTION_ARG_FILENAME, &options->token_file,
      "Accept the token in the first line of FILE (the token " DEFAULT_TOKEN ")", "FILE" },
    { "watch-list", 0, 0, G_OPTION_ARG_FILENAME, &options->watch_list,
      "Write all tasks to FILE as a watch list for kootaskfs", "FILE" },
    { "version", 0, 0, G_OPTION_ARG_NONE, &options->version, "Print the version and exit", NULL },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };
  GOptionContext *context = g_option_context_new (NULL);

  g_option_context_set_summary (context,
                                "Serves the KooDrive task API on this machine, with tasks that make progress, "
                                "for trials and tests\nof kootaskfs. Prints one line when it is ready and runs "
                                "until SIGTERM or SIGINT.");
  g_option_context_set_description (context, "Tests steer it through the paths below /_sim/, see koodrive-sim(1).\n"
                                             "Defaults are in parentheses. Exit status: 0 ended by a signal, 1 cannot "
                                             "start, 2 bad usage.");
  g_option_context_add_main_entries (context, entries, NULL);
  return context;
}

/* The first thing wrong with the options, or NULL. (transfer full) */
static char *
find_mistake (const Options *options, int n_arguments, char **arguments)
{
  if (n_arguments > 1)
    return g_strdup_printf ("unexpected argument %s", arguments[1]);
  if (options->port < 0 || options->port > 65535)
    return g_strdup_printf ("--port=%d: expected 0 to 65535", options->port);
  if (*options->bind == '\0')
    return g_strdup ("--bind: expected an address");
  if (options->n_tasks < 0 || options->n_tasks > MAX_TASKS)
    return g_strdup_printf ("--tasks=%d: expected 0 to %d", options->n_tasks, MAX_TASKS);
  if (options->n_imports < 0 || options->n_imports > MAX_TASKS)
    return g_strdup_printf ("--imports=%d: expected 0 to %d", options->n_imports, MAX_TASKS);
  if (options->latency < 0 || options->latency > MAX_LATENCY)
    return g_strdup_printf ("--latency=%d: expected 0 to %d", options->latency, MAX_LATENCY);
  if (!(options->duration >= 0 && options->duration <= MAX_DURATION)) /* so is NaN refused */
    return g_strdup_printf ("--duration=%g: expected 0 to %g", options->duration, MAX_DURATION);
  return NULL;
}

/* The first line of the file, trimmed. (transfer full) */
static char *
read_token (const char *file, GError **error)
{
  char *text = NULL;

  if (!g_file_get_contents (file, &text, NULL, error))
    return NULL;
  text[strcspn (text, "\n")] = '\0';
  g_strstrip (text);
  if (*text != '\0')
    return text;
  g_free (text);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "%s: no token in the first line", file);
  return NULL;
}

/* False when the simulator cannot be set up; sim_clear () is to be called in any case. */
static bool
sim_init (Sim *sim, const Options *options, GError **error)
{
  gint64 duration = (gint64) (options->duration * G_USEC_PER_SEC + 0.5);

  g_mutex_init (&sim->lock);
  g_cond_init (&sim->stop_cond);
  sim->latency = options->latency;
  sim->tasks = sim_tasks_new ((guint) options->n_tasks, (guint) options->n_imports, duration, g_get_real_time ());
  sim->journal = sim_journal_new ();
  sim->faults = sim_faults_new ();
  sim->overrides = sim_overrides_new ();
  sim->token = options->token_file != NULL ? read_token (options->token_file, error) : g_strdup (DEFAULT_TOKEN);
  return sim->token != NULL;
}

/* Writes the watch list, if one is wanted: whole or not at all. */
static bool
write_watch_list (const Sim *sim, const char *file, GError **error)
{
  if (file == NULL)
    return true;
  g_autofree char *list = sim_tasks_watch_list (sim->tasks);
  return g_file_set_contents_full (file, list, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0644, error);
}

static void
sim_clear (Sim *sim)
{
  g_free (sim->token);
  sim_tasks_free (sim->tasks);
  sim_journal_free (sim->journal);
  sim_faults_free (sim->faults);
  sim_overrides_free (sim->overrides);
  g_cond_clear (&sim->stop_cond);
  g_mutex_clear (&sim->lock);
}

/* Serves until one of @signals, which are blocked. Gives the exit status. */
static int
run (const Options *options, const sigset_t *signals)
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
  g_auto (Options) options = { .port = 8642, .n_tasks = 8, .n_imports = 2, .duration = 20 };
  g_autoptr (GOptionContext) context = make_context (&options);
  g_autoptr (GError) error = NULL;
  sigset_t signals;

  setlocale (LC_CTYPE, ""); /* for the letters in --help; messages stay English */
  g_autofree char *mistake = NULL;
  if (!g_option_context_parse (context, &argc, &argv, &error)) {
    mistake = g_strdup (error->message);
  } else if (options.version) {
    printf ("koodrive-sim %s\n", KT_VERSION);
    return EXIT_SUCCESS;
  } else {
    if (options.bind == NULL)
      options.bind = g_strdup ("127.0.0.1");
    mistake = find_mistake (&options, argc, argv);
  }
  if (mistake != NULL) {
    fprintf (stderr, "koodrive-sim: %s (try --help)\n", mistake);
    return EXIT_USAGE;
  }

  /* blocked here so that every thread inherits it and only sigwait () gets them */
  sigemptyset (&signals);
  sigaddset (&signals, SIGTERM);
  sigaddset (&signals, SIGINT);
  sigprocmask (SIG_BLOCK, &signals, NULL);
  signal (SIGPIPE, SIG_IGN);
  return run (&options, &signals);
}
