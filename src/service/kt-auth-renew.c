/* SPDX-License-Identifier: MIT */
#include "kt-auth-private.h"

#include "base/kt-error.h"
#include "base/kt-units.h"
#include "codec/kt-decode.h"
#include "kt-paths.h"
#include "codec/kt-reply.h"

#define IDLE            (15 * 60 * KT_SECOND) /* of the 20 minutes that a token lives unused */
#define KEEP_ALIVE_WAIT (60 * KT_SECOND)      /* after a call that failed */
#define OWN_DEADLINE    (10 * KT_SECOND)      /* of the calls made here */

/* A refused request that waits for the end of the renewal. */
typedef struct {
  KtAuth *auth;
  guint generation;
  KtTimer *expiry;
  KtAuthVerdict verdict;
  gpointer data;
} Waiter;

/* A call made here, for the token's sake: session/refresh, or any other to keep it alive. */
typedef struct {
  KtAuth *auth;
  gboolean refresh;
  gboolean repeated;
  char *trace_id;
  KtAuthStamp stamp;
} OwnCall;

/* ---- renewal */

static void own_call (KtAuth *auth, gboolean refresh);

static void
conclude (Waiter *waiter)
{
  gboolean again = waiter->generation != waiter->auth->generation;
  KtAuthVerdict verdict = waiter->verdict;
  gpointer data = waiter->data;

  kt_clock_stop (waiter->auth->clock, &waiter->expiry);
  g_free (waiter);
  verdict (again, data);
}

static void
on_waiter_expiry (gpointer data)
{
  Waiter *waiter = data;

  waiter->expiry = NULL;
  g_queue_remove (&waiter->auth->waiters, waiter);
  conclude (waiter);
}

/* The renewal has ended, one way or the other. */
static void
settle (KtAuth *auth)
{
  Waiter *waiter;

  auth->renewing = FALSE;
  while ((waiter = g_queue_pop_head (&auth->waiters)) != NULL)
    conclude (waiter);
}

static void
on_token (const char *token, const GError *error, gpointer data)
{
  KtAuth *auth = data;

  if (token != NULL)
    kt_auth_set_token (auth, token);
  else if (!g_error_matches (error, KT_ERROR, KT_ERROR_STOPPED))
    kt_health_failure (auth->health, kt_clock_wall (auth->clock), "token not read again", NULL, error);
  settle (auth);
}

static void
read_again (KtAuth *auth)
{
  KtUsec now = kt_clock_monotonic (auth->clock);

  if (auth->read_token == NULL || now < auth->next_read_at) {
    settle (auth);
    return;
  }
  auth->next_read_at = now + KT_AUTH_RENEWAL_WAIT;
  auth->read_token (auth->token_source, on_token, auth);
}

static void
renew (KtAuth *auth, gboolean by_session)
{
  KtUsec now = kt_clock_monotonic (auth->clock);

  auth->renewing = TRUE;
  if (!by_session || auth->session_id == NULL || now < auth->next_refresh_at) {
    read_again (auth);
    return;
  }
  auth->next_refresh_at = now + KT_AUTH_RENEWAL_WAIT;
  own_call (auth, TRUE);
}

/* An error that is only in the body comes with a good status. */
static gboolean
may_be_refusal (const KtHttpResponse *response, const GError *error)
{
  return kt_auth_is_refusal (response)
         || (response != NULL && kt_reply_is_good (response->status)
             && !g_error_matches (error, KT_ERROR, KT_ERROR_BAD_ANSWER));
}

gboolean
kt_auth_refused (KtAuth *auth, const KtAuthStamp *stamp, const KtHttpResponse *response, const GError *error,
                 KtUsec deadline, KtAuthVerdict verdict, gpointer data)
{
  Waiter *waiter;

  if (!may_be_refusal (response, error))
    return FALSE;
  if (kt_auth_date_was_wrong (auth, stamp, response)) {
    verdict (TRUE, data);
    return TRUE;
  }
  if (!g_error_matches (error, KT_ERROR, KT_ERROR_REFUSED))
    return FALSE;
  if (stamp->generation != auth->generation) {
    verdict (TRUE, data);
    return TRUE;
  }
  waiter = g_new0 (Waiter, 1);
  *waiter = (Waiter){ .auth = auth, .generation = stamp->generation, .verdict = verdict, .data = data };
  waiter->expiry = kt_clock_start (auth->clock, deadline, on_waiter_expiry, waiter);
  g_queue_push_tail (&auth->waiters, waiter);
  if (!auth->renewing)
    renew (auth, response->status != 403);
  return TRUE;
}

/* ---- calls of our own */

static void
own_call_free (OwnCall *call)
{
  g_free (call->trace_id);
  g_free (call);
}

static void
own_call_prepare (KtHttpRequest *request, gpointer data)
{
  OwnCall *call = data;

  g_free (call->trace_id);
  call->trace_id = kt_trace_id_new ();
  kt_auth_prepare (call->auth, request, call->trace_id, &call->stamp);
  if (call->refresh) {
    kt_auth_header (request, "x-session-id", call->auth->session_id);
    kt_auth_header (request, "Content-Type", "application/json");
  }
}

/* (transfer full) */
static char *
url_of (const OwnCall *call)
{
  return g_strconcat (call->auth->endpoint, KT_SERVICE_PATH,
                      call->refresh ? KT_PATH_REFRESH : KT_PATH_TASK_LIST "?pageSize=1", NULL);
}

static void
refreshed (const OwnCall *call, const KtHttpResponse *response, GError **error)
{
  KtAuth *auth = call->auth;
  g_autofree char *url = url_of (call);
  GError *redirect = kt_reply_redirect (response->status, response->headers[KT_HEADER_LOCATION], url);
  char *token;

  if (redirect != NULL) {
    g_propagate_error (error, redirect);
    return;
  }
  token = kt_decode_access_token (response->status, response->body, error);
  if (token == NULL)
    return;
  auth->renewed = TRUE;
  auth->generation++; /* also when it is the same again: it has been given new life */
  kt_auth_use (auth, token);
}

static void own_call_send (OwnCall *call);

static void
on_own_response (const KtHttpResponse *response, const GError *http_error, gpointer data)
{
  OwnCall *call = data;
  KtAuth *auth = call->auth;
  gboolean refresh = call->refresh;
  gboolean refused = kt_auth_is_refusal (response);
  gboolean stopped = g_error_matches (http_error, KT_ERROR, KT_ERROR_STOPPED);
  g_autoptr (GError) error = http_error != NULL ? g_error_copy (http_error) : NULL;

  if (response != NULL)
    kt_auth_answered (auth, response);
  if (refused && !call->repeated && kt_auth_date_was_wrong (auth, &call->stamp, response)) {
    call->repeated = TRUE;
    own_call_send (call);
    return;
  }
  if (response != NULL && refresh)
    refreshed (call, response, &error);
  if (error != NULL && !stopped)
    kt_health_failure (auth->health, kt_clock_wall (auth->clock), refresh ? "session/refresh" : "keep-alive",
                       call->trace_id, error);
  own_call_free (call);

  if (!refresh && refused && !auth->renewing)
    renew (auth, FALSE);
  else if (refresh && error != NULL && !stopped)
    read_again (auth);
  else if (refresh)
    settle (auth);
}

static void
own_call_send (OwnCall *call)
{
  KtAuth *auth = call->auth;
  g_autofree char *url = url_of (call);
  g_autoptr (GBytes) body = call->refresh ? g_bytes_new_static ("", 0) : NULL;

  kt_http_client_send (auth->http, call->refresh ? "POST" : "GET", url, body,
                       kt_clock_monotonic (auth->clock) + OWN_DEADLINE, own_call_prepare, on_own_response, call);
}

static void
own_call (KtAuth *auth, gboolean refresh)
{
  OwnCall *call = g_new0 (OwnCall, 1);

  call->auth = auth;
  call->refresh = refresh;
  own_call_send (call);
}

/* ---- keeping the token alive */

static void
on_idle (gpointer data)
{
  KtAuth *auth = data;
  KtUsec now = kt_clock_monotonic (auth->clock);

  auth->idle = NULL;
  if (now >= MAX (auth->last_call_at + IDLE, auth->next_call_at)) {
    auth->next_call_at = now + KEEP_ALIVE_WAIT;
    if (auth->session_id == NULL)
      own_call (auth, FALSE);
    else if (!auth->renewing)
      renew (auth, TRUE);
  }
  kt_auth_schedule (auth);
}

/* The timer is not moved by each call: it looks for itself when it is due. */
void
kt_auth_schedule (KtAuth *auth)
{
  gboolean wanted = auth->keep_alive || (auth->session_id != NULL && auth->under_way > 0);

  kt_clock_stop (auth->clock, &auth->idle);
  if (wanted)
    auth->idle = kt_clock_start (auth->clock, MAX (auth->last_call_at + IDLE, auth->next_call_at), on_idle, auth);
}

void
kt_auth_begin (KtAuth *auth)
{
  if (auth->under_way++ == 0)
    kt_auth_schedule (auth);
}

void
kt_auth_end (KtAuth *auth)
{
  if (--auth->under_way == 0)
    kt_auth_schedule (auth);
}
