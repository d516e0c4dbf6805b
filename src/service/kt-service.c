/* SPDX-License-Identifier: MIT */
#include "kt-service-private.h"

#include "base/kt-error.h"
#include "codec/kt-decode.h"
#include "kt-paths.h"
#include "codec/kt-reply.h"

#include <string.h>

/* Every call of the service, one row each. */
static const struct {
  const char *name; /* in logs and metrics */
  const char *method;
  const char *path;
  KtDecode *decode;
  gboolean changes; /* what it is about: it is sent once only */
} calls[KT_N_CALLS] = {
  [KT_CALL_SHARE_DETAIL] = { "share/taskDetail", "POST", KT_PATH_SHARE_DETAIL, kt_decode_share_detail, FALSE },
  [KT_CALL_TASK_RESULT] = { "task/result", "GET", KT_PATH_TASK_RESULT, kt_decode_task_result, FALSE },
  [KT_CALL_BASIC_TASK] = { "task", "GET", KT_PATH_TASK, kt_decode_basic_task, FALSE },
  [KT_CALL_TASK_LIST] = { "task/list", "GET", KT_PATH_TASK_LIST, kt_decode_task_list, FALSE },
  [KT_CALL_JOB] = { "job", "GET", "", kt_decode_job, FALSE },
  [KT_CALL_JOBS] = { "jobs", "GET", KT_PATH_JOBS, kt_decode_jobs, FALSE },
  [KT_CALL_CANCEL] = { "cancel", "POST", KT_PATH_CANCEL, kt_decode_done, TRUE },
};

const char *
kt_endpoint_name (KtEndpoint call)
{
  return calls[call].name;
}

/* One question: one HTTP request, but for its retries. */
typedef struct {
  KtService *service;
  KtEndpoint call;
  KtKey *key;
  char *url;
  GBytes *body;
  KtUsec deadline;
  char *trace_id;
  KtAuthStamp stamp;
  GError *refusal;                /* why it was sent again, NULL the first time */
  guint status;                   /* of the last answer, 0: none */
  const KtHttpResponse *response; /* while a small one is decoded */
  KtAskDone done;
  gpointer data;
} Ask;

static void send (Ask *ask);

static void
options_clear (KtService *service)
{
  g_free (service->endpoint);
  g_clear_pointer (&service->zone, g_time_zone_unref);
  g_clear_pointer (&service->share_tokens, g_hash_table_unref);
}

void
kt_service_set_options (KtService *service, const KtServiceOptions *options)
{
  KtServiceOptions sign_in = *options;

  options_clear (service);
  service->endpoint = g_strdup (options->endpoint);
  while (g_str_has_suffix (service->endpoint, "/"))
    service->endpoint[strlen (service->endpoint) - 1] = '\0';
  service->zone = g_time_zone_ref (options->zone);
  service->families = options->families;
  service->share_tokens = options->share_tokens != NULL ? g_hash_table_ref (options->share_tokens) : NULL;
  sign_in.endpoint = service->endpoint;
  kt_auth_set_options (service->auth, &sign_in);
}

void
kt_service_set_share_tokens (KtService *service, GHashTable *tokens)
{
  g_clear_pointer (&service->share_tokens, g_hash_table_unref);
  service->share_tokens = g_hash_table_ref (tokens);
}

static void
source_fetch (KtSource *source, KtKey *key, KtUsec deadline, KtSourceFetched fetched, gpointer data)
{
  kt_service_fetch ((KtService *) source, key, deadline, fetched, data);
}

static void
source_list (KtSource *source, KtFamily family, KtUsec page_timeout, KtSourcePage page, KtSourceListed listed,
             gpointer data)
{
  kt_service_list ((KtService *) source, family, page_timeout, page, listed, data);
}

static void
source_cancel (KtSource *source, KtKey *key, KtUsec deadline, KtSourceCancelled cancelled, gpointer data)
{
  kt_service_cancel ((KtService *) source, key, deadline, cancelled, data);
}

KtSource *
kt_service_source (KtService *service)
{
  return &service->source;
}

KtService *
kt_service_new (KtHttpClient *http, KtClock *clock, KtHealth *health, KtMetrics *metrics,
                const KtServiceOptions *options)
{
  KtService *service = g_new0 (KtService, 1);

  service->source = (KtSource){ source_fetch, source_list, source_cancel };
  service->http = http;
  service->clock = clock;
  service->health = health;
  service->auth = kt_auth_new (http, clock, health);
  service->decoder = kt_decoder_new (metrics);
  for (KtEndpoint i = 0; i < KT_N_CALLS; i++)
    service->counters[i] = kt_metrics_counter (metrics, "kootaskfs_requests", "Questions put to the service, by call",
                                               "call", calls[i].name);
  service->failures = kt_metrics_counter (metrics, "kootaskfs_request_failures",
                                          "Questions that ended without a usable answer", NULL, NULL);
  kt_service_set_options (service, options);
  return service;
}

void
kt_service_stop (KtService *service)
{
  kt_service_stop_unasked (service);
  kt_decoder_stop (service->decoder);
}

void
kt_service_free (KtService *service)
{
  if (service == NULL)
    return;
  kt_decoder_free (service->decoder);
  options_clear (service);
  kt_auth_free (service->auth);
  g_free (service);
}

void
kt_service_set_token (KtService *service, const char *token)
{
  kt_auth_set_token (service->auth, token);
}

KtUsec
kt_service_clock_skew (KtService *service)
{
  return kt_auth_clock_skew (service->auth);
}

static gboolean
is_final (const KtHttpResponse *response)
{
  return g_bytes_get_size (response->body) <= KT_DECODER_SMALL && kt_decode_is_final (response->status, response->body);
}

static void
prepare (KtHttpRequest *request, gpointer data)
{
  Ask *ask = data;

  g_free (ask->trace_id);
  ask->trace_id = kt_trace_id_new ();
  kt_auth_prepare (ask->service->auth, request, ask->trace_id, &ask->stamp);
  if (request->body != NULL)
    g_ptr_array_add (request->headers, g_strdup ("Content-Type: application/json"));
  request->once = calls[ask->call].changes;
  request->is_final = is_final;
}

void
kt_service_tell (KtService *service, const char *what, const char *id, const char *trace_id, const GError *error)
{
  g_autofree char *text = g_strchomp (g_strdup_printf ("%s %s", what, id));
  ++*service->failures;
  kt_health_failure (service->health, kt_clock_wall (service->clock), text, trace_id, error);
}

/* HTTP 400 means "authentication not passed" and many other things. Of a request that changes something, and that was
 * sent again if another token could be had, it is taken for a no to that. NULL when ERROR is not of that kind. */
static GError *
declined (const Ask *ask, const GError *error)
{
  if (!calls[ask->call].changes || ask->status != 400 || !g_error_matches (error, KT_ERROR, KT_ERROR_REFUSED))
    return NULL;
  return g_error_new_literal (KT_ERROR, KT_ERROR_DECLINED, error->message);
}

/* The one end of a question. */
static void
finish (Ask *ask, gpointer result, const GError *cause)
{
  KtService *service = ask->service;
  g_autoptr (GError) no = declined (ask, cause);
  const GError *error = no != NULL ? no : cause;
  gboolean theirs =
      g_error_matches (error, KT_ERROR, KT_ERROR_NOT_FOUND) || g_error_matches (error, KT_ERROR, KT_ERROR_DECLINED);

  if (result != NULL || theirs)
    kt_health_success (service->health, kt_clock_wall (service->clock)); /* the service did answer */
  else if (!g_error_matches (error, KT_ERROR, KT_ERROR_STOPPED))
    kt_service_tell (service, calls[ask->call].name, ask->key->task_id, ask->trace_id, error);
  ask->done (result, ask->trace_id, error, ask->data);
  kt_auth_end (service->auth);
  kt_key_unref (ask->key);
  g_free (ask->url);
  g_clear_pointer (&ask->body, g_bytes_unref);
  g_clear_error (&ask->refusal);
  g_free (ask->trace_id);
  g_free (ask);
}

static void
on_verdict (gboolean again, gpointer data)
{
  Ask *ask = data;

  if (again)
    send (ask);
  else
    finish (ask, NULL, ask->refusal);
}

static void
on_decoded (gpointer result, const GError *error, gpointer data)
{
  Ask *ask = data;
  const KtHttpResponse *response = ask->response;

  ask->response = NULL;
  if (error != NULL && ask->refusal == NULL) {
    ask->refusal = g_error_copy (error);
    if (kt_auth_refused (ask->service->auth, &ask->stamp, response, error, ask->deadline, on_verdict, ask))
      return;
  }
  finish (ask, result, error);
}

static void
on_response (const KtHttpResponse *response, const GError *error, gpointer data)
{
  Ask *ask = data;
  KtService *service = ask->service;
  g_autoptr (GError) redirect = NULL;

  if (response == NULL) {
    on_decoded (NULL, error, ask);
    return;
  }
  redirect = kt_reply_redirect (response->status, response->headers[KT_HEADER_LOCATION], ask->url);
  if (redirect != NULL) {
    on_decoded (NULL, redirect, ask);
    return;
  }
  kt_auth_answered (service->auth, response);
  ask->status = response->status;
  if (g_bytes_get_size (response->body) <= KT_DECODER_SMALL) /* a refusal is */
    ask->response = response;
  kt_decoder_run (service->decoder, calls[ask->call].decode, ask->key, response->status, response->body, service->zone,
                  on_decoded, ask);
}

static void
send (Ask *ask)
{
  kt_http_client_send (ask->service->http, calls[ask->call].method, ask->url, ask->body, ask->deadline, prepare,
                       on_response, ask);
}

void
kt_service_ask (KtService *service, KtEndpoint call, KtKey *key, const char *rest, GBytes *body, KtUsec deadline,
                KtAskDone done, gpointer data)
{
  Ask *ask = g_new0 (Ask, 1);

  ask->service = service;
  ask->call = call;
  ask->key = kt_key_ref (key);
  ask->url = g_strconcat (service->endpoint, KT_SERVICE_PATH, calls[call].path, rest, NULL);
  ask->body = body != NULL ? g_bytes_ref (body) : NULL;
  ask->deadline = deadline;
  ask->done = done;
  ask->data = data;
  ++*service->counters[call];
  kt_auth_begin (service->auth);
  send (ask);
}
