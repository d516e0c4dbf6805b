/* SPDX-License-Identifier: MIT */
/* One request to an endpoint of the service, from signing to decoding, and the report of its failure. */
#include "kt-request.h"

#include "base/kt-error.h"
#include "codec/kt-decoder.h"
#include "codec/kt-describe.h"
#include "codec/kt-status.h"
#include "kt-paths.h"
#include "kt-renewal.h"

#include <errno.h>
#include <string.h>

struct KtRequests {
  KtHttpClient *http;
  KtClock *clock;
  KtHealth *health;
  KtAuth *auth;
  KtRenewal *renewal;
  KtDecoder *decoder;
  KtMetrics *metrics;
  char *url; /* the service's, without "/" at its end */
  GTimeZone *zone;
};

/* One request: one HTTP exchange, but for its retries. */
typedef struct {
  KtRequests *requests;
  const KtEndpoint *endpoint;
  KtKey *key;
  char *url;
  GBytes *body;
  KtUsec deadline;
  char *trace_id;
  KtAuthStamp stamp;
  GError *refusal;                /* why it was sent again, NULL the first time */
  guint status;                   /* of the last response, 0: none */
  const KtHttpResponse *response; /* while a small one is decoded */
  KtRequestDone done;
  gpointer data;
} Request;

static void send (Request *request);

static gboolean
is_final (const KtHttpResponse *response)
{
  return g_bytes_get_size (response->body) <= KT_DECODER_SMALL && kt_decode_is_final (response->status, response->body);
}

static void
prepare (KtHttpRequest *http_request, gpointer data)
{
  Request *request = data;

  g_free (request->trace_id);
  request->trace_id = kt_trace_id_new ();
  kt_auth_prepare (request->requests->auth, http_request, request->trace_id, &request->stamp);
  if (http_request->body != NULL)
    g_ptr_array_add (http_request->headers, g_strdup ("Content-Type: application/json"));
  http_request->call = request->endpoint->name;
  http_request->once = request->endpoint->changes;
  http_request->is_final = is_final;
}

/* Those of the requests' errors, which are counted from 0. */
static const int usual_failures[] = { ENOENT, EACCES, ETIMEDOUT, EHOSTUNREACH, EPROTO, EBUSY, EBADMSG, EIO };

static guint64 *
failures (KtMetrics *metrics, int number)
{
  return kt_metrics_counter (metrics, "kootaskfs_request_failures_total",
                             "Requests that ended without a usable response, retries and all, by errno", "errno",
                             kt_errno_name (number));
}

void
kt_requests_report (KtRequests *requests, const char *what, const char *id, const char *trace_id, const GError *error)
{
  g_autofree char *text = g_strchomp (g_strdup_printf ("%s %s", what, id));

  ++*failures (requests->metrics, kt_error_to_errno (error));
  kt_health_failure (requests->health, kt_clock_wall (requests->clock), text, trace_id, error);
}

/* Of a request that changes something, and that was sent again if another token could be had, a refusal that may be a
 * decline is taken for one. NULL when ERROR is no such refusal. */
static GError *
declined (const Request *request, const GError *error)
{
  if (error == NULL || !request->endpoint->changes || !kt_status_is_refusal_or_decline (request->status, error))
    return NULL;
  return g_error_new_literal (KT_ERROR, KT_ERROR_DECLINED, error->message);
}

/* The one end of a request. */
static void
finish (Request *request, KtDecoded *decoded, const GError *cause)
{
  KtRequests *requests = request->requests;
  g_autoptr (GError) decline = declined (request, cause);
  const GError *error = decline != NULL ? decline : cause;

  kt_health_end (requests->health);
  if (error == NULL || kt_error_is_answer (error) || g_error_matches (error, KT_ERROR, KT_ERROR_DECLINED))
    kt_health_success (requests->health, kt_clock_wall (requests->clock)); /* it did respond */
  else if (!g_error_matches (error, KT_ERROR, KT_ERROR_STOPPED))
    kt_requests_report (requests, request->endpoint->name, request->key->task_id, request->trace_id, error);
  request->done (decoded, request->trace_id, error, request->data);
  kt_renewal_end (requests->renewal);
  kt_key_unref (request->key);
  g_free (request->url);
  g_clear_pointer (&request->body, g_bytes_unref);
  g_clear_error (&request->refusal);
  g_free (request->trace_id);
  g_free (request);
}

static void
fail (Request *request, const GError *error)
{
  KtDecoded nothing = { 0 };

  finish (request, &nothing, error);
}

static void
on_verdict (gboolean again, gpointer data)
{
  Request *request = data;

  if (again)
    send (request);
  else
    fail (request, request->refusal);
}

static void
on_decoded (KtDecoded *decoded, const GError *error, gpointer data)
{
  Request *request = data;
  const KtHttpResponse *response = request->response;

  request->response = NULL;
  if (error != NULL && response != NULL && request->refusal == NULL) {
    request->refusal = g_error_copy (error);
    if (kt_renewal_refused (request->requests->renewal, &request->stamp, response, error, request->deadline, on_verdict,
                            request))
      return;
  }
  finish (request, decoded, error);
}

static void
on_response (const KtHttpResponse *response, const GError *error, gpointer data)
{
  Request *request = data;
  KtRequests *requests = request->requests;
  g_autoptr (GError) redirect = NULL;

  if (response == NULL) {
    fail (request, error);
    return;
  }
  redirect = kt_describe_redirect (response->status, response->headers[KT_HEADER_LOCATION], request->url);
  if (redirect != NULL) {
    fail (request, redirect);
    return;
  }
  kt_auth_learn (requests->auth, response);
  request->status = response->status;
  if (g_bytes_get_size (response->body) <= KT_DECODER_SMALL) /* a refusal is */
    request->response = response;
  kt_decoder_run (requests->decoder, &request->endpoint->decode, request->key, response->status, response->body,
                  requests->zone, on_decoded, request);
}

static void
send (Request *request)
{
  kt_http_client_send (request->requests->http, request->endpoint->method, request->url, request->body,
                       request->deadline, prepare, on_response, request);
}

void
kt_request_send (KtRequests *requests, const KtEndpoint *endpoint, KtKey *key, const char *rest, GBytes *body,
                 KtUsec deadline, KtRequestDone done, gpointer data)
{
  Request *request = g_new0 (Request, 1);

  request->requests = requests;
  request->endpoint = endpoint;
  request->key = kt_key_ref (key);
  request->url = g_strconcat (requests->url, KT_SERVICE_PATH, endpoint->path, rest, NULL);
  request->body = body != NULL ? g_bytes_ref (body) : NULL;
  request->deadline = deadline;
  request->done = done;
  request->data = data;
  kt_health_begin (requests->health);
  kt_renewal_begin (requests->renewal);
  send (request);
}

static void
options_clear (KtRequests *requests)
{
  g_free (requests->url);
  g_clear_pointer (&requests->zone, g_time_zone_unref);
}

void
kt_requests_set_options (KtRequests *requests, const KtServiceOptions *options)
{
  KtServiceOptions sign_in = *options;

  options_clear (requests);
  requests->url = g_strdup (options->endpoint);
  while (g_str_has_suffix (requests->url, "/"))
    requests->url[strlen (requests->url) - 1] = '\0';
  requests->zone = g_time_zone_ref (options->zone);
  sign_in.endpoint = requests->url;
  kt_auth_set_options (requests->auth, &sign_in);
  kt_renewal_set_options (requests->renewal, &sign_in);
}

void
kt_requests_set_token (KtRequests *requests, const char *token)
{
  kt_auth_set_token (requests->auth, token);
}

KtUsec
kt_requests_clock_skew (const KtRequests *requests)
{
  return kt_auth_clock_skew (requests->auth);
}

KtRequests *
kt_requests_new (KtHttpClient *http, KtClock *clock, KtHealth *health, KtMetrics *metrics, const KtEndpoint *endpoints,
                 guint count)
{
  KtRequests *requests = g_new0 (KtRequests, 1);

  requests->http = http;
  requests->clock = clock;
  requests->health = health;
  requests->auth = kt_auth_new (clock, health);
  requests->renewal = kt_renewal_new (requests->auth, http, clock, health, metrics);
  requests->decoder = kt_decoder_new (metrics);
  requests->metrics = metrics;
  for (guint i = 0; i < count; i++)
    kt_http_client_expect (http, endpoints[i].name);
  for (gsize i = 0; i < G_N_ELEMENTS (usual_failures); i++)
    failures (metrics, usual_failures[i]);
  return requests;
}

void
kt_requests_stop (KtRequests *requests)
{
  kt_decoder_stop (requests->decoder);
}

void
kt_requests_free (KtRequests *requests)
{
  if (requests == NULL)
    return;
  kt_decoder_free (requests->decoder);
  kt_renewal_free (requests->renewal);
  kt_auth_free (requests->auth);
  options_clear (requests);
  g_free (requests);
}
