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
  guint under_way;      /* requests */
  gboolean asked_since; /* one has begun since the last success */
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
kt_health_begin (KtHealth *health)
{
  health->under_way++;
  health->asked_since = TRUE;
}

void
kt_health_end (KtHealth *health)
{
  health->under_way--;
}

void
kt_health_success (KtHealth *health, KtUsec now_wall)
{
  health->last_success_wall = now_wall;
  health->failures_in_a_row = 0;
  health->asked_since = FALSE;
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

int
kt_health_state (const KtHealth *health)
{
  if (health->failures_in_a_row > 0)
    return 0;
  return health->last_success_wall != 0 ? 1 : -1;
}

/* What is known is of the past: who reads "ok" is to see of which, and what has happened since. */
static void
append_state (GString *out, const KtHealth *health, KtUsec now_wall)
{
  const int state = kt_health_state (health);
  g_autofree char *age = kt_age_format (now_wall - health->last_success_wall);

  if (state < 0)
    g_string_append (out, "service: not asked yet");
  else if (state > 0)
    g_string_append_printf (out, "service: ok, last success %s ago", age);
  else if (health->last_success_wall != 0)
    g_string_append_printf (out, "service: failing, last success %s ago", age);
  else
    g_string_append (out, "service: failing, no success yet");
  if (health->under_way > 0)
    g_string_append_printf (out, "; %u request%s under way", health->under_way, health->under_way > 1 ? "s" : "");
  else if (state > 0 && !health->asked_since)
    g_string_append (out, "; nothing asked since");
  g_string_append_c (out, '\n');
}

char *
kt_health_format (const KtHealth *health, KtUsec now_wall)
{
  GString *out = g_string_new (NULL);

  append_state (out, health, now_wall);
  append_time (out, "last-success", health->last_success_wall);
  append_time (out, "last-failure", health->last_failure_wall);
  g_string_append_printf (out, "failures-in-a-row: %u\n", health->failures_in_a_row);
  if (health->skew_known)
    g_string_append_printf (out, "clock-skew: %" G_GINT64_FORMAT " s\n", health->skew);
  return g_string_free (out, FALSE);
}

KtUsec
kt_health_last_success (const KtHealth *health)
{
  return health->last_success_wall;
}

gboolean
kt_health_skew (const KtHealth *health, KtSec *skew)
{
  *skew = health->skew;
  return health->skew_known;
}

const char *
kt_health_last_error (const KtHealth *health)
{
  return health->last_error != NULL ? health->last_error : "";
}
