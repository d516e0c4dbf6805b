/* SPDX-License-Identifier: MIT */
/* The fake transport: exchanges that a test ends by hand, and a log of what was sent. */
#include "kt-fake-transport.h"

#include <string.h>

struct KtExchange {
  char *line;
  GPtrArray *headers;
  char *body;
  const KtHttpRequest *request;
  KtTransportDone done; /* NULL: ended */
  gpointer data;
};

struct KtFakeTransport {
  KtTransport vtable;
  GPtrArray *log; /* KtExchange */
  guint cancelled;
  gboolean freed;
};

static void
exchange_free (gpointer data)
{
  KtExchange *exchange = data;

  g_free (exchange->line);
  g_ptr_array_unref (exchange->headers);
  g_free (exchange->body);
  g_free (exchange);
}

static gpointer
copy_header (gconstpointer header, gpointer data)
{
  return g_strdup (header);
}

static KtExchange *
fake_send (KtTransport *transport, const KtHttpRequest *request, KtTransportDone done, gpointer data)
{
  KtFakeTransport *fake = (KtFakeTransport *) transport;
  KtExchange *exchange = g_new0 (KtExchange, 1);

  exchange->line = g_strconcat (request->method, " ", request->url, NULL);
  exchange->headers = g_ptr_array_copy (request->headers, copy_header, NULL);
  g_ptr_array_set_free_func (exchange->headers, g_free);
  if (request->body != NULL)
    exchange->body = g_strndup (g_bytes_get_data (request->body, NULL), g_bytes_get_size (request->body));
  exchange->request = request;
  exchange->done = done;
  exchange->data = data;
  g_ptr_array_add (fake->log, exchange);
  return exchange;
}

static void
fake_cancel (KtTransport *transport, KtExchange *exchange)
{
  g_assert_true (exchange->done != NULL);
  exchange->done = NULL;
  ((KtFakeTransport *) transport)->cancelled++;
}

static void
fake_free (KtTransport *transport)
{
  KtFakeTransport *fake = (KtFakeTransport *) transport;

  g_assert_cmpuint (kt_fake_transport_pending (fake), ==, 0);
  fake->freed = TRUE;
}

KtFakeTransport *
kt_fake_transport_new (void)
{
  KtFakeTransport *fake = g_new0 (KtFakeTransport, 1);

  fake->vtable = (KtTransport){ fake_send, fake_cancel, fake_free };
  fake->log = g_ptr_array_new_with_free_func (exchange_free);
  return fake;
}

KtTransport *
kt_fake_transport (KtFakeTransport *fake)
{
  return &fake->vtable;
}

void
kt_fake_transport_unref (KtFakeTransport *fake)
{
  g_assert_true (fake->freed);
  g_ptr_array_unref (fake->log);
  g_free (fake);
}

guint
kt_fake_transport_sent (const KtFakeTransport *fake)
{
  return fake->log->len;
}

guint
kt_fake_transport_cancelled (const KtFakeTransport *fake)
{
  return fake->cancelled;
}

guint
kt_fake_transport_pending (const KtFakeTransport *fake)
{
  guint pending = 0;

  for (guint i = 0; i < fake->log->len; i++)
    pending += ((KtExchange *) g_ptr_array_index (fake->log, i))->done != NULL;
  return pending;
}

static KtExchange *
nth (const KtFakeTransport *fake, guint index)
{
  g_assert_cmpuint (index, <, fake->log->len);
  return g_ptr_array_index (fake->log, index);
}

const char *
kt_fake_transport_line (const KtFakeTransport *fake, guint index)
{
  return nth (fake, index)->line;
}

const KtHttpRequest *
kt_fake_transport_request (const KtFakeTransport *fake, guint index)
{
  g_assert_true (nth (fake, index)->done != NULL);
  return nth (fake, index)->request;
}

const char *
kt_fake_transport_header (const KtFakeTransport *fake, guint index, const char *name)
{
  g_autofree char *start = g_strconcat (name, ": ", NULL);
  const GPtrArray *headers = nth (fake, index)->headers;

  for (guint i = 0; i < headers->len; i++)
    if (g_str_has_prefix (g_ptr_array_index (headers, i), start))
      return (const char *) g_ptr_array_index (headers, i) + strlen (start);
  return NULL;
}

const char *
kt_fake_transport_body (const KtFakeTransport *fake, guint index)
{
  return nth (fake, index)->body;
}

static void
finish (KtFakeTransport *fake, guint index, const KtHttpResponse *response, const GError *error)
{
  KtExchange *exchange = nth (fake, index);
  KtTransportDone done = exchange->done;

  g_assert_true (done != NULL);
  exchange->done = NULL;
  done (response, error, exchange->data);
}

void
kt_fake_transport_land (KtFakeTransport *fake, guint index, guint status, const char *body, const char *retry_after)
{
  g_autoptr (GBytes) bytes = g_bytes_new (body, strlen (body));
  KtHttpResponse response = { .status = status, .body = bytes, .headers[KT_HEADER_RETRY_AFTER] = (char *) retry_after };

  finish (fake, index, &response, NULL);
}

void
kt_fake_transport_land_dated (KtFakeTransport *fake, guint index, guint status, const char *body, const char *date)
{
  g_autoptr (GBytes) bytes = g_bytes_new (body, strlen (body));
  KtHttpResponse response = { .status = status, .body = bytes, .headers[KT_HEADER_DATE] = (char *) date };

  finish (fake, index, &response, NULL);
}

void
kt_fake_transport_answer (KtFakeTransport *fake, guint index, const KtHttpResponse *response)
{
  finish (fake, index, response, NULL);
}

gboolean
kt_fake_transport_piece (KtFakeTransport *fake, guint index, const KtHttpResponse *head, gconstpointer bytes,
                         gsize length)
{
  const KtExchange *exchange = nth (fake, index);

  g_assert_true (exchange->done != NULL);
  return exchange->request->sink (head, bytes, length, exchange->request->sink_data);
}

void
kt_fake_transport_fail (KtFakeTransport *fake, guint index, KtErrorCode code)
{
  g_autoptr (GError) error = g_error_new (KT_ERROR, (int) code, "made to fail");

  finish (fake, index, NULL, error);
}
