/* SPDX-License-Identifier: MIT */
/* Reads the dates of headers. */
#include "kt-http-date.h"

#include "base/kt-units.h"

#include <curl/curl.h>

KtUsec
kt_http_date_parse (const char *text)
{
  time_t date = text != NULL ? curl_getdate (text, NULL) : -1;

  return date == -1 ? KT_TIME_UNKNOWN : (KtUsec) date * KT_SECOND;
}
