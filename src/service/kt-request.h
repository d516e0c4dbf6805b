/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/kt-health.h"
#include "base/kt-metrics.h"
#include "kt-endpoint.h"
#include "kt-service-options.h"
#include "http/kt-http-client.h"

/* Requests to the service's endpoints, and what they have in common: signing in, decoding, counting, and the report of
 * what failed. */
typedef struct KtRequests KtRequests;

/* HTTP, CLOCK, HEALTH and METRICS outlive it. ENDPOINTS is an array of COUNT, static: those that requests may be
 * sent to. */
KtRequests *kt_requests_new (KtHttpClient *http, KtClock *clock, KtHealth *health, KtMetrics *metrics,
                             const KtEndpoint *endpoints, guint count);

/* To be called once before all else, and again for new options: see kt_service_set_options(). */
void kt_requests_set_options (KtRequests *requests, const KtServiceOptions *options);

/* The token source has a new TOKEN. */
void kt_requests_set_token (KtRequests *requests, const char *token);

/* As kt_service_clock_skew(). */
KtUsec kt_requests_clock_skew (const KtRequests *requests);

/* Ends what is being decoded, with its callbacks. It runs the main context. */
void kt_requests_stop (KtRequests *requests);

/* HTTP and the token source have ended what was under way. */
void kt_requests_free (KtRequests *requests);

/* The end of a request: ERROR is NULL when it was decoded. The callback takes what it keeps out of *DECODED; what it
 * leaves is released. TRACE_ID is that of the last attempt, NULL when there was none. */
typedef void (*KtRequestDone) (KtDecoded *decoded, const char *trace_id, const GError *error, gpointer data);

/* Sends one request about KEY: REST comes after the endpoint's path, BODY may be NULL. DONE is called exactly once, not
 * before this returns. A failure is reported here, once. The caller reports two itself: that there is no such
 * task (kt_error_is_answer()), and KT_ERROR_DECLINED. */
void kt_request_send (KtRequests *requests, const KtEndpoint *endpoint, KtKey *key, const char *rest, GBytes *body,
                      KtUsec deadline, KtRequestDone done, gpointer data);

/* Reports a failure of WHAT about ID ("": none): logs it and keeps it in the health. */
void kt_requests_report (KtRequests *requests, const char *what, const char *id, const char *trace_id,
                         const GError *error);
