/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/kt-metrics.h"
#include "kt-transport.h"

/* What an HTTP client counts: its exchanges by call and status, how long they take, and for how long requests were held
 * back. */
typedef struct KtHttpCount KtHttpCount;

typedef enum {
  KT_HELD_BY_LIMIT,   /* the limits on concurrency and rate */
  KT_HELD_BY_SERVICE, /* a response that asks for patience: 429, or any with Retry-After */
} KtHeldBy;

/* Without METRICS, which outlive the result, nothing is counted. */
KtHttpCount *kt_http_count_new (KtMetrics *metrics);
void kt_http_count_free (KtHttpCount *count);

/* CALL will be made: its exchanges with status 200 are 0 so far. */
void kt_http_count_expect (KtHttpCount *count, const char *call);

/* An exchange of CALL has ended after DURATION with RESPONSE, NULL for none. CALL may be NULL. */
void kt_http_count_exchange (KtHttpCount *count, const char *call, const KtHttpResponse *response, KtUsec duration);

/* A request will be sent again. */
void kt_http_count_retry (KtHttpCount *count);

/* A request was held back for DURATION. */
void kt_http_count_held (KtHttpCount *count, KtHeldBy by, KtUsec duration);
