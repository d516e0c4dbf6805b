/* SPDX-License-Identifier: MIT */
#pragma once

#include "request.h"

typedef struct {
  char *token;
  gint64 idle;               /* microseconds without a request after which the token expires, 0 = never */
  char *session_id;          /* NULL = no session to renew it with */
  char *app_id, *app_secret; /* NULL = no app */
} SimAuthConfig;

/* Who may use the service: the token and when it expires, the session that renews it, the app that signs instead.
 * Thread-safe. */
typedef struct SimAuth SimAuth;

/* Takes all strings of CONFIG. The token counts as used at NOW. (transfer full) */
SimAuth *sim_auth_new (const SimAuthConfig *config, gint64 now);
void sim_auth_free (SimAuth *auth);

/* Checks the Authorization of a request, which may be the renewal, and gives NULL or what is wrong. A right token
 * counts as used at req->at. */
const char *sim_auth_check (SimAuth *auth, const SimRequest *req);

/* A new token is valid from NOW on, the old one is not. */
void sim_auth_set_token (SimAuth *auth, const char *token, gint64 now);
/* The same with a token of our own making. (transfer full) */
char *sim_auth_renew (SimAuth *auth, gint64 now);
/* The token is no longer valid, save for renewal. */
void sim_auth_expire (SimAuth *auth);

/* {"valid":...,"remaining":SECONDS} for /_sim/token, remaining null when the token never expires. (transfer full) */
cJSON *sim_auth_describe (SimAuth *auth, gint64 now);
