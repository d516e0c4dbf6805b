/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/kt-time.h"

/* A header's date (RFC 9110, 5.6.7) in microseconds since the epoch, KT_TIME_UNKNOWN when TEXT is NULL or none. */
KtUsec kt_http_date_parse (const char *text);
