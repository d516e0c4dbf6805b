/* SPDX-License-Identifier: MIT */
#pragma once

#include "response.h"
#include "auth.h"
#include "request.h"

typedef enum {
  SIM_REFUSAL_NONE,
  SIM_REFUSAL_AUTHORIZATION,
  SIM_REFUSAL_USER_ID,
  SIM_REFUSAL_DATE,
  SIM_REFUSAL_TRACE_ID,
  SIM_REFUSAL_CONTENT_TYPE,
  SIM_REFUSAL_BODY, /* also the arguments of a GET */
  SIM_REFUSAL_NOT_FOUND,
  SIM_REFUSAL_LINK, /* of a package: wrong or expired */
} SimRefusal;
#define SIM_N_REFUSALS (SIM_REFUSAL_LINK + 1)

/* Checks a request to one of the service's endpoints, in the order of the enum. At the first thing wrong fills
 * RESPONSE and returns what it was, an error of authorization with the status AUTH_STATUS; else SIM_REFUSAL_NONE and
 * RESPONSE is untouched. Never gives NOT_FOUND or LINK. */
SimRefusal sim_checks_run (const SimRequest *req, SimAuth *auth, guint auth_status, SimResponse *response);

/* The counter's name, such as "userId". */
const char *sim_refusal_name (SimRefusal refusal);
