/* SPDX-License-Identifier: MIT */
/* libcurl driven by the main loop: curl tells which sockets to watch and when to wake it. The sockets are in one epoll
 * set, and that and the time are one GSource: a turn of the loop costs the same with one connection and with a hundred.
 * Each wake-up ends by collecting the transfers that are through. Only this file,
 * kt-curl-error.h and kt-http-date.c see curl.h. */
#include "kt-transport.h"

#include "base/kt-error.h"
#include "kt-curl-error.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

typedef struct {
  KtTransport vtable;
  CURLM *multi;
  int sockets; /* epoll set */
  GSource *source;
  GQueue idle; /* CURL handles to use again */
  char *ca_file;
  char *proxy;
} CurlTransport;

struct KtExchange {
  CurlTransport *transport;
  CURL *easy;
  struct curl_slist *headers;
  const KtHttpRequest *request;
  GByteArray *body;
  char *response_headers[KT_N_HEADERS];
  gsize header_bytes; /* of the answer under way: those before were a redirect's, or a proxy's */
  gboolean too_large;
  gboolean enough; /* says the sink */
  char message[CURL_ERROR_SIZE];
  KtTransportDone done;
  gpointer data;
};

#define IDLE_HANDLES      64
#define SOCKETS_PER_TURN  64 /* then the other sources of the loop have theirs */
#define MOST_REDIRECTS    5L
#define MOST_HEADER_BYTES 65536u        /* of one answer; curl has a limit of its own for each line */
#define CA_FILE_LIFE      1L            /* seconds; by itself curl would not look at the file again for a day */
#define LINK_BUFFER       (128L * 1024) /* bytes; fewer, larger pieces of packages */

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

  curl_multi_remove_handle (transport->multi, exchange->easy);
  curl_slist_free_all (exchange->headers);
  if (g_queue_get_length (&transport->idle) < IDLE_HANDLES) {
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

/* Why the exchange, which ended with CODE, brings no answer; NULL when it does. */
static GError *
error_of (const KtExchange *exchange, CURLcode code)
{
  const KtHttpRequest *request = exchange->request;
  const char *proxy = exchange->transport->proxy;
  long status = 0;

  if (exchange->too_large)
    return g_error_new (KT_ERROR, KT_ERROR_TOO_LARGE,
                        "the answer is larger than max-response (%" G_GSIZE_FORMAT " bytes)", request->max_response);
  if (exchange->header_bytes > MOST_HEADER_BYTES)
    return g_error_new (KT_ERROR, KT_ERROR_BAD_ANSWER, "the answer's headers are too large (more than %u bytes)",
                        MOST_HEADER_BYTES);
  if (code == CURLE_SSL_CACERT_BADFILE)
    return trust_error (exchange->transport->ca_file);
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
collect (CurlTransport *transport)
{
  CURLMsg *message;
  int left;

  while ((message = curl_multi_info_read (transport->multi, &left)) != NULL) {
    KtExchange *exchange = NULL;
    if (message->msg != CURLMSG_DONE)
      continue;
    CURLcode code = message->data.result; /* the message is gone once its handle is removed */
    curl_easy_getinfo (message->easy_handle, CURLINFO_PRIVATE, &exchange);
    exchange_finish (exchange, code);
  }
}

static int
select_mask (guint32 events)
{
  return (events & EPOLLIN ? CURL_CSELECT_IN : 0) | (events & EPOLLOUT ? CURL_CSELECT_OUT : 0)
         | (events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
}

static gboolean
dispatch (GSource *source, GSourceFunc callback, gpointer data)
{
  CurlTransport *transport = data;
  gint64 wake = g_source_get_ready_time (source);
  struct epoll_event ready[SOCKETS_PER_TURN];
  int count, running;

  if (wake >= 0 && wake <= g_source_get_time (source)) {
    g_source_set_ready_time (source, -1);
    curl_multi_socket_action (transport->multi, CURL_SOCKET_TIMEOUT, 0, &running);
  }
  count = epoll_wait (transport->sockets, ready, SOCKETS_PER_TURN, 0);
  for (int i = 0; i < count; i++)
    curl_multi_socket_action (transport->multi, ready[i].data.fd, select_mask (ready[i].events), &running);
  collect (transport);
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs source_funcs = { .dispatch = dispatch };

/* SOCKET_DATA is not NULL when the socket is in the set. */
static int
on_socket (CURL *easy, curl_socket_t fd, int what, void *data, void *socket_data)
{
  CurlTransport *transport = data;
  struct epoll_event event = {
    .events = (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u),
    .data.fd = fd,
  };

  if (what == CURL_POLL_REMOVE)
    epoll_ctl (transport->sockets, EPOLL_CTL_DEL, fd, NULL);
  else if (epoll_ctl (transport->sockets, socket_data != NULL ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) != 0)
    g_warning ("cannot watch a connection: %s", g_strerror (errno));
  curl_multi_assign (transport->multi, fd, what == CURL_POLL_REMOVE ? NULL : transport);
  return 0;
}

static int
on_timer (CURLM *multi, long timeout_ms, void *data)
{
  CurlTransport *transport = data;

  g_source_set_ready_time (transport->source, timeout_ms < 0 ? -1 : g_get_monotonic_time () + timeout_ms * 1000);
  return 0;
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
set_link_options (CURL *easy, const char *url)
{
  curl_easy_setopt (easy, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt (easy, CURLOPT_MAXREDIRS, MOST_REDIRECTS);
  curl_easy_setopt (easy, CURLOPT_REDIR_PROTOCOLS_STR,
                    g_ascii_strncasecmp (url, "https:", 6) == 0 ? "https" : "http,https");
  curl_easy_setopt (easy, CURLOPT_BUFFERSIZE, LINK_BUFFER);
}

static void
set_options (KtExchange *exchange)
{
  const CurlTransport *transport = exchange->transport;
  const KtHttpRequest *request = exchange->request;
  CURL *easy = exchange->easy;

  curl_easy_setopt (easy, CURLOPT_PRIVATE, exchange);
  curl_easy_setopt (easy, CURLOPT_URL, request->url);
  curl_easy_setopt (easy, CURLOPT_HTTPHEADER, exchange->headers);
  curl_easy_setopt (easy, CURLOPT_ERRORBUFFER, exchange->message);
  curl_easy_setopt (easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt (easy, CURLOPT_WRITEDATA, exchange);
  curl_easy_setopt (easy, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt (easy, CURLOPT_HEADERDATA, exchange);
  curl_easy_setopt (easy, CURLOPT_USERAGENT, "kootaskfs/" KT_VERSION);
  curl_easy_setopt (easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt (easy, CURLOPT_QUICK_EXIT, 1L); /* else a hanging name server blocks the loop at the end */
  /* rather HTTP/2 on one connection than a second one: with TLS that is known after the handshake. Without, curl would
   * know after the first answer only, and one slow answer would keep all other requests back */
  curl_easy_setopt (easy, CURLOPT_PIPEWAIT, (long) g_str_has_prefix (request->url, "https:"));
  /* a request to be sent once has a connection of its own: on a kept one that has died curl would send it again */
  curl_easy_setopt (easy, CURLOPT_FRESH_CONNECT, (long) request->once);
  curl_easy_setopt (easy, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_2TLS);
  curl_easy_setopt (easy, CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
  curl_easy_setopt (easy, CURLOPT_PROTOCOLS_STR, "http,https");
  if (request->is_link)
    set_link_options (easy, request->url);
  else
    curl_easy_setopt (easy, CURLOPT_ACCEPT_ENCODING, "");
  if (transport->ca_file != NULL) {
    curl_easy_setopt (easy, CURLOPT_CAINFO, transport->ca_file);
    curl_easy_setopt (easy, CURLOPT_CA_CACHE_TIMEOUT, CA_FILE_LIFE);
  }
  /* clear text goes straight to whom it is for, whatever names a proxy: it holds the token, or a link that is a secret */
  if (!g_str_has_prefix (request->url, "https:"))
    curl_easy_setopt (easy, CURLOPT_PROXY, "");
  else if (transport->proxy != NULL)
    curl_easy_setopt (easy, CURLOPT_PROXY, transport->proxy);
  if (request->body != NULL) {
    gsize size;
    const char *body = g_bytes_get_data (request->body, &size);
    curl_easy_setopt (easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) size);
    curl_easy_setopt (easy, CURLOPT_POSTFIELDS, body);
  }
  curl_easy_setopt (easy, CURLOPT_CUSTOMREQUEST, request->method);
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
  for (guint i = 0; i < request->headers->len; i++)
    exchange->headers = curl_slist_append (exchange->headers, g_ptr_array_index (request->headers, i));
  set_options (exchange);
  curl_multi_add_handle (transport->multi, exchange->easy);
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
  curl_multi_cleanup (transport->multi);
  g_source_destroy (transport->source);
  g_source_unref (transport->source);
  close (transport->sockets);
  g_free (transport->ca_file);
  g_free (transport->proxy);
  g_free (transport);
  curl_global_cleanup ();
}

const char *
kt_transport_environment_proxy (void)
{
  static const char *const names[] = { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    const char *proxy = g_getenv (names[i]);
    if (proxy != NULL && proxy[0] != '\0')
      return proxy;
  }
  return NULL;
}

KtTransport *
kt_transport_curl_new (const KtCurlOptions *options, GError **error)
{
  CurlTransport *transport;

  if ((curl_version_info (CURLVERSION_NOW)->features & CURL_VERSION_ASYNCHDNS) == 0) {
    g_set_error (error, KT_ERROR, KT_ERROR_CONFIG,
                 "libcurl %s resolves names synchronously: a build with an "
                 "asynchronous resolver is needed",
                 curl_version_info (CURLVERSION_NOW)->version);
    return NULL;
  }
  curl_global_init (CURL_GLOBAL_DEFAULT);
  transport = g_new0 (CurlTransport, 1);
  transport->vtable = (KtTransport){ .send = curl_begin, .cancel = curl_abort, .free = curl_dispose };
  transport->ca_file = g_strdup (options->ca_file);
  transport->proxy = g_strdup (options->proxy);
  transport->sockets = epoll_create1 (EPOLL_CLOEXEC);
  transport->source = g_source_new (&source_funcs, sizeof (GSource));
  g_source_set_callback (transport->source, NULL, transport, NULL);
  g_source_add_unix_fd (transport->source, transport->sockets, G_IO_IN);
  g_source_attach (transport->source, NULL);

  transport->multi = curl_multi_init ();
  curl_multi_setopt (transport->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt (transport->multi, CURLMOPT_SOCKETDATA, transport);
  curl_multi_setopt (transport->multi, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt (transport->multi, CURLMOPT_TIMERDATA, transport);
  /* by itself curl keeps four idle connections for each transfer under way, and closes them when a rush is over */
  curl_multi_setopt (transport->multi, CURLMOPT_MAXCONNECTS, (long) IDLE_HANDLES);
  curl_multi_setopt (transport->multi, CURLMOPT_PIPELINING, (long) CURLPIPE_MULTIPLEX);
  return &transport->vtable;
}
