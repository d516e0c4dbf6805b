/* SPDX-License-Identifier: MIT */
/* Queues requests, limits them, sends them again and ends them at their deadline. */
#include "kt-http-client.h"

#include "base/kt-error.h"
#include "base/kt-log.h"
#include "base/kt-units.h"
#include "kt-http-count.h"
#include "kt-retry.h"

/* A request is in one of three places: in the queue (link), with the transport (exchange), or waiting for its next
 * attempt (retry). Its deadline runs through all of them. */
typedef struct {
  KtHttpClient *client;
  KtHttpRequest http;
  KtHttpPrepare prepare;
  KtHttpDone done;
  gpointer data;
  KtHttpSink sink; /* of a link, else NULL */
  KtUsec deadline;
  KtUsec stall_timeout; /* each piece for SINK puts the deadline off to so much later */
  guint attempts;
  GList link; /* KtHttpClient.queue */
  GList all;  /* KtHttpClient.requests */
  gboolean queued;
  KtExchange *exchange;
  KtTimer *retry;
  gboolean is_throttled; /* the service asked to wait for the retry */
  KtTimer *expiry;
  KtUsec since_at; /* when it came to where it is */
} Request;

struct KtHttpClient {
  KtClock *clock;
  KtTransport *transport;
  KtHttpLimits limits;
  GQueue requests;
  GQueue queue;
  guint active;
  KtUsec next_start_at; /* rate: no request before this time */
  KtTimer *rate_timer;
  KtUsec ready_at; /* see kt_http_client_ready_at() */
  KtHttpCount *count;
};

static void pump (KtHttpClient *client);
static void on_exchange (const KtHttpResponse *response, const GError *error, gpointer data);

/* How long REQUEST has been where it is; from now on it is somewhere else. */
static KtUsec
move_on (Request *request)
{
  KtUsec since_at = request->since_at;

  request->since_at = kt_clock_monotonic (request->client->clock);
  return request->since_at - since_at;
}

static void
request_leave (Request *request)
{
  KtHttpClient *client = request->client;
  KtUsec duration = move_on (request);

  if (request->retry != NULL && request->is_throttled)
    kt_http_count_held (client->count, KT_HELD_BY_SERVICE, duration);
  kt_clock_stop (client->clock, &request->retry);
  if (request->queued) {
    kt_http_count_held (client->count, KT_HELD_BY_LIMIT, duration);
    g_queue_unlink (&client->queue, &request->link);
  }
  request->queued = FALSE;
  if (request->exchange != NULL) {
    kt_http_count_exchange (client->count, request->http.call, NULL, duration);
    client->transport->cancel (client->transport, g_steal_pointer (&request->exchange));
    client->active--;
  }
}

/* The one end of a request. */
static void
request_finish (Request *request, const KtHttpResponse *response, const GError *error)
{
  KtHttpClient *client = request->client;

  request_leave (request);
  kt_clock_stop (client->clock, &request->expiry);
  g_queue_unlink (&client->requests, &request->all);
  request->done (response, error, request->data);
  kt_secret_free (request->http.url);
  g_clear_pointer (&request->http.body, g_bytes_unref);
  g_ptr_array_unref (request->http.headers);
  g_free (request);
}

static void
on_expiry (gpointer data)
{
  Request *request = data;
  KtHttpClient *client = request->client;
  g_autoptr (GError) error = g_error_new (KT_ERROR, KT_ERROR_TIMED_OUT, "no answer before the deadline (%s)",
                                          request->queued             ? "still waiting in line"
                                          : request->exchange != NULL ? "asked"
                                                                      : "between two attempts");

  request->expiry = NULL;
  if (kt_clock_monotonic (client->clock) < request->deadline) { /* it was put off */
    request->expiry = kt_clock_start (client->clock, request->deadline, on_expiry, request);
    return;
  }
  request_finish (request, NULL, error);
  pump (client);
}

static void
request_enqueue (Request *request)
{
  request->queued = TRUE;
  request->since_at = kt_clock_monotonic (request->client->clock);
  g_queue_push_tail_link (&request->client->queue, &request->link);
  pump (request->client);
}

static void
on_retry (gpointer data)
{
  Request *request = data;
  KtUsec duration = move_on (request);

  request->retry = NULL;
  if (request->is_throttled)
    kt_http_count_held (request->client->count, KT_HELD_BY_SERVICE, duration);
  request_enqueue (request);
}

static void
on_exchange (const KtHttpResponse *response, const GError *error, gpointer data)
{
  Request *request = data;
  KtHttpClient *client = request->client;
  KtUsec now = kt_clock_monotonic (client->clock);
  KtAttempt attempt = {
    .attempt = request->attempts,
    .status = response != NULL ? response->status : 0,
    .error = error,
    .retry_after = response != NULL ? response->headers[KT_HEADER_RETRY_AFTER] : NULL,
    .now_wall = kt_clock_wall (client->clock),
    .now = now,
    .deadline = request->deadline,
    .jitter = g_random_double (),
  };
  const KtUsec asked = kt_retry_asked (&attempt);
  KtUsec delay = request->http.once ? KT_RETRY_NO : kt_retry_delay (&attempt);

  if (delay != KT_RETRY_NO && response != NULL && request->http.is_final != NULL && request->http.is_final (response))
    delay = KT_RETRY_NO;
  kt_http_count_exchange (client->count, request->http.call, response, move_on (request));
  if (asked != KT_RETRY_NO)
    client->ready_at = MAX (client->ready_at, now + MIN (asked, KT_HTTP_LEFT_ALONE_MAX));
  request->exchange = NULL;
  client->active--;
  if (delay == KT_RETRY_NO) {
    request_finish (request, response, error);
  } else {
    kt_http_count_retry (client->count);
    request->is_throttled =
        response != NULL && (response->status == 429 || response->headers[KT_HEADER_RETRY_AFTER] != NULL);
    request->retry = kt_clock_start (client->clock, now + delay, on_retry, request);
  }
  pump (client);
}

static gboolean
on_piece (const KtHttpResponse *head, gconstpointer bytes, gsize length, gpointer data)
{
  Request *request = data;

  request->deadline = kt_time_add (kt_clock_monotonic (request->client->clock), request->stall_timeout);
  return request->sink (head, bytes, length, request->data);
}

static void
request_start (Request *request)
{
  KtHttpClient *client = request->client;

  kt_http_count_held (client->count, KT_HELD_BY_LIMIT, move_on (request));
  request->queued = FALSE;
  request->attempts++;
  client->active++;
  g_ptr_array_set_size (request->http.headers, 0);
  request->prepare (&request->http, request->data);
  request->exchange = client->transport->send (client->transport, &request->http, on_exchange, request);
}

static void
on_rate (gpointer data)
{
  KtHttpClient *client = data;

  client->rate_timer = NULL;
  pump (client);
}

/* Starts what may start. */
static void
pump (KtHttpClient *client)
{
  while (client->active < client->limits.concurrency && !g_queue_is_empty (&client->queue)) {
    if (client->limits.rate > 0) {
      KtUsec now = kt_clock_monotonic (client->clock);
      if (now < client->next_start_at) {
        if (client->rate_timer == NULL)
          client->rate_timer = kt_clock_start (client->clock, client->next_start_at, on_rate, client);
        return;
      }
      client->next_start_at = MAX (now, client->next_start_at) + KT_SECOND / client->limits.rate;
    }
    request_start (g_queue_pop_head_link (&client->queue)->data);
  }
}

static Request *
request_new (KtHttpClient *client, const char *method, const char *url, KtUsec deadline, KtHttpPrepare prepare,
             KtHttpDone done, gpointer data)
{
  Request *request = g_new0 (Request, 1);

  request->client = client;
  request->http.method = method;
  request->http.url = g_strdup (url);
  request->http.headers = g_ptr_array_new_with_free_func ((GDestroyNotify) kt_secret_free);
  request->http.max_response = client->limits.max_response;
  request->prepare = prepare;
  request->done = done;
  request->data = data;
  request->deadline = deadline;
  request->link.data = request;
  request->all.data = request;
  g_queue_push_tail_link (&client->requests, &request->all);
  request->expiry = kt_clock_start (client->clock, deadline, on_expiry, request);
  return request;
}

void
kt_http_client_send (KtHttpClient *client, const char *method, const char *url, GBytes *body, KtUsec deadline,
                     KtHttpPrepare prepare, KtHttpDone done, gpointer data)
{
  Request *request = request_new (client, method, url, deadline, prepare, done, data);

  request->http.body = body != NULL ? g_bytes_ref (body) : NULL;
  request_enqueue (request);
}

void
kt_http_client_stream (KtHttpClient *client, const char *url, KtUsec stall_timeout, KtHttpPrepare prepare,
                       KtHttpSink sink, KtHttpDone done, gpointer data)
{
  KtUsec deadline = kt_time_add (kt_clock_monotonic (client->clock), stall_timeout);
  Request *request = request_new (client, "GET", url, deadline, prepare, done, data);

  request->sink = sink;
  request->stall_timeout = stall_timeout;
  request->http.sink = on_piece;
  request->http.sink_data = request;
  request->http.is_link = TRUE;
  request_enqueue (request);
}

KtHttpClient *
kt_http_client_new (KtClock *clock, KtTransport *transport, const KtHttpLimits *limits, KtMetrics *metrics)
{
  KtHttpClient *client = g_new0 (KtHttpClient, 1);

  client->clock = clock;
  client->transport = transport;
  client->limits = *limits;
  g_queue_init (&client->requests);
  g_queue_init (&client->queue);
  client->count = kt_http_count_new (metrics);
  return client;
}

KtUsec
kt_http_client_ready_at (const KtHttpClient *client)
{
  return client->ready_at;
}

void
kt_http_client_expect (KtHttpClient *client, const char *call)
{
  kt_http_count_expect (client->count, call);
}

void
kt_http_client_set_limits (KtHttpClient *client, const KtHttpLimits *limits)
{
  client->limits = *limits;
  pump (client);
}

void
kt_http_client_free (KtHttpClient *client)
{
  g_autoptr (GError) error = g_error_new_literal (KT_ERROR, KT_ERROR_STOPPED, "the file system is being unmounted");

  if (client == NULL)
    return;
  while (!g_queue_is_empty (&client->requests))
    request_finish (g_queue_peek_head (&client->requests), NULL, error);
  kt_clock_stop (client->clock, &client->rate_timer);
  client->transport->free (client->transport);
  kt_http_count_free (client->count);
  g_free (client);
}
