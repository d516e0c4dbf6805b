/* SPDX-License-Identifier: MIT */
#include "kt-service.h"

#include "base/kt-error.h"
#include "base/kt-log.h"
#include "kt-auth.h"
#include "kt-decode.h"

#include <string.h>

#define BASE_PATH "/koodrive/ose/v1"

typedef struct {
  const char *name; /* in logs and metrics */
  const char *method;
  KtTask *(*decode) (KtKey *key, guint status, GBytes *body, GTimeZone *zone, GError **error);
} Call;

/* One row a family: the call that tells of a single task. */
static const Call calls[] = {
  [KT_FAMILY_SHARE] = { "share/taskDetail", "POST", kt_decode_share_detail },
  [KT_FAMILY_BASIC] = { "task/result", "GET", kt_decode_task_result },
};

struct KtService {
  KtHttpClient *http;
  KtClock *clock;
  KtHealth *health;
  KtAuth *auth;
  guint64 *counters[G_N_ELEMENTS (calls)];
  guint64 *failures;
  char *endpoint;
  GTimeZone *zone;
  GHashTable *share_tokens;
};

typedef struct {
  KtService *service;
  KtKey *key;
  char *url;
  GBytes *body;
  gint64 deadline;
  char *trace_id;
  KtAuthStamp stamp;
  GError *refusal; /* why it was sent again, NULL the first time */
  KtServiceDone done;
  gpointer data;
} Fetch;

static void ask (Fetch *fetch);

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
  service->share_tokens = options->share_tokens != NULL ? g_hash_table_ref (options->share_tokens) : NULL;
  sign_in.endpoint = service->endpoint;
  kt_auth_set_options (service->auth, &sign_in);
}

KtService *
kt_service_new (KtHttpClient *http, KtClock *clock, KtHealth *health, KtMetrics *metrics,
                const KtServiceOptions *options)
{
  KtService *service = g_new0 (KtService, 1);

  service->http = http;
  service->clock = clock;
  service->health = health;
  service->auth = kt_auth_new (http, clock, health);
  for (gsize i = 0; i < G_N_ELEMENTS (calls); i++)
    service->counters[i] = kt_metrics_counter (metrics, "kootaskfs_requests", "Questions put to the service, by call",
                                               "call", calls[i].name);
  service->failures = kt_metrics_counter (metrics, "kootaskfs_request_failures",
                                          "Questions that ended without a usable answer", NULL, NULL);
  kt_service_set_options (service, options);
  return service;
}

void
kt_service_free (KtService *service)
{
  if (service == NULL)
    return;
  options_clear (service);
  kt_auth_free (service->auth);
  g_free (service);
}

void
kt_service_set_token (KtService *service, const char *token)
{
  kt_auth_set_token (service->auth, token);
}

static void
prepare (KtHttpRequest *request, gpointer data)
{
  Fetch *fetch = data;

  g_free (fetch->trace_id);
  fetch->trace_id = kt_trace_id_new ();
  kt_auth_prepare (fetch->service->auth, request, fetch->trace_id, &fetch->stamp);
  if (request->body != NULL)
    g_ptr_array_add (request->headers, g_strdup ("Content-Type: application/json"));
}

/* The one end of a fetch. */
static void
finish (Fetch *fetch, KtTask *task, const GError *error)
{
  KtService *service = fetch->service;
  const Call *call = &calls[fetch->key->family];
  gint64 now = kt_clock_real (service->clock);

  if (task != NULL) {
    kt_health_success (service->health, now);
  } else if (!g_error_matches (error, KT_ERROR, KT_ERROR_STOPPED)) {
    g_autofree char *what = g_strdup_printf ("%s %s", call->name, fetch->key->task_id);
    ++*service->failures;
    kt_health_failure (service->health, now, what, fetch->trace_id, error);
  }
  fetch->done (task, fetch->trace_id, error, fetch->data);
  kt_auth_end (service->auth);
  kt_key_unref (fetch->key);
  g_free (fetch->url);
  g_clear_pointer (&fetch->body, g_bytes_unref);
  g_clear_error (&fetch->refusal);
  g_free (fetch->trace_id);
  g_free (fetch);
}

static void
on_verdict (gboolean again, gpointer data)
{
  Fetch *fetch = data;

  if (again)
    ask (fetch);
  else
    finish (fetch, NULL, fetch->refusal);
}

static void
on_response (const KtHttpResponse *response, const GError *http_error, gpointer data)
{
  Fetch *fetch = data;
  KtService *service = fetch->service;
  g_autoptr (GError) error = http_error != NULL ? g_error_copy (http_error) : NULL;
  g_autoptr (KtTask) task = NULL;

  if (response != NULL) {
    kt_auth_answered (service->auth, response);
    task = calls[fetch->key->family].decode (fetch->key, response->status, response->body, service->zone, &error);
  }
  if (error != NULL && fetch->refusal == NULL) {
    fetch->refusal = g_error_copy (error);
    if (kt_auth_refused (service->auth, &fetch->stamp, response, error, fetch->deadline, on_verdict, fetch))
      return;
  }
  finish (fetch, task, error);
}

static void
ask (Fetch *fetch)
{
  kt_http_client_send (fetch->service->http, calls[fetch->key->family].method, fetch->url, fetch->body, fetch->deadline,
                       prepare, on_response, fetch);
}

/* The body of POST share/taskDetail. */
static GBytes *
share_body (KtService *service, const KtKey *key)
{
  const char *token = service->share_tokens != NULL ? g_hash_table_lookup (service->share_tokens, key->share_id) : NULL;
  char *body = kt_encode_object ("taskId", key->task_id, "shareId", key->share_id, token != NULL ? "kdstoken" : NULL,
                                 token, NULL);
  return g_bytes_new_with_free_func (body, strlen (body), (GDestroyNotify) kt_secret_free, body);
}

void
kt_service_fetch (KtService *service, KtKey *key, gint64 deadline, KtServiceDone done, gpointer data)
{
  const Call *call = &calls[key->family];
  Fetch *fetch = g_new0 (Fetch, 1);

  fetch->service = service;
  fetch->key = kt_key_ref (key);
  fetch->deadline = deadline;
  fetch->done = done;
  fetch->data = data;
  switch (key->family) {
  case KT_FAMILY_SHARE:
    fetch->url = g_strconcat (service->endpoint, BASE_PATH "/", call->name, NULL);
    fetch->body = share_body (service, key);
    break;
  case KT_FAMILY_BASIC: /* ids need no escaping: kt_id_is_valid() */
    fetch->url = g_strconcat (service->endpoint, BASE_PATH "/", call->name, "?taskId=", key->task_id, NULL);
    break;
  }
  ++*service->counters[key->family];
  kt_auth_begin (service->auth);
  ask (fetch);
}
