/* SPDX-License-Identifier: MIT */
#include "kt-server-clock.h"

#include "base/kt-units.h"

#define OLDEST (15 * 60 * KT_SECOND)

gint64
kt_server_clock_now (const KtServerClock *server, KtClock *clock)
{
  return server->known ? kt_clock_monotonic (clock) + server->ahead : kt_clock_wall (clock);
}

void
kt_server_clock_learn (KtServerClock *server, KtClock *clock, gint64 date)
{
  gint64 ahead = date - kt_clock_monotonic (clock);

  if (!server->known || ahead > server->ahead)
    *server = (KtServerClock){ .known = TRUE, .ahead = ahead };
}

gboolean
kt_server_clock_refused (KtServerClock *server, KtClock *clock, gint64 sent, gint64 date)
{
  if (sent <= date && date - sent <= OLDEST)
    return FALSE;
  *server = (KtServerClock){ 0 };
  kt_server_clock_learn (server, clock, date);
  return TRUE;
}

gint64
kt_server_clock_skew (const KtServerClock *server, KtClock *clock)
{
  return server->known ? kt_clock_wall (clock) - kt_server_clock_now (server, clock) : 0;
}
