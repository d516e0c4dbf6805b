/* SPDX-License-Identifier: MIT */
/* Reads the command line. */
#include "options.h"

#include <gio/gio.h>

#define MAX_TASKS   100000
#define MAX_LATENCY (60 * 60 * 1000) /* milliseconds */
#define MAX_OFFSET  (10 * 365 * 24 * 3600)
#define MAX_SECONDS 1e7

void
sim_options_clear (SimOptions *options)
{
  g_free (options->bind);
  g_free (options->package_host);
  g_free (options->token_file);
  g_free (options->session_id_file);
  g_free (options->app_id);
  g_free (options->app_secret_file);
  g_free (options->watch_list);
}

static GOptionContext *
make_context (SimOptions *options, char **shapes)
{
  const GOptionEntry entries[] = {
    /* clang-format off */
    { "port", 0, 0, G_OPTION_ARG_INT, &options->port, "Listen on port N (8642; 0 picks a free one)", "N" },
    { "bind", 0, 0, G_OPTION_ARG_STRING, &options->bind, "Listen on this address (127.0.0.1)", "ADDR" },
    { "tasks", 0, 0, G_OPTION_ARG_INT, &options->n_tasks, "Make N share tasks besides the sample (8)", "N" },
    { "imports", 0, 0, G_OPTION_ARG_INT, &options->n_imports, "Make N import tasks besides the sample (2)", "N" },
    { "transfers", 0, 0, G_OPTION_ARG_INT, &options->n_transfers, "Make N transfer tasks (0)", "N" },
    { "jobs", 0, 0, G_OPTION_ARG_INT, &options->n_jobs, "Make N batch jobs (7, one of each type)", "N" },
    { "duration", 0, 0, G_OPTION_ARG_DOUBLE, &options->duration,
      "A task takes so long, fractions allowed (20; 0 = all have already ended)", "SECONDS" },
    { "latency", 0, 0, G_OPTION_ARG_INT, &options->latency, "Wait before each answer of the service (0)", "MS" },
    { "clock-offset", 0, 0, G_OPTION_ARG_INT, &options->clock_offset,
      "The server's clock is ahead by so much; negative = behind (0)", "SECONDS" },
    { "token-file", 0, 0, G_OPTION_ARG_FILENAME, &options->token_file,
      "Accept the token in the first line of FILE (the token " SIM_DEFAULT_TOKEN ")", "FILE" },
    { "token-idle", 0, 0, G_OPTION_ARG_DOUBLE, &options->token_idle,
      "The token dies after so long without a call (1200; 0 = never)", "SECONDS" },
    { "session-id-file", 0, 0, G_OPTION_ARG_FILENAME, &options->session_id_file,
      "Renew the token for the session id in the first line of FILE", "FILE" },
    { "app-id", 0, 0, G_OPTION_ARG_STRING, &options->app_id, "Accept signatures of this app too", "ID" },
    { "app-secret-file", 0, 0, G_OPTION_ARG_FILENAME, &options->app_secret_file,
      "The app's secret is the first line of FILE", "FILE" },
    { "auth-status", 0, 0, G_OPTION_ARG_INT, &options->auth_status,
      "HTTP status for who is not let in, 400 or 401 (401)", "STATUS" },
    { "package-size", 0, 0, G_OPTION_ARG_INT64, &options->package_size,
      "The files in a package have so many bytes together (16384)", "BYTES" },
    { "package-host", 0, 0, G_OPTION_ARG_STRING, &options->package_host,
      "Host of the links to packages (that of the service)", "HOST[:PORT]" },
    { "link-life", 0, 0, G_OPTION_ARG_DOUBLE, &options->link_ttl,
      "A link to a package is good for so long (0 = for ever)", "SECONDS" },
    { "shape", 0, 0, G_OPTION_ARG_STRING, shapes, "Give answers these shapes, see below", "NAME[,NAME...]" },
    { "watch-list", 0, 0, G_OPTION_ARG_FILENAME, &options->watch_list,
      "Write all tasks to FILE as a watch list for kootaskfs", "FILE" },
    { "version", 0, 0, G_OPTION_ARG_NONE, &options->version, "Print the version and exit", NULL },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
    /* clang-format on */
  };
  GOptionContext *context = g_option_context_new (NULL);

  g_option_context_set_summary (context,
                                "Serves the KooDrive task API on this machine, with tasks that make progress, "
                                "for trials and tests\nof kootaskfs. Prints one line when it is ready and runs "
                                "until SIGTERM or SIGINT.");
  g_autofree char *help = sim_shapes_help ();
  g_autofree char *description = g_strconcat (help,
                                              "\nTests steer it through the paths below /_sim/, see koodrive-sim(1).\n"
                                              "Defaults are in parentheses. Exit status: 0 ended by a signal, 1 cannot "
                                              "start, 2 bad usage.",
                                              NULL);
  g_option_context_set_description (context, description);
  g_option_context_add_main_entries (context, entries, NULL);
  return context;
}

static gboolean
fail (GError **error, const char *message)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, message);
  return FALSE;
}

static gboolean
check_ranges (const SimOptions *options, GError **error)
{
  const struct {
    const char *name;
    double value, min, max; /* so is NaN refused */
  } ranges[] = {
    { "port", options->port, 0, 65535 },
    { "tasks", options->n_tasks, 0, MAX_TASKS },
    { "imports", options->n_imports, 0, MAX_TASKS },
    { "transfers", options->n_transfers, 0, MAX_TASKS },
    { "jobs", options->n_jobs, 0, MAX_TASKS },
    { "latency", options->latency, 0, MAX_LATENCY },
    { "clock-offset", options->clock_offset, -MAX_OFFSET, MAX_OFFSET },
    { "duration", options->duration, 0, MAX_SECONDS },
    { "token-idle", options->token_idle, 0, MAX_SECONDS },
    { "link-life", options->link_ttl, 0, MAX_SECONDS },
    { "package-size", (double) options->package_size, 0, (double) SIM_PACKAGE_MAX_SIZE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (ranges); i++)
    if (!(ranges[i].value >= ranges[i].min && ranges[i].value <= ranges[i].max)) {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "--%s=%.10g: expected %.10g to %.10g",
                   ranges[i].name, ranges[i].value, ranges[i].min, ranges[i].max);
      return FALSE;
    }
  return TRUE;
}

gboolean
sim_options_parse (SimOptions *options, int argc, char **argv, GError **error)
{
  g_autofree char *shapes = NULL;
  g_autoptr (GOptionContext) context = make_context (options, &shapes);

  *options = (SimOptions){
    .port = 8642,
    .n_tasks = 8,
    .n_imports = 2,
    .n_jobs = 7,
    .duration = 20,
    .token_idle = 1200,
    .package_size = 16384,
    .auth_status = 401,
  };
  if (!g_option_context_parse (context, &argc, &argv, error))
    return FALSE;
  if (options->bind == NULL)
    options->bind = g_strdup ("127.0.0.1");
  if (argc > 1) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "unexpected argument %s", argv[1]);
    return FALSE;
  }
  if (*options->bind == '\0')
    return fail (error, "--bind: expected an address");
  if (options->package_host != NULL && *options->package_host == '\0')
    return fail (error, "--package-host: expected a host");
  if (options->auth_status != 400 && options->auth_status != 401)
    return fail (error, "--auth-status: expected 400 or 401");
  if ((options->app_id != NULL) != (options->app_secret_file != NULL))
    return fail (error, "--app-id and --app-secret-file: expected both or none");
  g_auto (GStrv) names = g_strsplit (shapes != NULL ? shapes : "", ",", -1);
  return check_ranges (options, error) && sim_shapes_parse ((const char *const *) names, &options->shapes, error);
}
