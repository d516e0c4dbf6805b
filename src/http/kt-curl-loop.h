/* SPDX-License-Identifier: MIT */
#pragma once

#include <curl/curl.h>
#include <glib.h>

/* curl's multi handle, driven by the default GMainContext: curl says which sockets to watch and when to wake it. */
typedef struct KtCurlLoop KtCurlLoop;

#define KT_CURL_IDLE 64 /* connections that are kept */

/* The transfer of EASY has ended with CODE. The callback removes EASY, or stops the loop's other transfers, but does
 * not free the loop. */
typedef void (*KtCurlEnded) (CURL *easy, CURLcode code, gpointer data);

/* NULL and KT_ERROR_CONFIG when libcurl or the system refuses something, which the error names. (transfer full) */
KtCurlLoop *kt_curl_loop_new (KtCurlEnded ended, gpointer data, GError **error);

/* No transfer is under way. */
void kt_curl_loop_free (KtCurlLoop *loop);

/* Begins the transfer of EASY. What curl says to it. */
CURLMcode kt_curl_loop_add (KtCurlLoop *loop, CURL *easy);

/* Ends the transfer of EASY, or forgets one that has ended. */
void kt_curl_loop_remove (KtCurlLoop *loop, CURL *easy);
