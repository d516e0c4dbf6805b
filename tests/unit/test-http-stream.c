/* SPDX-License-Identifier: MIT */
/* kt_http_client_stream(): a body that is taken piece by piece, from where a link leads to. */
#include "kt-test.h"

#include "base/kt-units.h"
#include "http/kt-http-client.h"
#include "kt-fake-clock.h"
#include "kt-fake-transport.h"

#include <string.h>

#define STALL (10 * KT_SECOND)

typedef struct {
  KtFakeClock *clock;
  KtFakeTransport *transport;
  KtHttpClient *client;
} Fixture;

/* Who wants the body. */
typedef struct {
  GString *body;
  guint prepared;
  guint status; /* that the last piece came with */
  gboolean has_enough;
  guint done;
  guint end_status;
  int error; /* -1: none */
} Reader;

/* Resumes after what is there, as those who read a package do. */
static void
prepare (KtHttpRequest *request, gpointer data)
{
  Reader *reader = data;

  g_assert_cmpuint (request->headers->len, ==, 0);
  reader->prepared++;
  g_ptr_array_add (request->headers, g_strdup_printf ("Range: bytes=%" G_GSIZE_FORMAT "-", reader->body->len));
}

static gboolean
take (const KtHttpResponse *head, gconstpointer bytes, gsize length, gpointer data)
{
  Reader *reader = data;

  g_assert_cmpuint (reader->done, ==, 0);
  reader->status = head->status;
  g_string_append_len (reader->body, bytes, (gssize) length);
  return !reader->has_enough;
}

static void
done (const KtHttpResponse *response, const GError *error, gpointer data)
{
  Reader *reader = data;

  g_assert_true ((response == NULL) != (error == NULL));
  reader->done++;
  reader->end_status = response != NULL ? response->status : 0;
  reader->error = error != NULL ? error->code : -1;
  g_assert_true (error == NULL || strstr (error->message, "secret") == NULL);
}

static void
stream (Fixture *f, Reader *reader)
{
  *reader = (Reader){ .body = g_string_new (NULL), .error = -1 };
  kt_http_client_stream (f->client, "https://host/secret", STALL, prepare, take, done, reader);
  g_assert_cmpuint (reader->done, ==, 0);
}

static gboolean
piece (Fixture *f, guint index, const char *text)
{
  const KtHttpResponse head = { .status = 206 };
  return kt_fake_transport_piece (f->transport, index, &head, text, strlen (text));
}

static void
finish (Fixture *f, guint index, guint status)
{
  const KtHttpResponse end = { .status = status };
  kt_fake_transport_answer (f->transport, index, &end);
}

/* READER has BODY, and has come to one end. */
static void
assert_ended (Reader *reader, const char *body, guint status, int error)
{
  g_assert_cmpuint (reader->done, ==, 1);
  g_assert_cmpuint (reader->end_status, ==, status);
  g_assert_cmpint (reader->error, ==, error);
  g_assert_cmpstr (reader->body->str, ==, body);
  g_string_free (g_steal_pointer (&reader->body), TRUE);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  static const KtHttpLimits limits = { .concurrency = 1, .max_response = 4 };

  f->clock = kt_fake_clock_new ();
  f->transport = kt_fake_transport_new ();
  f->client = kt_http_client_new (kt_fake_clock (f->clock), kt_fake_transport (f->transport), &limits, NULL);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  kt_http_client_free (f->client);
  kt_fake_transport_unref (f->transport);
  kt_fake_clock_free (f->clock); /* no timer was left behind */
}

/* The pieces come in order, with the head; a body may be longer than any response. */
static void
test_sink (Fixture *f, gconstpointer data)
{
  Reader reader;

  stream (f, &reader);
  g_assert_cmpstr (kt_fake_transport_line (f->transport, 0), ==, "GET https://host/secret");
  g_assert_true (piece (f, 0, "longer than "));
  g_assert_cmpstr (reader.body->str, ==, "longer than ");
  g_assert_cmpuint (reader.status, ==, 206);
  g_assert_true (piece (f, 0, "max_response"));
  finish (f, 0, 206);
  assert_ended (&reader, "longer than max_response", 206, -1);
  kt_fake_clock_advance (f->clock, 2 * STALL);
  g_assert_cmpuint (reader.done, ==, 1);
}

/* "FALSE is enough": the transport gets that. */
static void
test_enough (Fixture *f, gconstpointer data)
{
  Reader reader;

  stream (f, &reader);
  g_assert_true (piece (f, 0, "a"));
  reader.has_enough = TRUE;
  g_assert_false (piece (f, 0, "b"));
  finish (f, 0, 206); /* as if the body had ended there */
  assert_ended (&reader, "ab", 206, -1);
}

/* Only a link may lead elsewhere, and only its errors keep curl's words back. A request of the service has its body
 * collected, within the limit, and follows nothing. */
static void
test_only_links_redirect (Fixture *f, gconstpointer data)
{
  const KtHttpRequest *request;
  Reader link, other;

  stream (f, &link);
  request = kt_fake_transport_request (f->transport, 0);
  g_assert_true (request->is_link);
  g_assert_false (request->once);
  g_assert_nonnull (request->sink);
  g_assert_null (request->body);
  finish (f, 0, 200);
  assert_ended (&link, "", 200, -1);

  other = (Reader){ .body = g_string_new (NULL), .error = -1 };
  kt_http_client_send (f->client, "GET", "https://service", NULL, KT_TIME_NEVER, prepare, done, &other);
  request = kt_fake_transport_request (f->transport, 1);
  g_assert_false (request->is_link);
  g_assert_null (request->sink);
  g_assert_cmpuint (request->max_response, ==, 4);
  kt_fake_transport_land (f->transport, 1, 302, "", NULL);
  assert_ended (&other, "", 302, -1);
}

/* The time runs from piece to piece, however long it takes altogether. */
static void
test_stall (Fixture *f, gconstpointer data)
{
  Reader reader;

  stream (f, &reader);
  for (guint i = 0; i < 5; i++) {
    kt_fake_clock_advance (f->clock, STALL - 1);
    g_assert_true (piece (f, 0, "x"));
  }
  kt_fake_clock_advance (f->clock, STALL - 1);
  g_assert_cmpuint (reader.done, ==, 0);
  kt_fake_clock_advance (f->clock, 1);
  assert_ended (&reader, "xxxxx", 0, KT_ERROR_TIMED_OUT);
  g_assert_cmpuint (kt_fake_transport_cancelled (f->transport), ==, 1);
}

/* Where not one piece comes, and while it still waits for its turn, it is the time since the call. */
static void
test_stall_before_the_first (Fixture *f, gconstpointer data)
{
  Reader readers[2];

  stream (f, &readers[0]);
  kt_fake_clock_advance (f->clock, 1);
  stream (f, &readers[1]);
  g_assert_cmpuint (kt_fake_transport_sent (f->transport), ==, 1);
  kt_fake_clock_advance (f->clock, STALL - 2);
  g_assert_true (piece (f, 0, "x"));
  kt_fake_clock_advance (f->clock, 2);
  g_assert_cmpuint (readers[0].done, ==, 0);
  assert_ended (&readers[1], "", 0, KT_ERROR_TIMED_OUT);
  g_assert_cmpuint (readers[1].prepared, ==, 0);
  kt_fake_clock_advance (f->clock, STALL);
  assert_ended (&readers[0], "x", 0, KT_ERROR_TIMED_OUT);
}

/* A stream that breaks is asked for again, with headers of its own: so it goes on where it broke. */
static void
test_resumed (Fixture *f, gconstpointer data)
{
  Reader reader;

  stream (f, &reader);
  g_assert_true (piece (f, 0, "abc"));
  kt_fake_transport_fail (f->transport, 0, KT_ERROR_BROKEN);
  g_assert_cmpuint (reader.done, ==, 0);
  kt_fake_clock_advance (f->clock, KT_SECOND);
  g_assert_cmpuint (kt_fake_transport_sent (f->transport), ==, 2);
  g_assert_cmpstr (kt_fake_transport_header (f->transport, 0, "Range"), ==, "bytes=0-");
  g_assert_cmpstr (kt_fake_transport_header (f->transport, 1, "Range"), ==, "bytes=3-");
  g_assert_true (kt_fake_transport_request (f->transport, 1)->is_link);
  g_assert_true (piece (f, 1, "de"));
  finish (f, 1, 206);
  assert_ended (&reader, "abcde", 206, -1);
  g_assert_cmpuint (reader.prepared, ==, 2);
}

/* The pieces of before give an attempt that waits its time too, and no more. */
static void
test_stall_between_attempts (Fixture *f, gconstpointer data)
{
  Reader reader;

  stream (f, &reader);
  kt_fake_clock_advance (f->clock, STALL - 1);
  g_assert_true (piece (f, 0, "abc"));
  kt_fake_transport_land (f->transport, 0, 503, "", "9"); /* the time since the call is over by then */
  kt_fake_clock_advance (f->clock, 9 * KT_SECOND);
  g_assert_cmpuint (kt_fake_transport_sent (f->transport), ==, 2);
  kt_fake_clock_advance (f->clock, KT_SECOND - 1);
  g_assert_cmpuint (reader.done, ==, 0);
  kt_fake_clock_advance (f->clock, 1);
  assert_ended (&reader, "abc", 0, KT_ERROR_TIMED_OUT);
}

/* No more than four attempts, and none of what would fail in the same way. */
static void
test_gives_up (Fixture *f, gconstpointer data)
{
  Reader reader;

  stream (f, &reader);
  for (guint i = 0; i < 4; i++) {
    g_assert_cmpuint (reader.done, ==, 0);
    g_assert_true (piece (f, i, "x"));
    kt_fake_transport_fail (f->transport, i, KT_ERROR_BROKEN);
    kt_fake_clock_advance (f->clock, KT_SECOND);
  }
  assert_ended (&reader, "xxxx", 0, KT_ERROR_BROKEN);
  stream (f, &reader);
  kt_fake_transport_fail (f->transport, 4, KT_ERROR_BAD_ANSWER); /* as of a redirect that cannot be followed */
  assert_ended (&reader, "", 0, KT_ERROR_BAD_ANSWER);
}

static void
test_free (Fixture *f, gconstpointer data)
{
  Reader readers[2];

  stream (f, &readers[0]);
  stream (f, &readers[1]);
  g_assert_true (piece (f, 0, "x"));
  kt_http_client_free (g_steal_pointer (&f->client));
  assert_ended (&readers[0], "x", 0, KT_ERROR_STOPPED);
  assert_ended (&readers[1], "", 0, KT_ERROR_STOPPED);
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
#define TEST(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)
  TEST ("/http/stream/sink", test_sink);
  TEST ("/http/stream/enough", test_enough);
  TEST ("/http/stream/only-links-redirect", test_only_links_redirect);
  TEST ("/http/stream/stall", test_stall);
  TEST ("/http/stream/stall-before-the-first", test_stall_before_the_first);
  TEST ("/http/stream/resumed", test_resumed);
  TEST ("/http/stream/stall-between-attempts", test_stall_between_attempts);
  TEST ("/http/stream/gives-up", test_gives_up);
  TEST ("/http/stream/free", test_free);
  return g_test_run ();
}
