/* SPDX-License-Identifier: MIT */
/* Signs and dates requests, and learns the service's time from responses. */
#include "kt-auth.h"

#include "base/kt-log.h"
#include "http/kt-http-date.h"
#include "kt-server-clock.h"
#include "kt-sign.h"

#include <string.h>

#define SKEW_AHEAD  5 /* seconds worth a warning */
#define SKEW_BEHIND 120

struct KtAuth {
  KtClock *clock;
  KtHealth *health;
  KtServerClock server;
  gboolean skew_reported;
  KtUsec last_response_at;

  char *endpoint;
  char *user_id;
  char *agent_name;
  char *language;
  KtTokenScheme scheme;
  char *app_id;

  char *given;      /* what the source gave last */
  char *credential; /* in use: the value of Authorization, or the app's secret */
  gboolean renewed; /* CREDENTIAL is not made of GIVEN, but was given by the service */
  guint generation; /* of CREDENTIAL */
};

/* ---- headers */

/* The endpoint's host, as a request names it: its port only where it is not the scheme's. */
static char *
host_of (const char *endpoint)
{
  static const char *const defaults[][2] = { { "https://", ":443" }, { "http://", ":80" } };
  const char *host = strstr (endpoint, "://") + strlen ("://");

  for (gsize i = 0; i < G_N_ELEMENTS (defaults); i++)
    if (g_str_has_prefix (endpoint, defaults[i][0]) && g_str_has_suffix (host, defaults[i][1]))
      return g_strndup (host, strlen (host) - strlen (defaults[i][1]));
  return g_strdup (host);
}

void
kt_auth_header (KtHttpRequest *request, const char *name, const char *value)
{
  if (value != NULL)
    g_ptr_array_add (request->headers, g_strdup_printf ("%s: %s", name, value));
}

void
kt_auth_prepare (KtAuth *auth, KtHttpRequest *request, const char *trace_id, KtAuthStamp *stamp)
{
  KtUsec now = kt_server_clock_now (&auth->server, auth->clock);
  g_autofree char *date = kt_x_date (now);
  g_autofree char *signature = NULL;

  *stamp = (KtAuthStamp){ .date_wall = now - now % KT_SECOND, .generation = auth->generation };
  kt_auth_header (request, "X-User-Id", auth->user_id);
  kt_auth_header (request, "X-Date", date);
  if (auth->app_id != NULL) {
    g_autofree char *host = host_of (auth->endpoint);
    kt_auth_header (request, "Host", host); /* said by us, it is what we sign */
    signature = kt_sign_authorization (request, auth->app_id, auth->credential);
  }
  kt_auth_header (request, "Authorization", signature != NULL ? signature : auth->credential);
  kt_auth_header (request, "X-Traceid", trace_id);
  kt_auth_header (request, "language", auth->language);
  kt_auth_header (request, "Accept", "application/json");
  kt_auth_header (request, "X-Hw-Agentname", auth->agent_name);
}

/* ---- the clock */

KtUsec
kt_auth_clock_skew (const KtAuth *auth)
{
  return kt_server_clock_skew (&auth->server, auth->clock);
}

static void
report_skew (KtAuth *auth)
{
  KtSec skew = kt_auth_clock_skew (auth) / KT_SECOND;

  kt_health_clock_skew (auth->health, skew);
  if (auth->skew_reported || (skew <= SKEW_AHEAD && skew >= -SKEW_BEHIND))
    return;
  auth->skew_reported = TRUE;
  g_warning ("this machine's clock is %" G_GINT64_FORMAT " s %s the service's, by which requests are dated from now on",
             ABS (skew), skew > 0 ? "ahead of" : "behind");
}

void
kt_auth_learn (KtAuth *auth, const KtHttpResponse *response)
{
  KtUsec date_wall = kt_http_date_parse (response->headers[KT_HEADER_DATE]);

  auth->last_response_at = kt_clock_monotonic (auth->clock);
  if (date_wall == KT_TIME_UNKNOWN)
    return;
  kt_server_clock_learn (&auth->server, auth->clock, date_wall);
  report_skew (auth);
}

gboolean
kt_auth_date_was_wrong (KtAuth *auth, const KtAuthStamp *stamp, const KtHttpResponse *response)
{
  KtUsec date_wall = kt_http_date_parse (response->headers[KT_HEADER_DATE]);

  return date_wall != KT_TIME_UNKNOWN
         && kt_server_clock_refused (&auth->server, auth->clock, stamp->date_wall, date_wall);
}

KtUsec
kt_auth_last_response_at (const KtAuth *auth)
{
  return auth->last_response_at;
}

/* ---- the credential */

guint
kt_auth_generation (const KtAuth *auth)
{
  return auth->generation;
}

/* Makes SECRET (transfer full, or NULL) the one at FIELD. The log keeps it out without its scheme word. */
static void
replace_secret (char **field, char *secret)
{
  if (secret != NULL)
    kt_log_hold_secret (secret + kt_token_scheme_length (secret));
  if (*field != NULL)
    kt_log_release_secret (*field + kt_token_scheme_length (*field));
  kt_secret_free (*field);
  *field = secret;
}

/* From now on CREDENTIAL (transfer full). */
static void
use (KtAuth *auth, char *credential)
{
  if (g_strcmp0 (credential, auth->credential) != 0)
    auth->generation++;
  replace_secret (&auth->credential, credential);
}

void
kt_auth_set_renewed (KtAuth *auth, char *credential)
{
  auth->renewed = TRUE;
  auth->generation++;
  use (auth, credential);
}

void
kt_auth_set_token (KtAuth *auth, const char *token)
{
  gboolean same = g_strcmp0 (token, auth->given) == 0;
  char *copy = g_strdup (token);

  replace_secret (&auth->given, copy);
  if (same && auth->renewed)
    return;
  auth->renewed = FALSE;
  use (auth, auth->app_id != NULL ? g_strdup (copy) : kt_token_header_value (copy, auth->scheme));
}

/* ---- construction */

static void
options_clear (KtAuth *auth)
{
  g_free (auth->endpoint);
  g_free (auth->user_id);
  g_free (auth->agent_name);
  g_free (auth->language);
  g_free (auth->app_id);
}

void
kt_auth_set_options (KtAuth *auth, const KtServiceOptions *options)
{
  if (g_strcmp0 (auth->app_id, options->app_id) != 0)
    auth->renewed = FALSE;
  options_clear (auth);
  auth->endpoint = g_strdup (options->endpoint);
  auth->user_id = g_strdup (options->user_id);
  auth->agent_name = g_strdup (options->agent_name);
  auth->language = g_strdup (options->language);
  auth->app_id = g_strdup (options->app_id);
  auth->scheme = options->scheme;
  kt_auth_set_token (auth, options->token);
}

KtAuth *
kt_auth_new (KtClock *clock, KtHealth *health)
{
  KtAuth *auth = g_new0 (KtAuth, 1);

  auth->clock = clock;
  auth->health = health;
  auth->last_response_at = kt_clock_monotonic (clock);
  return auth;
}

void
kt_auth_free (KtAuth *auth)
{
  if (auth == NULL)
    return;
  options_clear (auth);
  replace_secret (&auth->given, NULL);
  replace_secret (&auth->credential, NULL);
  g_free (auth);
}
