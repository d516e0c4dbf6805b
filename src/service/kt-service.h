/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/kt-health.h"
#include "http/kt-http-client.h"
#include "kt-auth.h"
#include "model/kt-task.h"

/* The KooDrive task API: one function that asks for one task, whichever call its family needs. */
typedef struct KtService KtService;

typedef struct {
  const char *endpoint; /* "https://host[:port]", no path */
  const char *user_id;  /* X-User-Id */
  const char *token;    /* Authorization, by SCHEME */
  KtTokenScheme scheme;
  const char *agent_name;   /* X-Hw-Agentname, NULL for none */
  const char *language;     /* e.g. "en-US" */
  GTimeZone *zone;          /* of 14-digit times */
  GHashTable *share_tokens; /* share id → kdstoken, may be NULL */
} KtServiceOptions;

/* Either TASK, to be referenced if kept, or ERROR is set. TRACE_ID is that of the last attempt. */
typedef void (*KtServiceDone) (KtTask *task, const char *trace_id, const GError *error, gpointer data);

/* HTTP, CLOCK, HEALTH and METRICS outlive the service; OPTIONS are copied. */
KtService *kt_service_new (KtHttpClient *http, KtClock *clock, KtHealth *health, KtMetrics *metrics,
                           const KtServiceOptions *options);
void kt_service_free (KtService *service);

/* Ends what is still being decoded, with its callbacks. HTTP has ended its requests before; nothing is asked any more. */
void kt_service_stop (KtService *service);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtService, kt_service_free)

/* New options (a new token, above all), from the next attempt on. */
void kt_service_set_options (KtService *service, const KtServiceOptions *options);

/* Asks for the task. DONE is called exactly once, not before this returns; at DEADLINE (monotonic) at the latest, or when
 * a large answer that came before has been decoded. Failures are logged and kept in HEALTH, once, here. */
void kt_service_fetch (KtService *service, KtKey *key, gint64 deadline, KtServiceDone done, gpointer data);
