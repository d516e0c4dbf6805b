/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

/* Times and spans. The name says what a value is:
 *   ..._at       a point on the monotonic clock (kt-clock.h); `now` and `deadline` are such points too
 *   ..._wall     a time of the wall clock, since the Unix epoch
 *   ..._timeout  a span, as are `ttl`, `age` and what is named after a key of the configuration */
typedef gint64 KtUsec; /* microseconds */
typedef gint64 KtSec;  /* seconds; a time that the service gave, since the Unix epoch */

#define KT_MS           1000LL
#define KT_SECOND       1000000LL
#define KT_TIME_NEVER   G_MAXINT64 /* a point on the monotonic clock that never comes, a span without end */
#define KT_TIME_UNKNOWN G_MININT64 /* a time that nobody gave */
