/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

/* One HTTP exchange. The vtable has two implementations: curl, and a fake that tests drive by hand. */

/* The headers of a response that somebody reads; the others are not kept. */
typedef enum {
  KT_HEADER_DATE,
  KT_HEADER_RETRY_AFTER,
  KT_HEADER_CONTENT_RANGE,
  KT_HEADER_CONTENT_LENGTH,
  KT_HEADER_ETAG,
  KT_HEADER_LAST_MODIFIED,
  KT_HEADER_LOCATION,
  KT_N_HEADERS,
} KtHeader;

typedef struct {
  guint status;
  GBytes *body;
  char *headers[KT_N_HEADERS]; /* their values, NULL when absent */
} KtHttpResponse;

/* Takes a body piece by piece: HEAD is the response's status and headers, without body. FALSE is enough: the exchange
 * ends as if the body had ended there. It must not begin or cancel an exchange. */
typedef gboolean (*KtHttpSink) (const KtHttpResponse *head, gconstpointer bytes, gsize length, gpointer data);

/* Whether RESPONSE, of a status that might pass by itself, says that it will not. Pure. */
typedef gboolean KtHttpIsFinal (const KtHttpResponse *response);

typedef struct {
  const char *method; /* "GET", "POST"; static */
  const char *call;   /* what it is counted as, NULL for "other"; static */
  char *url;
  GPtrArray *headers;      /* "Name: value" */
  GBytes *body;            /* NULL: none */
  gsize max_response;      /* bytes of body; more is an error */
  gboolean once;           /* it changes something: not to be sent again when nobody knows whether it has arrived */
  KtHttpIsFinal *is_final; /* NULL: the status alone decides on another attempt */
  KtHttpSink sink;         /* NULL: the body is collected */
  gpointer sink_data;
  gboolean is_link; /* URL is a secret and may redirect: see kt_http_client_stream() */
} KtHttpRequest;

/* The exchange has ended: either RESPONSE, of whatever status, or ERROR is set; both belong to the caller. */
typedef void (*KtTransportDone) (const KtHttpResponse *response, const GError *error, gpointer data);

typedef struct KtTransport KtTransport;
typedef struct KtExchange KtExchange;

struct KtTransport {
  /* Starts; never calls DONE before it returns. REQUEST stays unchanged until DONE or cancel. */
  KtExchange *(*send) (KtTransport *transport, const KtHttpRequest *request, KtTransportDone done, gpointer data);
  /* DONE will not be called any more. */
  void (*cancel) (KtTransport *transport, KtExchange *exchange);
  /* No exchange is under way. */
  void (*free) (KtTransport *transport);
};

typedef struct {
  const char *ca_file; /* PEM, or NULL for the system's */
  const char
      *proxy; /* for https://, may hold a password; or NULL for none. Hosts in $no_proxy go without, as curl does */
} KtCurlOptions;

/* HTTP over libcurl's multi interface in the default GMainContext. What is in clear text goes through no proxy.
 * Redirects are not followed, but for links: nothing else is ever sent to a host that was not configured. Fails with
 * KT_ERROR_CONFIG when this libcurl cannot resolve names without blocking, or refuses an option. A request whose
 * option libcurl refuses ends with KT_ERROR_SERVICE, which names the option. */
KtTransport *kt_transport_curl_new (const KtCurlOptions *options, GError **error);
