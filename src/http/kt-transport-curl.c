/* SPDX-License-Identifier: MIT */
/* HTTP by libcurl in the main loop. */
#include "kt-transport.h"

#include "base/kt-error.h"
#include "base/kt-log.h"
#include "kt-curl-error.h"
#include "kt-curl-loop.h"
#include "kt-curl-options.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  KtTransport vtable;
  KtCurlLoop *loop;
  GQueue idle;           /* CURL handles to use again */
  KtCurlOptions options; /* its strings are ours */
  char *proxy_password;  /* NULL: none */
} CurlTransport;

struct KtExchange {
  CurlTransport *transport;
  CURL *easy;
  struct curl_slist *headers;
  const KtHttpRequest *request;
  GByteArray *body;
  char *response_headers[KT_N_HEADERS];
  gsize header_bytes; /* of the response under way: those before were a redirect's, or a proxy's */
  gboolean too_large;
  gboolean enough; /* says the sink */
  KtCurlRefusal refusal;
  GSource *end; /* of a transfer that libcurl has refused */
  char message[CURL_ERROR_SIZE];
  KtTransportDone done;
  gpointer data;
};

#define MOST_HEADER_BYTES 65536u /* of one response; curl has a limit of its own for each line */

static const char *const header_names[KT_N_HEADERS] = {
  [KT_HEADER_DATE] = "date",
  [KT_HEADER_RETRY_AFTER] = "retry-after",
  [KT_HEADER_CONTENT_RANGE] = "content-range",
  [KT_HEADER_CONTENT_LENGTH] = "content-length",
  [KT_HEADER_ETAG] = "etag",
  [KT_HEADER_LAST_MODIFIED] = "last-modified",
  [KT_HEADER_LOCATION] = "location",
};

static void
headers_clear (char **headers)
{
  for (int i = 0; i < KT_N_HEADERS; i++)
    g_clear_pointer (&headers[i], g_free);
}

static void
exchange_free (KtExchange *exchange)
{
  CurlTransport *transport = exchange->transport;

  if (exchange->end == NULL)
    kt_curl_loop_remove (transport->loop, exchange->easy);
  else
    g_source_destroy (exchange->end);
  g_clear_pointer (&exchange->end, g_source_unref);
  curl_slist_free_all (exchange->headers);
  if (g_queue_get_length (&transport->idle) < KT_CURL_IDLE) {
    curl_easy_reset (exchange->easy);
    g_queue_push_head (&transport->idle, exchange->easy);
  } else {
    curl_easy_cleanup (exchange->easy);
  }
  g_byte_array_unref (exchange->body);
  headers_clear (exchange->response_headers);
  g_free (exchange);
}

/* Why there is nothing to trust; curl names the file at most. */
static GError *
trust_error (const char *ca_file)
{
  int fd;
  char byte;
  const char *reason = "holds no certificate in PEM";

  if (ca_file == NULL)
    return g_error_new (KT_ERROR, KT_ERROR_TLS, "no CA certificates in %s: install the package ca-certificates",
                        curl_version_info (CURLVERSION_NOW)->cainfo);
  if ((fd = open (ca_file, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) < 0 || read (fd, &byte, 1) < 0)
    reason = g_strerror (errno);
  if (fd >= 0)
    close (fd);
  return g_error_new (KT_ERROR, KT_ERROR_TLS, "ca-file %s: %s", ca_file, reason);
}

/* Why the exchange, which ended with CODE, brings no response; NULL when it does. */
static GError *
error_of (const KtExchange *exchange, CURLcode code)
{
  const KtHttpRequest *request = exchange->request;
  const char *proxy = exchange->transport->options.proxy;
  long status = 0;

  if (exchange->refusal.name != NULL)
    return g_error_new (KT_ERROR, KT_ERROR_SERVICE, "libcurl refuses %s: %s", exchange->refusal.name,
                        exchange->refusal.why);
  if (exchange->too_large)
    return g_error_new (KT_ERROR, KT_ERROR_TOO_LARGE,
                        "the answer is larger than max-response (%" G_GSIZE_FORMAT " bytes)", request->max_response);
  if (exchange->header_bytes > MOST_HEADER_BYTES)
    return g_error_new (KT_ERROR, KT_ERROR_BAD_ANSWER, "the answer's headers are too large (more than %u bytes)",
                        MOST_HEADER_BYTES);
  if (code == CURLE_SSL_CACERT_BADFILE)
    return trust_error (exchange->transport->options.ca_file);
  if (code != CURLE_OK && !exchange->enough) /* curl's own message may quote the URL */
    return kt_curl_error (exchange->easy, code, request->is_link ? NULL : exchange->message, proxy);
  curl_easy_getinfo (exchange->easy, CURLINFO_RESPONSE_CODE, &status);
  return kt_curl_proxy_error ((guint) status, proxy);
}

static void
exchange_finish (KtExchange *exchange, CURLcode code)
{
  KtTransportDone done = exchange->done;
  gpointer data = exchange->data;
  g_autoptr (GError) error = error_of (exchange, code);
  KtHttpResponse response = { 0 };
  g_autoptr (GBytes) body = NULL;

  if (error == NULL) {
    long status = 0;
    curl_easy_getinfo (exchange->easy, CURLINFO_RESPONSE_CODE, &status);
    response.status = (guint) status;
    response.body = body = g_byte_array_free_to_bytes (g_steal_pointer (&exchange->body));
    memcpy (response.headers, exchange->response_headers, sizeof (response.headers));
    memset (exchange->response_headers, 0, sizeof (response.headers));
    exchange->body = g_byte_array_new ();
  }
  exchange_free (exchange); /* before the callback, which may start the next one on the same handle */
  done (error == NULL ? &response : NULL, error, data);
  headers_clear (response.headers);
}

static void
on_ended (CURL *easy, CURLcode code, gpointer data)
{
  KtExchange *exchange = NULL;

  curl_easy_getinfo (easy, CURLINFO_PRIVATE, &exchange);
  exchange_finish (exchange, code);
}

/* What the sink takes of a body; less ends the transfer. */
static size_t
pour (KtExchange *exchange, const char *bytes, size_t length)
{
  const KtHttpRequest *request = exchange->request;
  KtHttpResponse head = { 0 };
  long status = 0;

  curl_easy_getinfo (exchange->easy, CURLINFO_RESPONSE_CODE, &status);
  head.status = (guint) status;
  memcpy (head.headers, exchange->response_headers, sizeof (head.headers));
  exchange->enough = !request->sink (&head, bytes, length, request->sink_data);
  return exchange->enough ? 0 : length;
}

static size_t
on_body (char *bytes, size_t size, size_t count, void *data)
{
  KtExchange *exchange = data;

  if (exchange->request->sink != NULL)
    return pour (exchange, bytes, size * count);
  if (exchange->body->len + size * count > exchange->request->max_response) {
    exchange->too_large = TRUE;
    return 0; /* ends the transfer */
  }
  g_byte_array_append (exchange->body, (const guint8 *) bytes, (guint) (size * count));
  return size * count;
}

static size_t
on_header (char *bytes, size_t size, size_t count, void *data)
{
  KtExchange *exchange = data;
  gsize length = size * count;

  if (length > 5 && memcmp (bytes, "HTTP/", 5) == 0) {
    headers_clear (exchange->response_headers);
    exchange->header_bytes = 0;
  }
  exchange->header_bytes += length;
  if (exchange->header_bytes > MOST_HEADER_BYTES)
    return 0; /* ends the transfer */
  for (int i = 0; i < KT_N_HEADERS; i++) {
    gsize name = strlen (header_names[i]);
    if (length > name && bytes[name] == ':' && g_ascii_strncasecmp (bytes, header_names[i], name) == 0) {
      g_free (exchange->response_headers[i]);
      exchange->response_headers[i] = g_strstrip (g_strndup (bytes + name + 1, length - name - 1));
    }
  }
  return length;
}

static void
set_options (KtExchange *exchange)
{
  CURL *easy = exchange->easy;
  KtCurlRefusal *refusal = &exchange->refusal;

  KT_CURL_SET (refusal, easy, CURLOPT_PRIVATE, exchange);
  KT_CURL_SET (refusal, easy, CURLOPT_HTTPHEADER, exchange->headers);
  KT_CURL_SET (refusal, easy, CURLOPT_ERRORBUFFER, exchange->message);
  KT_CURL_SET (refusal, easy, CURLOPT_WRITEFUNCTION, on_body);
  KT_CURL_SET (refusal, easy, CURLOPT_WRITEDATA, exchange);
  KT_CURL_SET (refusal, easy, CURLOPT_HEADERFUNCTION, on_header);
  KT_CURL_SET (refusal, easy, CURLOPT_HEADERDATA, exchange);
  kt_curl_set_request (easy, exchange->request, &exchange->transport->options, refusal);
}

static gboolean
on_refused (gpointer data)
{
  exchange_finish (data, CURLE_OK);
  return G_SOURCE_REMOVE;
}

/* What libcurl has refused ends in the next turn of the loop: DONE is never called before the start returns. */
static void
refuse_later (KtExchange *exchange)
{
  exchange->end = g_idle_source_new ();
  g_source_set_priority (exchange->end, G_PRIORITY_DEFAULT);
  g_source_set_callback (exchange->end, on_refused, exchange, NULL);
  g_source_attach (exchange->end, NULL);
}

/* FALSE: libcurl has refused it. */
static gboolean
try_begin (KtExchange *exchange)
{
  CurlTransport *transport = exchange->transport;
  CURLMcode code;

  set_options (exchange);
  if (exchange->refusal.name != NULL)
    return FALSE;
  code = kt_curl_loop_add (transport->loop, exchange->easy);
  if (code != CURLM_OK)
    exchange->refusal = (KtCurlRefusal){ "curl_multi_add_handle", curl_multi_strerror (code) };
  return code == CURLM_OK;
}

static KtExchange *
curl_begin (KtTransport *vtable, const KtHttpRequest *request, KtTransportDone done, gpointer data)
{
  CurlTransport *transport = (CurlTransport *) vtable;
  KtExchange *exchange = g_new0 (KtExchange, 1);

  exchange->transport = transport;
  exchange->request = request;
  exchange->done = done;
  exchange->data = data;
  exchange->body = g_byte_array_new ();
  exchange->easy = g_queue_pop_head (&transport->idle);
  if (exchange->easy == NULL)
    exchange->easy = curl_easy_init ();
  g_assert (exchange->easy != NULL); /* as GLib does when memory is out */
  for (guint i = 0; i < request->headers->len; i++) {
    exchange->headers = curl_slist_append (exchange->headers, g_ptr_array_index (request->headers, i));
    g_assert (exchange->headers != NULL);
  }
  if (!try_begin (exchange))
    refuse_later (exchange);
  return exchange;
}

static void
curl_abort (KtTransport *vtable, KtExchange *exchange)
{
  exchange_free (exchange);
}

static void
curl_dispose (KtTransport *vtable)
{
  CurlTransport *transport = (CurlTransport *) vtable;
  CURL *easy;

  while ((easy = g_queue_pop_head (&transport->idle)) != NULL)
    curl_easy_cleanup (easy);
  kt_curl_loop_free (transport->loop);
  kt_log_release_secret (transport->proxy_password);
  kt_secret_free (transport->proxy_password);
  g_free ((char *) transport->options.ca_file);
  g_free ((char *) transport->options.proxy);
  g_free (transport);
  curl_global_cleanup ();
}

/* The password in the URL PROXY, NULL when there is none. (transfer full) */
static char *
password_of (const char *proxy)
{
  const char *scheme_end = proxy != NULL ? strstr (proxy, "://") : NULL;
  const char *user = scheme_end != NULL ? scheme_end + strlen ("://") : proxy;
  const char *host = user != NULL ? strrchr (user, '@') : NULL;
  const char *password = host != NULL ? strchr (user, ':') : NULL;

  return password != NULL && password < host ? g_strndup (password + 1, (gsize) (host - password - 1)) : NULL;
}

KtTransport *
kt_transport_curl_new (const KtCurlOptions *options, GError **error)
{
  const curl_version_info_data *version = curl_version_info (CURLVERSION_NOW);
  CurlTransport *transport;
  CURLcode code;

  if ((version->features & CURL_VERSION_ASYNCHDNS) == 0) {
    g_set_error (error, KT_ERROR, KT_ERROR_CONFIG,
                 "libcurl %s resolves names synchronously: a build with an asynchronous resolver is needed",
                 version->version);
    return NULL;
  }
  code = curl_global_init (CURL_GLOBAL_DEFAULT);
  if (code != CURLE_OK) {
    g_set_error (error, KT_ERROR, KT_ERROR_CONFIG, "libcurl %s: %s", version->version, curl_easy_strerror (code));
    return NULL;
  }
  transport = g_new0 (CurlTransport, 1);
  transport->vtable = (KtTransport){ .send = curl_begin, .cancel = curl_abort, .free = curl_dispose };
  transport->options.ca_file = g_strdup (options->ca_file);
  transport->options.proxy = g_strdup (options->proxy);
  transport->proxy_password = password_of (options->proxy);
  kt_log_hold_secret (transport->proxy_password);
  transport->loop = kt_curl_loop_new (on_ended, transport, error);
  if (transport->loop == NULL) {
    curl_dispose (&transport->vtable);
    return NULL;
  }
  return &transport->vtable;
}
