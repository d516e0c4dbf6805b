/* SPDX-License-Identifier: MIT */
/* Turns a request into options of libcurl, each of which libcurl may refuse. */
#include "kt-curl-options.h"

#define MOST_REDIRECTS 5L
#define CA_FILE_TTL    1L            /* seconds; by itself curl would not look at the file again for a day */
#define LINK_BUFFER    (128L * 1024) /* bytes; fewer, larger pieces of packages */

void
kt_curl_check (KtCurlRefusal *refusal, const char *name, CURLcode code)
{
  if (code != CURLE_OK && refusal->name == NULL)
    *refusal = (KtCurlRefusal){ name, curl_easy_strerror (code) };
}

/* As kt_curl_check(), of an option that a libcurl may lack which was built without what it is about: it only makes
 * things faster, or keeps libcurl from what it cannot do then. */
static void
check_optional (KtCurlRefusal *refusal, const char *name, CURLcode code)
{
  if (code != CURLE_NOT_BUILT_IN && code != CURLE_UNKNOWN_OPTION && code != CURLE_UNSUPPORTED_PROTOCOL)
    kt_curl_check (refusal, name, code);
}

#define SET(option, value)          KT_CURL_SET (refusal, easy, option, value)
#define SET_OPTIONAL(option, value) check_optional (refusal, #option, curl_easy_setopt (easy, option, value))

static void
set_link (CURL *easy, const char *url, KtCurlRefusal *refusal)
{
  CURLcode code = curl_easy_setopt (easy, CURLOPT_BUFFERSIZE, LINK_BUFFER);

  SET (CURLOPT_FOLLOWLOCATION, 1L);
  SET (CURLOPT_MAXREDIRS, MOST_REDIRECTS);
  SET (CURLOPT_REDIR_PROTOCOLS_STR, g_ascii_strncasecmp (url, "https:", 6) == 0 ? "https" : "http,https");
  /* a handle that still has the buffer of its last transfer, which was of a link too, takes no other */
  if (code != CURLE_BAD_FUNCTION_ARGUMENT)
    kt_curl_check (refusal, "CURLOPT_BUFFERSIZE", code);
}

static void
set_body (CURL *easy, GBytes *bytes, KtCurlRefusal *refusal)
{
  gsize size;
  const char *body = g_bytes_get_data (bytes, &size);

  SET (CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) size);
  SET (CURLOPT_POSTFIELDS, body);
}

void
kt_curl_set_request (CURL *easy, const KtHttpRequest *request, const KtCurlOptions *options, KtCurlRefusal *refusal)
{
  const gboolean is_https = g_str_has_prefix (request->url, "https:");

  SET (CURLOPT_URL, request->url);
  SET (CURLOPT_USERAGENT, "kootaskfs/" KT_VERSION);
  SET (CURLOPT_NOSIGNAL, 1L);
  SET (CURLOPT_QUICK_EXIT, 1L); /* else a hanging name server blocks the loop at the end */
  /* rather HTTP/2 on one connection than a second one: with TLS that is known after the handshake. Without, curl would
   * know after the first response only, and one slow response would keep all other requests back */
  SET (CURLOPT_PIPEWAIT, (long) is_https);
  /* a request to be sent once has a connection of its own: on a kept one that has died curl would send it again */
  SET (CURLOPT_FRESH_CONNECT, (long) request->once);
  SET_OPTIONAL (CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_2TLS);
  SET (CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
  SET (CURLOPT_PROTOCOLS_STR, "http,https");
  if (request->is_link)
    set_link (easy, request->url, refusal);
  else
    SET (CURLOPT_ACCEPT_ENCODING, "");
  if (options->ca_file != NULL) {
    SET (CURLOPT_CAINFO, options->ca_file);
    SET_OPTIONAL (CURLOPT_CA_CACHE_TIMEOUT, CA_FILE_TTL);
  }
  /* clear text goes straight to whom it is for, whatever names a proxy: it holds the token, or a link that is a secret.
   * Where there is no proxy curl must not look for one in the environment */
  if (is_https && options->proxy != NULL)
    SET (CURLOPT_PROXY, options->proxy);
  else
    SET_OPTIONAL (CURLOPT_PROXY, "");
  if (request->body != NULL)
    set_body (easy, request->body, refusal);
  SET (CURLOPT_CUSTOMREQUEST, request->method);
}
