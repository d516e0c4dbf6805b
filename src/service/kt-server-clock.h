/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/kt-clock.h"

/* What is known of the service's clock. It refuses requests dated later than its own time, or 15 minutes before, and
 * this machine's clock may be wrong. The Date of a response is cut to seconds, and the response has travelled since: so
 * at its arrival the service's clock stands at Date or later, and goes on with ours. The largest such bound is the
 * best one. Dates and times are microseconds. A zeroed struct knows nothing. */
typedef struct {
  gboolean known;
  KtUsec ahead; /* of the monotonic clock: the service's clock is never before it */
} KtServerClock;

/* A time that is not later than the service's clock; as long as nothing is known, this machine's. */
KtUsec kt_server_clock_now (const KtServerClock *server, KtClock *clock);

/* A response with the date DATE_WALL has just come. */
void kt_server_clock_learn (KtServerClock *server, KtClock *clock, KtUsec date_wall);

/* A request dated SENT_WALL was refused by a response with the date DATE_WALL. TRUE when SENT_WALL can be the reason:
 * then what was known is wrong, and learned anew from DATE_WALL. */
gboolean kt_server_clock_refused (KtServerClock *server, KtClock *clock, KtUsec sent_wall, KtUsec date_wall);

/* How far this machine's clock is ahead of the service's, negative when it is behind; 0 when nothing is known. Right
 * but for a second and a response's journey. */
KtUsec kt_server_clock_skew (const KtServerClock *server, KtClock *clock);
