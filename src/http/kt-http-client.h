/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/kt-clock.h"
#include "base/kt-metrics.h"
#include "kt-transport.h"

/* Requests with a policy: at most CONCURRENCY at once and RATE a second, the rest wait in a queue; retries; and one
 * deadline over all of it, the time in the queue included. */
typedef struct KtHttpClient KtHttpClient;

typedef struct {
  guint concurrency;
  guint rate; /* requests a second, 0 = no limit */
  guint64 max_response;
} KtHttpLimits;

/* Called right before each attempt, to add its headers and what else the request needs: dates and ids are those of the
 * attempt. */
typedef void (*KtHttpPrepare) (KtHttpRequest *request, gpointer data);

/* As KtTransportDone. An HTTP status is no error here: RESPONSE is the last attempt's. */
typedef KtTransportDone KtHttpDone;

/* TRANSPORT is (transfer full); CLOCK and METRICS outlive the client. Without METRICS nothing is counted. */
KtHttpClient *kt_http_client_new (KtClock *clock, KtTransport *transport, const KtHttpLimits *limits,
                                  KtMetrics *metrics);

/* All requests under way end with KT_ERROR_STOPPED first. */
void kt_http_client_free (KtHttpClient *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtHttpClient, kt_http_client_free)

/* Requests whose PREPARE sets CALL will be sent: they are counted from 0. CALL is static. */
void kt_http_client_expect (KtHttpClient *client, const char *call);

/* New limits, from the next request on. */
void kt_http_client_set_limits (KtHttpClient *client, const KtHttpLimits *limits);

/* Until when (monotonic) responses have asked, by Retry-After, that no more be sent; 0: none has. It is no limit for
 * those who wait for a response; who asks unasked, as a poll, heeds it. Never more than KT_HTTP_LEFT_ALONE_MAX ahead. */
#define KT_HTTP_LEFT_ALONE_MAX (3600 * KT_SECOND)
KtUsec kt_http_client_ready_at (const KtHttpClient *client);

/* Sends; DONE is called exactly once, at DEADLINE (monotonic) at the latest, never before this returns. METHOD
 * is static, BODY may be NULL. */
void kt_http_client_send (KtHttpClient *client, const char *method, const char *url, GBytes *body, KtUsec deadline,
                          KtHttpPrepare prepare, KtHttpDone done, gpointer data);

/* As kt_http_client_send(), GETs what the link URL leads to. Redirects are followed (http and https only, never from
 * https to http). No error's message has URL. The body, of any length, goes to SINK, which gets DATA; the response of
 * DONE has none. Instead of a deadline there is STALL_TIMEOUT, the longest time without a piece. An attempt after the
 * first begins with PREPARE again. */
void kt_http_client_stream (KtHttpClient *client, const char *url, KtUsec stall_timeout, KtHttpPrepare prepare,
                            KtHttpSink sink, KtHttpDone done, gpointer data);
