/* SPDX-License-Identifier: MIT */
#pragma once

#include <curl/curl.h>
#include <glib.h>

/* The error for the transfer of EASY, which ended with CODE. MESSAGE is curl's own, NULL where it may hold a secret;
 * PROXY is the one for https://, or NULL. What is worth another attempt is KT_ERROR_UNREACHABLE or KT_ERROR_BROKEN
 * (kt-retry.h). */
GError *kt_curl_error (CURL *easy, CURLcode code, const char *message, const char *proxy);

/* The error for a response with STATUS of the proxy itself, NULL when it is not the proxy's. */
GError *kt_curl_proxy_error (guint status, const char *proxy);
