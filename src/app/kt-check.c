/* SPDX-License-Identifier: MIT */
/* Asks the service what a mount would ask it, and says what works. */
#include "kt-check.h"

#include "base/kt-error.h"
#include "base/kt-log.h"
#include "base/kt-units.h"
#include "kt-access.h"
#include "kt-advice.h"
#include "kt-environment.h"
#include "kt-watch-list.h"

#include <gio/gio.h>

typedef struct {
  const KtConfig *config;
  KtAccess *access;
  FILE *out;
  int code;       /* of the first failure */
  gboolean waits; /* for the end of the request */
  KtUsec asked_at;
  GError *error;  /* of the last request */
  guint n_listed; /* by the last list */
  KtKey *example; /* a task to ask for */
  char *status;   /* of the task asked for */
  guint requests;
  gboolean let_in; /* one of them was not refused */
} Check;

static G_GNUC_PRINTF (3, 4) void say (Check *check, const char *step, const char *format, ...)
{
  va_list args;
  g_autofree char *text = NULL;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  fprintf (check->out, "ok    %-14s %s\n", step, text);
}

static void
fail (Check *check, const char *step, const GError *error)
{
  int code;
  const char *advice = kt_advice (error, &code);
  g_autofree char *text = kt_log_redact (error->message);

  fprintf (check->out, "FAIL  %-14s %s\n      %-14s %s\n", step, text, "", advice);
  if (check->code == 0)
    check->code = code;
}

/* Then no other request is sent. */
static gboolean
is_cut_off (const Check *check)
{
  return kt_advice_is_cut_off (check->error);
}

static void
begin (Check *check)
{
  g_clear_error (&check->error);
  check->waits = TRUE;
  check->n_listed = 0;
  check->asked_at = kt_clock_monotonic (kt_clock_system ());
}

static void
on_ended (const GError *error, gpointer data)
{
  Check *check = data;

  check->error = error != NULL ? g_error_copy (error) : NULL;
  check->let_in |= !g_error_matches (error, KT_ERROR, KT_ERROR_REFUSED);
  check->waits = FALSE;
}

static void
wait_for_end (Check *check)
{
  while (check->waits)
    g_main_context_iteration (NULL, TRUE);
}

/* What the first response shows besides its content. */
static void
say_connection (Check *check)
{
  gboolean tls = g_str_has_prefix (check->config->endpoint, "https:");

  if (check->requests++ > 0)
    return;
  if (is_cut_off (check)) {
    fail (check, kt_advice_step ("connection", check->error), check->error);
    return;
  }
  say (check, "connection", "%s answered in %" G_GINT64_FORMAT " ms", check->config->endpoint,
       (gint64) ((kt_clock_monotonic (kt_clock_system ()) - check->asked_at) / KT_MS));
  if (tls)
    say (check, "TLS", "the certificate is trusted");
}

static void
on_page (GPtrArray *tasks, KtUsec age, gpointer data)
{
  Check *check = data;

  check->n_listed += tasks->len;
  if (check->example == NULL && tasks->len > 0)
    check->example = kt_key_ref (((const KtTask *) g_ptr_array_index (tasks, 0))->key);
}

static void
check_list (Check *check, KtFamily family)
{
  g_autofree char *step = g_strdup_printf ("list %s", kt_family_word (family));

  begin (check);
  kt_source_list (kt_service_source (kt_access_service (check->access)), family, check->config->deadline, on_page,
                  on_ended, check);
  wait_for_end (check);
  say_connection (check);
  if (check->error == NULL)
    say (check, step, "%u tasks", check->n_listed);
  else if (!is_cut_off (check))
    fail (check, step, check->error);
}

static void
on_task (const KtResponse *response, const GError *error, gpointer data)
{
  Check *check = data;

  check->status = error == NULL ? g_strdup (response->task->status) : NULL;
  on_ended (error, check);
}

static void
check_task (Check *check)
{
  const KtKey *key = check->example;

  if (key == NULL) {
    say (check, "task", "none to ask for: no task is listed or watched");
    return;
  }
  begin (check);
  kt_source_fetch (kt_service_source (kt_access_service (check->access)), check->example,
                   kt_clock_monotonic (kt_clock_system ()) + check->config->deadline, on_task, check);
  wait_for_end (check);
  say_connection (check);
  if (check->error == NULL)
    say (check, "task", "%s %s: %s", kt_family_word (key->family), key->task_id, check->status);
  else if (!is_cut_off (check))
    fail (check, "task", check->error);
}

/* A task of the watch list is as good an example as one of the service's lists, and the only one of a share. */
static void
check_watch_list (Check *check)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) keys = NULL;

  if (check->config->watch_file == NULL)
    return;
  keys = kt_watch_list_load (check->config->watch_file, &error);
  if (keys == NULL) {
    fail (check, "watch list", error);
    return;
  }
  say (check, "watch list", "%s: %u tasks", check->config->watch_file, keys->len);
  if (keys->len > 0)
    check->example = kt_key_ref (g_ptr_array_index (keys, 0));
}

/* It looks the name up itself. Which names the environment keeps from it (NO_PROXY) the connection will show. */
static gboolean
has_proxy (const KtConfig *config)
{
  gboolean named = config->proxy != NULL || kt_environment_proxy () != NULL;

  return named && g_str_has_prefix (config->endpoint, "https:");
}

static gboolean
check_name (Check *check)
{
  g_autoptr (GUri) uri = g_uri_parse (check->config->endpoint, G_URI_FLAGS_NONE, NULL);
  g_autoptr (GResolver) resolver = g_resolver_get_default ();
  g_autoptr (GError) why = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  GList *addresses;

  if (has_proxy (check->config)) {
    say (check, "name", "left to the proxy");
    return TRUE;
  }
  addresses = g_resolver_lookup_by_name (resolver, g_uri_get_host (uri), NULL, &why);
  if (addresses == NULL) {
    g_set_error_literal (&error, KT_ERROR, KT_ERROR_UNREACHABLE, why->message);
    fail (check, "name", error);
    return FALSE;
  }
  text = g_inet_address_to_string (addresses->data);
  say (check, "name", "%s is %s", g_uri_get_host (uri), text);
  g_resolver_free_addresses (addresses);
  return TRUE;
}

/* Beyond this, dating requests by this machine's clock would not do. */
#define WORTH_SAYING 2

static void
say_clock (Check *check)
{
  KtSec skew = kt_service_clock_skew (kt_access_service (check->access)) / KT_SECOND;

  if (ABS (skew) < WORTH_SAYING)
    say (check, "clock", "as the service's");
  else
    say (check, "clock", "%" G_GINT64_FORMAT " s %s the service's; requests are dated by the service's", ABS (skew),
         skew > 0 ? "ahead of" : "behind");
}

/* Everything that takes the service. */
static void
check_service (Check *check)
{
  const guint listed = check->config->families & kt_families_with (KT_FACT_LISTED);

  for (KtFamily family = 0; family < KT_N_FAMILIES && !is_cut_off (check); family++)
    if ((listed & KT_FAMILY_BIT (family)) != 0)
      check_list (check, family);
  if (!is_cut_off (check))
    check_task (check);
  if (check->requests == 0 || is_cut_off (check))
    return;
  say_clock (check);
  if (check->let_in)
    say (check, "sign-in", "accepted");
}

int
kt_check_run (const KtConfig *config, const char *environment_token, FILE *out)
{
  const gboolean stop = FALSE;
  g_autoptr (KtHealth) health = kt_health_new ();
  g_autoptr (KtMetrics) metrics = kt_metrics_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *origin = kt_config_origin (config);
  Check check = { .config = config, .out = out };

  say (&check, "configuration", "%s%s", config->path != NULL ? "" : "the command line; ", origin);
  check_watch_list (&check);
  check.access = kt_access_new (config, environment_token, kt_clock_system (), health, metrics, &stop, &error);
  if (check.access == NULL)
    fail (&check, "secrets", error);
  else if (check_name (&check))
    check_service (&check);
  kt_access_free (check.access);
  g_clear_error (&check.error);
  g_free (check.status);
  kt_key_unref (check.example);
  return check.code;
}
