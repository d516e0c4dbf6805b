/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/kt-health.h"
#include "http/kt-http-client.h"
#include "kt-service-options.h"

/* Signing in: the headers by which a request introduces itself, and what to do when it is refused all the same. The
 * reason can be the date: then the request is dated by the service's clock (kt-server-clock.h). Or the token: it lives
 * for 20 minutes after its last use. Then it is renewed, by session/refresh when there is a session id, else by
 * reading it from its source again, once for all requests that were refused; meanwhile these wait. */
typedef struct KtAuth KtAuth;

/* What one attempt of a request was sent with. */
typedef struct {
  KtUsec date_wall; /* X-Date */
  guint generation;
} KtAuthStamp;

/* AGAIN: sent once more, the request may succeed; else its refusal stands. */
typedef void (*KtAuthVerdict) (gboolean again, gpointer data);

/* HTTP, CLOCK and HEALTH outlive it. HTTP and the token source end what is under way before this is freed. */
KtAuth *kt_auth_new (KtHttpClient *http, KtClock *clock, KtHealth *health);
void kt_auth_free (KtAuth *auth);

/* To be called once before all else. OPTIONS are copied, but for the token source, which must go on working until new
 * options name another; OPTIONS' endpoint has no "/" at its end. */
void kt_auth_set_options (KtAuth *auth, const KtServiceOptions *options);

/* TOKEN is what the source gives now. A token that was renewed since stays when the source still gives the one before. */
void kt_auth_set_token (KtAuth *auth, const char *token);

/* A request begins or has ended: while there is one, the token is kept from dying if that needs a session id only. */
void kt_auth_begin (KtAuth *auth);
void kt_auth_end (KtAuth *auth);

/* Adds to REQUEST, which has no headers yet, all but those of its body, and notes in STAMP what it was sent with. */
void kt_auth_prepare (KtAuth *auth, KtHttpRequest *request, const char *trace_id, KtAuthStamp *stamp);

/* Learns from an answer, also from one that kt_auth_refused() is called with next. */
void kt_auth_answered (KtAuth *auth, const KtHttpResponse *response);

/* As kt_service_clock_skew(). */
KtUsec kt_auth_clock_skew (const KtAuth *auth);

/* To be called once a request at most, with an answer that was an ERROR. FALSE: it is no refusal, nothing can be done.
 * TRUE: VERDICT will be called, before this returns or later, at DEADLINE (monotonic) at the latest. */
gboolean kt_auth_refused (KtAuth *auth, const KtAuthStamp *stamp, const KtHttpResponse *response, const GError *error,
                          KtUsec deadline, KtAuthVerdict verdict, gpointer data);
