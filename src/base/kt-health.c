/* SPDX-License-Identifier: MIT */
/* Keeps what is known of the service's health: its last success and its last failure. */
#include "kt-health.h"

#include "kt-error.h"
#include "kt-log.h"
#include "kt-units.h"

struct KtHealth {
  KtUsec last_success_wall; /* wall clock, 0: never */
  KtUsec last_failure_wall;
  guint failures_in_a_row;
  gboolean skew_known;
  KtSec skew;
  char *last_error;
};

KtHealth *
kt_health_new (void)
{
  return g_new0 (KtHealth, 1);
}

void
kt_health_free (KtHealth *health)
{
  if (health == NULL)
    return;
  g_free (health->last_error);
  g_free (health);
}

void
kt_health_success (KtHealth *health, KtUsec now_wall)
{
  health->last_success_wall = now_wall;
  health->failures_in_a_row = 0;
}

static void
note (KtHealth *health, KtUsec now_wall, const char *what, const char *trace_id, const GError *error)
{
  g_autofree char *when = kt_time_format (now_wall / KT_SECOND);
  g_autofree char *text =
      g_strdup_printf ("%s: %s: %s%s%s", what, kt_errno_name (kt_error_to_errno (error)), error->message,
                       trace_id != NULL ? ", trace id " : "", trace_id != NULL ? trace_id : "");
  g_autofree char *line = g_strdup_printf ("%s %s", when, text);

  if (kt_error_is_answer (error))
    g_info ("%s", text);
  else
    g_warning ("%s", text);
  g_free (health->last_error);
  health->last_error = kt_log_redact (line);
}

void
kt_health_failure (KtHealth *health, KtUsec now_wall, const char *what, const char *trace_id, const GError *error)
{
  note (health, now_wall, what, trace_id, error);
  if (kt_error_is_answer (error)) {
    kt_health_success (health, now_wall); /* it did respond */
  } else if (!g_error_matches (error, KT_ERROR, KT_ERROR_CONFIG)) {
    health->last_failure_wall = now_wall;
    health->failures_in_a_row++;
  }
}

void
kt_health_failure_elsewhere (KtHealth *health, KtUsec now_wall, const char *what, const GError *error)
{
  note (health, now_wall, what, NULL, error);
}

void
kt_health_clock_skew (KtHealth *health, KtSec skew)
{
  health->skew_known = TRUE;
  health->skew = skew;
}

static void
append_time (GString *out, const char *key, KtUsec wall)
{
  g_autofree char *text = wall != 0 ? kt_time_format (wall / KT_SECOND) : g_strdup ("never");
  g_string_append_printf (out, "%s: %s\n", key, text);
}

char *
kt_health_format (const KtHealth *health)
{
  GString *out = g_string_new (NULL);
  const char *state = "ok";

  if (health->failures_in_a_row > 0)
    state = "failing";
  else if (health->last_success_wall == 0)
    state = "not asked yet";
  g_string_append_printf (out, "service: %s\n", state);
  append_time (out, "last-success", health->last_success_wall);
  append_time (out, "last-failure", health->last_failure_wall);
  g_string_append_printf (out, "failures-in-a-row: %u\n", health->failures_in_a_row);
  if (health->skew_known)
    g_string_append_printf (out, "clock-skew: %" G_GINT64_FORMAT " s\n", health->skew);
  return g_string_free (out, FALSE);
}

const char *
kt_health_last_error (const KtHealth *health)
{
  return health->last_error != NULL ? health->last_error : "";
}
