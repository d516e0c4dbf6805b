/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/kt-health.h"
#include "http/kt-http-client.h"
#include "kt-service-options.h"
#include "model/kt-task.h"

/* The KooDrive task API: one task, a family's list, a job's end, whichever calls they need. */
typedef struct KtService KtService;

/* Either TASK, to be referenced if kept, or ERROR is set. TRACE_ID is that of the last attempt. */
typedef void (*KtServiceDone) (KtTask *task, const char *trace_id, const GError *error, gpointer data);

/* HTTP, CLOCK, HEALTH and METRICS outlive the service. OPTIONS are copied, but for the token source, which must go on
 * working until new options name another one. HTTP and the source end what is under way before the service is freed. */
KtService *kt_service_new (KtHttpClient *http, KtClock *clock, KtHealth *health, KtMetrics *metrics,
                           const KtServiceOptions *options);
void kt_service_free (KtService *service);

/* Ends what is being decoded, with its callbacks, which may ask for more: so HTTP and the token source end after this.
 * It runs the main context. */
void kt_service_stop (KtService *service);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtService, kt_service_free)

/* New options (a new token, above all), from the next attempt on. */
void kt_service_set_options (KtService *service, const KtServiceOptions *options);

/* The shares' tokens are these now: share id → kdstoken. */
void kt_service_set_share_tokens (KtService *service, GHashTable *tokens);

/* The token source has a new TOKEN. */
void kt_service_set_token (KtService *service, const char *token);

/* How far this machine's clock is ahead of the service's (microseconds, negative when behind), as far as its answers
 * have told; 0 before the first. */
gint64 kt_service_clock_skew (KtService *service);

/* Asks for the task. One of KT_FAMILY_UNKNOWN is asked for in the families that take no more than an id, at the same
 * time: the first success is the answer, and TASK's key has its family. At least one of these must be chosen. DONE is
 * called exactly once, not before this returns; at DEADLINE (monotonic) at the latest, or when a large answer that
 * came before has been decoded. Failures are logged and kept in HEALTH, once, here. */
void kt_service_fetch (KtService *service, KtKey *key, gint64 deadline, KtServiceDone done, gpointer data);

/* A page of a list has come. TASKS: KtTask, each from_list. */
typedef void (*KtServicePage) (GPtrArray *tasks, gpointer data);

/* The list is through, or ended in ERROR; what came before that is right as far as it goes. */
typedef void (*KtServiceListed) (const GError *error, gpointer data);

/* Asks for the list of FAMILY (basic or job), page after page, each within PATIENCE (microseconds). A list that does
 * not come to an end, by a cursor or a page that repeats or by sheer size, is KT_ERROR_BAD_ANSWER. LISTED is called
 * exactly once, neither of the two before this returns. */
void kt_service_list (KtService *service, KtFamily family, gint64 patience, KtServicePage page, KtServiceListed listed,
                      gpointer data);

/* Whether the list can be had: asks for one task of it, by one request. LISTED as above. */
void kt_service_try_list (KtService *service, KtFamily family, gint64 patience, KtServiceListed listed, gpointer data);

/* ERROR is NULL when the service has accepted. */
typedef void (*KtServiceCancelled) (const GError *error, gpointer data);

/* Cancels a batch job. As kt_service_fetch(). KT_ERROR_DECLINED: the service does not cancel it, which the caller, who
 * may know why, tells of; the error's words have the trace id. */
void kt_service_cancel (KtService *service, KtKey *key, gint64 deadline, KtServiceCancelled done, gpointer data);
