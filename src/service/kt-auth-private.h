/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-auth.h"
#include "kt-server-clock.h"

/* For kt-auth.c, which introduces requests, and kt-auth-renew.c, which renews the token. */

struct KtAuth {
  KtHttpClient *http;
  KtClock *clock;
  KtHealth *health;
  KtServerClock server;
  gboolean skew_told;

  char *endpoint;
  char *user_id;
  char *agent_name;
  char *language;
  KtTokenScheme scheme;
  char *app_id;
  char *session_id;
  gboolean keep_alive;
  KtTokenRead read_token;
  gpointer token_source;

  char *given;      /* what the source gave last */
  char *credential; /* in use: the value of Authorization, or the app's secret */
  gboolean renewed; /* CREDENTIAL is not made of GIVEN, but came by session/refresh */
  guint generation; /* of CREDENTIAL */

  gboolean renewing;
  GQueue waiters;         /* Waiter */
  KtUsec next_refresh_at; /* no renewal of the kind before */
  KtUsec next_read_at;

  guint under_way;
  KtUsec last_call_at;
  KtUsec next_call_at; /* of keep-alive, after one that failed */
  KtTimer *idle;
};

#define KT_AUTH_RENEWAL_WAIT (3 * G_USEC_PER_SEC) /* between two renewals of the same kind */

/* Adds a header unless VALUE is NULL. */
void kt_auth_header (KtHttpRequest *request, const char *name, const char *value);

/* Whether RESPONSE, which may be NULL, has a status that is for refusals, whatever its code. */
gboolean kt_auth_is_refusal (const KtHttpResponse *response);

/* Whether the refusal may be due to the date, whatever its code; if so, the next one will be right. */
gboolean kt_auth_date_was_wrong (KtAuth *auth, const KtAuthStamp *stamp, const KtHttpResponse *response);

/* From now on CREDENTIAL (transfer full). */
void kt_auth_use (KtAuth *auth, char *credential);

/* Starts the timer that keeps the token alive if there is any need for one. */
void kt_auth_schedule (KtAuth *auth);
