/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-transport.h"

#include <curl/curl.h>

/* The first thing that libcurl has refused. NAME is NULL as long as it has refused nothing. */
typedef struct {
  const char *name; /* of the option or function, static */
  const char *why;  /* static */
} KtCurlRefusal;

/* Notes the refusal of NAME unless there is one already, or CODE is CURLE_OK. */
void kt_curl_check (KtCurlRefusal *refusal, const char *name, CURLcode code);

/* Sets one option of EASY. */
#define KT_CURL_SET(refusal, easy, option, value)                                                                      \
  kt_curl_check ((refusal), #option, curl_easy_setopt ((easy), option, (value)))

/* Sets all options of EASY that come from REQUEST, which outlives the transfer, and from OPTIONS. */
void kt_curl_set_request (CURL *easy, const KtHttpRequest *request, const KtCurlOptions *options,
                          KtCurlRefusal *refusal);
