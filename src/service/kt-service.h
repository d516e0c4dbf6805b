/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/kt-health.h"
#include "http/kt-http-client.h"
#include "kt-service-options.h"
#include "model/kt-task.h"

/* The KooDrive task API: one function that asks for one task, whichever call its family needs. */
typedef struct KtService KtService;

/* Either TASK, to be referenced if kept, or ERROR is set. TRACE_ID is that of the last attempt. */
typedef void (*KtServiceDone) (KtTask *task, const char *trace_id, const GError *error, gpointer data);

/* HTTP, CLOCK, HEALTH and METRICS outlive the service. OPTIONS are copied, but for the token source, which must go on
 * working until new options name another one. HTTP and the source end what is under way before the service is freed. */
KtService *kt_service_new (KtHttpClient *http, KtClock *clock, KtHealth *health, KtMetrics *metrics,
                           const KtServiceOptions *options);
void kt_service_free (KtService *service);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtService, kt_service_free)

/* New options (a new token, above all), from the next attempt on. */
void kt_service_set_options (KtService *service, const KtServiceOptions *options);

/* The token source has a new TOKEN. */
void kt_service_set_token (KtService *service, const char *token);

/* Asks for the task. DONE is called exactly once, not before this returns and at DEADLINE (monotonic) at the
 * latest. Failures are logged and kept in HEALTH, once, here. */
void kt_service_fetch (KtService *service, KtKey *key, gint64 deadline, KtServiceDone done, gpointer data);
