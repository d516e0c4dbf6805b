/* SPDX-License-Identifier: MIT */
#include "kt-service.h"

#include "base/kt-error.h"
#include "kt-decode.h"
#include "kt-decoder.h"

#include <string.h>

#define BASE_PATH "/koodrive/ose/v1"

typedef struct {
  const char *name; /* in logs and metrics */
  const char *method;
  KtDecode decode;
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
  KtDecoder *decoder;
  guint64 *counters[G_N_ELEMENTS (calls)];
  guint64 *failures;
  char *endpoint;
  char *user_id;
  char *authorization;
  char *agent_name;
  char *language;
  GTimeZone *zone;
  GHashTable *share_tokens;
};

typedef struct {
  KtService *service;
  KtKey *key;
  char *trace_id;
  KtServiceDone done;
  gpointer data;
} Fetch;

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
  service->decoder = kt_decoder_new (metrics);
  for (gsize i = 0; i < G_N_ELEMENTS (calls); i++)
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
  if (service != NULL)
    g_clear_pointer (&service->decoder, kt_decoder_free);
}

void
kt_service_free (KtService *service)
{
  if (service == NULL)
    return;
  kt_service_stop (service);
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
  Fetch *fetch = data;
  KtService *service = fetch->service;
  g_autofree char *date = kt_x_date (kt_clock_real (service->clock));

  g_free (fetch->trace_id);
  fetch->trace_id = kt_trace_id_new ();
  header (request, "Authorization", service->authorization);
  header (request, "X-User-Id", service->user_id);
  header (request, "X-Date", date);
  header (request, "X-Traceid", fetch->trace_id);
  header (request, "language", service->language);
  header (request, "Accept", "application/json");
  if (request->body != NULL)
    header (request, "Content-Type", "application/json");
  if (service->agent_name != NULL)
    header (request, "X-Hw-Agentname", service->agent_name);
}

static void
finish (KtTask *task, const GError *error, gpointer data)
{
  Fetch *fetch = data;
  KtService *service = fetch->service;
  gint64 now = kt_clock_real (service->clock);

  if (task != NULL) {
    kt_health_success (service->health, now);
  } else if (!g_error_matches (error, KT_ERROR, KT_ERROR_STOPPED)) {
    g_autofree char *what = g_strdup_printf ("%s %s", calls[fetch->key->family].name, fetch->key->task_id);
    ++*service->failures;
    kt_health_failure (service->health, now, what, fetch->trace_id, error);
  }
  fetch->done (task, fetch->trace_id, error, fetch->data);
  kt_key_unref (fetch->key);
  g_free (fetch->trace_id);
  g_free (fetch);
}

static void
on_response (const KtHttpResponse *response, const GError *error, gpointer data)
{
  const Fetch *fetch = data;

  if (response != NULL)
    kt_decoder_run (fetch->service->decoder, calls[fetch->key->family].decode, fetch->key, response->status,
                    response->body, fetch->service->zone, finish, data);
  else
    finish (NULL, error, data);
}

/* The body of POST share/taskDetail. */
static GBytes *
share_body (KtService *service, const KtKey *key)
{
  const char *token = service->share_tokens != NULL ? g_hash_table_lookup (service->share_tokens, key->share_id) : NULL;
  char *body = kt_encode_object ("taskId", key->task_id, "shareId", key->share_id, token != NULL ? "kdstoken" : NULL,
                                 token, NULL);
  return g_bytes_new_with_free_func (body, strlen (body), (GDestroyNotify) wipe, body);
}

void
kt_service_fetch (KtService *service, KtKey *key, gint64 deadline, KtServiceDone done, gpointer data)
{
  const Call *call = &calls[key->family];
  Fetch *fetch = g_new0 (Fetch, 1);
  g_autofree char *url = NULL;
  g_autoptr (GBytes) body = NULL;

  fetch->service = service;
  fetch->key = kt_key_ref (key);
  fetch->done = done;
  fetch->data = data;
  switch (key->family) {
  case KT_FAMILY_SHARE:
    url = g_strconcat (service->endpoint, BASE_PATH "/", call->name, NULL);
    body = share_body (service, key);
    break;
  case KT_FAMILY_BASIC: /* ids need no escaping: kt_id_is_valid() */
    url = g_strconcat (service->endpoint, BASE_PATH "/", call->name, "?taskId=", key->task_id, NULL);
    break;
  }
  ++*service->counters[key->family];
  kt_http_client_send (service->http, call->method, url, body, deadline, prepare, on_response, fetch);
}
