/* SPDX-License-Identifier: MIT */
/* The service as a source of tasks: its construction, its options and its vtable. */
#include "kt-service-private.h"

#include "kt-family-calls.h"

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

void
kt_service_try_list (KtService *service, KtFamily family, KtUsec page_timeout, KtSourceListed listed, gpointer data)
{
  kt_service_list (service, family, page_timeout, NULL, listed, data);
}

void
kt_service_set_options (KtService *service, const KtServiceOptions *options)
{
  g_clear_pointer (&service->share_tokens, g_hash_table_unref);
  service->share_tokens = options->share_tokens != NULL ? g_hash_table_ref (options->share_tokens) : NULL;
  service->families = options->families;
  kt_requests_set_options (service->requests, options);
}

void
kt_service_set_share_tokens (KtService *service, GHashTable *tokens)
{
  g_clear_pointer (&service->share_tokens, g_hash_table_unref);
  service->share_tokens = g_hash_table_ref (tokens);
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

KtService *
kt_service_new (KtHttpClient *http, KtClock *clock, KtHealth *health, KtMetrics *metrics,
                const KtServiceOptions *options)
{
  KtService *service = g_new0 (KtService, 1);
  guint count;
  const KtEndpoint *endpoints = kt_family_endpoints (&count);

  service->source = (KtSource){ source_fetch, source_list, source_cancel };
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
  g_clear_pointer (&service->share_tokens, g_hash_table_unref);
  g_free (service);
}
