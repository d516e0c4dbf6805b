/* SPDX-License-Identifier: MIT */
/* Maps curl's failures to errors. */
#include "kt-curl-error.h"

#include "base/kt-error.h"
#include "kt-retry.h"

#include <string.h>

#define PROXY_WANTS_SIGN_IN 407
#define TOO_LARGE           ((CURLcode) 100) /* CURLE_TOO_LARGE of curl 8.6 */

/* Not a switch with every CURLcode: they grow with each libcurl. What is not here is KT_ERROR_SERVICE, not tried again.
 * A text replaces curl's where that misleads. */
static const struct {
  CURLcode curl;
  KtErrorCode kt;
  const char *text;
} errors[] = {
  { CURLE_COULDNT_RESOLVE_PROXY, KT_ERROR_UNREACHABLE, NULL },
  { CURLE_COULDNT_RESOLVE_HOST, KT_ERROR_UNREACHABLE, NULL },
  { CURLE_COULDNT_CONNECT, KT_ERROR_UNREACHABLE, NULL },
  { CURLE_OPERATION_TIMEDOUT, KT_ERROR_TIMED_OUT, NULL },
  { CURLE_SEND_ERROR, KT_ERROR_BROKEN, NULL },
  { CURLE_RECV_ERROR, KT_ERROR_BROKEN, NULL },
  { CURLE_GOT_NOTHING, KT_ERROR_BROKEN, NULL },
  { CURLE_PARTIAL_FILE, KT_ERROR_BROKEN, NULL },
  { CURLE_HTTP2, KT_ERROR_BROKEN, NULL },
  { CURLE_HTTP2_STREAM, KT_ERROR_BROKEN, NULL },
  { CURLE_SSL_CONNECT_ERROR, KT_ERROR_TLS, NULL },
  { CURLE_PEER_FAILED_VERIFICATION, KT_ERROR_TLS, NULL },
  { CURLE_SSL_CERTPROBLEM, KT_ERROR_TLS, NULL },
  { CURLE_SSL_CIPHER, KT_ERROR_TLS, NULL },
  { CURLE_SSL_CACERT_BADFILE, KT_ERROR_TLS, NULL },
  { CURLE_SSL_ISSUER_ERROR, KT_ERROR_TLS, NULL },
  { CURLE_SSL_INVALIDCERTSTATUS, KT_ERROR_TLS, NULL },
  { CURLE_URL_MALFORMAT, KT_ERROR_BAD_ANSWER, NULL },
  { CURLE_UNSUPPORTED_PROTOCOL, KT_ERROR_BAD_ANSWER, NULL },
  { CURLE_WEIRD_SERVER_REPLY, KT_ERROR_BAD_ANSWER, NULL },
  { CURLE_TOO_MANY_REDIRECTS, KT_ERROR_BAD_ANSWER, NULL },
  { CURLE_BAD_CONTENT_ENCODING, KT_ERROR_BAD_ANSWER, NULL },
  /* memory that is really out ends the process before */
  { CURLE_OUT_OF_MEMORY, KT_ERROR_BAD_ANSWER, "the answer's headers are too large" },
  { TOO_LARGE, KT_ERROR_BAD_ANSWER, "the answer's headers are too large" },
};

/* Host and port of the proxy, without user and password. (transfer full) */
static char *
name_of (const char *proxy)
{
  const char *url = proxy != NULL ? proxy : "?";
  const char *scheme_end = strstr (url, "://");
  const char *host = scheme_end != NULL ? scheme_end + strlen ("://") : url;

  if (strrchr (host, '@') != NULL)
    host = strrchr (host, '@') + 1;
  return g_strndup (host, strcspn (host, "/"));
}

GError *
kt_curl_proxy_error (guint status, const char *proxy)
{
  g_autofree char *name = NULL;

  if (status != PROXY_WANTS_SIGN_IN)
    return NULL;
  name = name_of (proxy);
  return g_error_new (KT_ERROR, KT_ERROR_PROXY, "the proxy %s wants proxy authentication (HTTP %u)", name, status);
}

/* The proxy's response to a CONNECT has STATUS, not a good one. */
static GError *
connect_error (guint status, const char *proxy)
{
  GError *error = kt_curl_proxy_error (status, proxy);
  KtErrorCode kt = kt_retry_is_passing (status) ? KT_ERROR_BROKEN : KT_ERROR_PROXY;
  g_autofree char *name = name_of (proxy);

  return error != NULL ? error
                       : g_error_new (KT_ERROR, (int) kt, "the proxy %s refuses to connect: HTTP %u", name, status);
}

GError *
kt_curl_error (CURL *easy, CURLcode code, const char *message, const char *proxy)
{
  KtErrorCode kt = KT_ERROR_SERVICE;
  const char *text = message != NULL && message[0] != '\0' ? message : curl_easy_strerror (code);
  long status = 0;

  curl_easy_getinfo (easy, CURLINFO_HTTP_CONNECTCODE, &status);
  if (status != 0 && status / 100 != 2)
    return connect_error ((guint) status, proxy);
  if (strstr (text, "proxy") != NULL && strchr (text, '\'') != NULL) /* curl quotes its URL, with the password */
    return g_error_new_literal (KT_ERROR, KT_ERROR_PROXY, "the proxy's URL is none that can be used");
  if (code == CURLE_PROXY) {
    g_autofree char *name = name_of (proxy);
    return g_error_new (KT_ERROR, KT_ERROR_PROXY, "the proxy %s refuses to connect: %s", name, text);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (errors); i++) {
    if (errors[i].curl == code) {
      kt = errors[i].kt;
      text = errors[i].text != NULL ? errors[i].text : text;
    }
  }
  return g_error_new (KT_ERROR, (int) kt, "%s", text);
}
