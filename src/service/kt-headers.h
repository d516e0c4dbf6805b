/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/kt-time.h"

/* Values of headers. Pure, but for the random one. */

/* How a token is written into the Authorization header; the service's pages show several forms. */
typedef enum {
  KT_TOKEN_AUTO,        /* as it is when it starts with a scheme word, else as KT_TOKEN_BEARER */
  KT_TOKEN_BEARER,      /* "Bearer TOKEN" */
  KT_TOKEN_BEARER_PLUS, /* "Bearer+TOKEN" */
  KT_TOKEN_RAW,         /* "TOKEN" */
} KtTokenScheme;

/* The length of the scheme word TOKEN begins with ("Bearer "), 0 when there is none. */
gsize kt_token_scheme_length (const char *token);

/* The value of Authorization. (transfer full) */
char *kt_token_header_value (const char *token, KtTokenScheme scheme);

/* A value for X-Traceid: 58 hex digits from the system's random numbers. (transfer full) */
char *kt_trace_id_new (void);

/* A value for X-Date, `YYYYMMDDTHHMMSSZ`, for NOW (wall clock, microseconds), rounded down: the service refuses
 * a time later than its own. (transfer full) */
char *kt_x_date (KtUsec now);
