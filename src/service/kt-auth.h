/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/kt-clock.h"
#include "base/kt-health.h"
#include "http/kt-transport.h"
#include "kt-service-options.h"

/* Signing in: the headers of a request, with the credential in use and a date by the service's clock
 * (kt-server-clock.h). What renews the credential is above this: kt-renewal.h. */
typedef struct KtAuth KtAuth;

/* What one attempt of a request was sent with. */
typedef struct {
  KtUsec date_wall; /* X-Date */
  guint generation; /* of the credential */
} KtAuthStamp;

/* CLOCK and HEALTH outlive it. */
KtAuth *kt_auth_new (KtClock *clock, KtHealth *health);
void kt_auth_free (KtAuth *auth);

/* To be called once before all else. OPTIONS are copied; OPTIONS' endpoint has no "/" at its end. */
void kt_auth_set_options (KtAuth *auth, const KtServiceOptions *options);

/* TOKEN is what the source gives now. A token that was renewed since stays when the source still gives the one
 * before. */
void kt_auth_set_token (KtAuth *auth, const char *token);

/* CREDENTIAL (transfer full) has been given by the service in place of the token. The generation is a new one also
 * when it is the same again: it is valid for longer. */
void kt_auth_set_renewed (KtAuth *auth, char *credential);

/* Adds to REQUEST, which has no headers yet, all but those of its body. Sets STAMP to what it was sent with. */
void kt_auth_prepare (KtAuth *auth, KtHttpRequest *request, const char *trace_id, KtAuthStamp *stamp);

/* Adds one header, unless VALUE is NULL. */
void kt_auth_header (KtHttpRequest *request, const char *name, const char *value);

/* Learns the service's time from a response, also from a refusal. */
void kt_auth_learn (KtAuth *auth, const KtHttpResponse *response);

/* Whether RESPONSE, a refusal, may be due to the date, whatever its code. If so, the next date will be right. */
gboolean kt_auth_date_was_wrong (KtAuth *auth, const KtAuthStamp *stamp, const KtHttpResponse *response);

/* The generation of the credential in use: it grows with each other credential. */
guint kt_auth_generation (const KtAuth *auth);

/* When the last response came (monotonic), at first when AUTH was made: a token expires some time after its last
 * use. */
KtUsec kt_auth_last_response_at (const KtAuth *auth);

/* As kt_service_clock_skew(). */
KtUsec kt_auth_clock_skew (const KtAuth *auth);
