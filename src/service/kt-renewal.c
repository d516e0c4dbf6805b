/* SPDX-License-Identifier: MIT */
/* Renews the credential when a request was refused, and keeps the token from expiring. */
#include "kt-renewal.h"

#include "base/kt-error.h"
#include "base/kt-log.h"
#include "codec/kt-decode.h"
#include "codec/kt-describe.h"
#include "codec/kt-status.h"
#include "kt-paths.h"

#define IDLE            (15 * 60 * KT_SECOND) /* of the 20 minutes after which an unused token expires */
#define KEEP_ALIVE_WAIT (60 * KT_SECOND)      /* after a request that failed */
#define RENEWAL_WAIT    (3 * KT_SECOND)       /* between two renewals of the same kind */
#define CALL_REFRESH    "session/refresh"
#define CALL_KEEP_ALIVE "keep-alive"
#define OWN_DEADLINE    (10 * KT_SECOND) /* of the requests made here */

struct KtRenewal {
  KtAuth *auth;
  KtHttpClient *http;
  KtClock *clock;
  KtHealth *health;
  guint64 *renewals[2][2]; /* read from the source or by session; failed or not */

  char *endpoint;
  char *session_id;
  gboolean keep_alive;
  KtTokenRead read_token;
  gpointer token_source;

  gboolean renewing;
  GQueue waiters;         /* Waiter */
  KtUsec next_refresh_at; /* no renewal of the kind before */
  KtUsec next_read_at;

  guint under_way;
  KtUsec next_keep_alive_at; /* after one that failed */
  KtTimer *idle;
};

/* A refused request that waits for the end of the renewal. */
typedef struct {
  KtRenewal *renewal;
  guint generation;
  KtTimer *expiry;
  KtRenewalVerdict verdict;
  gpointer data;
} Waiter;

/* A request made here, for the token's sake: session/refresh, or any other to keep it alive. */
typedef struct {
  KtRenewal *renewal;
  gboolean refresh;
  gboolean repeated;
  char *trace_id;
  KtAuthStamp stamp;
} OwnRequest;

/* ---- renewal */

static void own_request (KtRenewal *renewal, gboolean refresh);

static void
count_renewal (KtRenewal *renewal, gboolean by_session, const GError *error)
{
  if (!g_error_matches (error, KT_ERROR, KT_ERROR_STOPPED))
    ++*renewal->renewals[by_session][error == NULL];
}

static void
conclude (Waiter *waiter)
{
  gboolean again = waiter->generation != kt_auth_generation (waiter->renewal->auth);
  KtRenewalVerdict verdict = waiter->verdict;
  gpointer data = waiter->data;

  kt_clock_stop (waiter->renewal->clock, &waiter->expiry);
  g_free (waiter);
  verdict (again, data);
}

static void
on_waiter_expiry (gpointer data)
{
  Waiter *waiter = data;

  waiter->expiry = NULL;
  g_queue_remove (&waiter->renewal->waiters, waiter);
  conclude (waiter);
}

/* The renewal has ended, one way or the other. */
static void
settle (KtRenewal *renewal)
{
  Waiter *waiter;

  renewal->renewing = FALSE;
  while ((waiter = g_queue_pop_head (&renewal->waiters)) != NULL)
    conclude (waiter);
}

static void
on_token (const char *token, const GError *error, gpointer data)
{
  KtRenewal *renewal = data;

  count_renewal (renewal, FALSE, error);
  if (token != NULL)
    kt_auth_set_token (renewal->auth, token);
  else if (!g_error_matches (error, KT_ERROR, KT_ERROR_STOPPED))
    kt_health_failure (renewal->health, kt_clock_wall (renewal->clock), "token not read again", NULL, error);
  settle (renewal);
}

static void
read_again (KtRenewal *renewal)
{
  KtUsec now = kt_clock_monotonic (renewal->clock);

  if (renewal->read_token == NULL || now < renewal->next_read_at) {
    settle (renewal);
    return;
  }
  renewal->next_read_at = now + RENEWAL_WAIT;
  renewal->read_token (renewal->token_source, on_token, renewal);
}

static void
renew (KtRenewal *renewal, gboolean by_session)
{
  KtUsec now = kt_clock_monotonic (renewal->clock);

  renewal->renewing = TRUE;
  if (!by_session || renewal->session_id == NULL || now < renewal->next_refresh_at) {
    read_again (renewal);
    return;
  }
  renewal->next_refresh_at = now + RENEWAL_WAIT;
  own_request (renewal, TRUE);
}

gboolean
kt_renewal_refused (KtRenewal *renewal, const KtAuthStamp *stamp, const KtHttpResponse *response, const GError *error,
                    KtUsec deadline, KtRenewalVerdict verdict, gpointer data)
{
  Waiter *waiter;

  if (!kt_status_may_be_refusal (response->status, error))
    return FALSE;
  if (kt_auth_date_was_wrong (renewal->auth, stamp, response)) {
    verdict (TRUE, data);
    return TRUE;
  }
  if (!g_error_matches (error, KT_ERROR, KT_ERROR_REFUSED))
    return FALSE;
  if (stamp->generation != kt_auth_generation (renewal->auth)) {
    verdict (TRUE, data);
    return TRUE;
  }
  waiter = g_new0 (Waiter, 1);
  *waiter = (Waiter){ .renewal = renewal, .generation = stamp->generation, .verdict = verdict, .data = data };
  waiter->expiry = kt_clock_start (renewal->clock, deadline, on_waiter_expiry, waiter);
  g_queue_push_tail (&renewal->waiters, waiter);
  if (!renewal->renewing)
    renew (renewal, response->status != 403);
  return TRUE;
}

/* ---- requests made here */

static void
own_request_free (OwnRequest *own)
{
  kt_health_end (own->renewal->health);
  g_free (own->trace_id);
  g_free (own);
}

static void
own_request_prepare (KtHttpRequest *request, gpointer data)
{
  OwnRequest *own = data;

  g_free (own->trace_id);
  own->trace_id = kt_trace_id_new ();
  request->call = own->refresh ? CALL_REFRESH : CALL_KEEP_ALIVE;
  kt_auth_prepare (own->renewal->auth, request, own->trace_id, &own->stamp);
  if (own->refresh) {
    kt_auth_header (request, "x-session-id", own->renewal->session_id);
    kt_auth_header (request, "Content-Type", "application/json");
  }
}

/* (transfer full) */
static char *
url_of (const OwnRequest *own)
{
  return g_strconcat (own->renewal->endpoint, KT_SERVICE_PATH,
                      own->refresh ? KT_PATH_REFRESH : KT_PATH_TASK_LIST "?pageSize=1", NULL);
}

static void
refreshed (const OwnRequest *own, const KtHttpResponse *response, GError **error)
{
  g_autofree char *url = url_of (own);
  GError *redirect = kt_describe_redirect (response->status, response->headers[KT_HEADER_LOCATION], url);
  char *token;

  if (redirect != NULL) {
    g_propagate_error (error, redirect);
    return;
  }
  token = kt_decode_access_token (response->status, response->body, error);
  if (token == NULL)
    return;
  kt_auth_set_renewed (own->renewal->auth, token);
}

static void own_request_send (OwnRequest *own);

static void
on_own_response (const KtHttpResponse *response, const GError *http_error, gpointer data)
{
  OwnRequest *own = data;
  KtRenewal *renewal = own->renewal;
  gboolean refresh = own->refresh;
  gboolean refused = response != NULL && kt_status_is_refusal (response->status);
  gboolean stopped = g_error_matches (http_error, KT_ERROR, KT_ERROR_STOPPED);
  g_autoptr (GError) error = http_error != NULL ? g_error_copy (http_error) : NULL;

  if (response != NULL)
    kt_auth_learn (renewal->auth, response);
  if (refused && !own->repeated && kt_auth_date_was_wrong (renewal->auth, &own->stamp, response)) {
    own->repeated = TRUE;
    own_request_send (own);
    return;
  }
  if (response != NULL && refresh)
    refreshed (own, response, &error);
  if (error != NULL && !stopped)
    kt_health_failure (renewal->health, kt_clock_wall (renewal->clock), refresh ? CALL_REFRESH : CALL_KEEP_ALIVE,
                       own->trace_id, error);
  if (refresh)
    count_renewal (renewal, TRUE, error);
  own_request_free (own);
  if (refresh && error == NULL)
    kt_health_success (renewal->health, kt_clock_wall (renewal->clock));

  if (!refresh && refused && !renewal->renewing)
    renew (renewal, FALSE);
  else if (refresh && error != NULL && !stopped)
    read_again (renewal);
  else if (refresh)
    settle (renewal);
}

static void
own_request_send (OwnRequest *own)
{
  KtRenewal *renewal = own->renewal;
  g_autofree char *url = url_of (own);
  g_autoptr (GBytes) body = own->refresh ? g_bytes_new_static ("", 0) : NULL;

  kt_http_client_send (renewal->http, own->refresh ? "POST" : "GET", url, body,
                       kt_clock_monotonic (renewal->clock) + OWN_DEADLINE, own_request_prepare, on_own_response, own);
}

static void
own_request (KtRenewal *renewal, gboolean refresh)
{
  OwnRequest *own = g_new0 (OwnRequest, 1);

  own->renewal = renewal;
  own->refresh = refresh;
  kt_health_begin (renewal->health);
  own_request_send (own);
}

/* ---- keeping the token alive */

static void on_idle (gpointer data);

static KtUsec
keep_alive_at (const KtRenewal *renewal)
{
  return MAX (kt_auth_last_response_at (renewal->auth) + IDLE, renewal->next_keep_alive_at);
}

/* Starts the timer that keeps the token from expiring, if there is any need for one. The timer is not moved by each
 * request: it looks for itself when it is due. */
static void
schedule (KtRenewal *renewal)
{
  gboolean wanted = renewal->keep_alive || (renewal->session_id != NULL && renewal->under_way > 0);

  kt_clock_stop (renewal->clock, &renewal->idle);
  if (wanted)
    renewal->idle = kt_clock_start (renewal->clock, keep_alive_at (renewal), on_idle, renewal);
}

static void
on_idle (gpointer data)
{
  KtRenewal *renewal = data;
  KtUsec now = kt_clock_monotonic (renewal->clock);

  renewal->idle = NULL;
  if (now >= keep_alive_at (renewal)) {
    renewal->next_keep_alive_at = now + KEEP_ALIVE_WAIT;
    if (renewal->session_id == NULL)
      own_request (renewal, FALSE);
    else if (!renewal->renewing)
      renew (renewal, TRUE);
  }
  schedule (renewal);
}

void
kt_renewal_begin (KtRenewal *renewal)
{
  if (renewal->under_way++ == 0)
    schedule (renewal);
}

void
kt_renewal_end (KtRenewal *renewal)
{
  if (--renewal->under_way == 0)
    schedule (renewal);
}

/* ---- construction */

static void
options_clear (KtRenewal *renewal)
{
  g_free (renewal->endpoint);
  kt_log_release_secret (renewal->session_id);
  kt_secret_free (renewal->session_id);
}

void
kt_renewal_set_options (KtRenewal *renewal, const KtServiceOptions *options)
{
  kt_log_hold_secret (options->session_id);
  options_clear (renewal);
  renewal->endpoint = g_strdup (options->endpoint);
  renewal->session_id = g_strdup (options->session_id);
  renewal->keep_alive = options->keep_alive;
  renewal->read_token = options->read_token;
  renewal->token_source = options->token_source;
  renewal->next_read_at = kt_clock_monotonic (renewal->clock) + RENEWAL_WAIT; /* it was read for these options */
  schedule (renewal);
}

static void
add_metrics (KtRenewal *renewal, KtMetrics *metrics)
{
  for (int by_session = 0; by_session < 2; by_session++)
    for (int good = 0; good < 2; good++)
      renewal->renewals[by_session][good] = kt_metrics_counter_of (
          metrics, "kootaskfs_token_renewals_total", "Renewals of the token that have ended, by way and result",
          (const KtLabel[]){ { "way", by_session ? "session" : "source" },
                             { "result", good ? "succeeded" : "failed" } },
          2);
}

KtRenewal *
kt_renewal_new (KtAuth *auth, KtHttpClient *http, KtClock *clock, KtHealth *health, KtMetrics *metrics)
{
  KtRenewal *renewal = g_new0 (KtRenewal, 1);

  add_metrics (renewal, metrics);
  renewal->auth = auth;
  renewal->http = http;
  renewal->clock = clock;
  renewal->health = health;
  g_queue_init (&renewal->waiters);
  return renewal;
}

void
kt_renewal_free (KtRenewal *renewal)
{
  if (renewal == NULL)
    return;
  g_assert (g_queue_is_empty (&renewal->waiters));
  kt_clock_stop (renewal->clock, &renewal->idle);
  options_clear (renewal);
  g_free (renewal);
}
