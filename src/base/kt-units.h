/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-time.h"

/* "250ms", "5s", "5min", "1h", "7d", "forever": microseconds at *OUT, KT_TIME_NEVER for forever. A number
 * alone needs a unit, but for 0. On failure *OUT is untouched and KT_ERROR_CONFIG says what was expected. */
gboolean kt_duration_parse (const char *text, KtUsec *out, GError **error);

/* The other way round, in the largest unit without remainder. (transfer full) */
char *kt_duration_format (KtUsec duration);

/* An age for people: whole numbers of one unit, as "12 s", "5 min", "3 h", "9 d". Below 0 it is 0. (transfer full) */
char *kt_age_format (KtUsec age);

/* "4096", "64K", "64M", "1G": bytes. As above. */
gboolean kt_size_parse (const char *text, guint64 *out, GError **error);

/* The other way round. (transfer full) */
char *kt_size_format (guint64 size);

/* A time of the service: ISO 8601, without a zone in ZONE; or a number (kt-number.h), of 14 digits `yyyyMMddHHmmss` in
 * ZONE, of 10 seconds and of 13 milliseconds since the epoch. Fractions of a second are cut off. Seconds since the
 * epoch; KT_TIME_UNKNOWN when TEXT is nothing of this, or not after the epoch: that is how serialisers write no time.
 * */
KtSec kt_service_time_parse (const char *text, GTimeZone *zone);

/* Seconds since the epoch as `2024-09-30T09:19:32Z`. (transfer full) */
char *kt_time_format (KtSec seconds);
