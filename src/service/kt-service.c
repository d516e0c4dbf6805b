/* SPDX-License-Identifier: MIT */
/* The service as a source of tasks: its construction, its options and its vtable. */
#include "kt-service-private.h"

#include "base/kt-log.h"
#include "kt-family-calls.h"

KtSource *
kt_service_source (KtService *service)
{
  return &service->source;
}

void
kt_service_try_list (KtService *service, KtFamily family, KtUsec page_timeout, KtSourceListed listed, gpointer data)
{
  kt_service_list (&service->source, family, page_timeout, NULL, listed, data);
}

/* Makes TOKENS (or NULL) the shares' tokens, which the log keeps out as long as they are. */
static void
use_share_tokens (KtService *service, GHashTable *tokens)
{
  GHashTable *before = service->share_tokens;
  GHashTableIter iter;
  gpointer token;

  service->share_tokens = tokens != NULL ? g_hash_table_ref (tokens) : NULL;
  if (tokens != NULL) {
    g_hash_table_iter_init (&iter, tokens);
    while (g_hash_table_iter_next (&iter, NULL, &token))
      kt_log_hold_secret (token);
  }
  if (before != NULL) {
    g_hash_table_iter_init (&iter, before);
    while (g_hash_table_iter_next (&iter, NULL, &token))
      kt_log_release_secret (token);
    g_hash_table_unref (before);
  }
}

void
kt_service_set_options (KtService *service, const KtServiceOptions *options)
{
  use_share_tokens (service, options->share_tokens);
  service->families = options->families;
  kt_requests_set_options (service->requests, options);
}

void
kt_service_set_share_tokens (KtService *service, GHashTable *tokens)
{
  use_share_tokens (service, tokens);
}

void
kt_service_set_token (KtService *service, const char *token)
{
  kt_requests_set_token (service->requests, token);
}

KtUsec
kt_service_clock_skew (KtService *service)
{
  return kt_requests_clock_skew (service->requests);
}

static KtUsec
ready_at (KtSource *source)
{
  return kt_http_client_ready_at (((KtService *) source)->http);
}

KtService *
kt_service_new (KtHttpClient *http, KtClock *clock, KtHealth *health, KtMetrics *metrics,
                const KtServiceOptions *options)
{
  KtService *service = g_new0 (KtService, 1);
  guint count;
  const KtEndpoint *endpoints = kt_family_endpoints (&count);

  service->source = (KtSource){ kt_service_fetch, kt_service_list, kt_service_cancel, ready_at };
  service->http = http;
  service->clock = clock;
  service->requests = kt_requests_new (http, clock, health, metrics, endpoints, count);
  g_queue_init (&service->unsent);
  kt_service_set_options (service, options);
  return service;
}

void
kt_service_stop (KtService *service)
{
  kt_service_stop_unsent (service);
  kt_requests_stop (service->requests);
}

void
kt_service_free (KtService *service)
{
  if (service == NULL)
    return;
  kt_requests_free (service->requests);
  use_share_tokens (service, NULL);
  g_free (service);
}
