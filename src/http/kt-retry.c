/* SPDX-License-Identifier: MIT */
/* Decides whether and when a request is sent again. */
#include "kt-retry.h"

#include "base/kt-units.h"
#include "kt-http-date.h"

#define FIRST_DELAY (100 * KT_MS)

/* What passes by itself, by status and by error; all else is there again at the next attempt. */
static const guint passing_statuses[] = { 429, 500, 502, 503, 504 };
static const KtErrorCode passing_errors[] = { KT_ERROR_UNREACHABLE, KT_ERROR_BROKEN };

gboolean
kt_retry_is_passing (guint status)
{
  for (gsize i = 0; i < G_N_ELEMENTS (passing_statuses); i++)
    if (passing_statuses[i] == status)
      return TRUE;
  return FALSE;
}

static gboolean
is_passing (const KtAttempt *attempt)
{
  if (attempt->error == NULL)
    return kt_retry_is_passing (attempt->status);
  for (gsize i = 0; i < G_N_ELEMENTS (passing_errors); i++)
    if (g_error_matches (attempt->error, KT_ERROR, (int) passing_errors[i]))
      return TRUE;
  return FALSE;
}

/* It is a number of seconds or a date. */
KtUsec
kt_retry_asked (const KtAttempt *attempt)
{
  guint64 seconds;
  KtUsec date_wall;

  if (attempt->retry_after == NULL || !is_passing (attempt))
    return KT_RETRY_NO;
  if (g_ascii_string_to_unsigned (attempt->retry_after, 10, 0, G_MAXINT32, &seconds, NULL))
    return (KtUsec) seconds * KT_SECOND;
  date_wall = kt_http_date_parse (attempt->retry_after);
  return date_wall == KT_TIME_UNKNOWN ? KT_RETRY_NO : MAX (0, date_wall - attempt->now_wall);
}

KtUsec
kt_retry_delay (const KtAttempt *attempt)
{
  KtUsec delay;

  if (attempt->attempt >= KT_RETRY_ATTEMPTS || !is_passing (attempt))
    return KT_RETRY_NO;
  delay = kt_retry_asked (attempt);
  if (delay == KT_RETRY_NO)
    delay = (gint64) ((double) (FIRST_DELAY << (attempt->attempt - 1)) * (0.5 + attempt->jitter / 2));
  return delay < attempt->deadline - attempt->now ? delay : KT_RETRY_NO;
}
