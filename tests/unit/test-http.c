/* SPDX-License-Identifier: MIT */
/* The HTTP client: queue, limits, attempts and deadlines. */
#include "kt-test.h"

#include "base/kt-units.h"
#include "http/kt-http-client.h"
#include "kt-fake-clock.h"
#include "kt-fake-transport.h"

#include <string.h>

typedef struct {
  KtFakeClock *clock;
  KtFakeTransport *transport;
  KtMetrics *metrics;
  KtHttpClient *client;
} Fixture;

/* One request as its caller sees it. */
typedef struct {
  guint prepared;
  guint done;
  guint status;
  int error; /* -1: none */
  char *body;
  KtHttpClient *send_next; /* where DONE sends another one */
} Caller;

static void
prepare (KtHttpRequest *request, gpointer data)
{
  Caller *caller = data;

  g_assert_cmpuint (request->headers->len, ==, 0);
  g_ptr_array_add (request->headers, g_strdup_printf ("X-Attempt: %u", ++caller->prepared));
}

static void done (const KtHttpResponse *response, const GError *error, gpointer data);

static void
send_to (KtHttpClient *client, const char *url, KtUsec deadline, Caller *caller)
{
  *caller = (Caller){ .error = -1 };
  kt_http_client_send (client, "GET", url, NULL, deadline, prepare, done, caller);
  g_assert_cmpuint (caller->done, ==, 0);
}

static void
send (Fixture *f, const char *url, gint64 within, Caller *caller)
{
  send_to (f->client, url, kt_fake_clock_now (f->clock) + within, caller);
}

static void
done (const KtHttpResponse *response, const GError *error, gpointer data)
{
  Caller *caller = data;

  g_assert_true ((response == NULL) != (error == NULL));
  caller->done++;
  if (response != NULL) {
    caller->status = response->status;
    caller->body = g_strndup (g_bytes_get_data (response->body, NULL), g_bytes_get_size (response->body));
  } else {
    g_assert_true (error->domain == KT_ERROR);
    caller->error = error->code;
  }
  if (caller->send_next != NULL)
    send_to (caller->send_next, "next", KT_TIME_NEVER, caller + 1);
}

static void
assert_done (Caller *caller, guint status, int error)
{
  g_assert_cmpuint (caller->done, ==, 1);
  g_assert_cmpuint (caller->status, ==, status);
  g_assert_cmpint (caller->error, ==, error);
  g_clear_pointer (&caller->body, g_free);
}

static void
set_up (Fixture *f, gconstpointer limits)
{
  f->clock = kt_fake_clock_new ();
  f->transport = kt_fake_transport_new ();
  f->metrics = kt_metrics_new ();
  f->client = kt_http_client_new (kt_fake_clock (f->clock), kt_fake_transport (f->transport), limits, f->metrics);
}

static void
tear_down (Fixture *f, gconstpointer limits)
{
  kt_http_client_free (f->client);
  kt_fake_transport_unref (f->transport);
  kt_fake_clock_free (f->clock); /* no timer was left behind */
  kt_metrics_free (f->metrics);
}

static void
test_answer (Fixture *f, gconstpointer limits)
{
  Caller caller;

  send (f, "u", KT_SECOND, &caller);
  g_assert_cmpstr (kt_fake_transport_line (f->transport, 0), ==, "GET u");
  kt_fake_transport_land (f->transport, 0, 404, "gone", NULL); /* a status is no error here */
  g_assert_cmpstr (caller.body, ==, "gone");
  assert_done (&caller, 404, -1);
  kt_fake_clock_advance (f->clock, 2 * KT_SECOND);
  g_assert_cmpuint (caller.done, ==, 1);
}

static void
test_queue_in_order (Fixture *f, gconstpointer limits)
{
  Caller callers[5];
  const char *urls[] = { "a", "b", "c", "d", "e" };

  for (guint i = 0; i < 5; i++)
    send (f, urls[i], 10 * KT_SECOND, &callers[i]);
  g_assert_cmpuint (kt_fake_transport_sent (f->transport), ==, 2);
  kt_fake_transport_land (f->transport, 1, 200, "", NULL);
  g_assert_cmpuint (kt_fake_transport_sent (f->transport), ==, 3);
  kt_fake_transport_land (f->transport, 0, 200, "", NULL);
  kt_fake_transport_land (f->transport, 2, 200, "", NULL);
  g_assert_cmpuint (kt_fake_transport_pending (f->transport), ==, 2);
  kt_fake_transport_land (f->transport, 3, 200, "", NULL);
  kt_fake_transport_land (f->transport, 4, 200, "", NULL);
  for (guint i = 0; i < 5; i++) {
    g_assert_cmpstr (kt_fake_transport_line (f->transport, i) + strlen ("GET "), ==, urls[i]);
    assert_done (&callers[i], 200, -1);
  }
}

static void
test_more_concurrency_later (Fixture *f, gconstpointer limits)
{
  Caller callers[4];
  const KtHttpLimits more = { .concurrency = 3, .max_response = 100 };

  for (guint i = 0; i < 4; i++)
    send (f, "u", 10 * KT_SECOND, &callers[i]);
  kt_http_client_set_limits (f->client, &more);
  g_assert_cmpuint (kt_fake_transport_sent (f->transport), ==, 3);
  kt_http_client_free (g_steal_pointer (&f->client));
  for (guint i = 0; i < 4; i++)
    assert_done (&callers[i], 0, KT_ERROR_STOPPED);
}

static void
test_rate (Fixture *f, gconstpointer limits)
{
  Caller callers[4];

  for (guint i = 0; i < 4; i++)
    send (f, "u", 10 * KT_SECOND, &callers[i]);
  g_assert_cmpuint (kt_fake_transport_sent (f->transport), ==, 1);
  kt_fake_clock_advance (f->clock, 249 * KT_MS);
  g_assert_cmpuint (kt_fake_transport_sent (f->transport), ==, 1);
  kt_fake_clock_advance (f->clock, KT_MS);
  g_assert_cmpuint (kt_fake_transport_sent (f->transport), ==, 2);
  kt_fake_clock_advance (f->clock, KT_SECOND);
  g_assert_cmpuint (kt_fake_transport_sent (f->transport), ==, 4);
  for (guint i = 0; i < 4; i++) {
    kt_fake_transport_land (f->transport, i, 200, "", NULL);
    assert_done (&callers[i], 200, -1);
  }
}

/* A pause does not save up requests for later. */
static void
test_rate_has_no_memory (Fixture *f, gconstpointer limits)
{
  Caller callers[3];

  send (f, "u", 60 * KT_SECOND, &callers[0]);
  kt_fake_clock_advance (f->clock, 20 * KT_SECOND);
  send (f, "u", 60 * KT_SECOND, &callers[1]);
  send (f, "u", 60 * KT_SECOND, &callers[2]);
  g_assert_cmpuint (kt_fake_transport_sent (f->transport), ==, 2);
  kt_http_client_free (g_steal_pointer (&f->client));
}

/* "Retries count, and so does the time that the request is queued": here it is queued. */
static void
test_deadline_in_queue (Fixture *f, gconstpointer limits)
{
  Caller callers[4];

  for (guint i = 0; i < 4; i++)
    send (f, i == 2 ? "late" : "u", i == 2 ? KT_SECOND : 10 * KT_SECOND, &callers[i]);
  kt_fake_clock_advance (f->clock, KT_SECOND - 1);
  g_assert_cmpuint (callers[2].done, ==, 0);
  kt_fake_clock_advance (f->clock, 1);
  assert_done (&callers[2], 0, KT_ERROR_TIMED_OUT);
  g_assert_cmpuint (callers[2].prepared, ==, 0);
  kt_fake_transport_land (f->transport, 0, 200, "", NULL);
  kt_fake_transport_land (f->transport, 1, 200, "", NULL);
  g_assert_cmpuint (kt_fake_transport_sent (f->transport), ==, 3);
  g_assert_cmpstr (kt_fake_transport_line (f->transport, 2), ==, "GET u");
  kt_fake_transport_land (f->transport, 2, 200, "", NULL);
  for (guint i = 0; i < 4; i++)
    g_free (callers[i].body);
}

static void
test_deadline_in_exchange (Fixture *f, gconstpointer limits)
{
  Caller callers[3];

  send (f, "u", KT_SECOND, &callers[0]);
  send (f, "u", 10 * KT_SECOND, &callers[1]);
  send (f, "next", 10 * KT_SECOND, &callers[2]);
  kt_fake_clock_advance (f->clock, KT_SECOND);
  assert_done (&callers[0], 0, KT_ERROR_TIMED_OUT);
  g_assert_cmpuint (kt_fake_transport_cancelled (f->transport), ==, 1);
  g_assert_cmpstr (kt_fake_transport_line (f->transport, 2), ==, "GET next"); /* its place is free again */
  kt_http_client_free (g_steal_pointer (&f->client));
  assert_done (&callers[1], 0, KT_ERROR_STOPPED);
  assert_done (&callers[2], 0, KT_ERROR_STOPPED);
}

static void
test_deadline_between_attempts (Fixture *f, gconstpointer limits)
{
  Caller caller;

  send (f, "u", 10 * KT_SECOND, &caller);
  kt_fake_transport_land (f->transport, 0, 503, "", "9");
  kt_fake_clock_advance (f->clock, 8 * KT_SECOND);
  g_assert_cmpuint (kt_fake_transport_sent (f->transport), ==, 1);
  kt_fake_clock_advance (f->clock, KT_SECOND);
  kt_fake_transport_land (f->transport, 1, 503, "busy", "2"); /* which would be too late */
  g_assert_cmpstr (caller.body, ==, "busy");
  assert_done (&caller, 503, -1);
}

/* A deadline may also pass while a retry waits: Retry-After ended before it, but the queue was full. */
static void
test_deadline_of_retry_in_queue (Fixture *f, gconstpointer limits)
{
  Caller callers[3];

  send (f, "u", KT_SECOND, &callers[0]);
  send (f, "v", 10 * KT_SECOND, &callers[1]);
  send (f, "w", 10 * KT_SECOND, &callers[2]);
  kt_fake_transport_land (f->transport, 0, 503, "", NULL); /* its place goes to "w" */
  kt_fake_clock_advance (f->clock, KT_SECOND);
  assert_done (&callers[0], 0, KT_ERROR_TIMED_OUT);
  g_assert_cmpuint (kt_fake_transport_sent (f->transport), ==, 3);
  kt_http_client_free (g_steal_pointer (&f->client));
}

static void
test_attempts (Fixture *f, gconstpointer limits)
{
  Caller caller;

  send (f, "u", 60 * KT_SECOND, &caller);
  kt_fake_transport_fail (f->transport, 0, KT_ERROR_UNREACHABLE);
  kt_fake_clock_advance (f->clock, KT_SECOND);
  kt_fake_transport_land (f->transport, 1, 429, "", "1");
  kt_fake_clock_advance (f->clock, KT_SECOND);
  kt_fake_transport_land (f->transport, 2, 500, "", NULL);
  kt_fake_clock_advance (f->clock, KT_SECOND);
  g_assert_cmpuint (caller.done, ==, 0);
  kt_fake_transport_fail (f->transport, 3, KT_ERROR_SERVICE);
  assert_done (&caller, 0, KT_ERROR_SERVICE);
  g_assert_cmpuint (caller.prepared, ==, 4);
  g_assert_cmpstr (kt_fake_transport_header (f->transport, 0, "X-Attempt"), ==, "1");
  g_assert_cmpstr (kt_fake_transport_header (f->transport, 3, "X-Attempt"), ==, "4");
}

static void
test_no_second_attempt (Fixture *f, gconstpointer limits)
{
  Caller caller;

  send (f, "u", 60 * KT_SECOND, &caller);
  kt_fake_transport_fail (f->transport, 0, KT_ERROR_TLS);
  assert_done (&caller, 0, KT_ERROR_TLS);
}

/* In the queue, with the transport, between attempts: all end with STOPPED, once. */
static void
test_free (Fixture *f, gconstpointer limits)
{
  Caller callers[4];

  for (guint i = 0; i < 4; i++)
    send (f, "u", 60 * KT_SECOND, &callers[i]);
  kt_fake_transport_land (f->transport, 0, 503, "", NULL);
  kt_http_client_free (g_steal_pointer (&f->client));
  for (guint i = 0; i < 4; i++)
    assert_done (&callers[i], 0, KT_ERROR_STOPPED);
  kt_http_client_free (NULL);
}

static void
test_send_while_stopping (Fixture *f, gconstpointer limits)
{
  Caller callers[2];

  send (f, "u", 60 * KT_SECOND, &callers[0]);
  callers[0].send_next = f->client;
  kt_http_client_free (g_steal_pointer (&f->client));
  assert_done (&callers[0], 0, KT_ERROR_STOPPED);
  assert_done (&callers[1], 0, KT_ERROR_STOPPED);
}

static void
test_send_from_done (Fixture *f, gconstpointer limits)
{
  Caller callers[2];

  send (f, "u", 60 * KT_SECOND, &callers[0]);
  callers[0].send_next = f->client;
  kt_fake_transport_land (f->transport, 0, 200, "", NULL);
  assert_done (&callers[0], 200, -1);
  kt_fake_transport_land (f->transport, 1, 201, "", NULL);
  assert_done (&callers[1], 201, -1);
}

/* What Retry-After says holds for an hour at the most, also when there is no time left for another attempt; what is no
 * trouble says nothing. "before the time that a `Retry-After` of the service asks for, which counts up to an hour" */
static void
test_ready_at (Fixture *f, gconstpointer limits)
{
  static const struct {
    guint status;
    const char *retry_after;
    KtUsec ready_in;
  } cases[] = {
    { 200, "30", 0 }, { 404, "30", 0 }, { 429, NULL, 0 }, { 429, "30", 30 }, { 503, "7", 30 }, { 503, "100000", 3600 },
  };
  const KtUsec now = kt_fake_clock_now (f->clock);

  g_assert_cmpint (kt_http_client_ready_at (f->client), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    Caller caller;
    send (f, "u", KT_SECOND / 100, &caller);
    kt_fake_transport_land (f->transport, i, cases[i].status, "", cases[i].retry_after);
    assert_done (&caller, cases[i].status, -1);
    g_assert_cmpint (kt_http_client_ready_at (f->client), ==,
                     cases[i].ready_in == 0 ? 0 : now + cases[i].ready_in * KT_SECOND);
  }
}

int
main (int argc, char **argv)
{
  static const KtHttpLimits two = { .concurrency = 2, .max_response = 100 };
  static const KtHttpLimits rated = { .concurrency = 10, .rate = 4, .max_response = 100 };

  kt_test_init (&argc, &argv);
#define TEST(path, limits, func) g_test_add (path, Fixture, &(limits), set_up, func, tear_down)
  TEST ("/http/client/answer", two, test_answer);
  TEST ("/http/client/queue-in-order", two, test_queue_in_order);
  TEST ("/http/client/more-concurrency-later", two, test_more_concurrency_later);
  TEST ("/http/client/rate", rated, test_rate);
  TEST ("/http/client/rate-has-no-memory", rated, test_rate_has_no_memory);
  TEST ("/http/client/deadline-in-queue", two, test_deadline_in_queue);
  TEST ("/http/client/deadline-in-exchange", two, test_deadline_in_exchange);
  TEST ("/http/client/deadline-between-attempts", two, test_deadline_between_attempts);
  TEST ("/http/client/deadline-of-retry-in-queue", two, test_deadline_of_retry_in_queue);
  TEST ("/http/client/attempts", two, test_attempts);
  TEST ("/http/client/no-second-attempt", two, test_no_second_attempt);
  TEST ("/http/client/free", two, test_free);
  TEST ("/http/client/send-while-stopping", two, test_send_while_stopping);
  TEST ("/http/client/send-from-done", two, test_send_from_done);
  TEST ("/http/client/ready-at", two, test_ready_at);
  return g_test_run ();
}
