/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/kt-health.h"
#include "http/kt-http-client.h"
#include "kt-service-options.h"
#include "model/kt-source.h"

/* The KooDrive task API: fetches one task, lists a family, cancels a job, by whichever requests these need. */
typedef struct KtService KtService;

/* HTTP, CLOCK, HEALTH and METRICS outlive the service. OPTIONS are copied, but for the token source, which must go on
 * working until new options name another one. HTTP and the source end what is under way before the service is freed. */
KtService *kt_service_new (KtHttpClient *http, KtClock *clock, KtHealth *health, KtMetrics *metrics,
                           const KtServiceOptions *options);
void kt_service_free (KtService *service);

/* Ends what is being decoded, with its callbacks, which may send more: so HTTP and the token source end after this.
 * It runs the main context. */
void kt_service_stop (KtService *service);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtService, kt_service_free)

/* New options (a new token, above all), from the next attempt on. */
void kt_service_set_options (KtService *service, const KtServiceOptions *options);

/* The shares' tokens are these now: share id → kdstoken. */
void kt_service_set_share_tokens (KtService *service, GHashTable *tokens);

/* The token source has a new TOKEN. */
void kt_service_set_token (KtService *service, const char *token);

/* How far this machine's clock is ahead of the service's (negative: behind), as far as its responses show; 0 before the
 * first. */
KtUsec kt_service_clock_skew (KtService *service);

/* The service as a source of tasks. A task of KT_FAMILY_UNKNOWN is asked for in the families with KT_FACT_BY_ID that
 * are chosen, of which there is one at least, at the same time: the first success is the response. A list that does
 * not come to an end, by a cursor or a page that repeats or by sheer size, is KT_ERROR_BAD_ANSWER. Failures are
 * logged and kept in HEALTH, once, here. (transfer none) */
KtSource *kt_service_source (KtService *service);

/* Finds out whether the list can be had, by one request for one task of it. LISTED is called as by
 * kt_source_list(). */
void kt_service_try_list (KtService *service, KtFamily family, KtUsec page_timeout, KtSourceListed listed,
                          gpointer data);
