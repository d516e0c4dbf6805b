/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/kt-error.h"
#include "base/kt-time.h"

/* What is known when an attempt has failed or might have. Times are microseconds. */
typedef struct {
  guint attempt;           /* 1 for the first */
  guint status;            /* HTTP status, 0 when there was no response */
  const GError *error;     /* of the transport, NULL when there was a response */
  const char *retry_after; /* the header's value or NULL */
  KtUsec now_wall;         /* for a Retry-After that is a date */
  KtUsec now;
  KtUsec deadline;
  double jitter; /* 0..1, a random number */
} KtAttempt;

#define KT_RETRY_NO       (-1)
#define KT_RETRY_ATTEMPTS 4

/* Whether a response with STATUS may be another the next time: 429, 500, 502, 503 and 504. */
gboolean kt_retry_is_passing (guint status);

/* How long the response asks to be left alone by its Retry-After (RFC 9110, 10.2.3), or KT_RETRY_NO: it has none, or
 * its status is not kt_retry_is_passing(). Pure. */
KtUsec kt_retry_asked (const KtAttempt *attempt);

/* How long to wait before the next attempt, or KT_RETRY_NO. Retried are no connection, a connection that broke, and
 * what kt_retry_is_passing(), nothing else; at most KT_RETRY_ATTEMPTS attempts, 100 ms doubling with jitter, or
 * kt_retry_asked(); never past the deadline. Pure. */
KtUsec kt_retry_delay (const KtAttempt *attempt);
