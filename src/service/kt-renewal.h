/* SPDX-License-Identifier: MIT */
#pragma once

#include "http/kt-http-client.h"
#include "kt-auth.h"

/* Renews the credential. A request may be refused because of its date: then it is sent again, dated by the service's
 * clock. Or because of the token, which expires 20 minutes after its last use: then the token is renewed, by
 * session/refresh when there is a session id, else by reading it from its source again. It is renewed once for all
 * requests that were refused; meanwhile these wait. */
typedef struct KtRenewal KtRenewal;

/* AGAIN: sent once more, the request may succeed; else its refusal stands. */
typedef void (*KtRenewalVerdict) (gboolean again, gpointer data);

/* AUTH, HTTP, CLOCK, HEALTH and METRICS outlive it. HTTP and the token source end what is under way before this is
 * freed. */
KtRenewal *kt_renewal_new (KtAuth *auth, KtHttpClient *http, KtClock *clock, KtHealth *health, KtMetrics *metrics);
void kt_renewal_free (KtRenewal *renewal);

/* To be called once before all else, after kt_auth_set_options(). OPTIONS are copied, but for the token source,
 * which must go on working until new options name another; OPTIONS' endpoint has no "/" at its end. */
void kt_renewal_set_options (KtRenewal *renewal, const KtServiceOptions *options);

/* A request begins or has ended. While there is one, the token is kept from expiring if that needs a session id
 * only. */
void kt_renewal_begin (KtRenewal *renewal);
void kt_renewal_end (KtRenewal *renewal);

/* Reports a refusal, once a request at most: ERROR is what RESPONSE was decoded to. FALSE: it is no refusal, or
 * nothing can be done. TRUE: VERDICT will be called, before this returns or later, at DEADLINE (monotonic) at the
 * latest. */
gboolean kt_renewal_refused (KtRenewal *renewal, const KtAuthStamp *stamp, const KtHttpResponse *response,
                             const GError *error, KtUsec deadline, KtRenewalVerdict verdict, gpointer data);
