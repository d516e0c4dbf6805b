/* SPDX-License-Identifier: MIT */
#pragma once

#include "request.h"

#define SIM_SIGN_SCHEME "HMAC-SHA256 "

/* Verifies the Authorization of REQ, which begins with SIM_SIGN_SCHEME, against the app's id and secret. Gives NULL
 * when it is right, else what is wrong. */
const char *sim_sign_verify (const SimRequest *req, const char *app_id, const char *secret);
