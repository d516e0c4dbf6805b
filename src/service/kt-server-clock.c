/* SPDX-License-Identifier: MIT */
/* Learns the service's time from the dates of its responses. */
#include "kt-server-clock.h"

#include "base/kt-units.h"

#define OLDEST (15 * 60 * KT_SECOND)

KtUsec
kt_server_clock_now (const KtServerClock *server, KtClock *clock)
{
  return server->known ? kt_clock_monotonic (clock) + server->ahead : kt_clock_wall (clock);
}

void
kt_server_clock_learn (KtServerClock *server, KtClock *clock, KtUsec date_wall)
{
  KtUsec ahead = date_wall - kt_clock_monotonic (clock);

  if (!server->known || ahead > server->ahead)
    *server = (KtServerClock){ .known = TRUE, .ahead = ahead };
}

gboolean
kt_server_clock_refused (KtServerClock *server, KtClock *clock, KtUsec sent_wall, KtUsec date_wall)
{
  if (sent_wall <= date_wall && date_wall - sent_wall <= OLDEST)
    return FALSE;
  *server = (KtServerClock){ 0 };
  kt_server_clock_learn (server, clock, date_wall);
  return TRUE;
}

KtUsec
kt_server_clock_skew (const KtServerClock *server, KtClock *clock)
{
  return server->known ? kt_clock_wall (clock) - kt_server_clock_now (server, clock) : 0;
}
