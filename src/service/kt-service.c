/* SPDX-License-Identifier: MIT */
#include "kt-service-private.h"

#include "base/kt-error.h"
#include "kt-decode.h"

#include <string.h>

#define BASE_PATH "/koodrive/ose/v1/"

/* Every call of the service, one row each. */
static const struct {
  const char *name; /* in logs and metrics */
  const char *method;
  const char *path;
  KtDecoder *decode;
} calls[KT_N_CALLS] = {
  [KT_CALL_SHARE_DETAIL] = { "share/taskDetail", "POST", "share/taskDetail", kt_decode_share_detail },
  [KT_CALL_TASK_RESULT] = { "task/result", "GET", "task/result", kt_decode_task_result },
  [KT_CALL_BASIC_TASK] = { "task", "GET", "task", kt_decode_basic_task },
  [KT_CALL_TASK_LIST] = { "task/list", "GET", "task/list", kt_decode_task_list },
  [KT_CALL_JOB] = { "job", "GET", "", kt_decode_job },
  [KT_CALL_JOBS] = { "jobs", "GET", "jobs", kt_decode_jobs },
  [KT_CALL_CANCEL] = { "cancel", "POST", "cancel", kt_decode_done },
};

const char *
kt_call_name (KtCall call)
{
  return calls[call].name;
}

/* One question: one HTTP request, but for its retries. */
typedef struct {
  KtService *service;
  KtCall call;
  KtKey *key;
  char *trace_id;
  KtAskDone done;
  gpointer data;
} Ask;

static void
wipe (char *secret)
{
  if (secret != NULL)
    explicit_bzero (secret, strlen (secret));
  g_free (secret);
}

static void
options_clear (KtService *service)
{
  g_free (service->endpoint);
  g_free (service->user_id);
  wipe (service->authorization);
  g_free (service->agent_name);
  g_free (service->language);
  g_clear_pointer (&service->zone, g_time_zone_unref);
  g_clear_pointer (&service->share_tokens, g_hash_table_unref);
}

void
kt_service_set_options (KtService *service, const KtServiceOptions *options)
{
  options_clear (service);
  service->endpoint = g_strdup (options->endpoint);
  while (g_str_has_suffix (service->endpoint, "/"))
    service->endpoint[strlen (service->endpoint) - 1] = '\0';
  service->user_id = g_strdup (options->user_id);
  service->authorization = kt_token_header_value (options->token, options->scheme);
  service->agent_name = g_strdup (options->agent_name);
  service->language = g_strdup (options->language);
  service->zone = g_time_zone_ref (options->zone);
  service->families = options->families;
  service->share_tokens = options->share_tokens != NULL ? g_hash_table_ref (options->share_tokens) : NULL;
}

KtService *
kt_service_new (KtHttpClient *http, KtClock *clock, KtHealth *health, KtMetrics *metrics,
                const KtServiceOptions *options)
{
  KtService *service = g_new0 (KtService, 1);

  service->http = http;
  service->clock = clock;
  service->health = health;
  for (KtCall i = 0; i < KT_N_CALLS; i++)
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
  g_free (service);
}

static void
header (KtHttpRequest *request, const char *name, const char *value)
{
  g_ptr_array_add (request->headers, g_strdup_printf ("%s: %s", name, value));
}

static void
prepare (KtHttpRequest *request, gpointer data)
{
  Ask *ask = data;
  KtService *service = ask->service;
  g_autofree char *date = kt_x_date (kt_clock_real (service->clock));

  g_free (ask->trace_id);
  ask->trace_id = kt_trace_id_new ();
  header (request, "Authorization", service->authorization);
  header (request, "X-User-Id", service->user_id);
  header (request, "X-Date", date);
  header (request, "X-Traceid", ask->trace_id);
  header (request, "language", service->language);
  header (request, "Accept", "application/json");
  if (request->body != NULL)
    header (request, "Content-Type", "application/json");
  if (service->agent_name != NULL)
    header (request, "X-Hw-Agentname", service->agent_name);
}

static void
on_response (const KtHttpResponse *response, const GError *http_error, gpointer data)
{
  Ask *ask = data;
  KtService *service = ask->service;
  gint64 now = kt_clock_real (service->clock);
  g_autoptr (GError) error = NULL;
  gpointer result = NULL;

  if (response != NULL)
    result = calls[ask->call].decode (ask->key, response->status, response->body, service->zone, &error);
  else
    error = g_error_copy (http_error);

  if (result != NULL) {
    kt_health_success (service->health, now);
  } else if (!g_error_matches (error, KT_ERROR, KT_ERROR_STOPPED)) {
    g_autofree char *what = g_strchomp (g_strdup_printf ("%s %s", calls[ask->call].name, ask->key->task_id));
    ++*service->failures;
    kt_health_failure (service->health, now, what, ask->trace_id, error);
  }
  ask->done (result, ask->trace_id, error, ask->data);
  kt_key_unref (ask->key);
  g_free (ask->trace_id);
  g_free (ask);
}

void
kt_service_ask (KtService *service, KtCall call, KtKey *key, const char *rest, GBytes *body, gint64 deadline,
                KtAskDone done, gpointer data)
{
  g_autofree char *url = g_strconcat (service->endpoint, BASE_PATH, calls[call].path, rest, NULL);
  Ask *ask = g_new0 (Ask, 1);

  ask->service = service;
  ask->call = call;
  ask->key = kt_key_ref (key);
  ask->done = done;
  ask->data = data;
  ++*service->counters[call];
  kt_http_client_send (service->http, calls[call].method, url, body, deadline, prepare, on_response, ask);
}
