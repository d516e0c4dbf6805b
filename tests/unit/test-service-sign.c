/* SPDX-License-Identifier: MIT */
/* Signing, by the vectors of tests/data/hmac-vectors.json, and the service's clock. */
#include "kt-test.h"

#include "base/kt-units.h"
#include "http/kt-http-date.h"
#include "kt-fake-clock.h"
#include "service/kt-server-clock.h"
#include "service/kt-sign.h"

#include <cjson/cJSON.h>
#include <string.h>

#define VECTORS 8

static const char *
text (const cJSON *object, const char *name)
{
  return cJSON_GetStringValue (cJSON_GetObjectItem (object, name));
}

static const char *
at (const cJSON *pair, int index)
{
  return cJSON_GetStringValue (cJSON_GetArrayItem (pair, index));
}

/* The vector's request, as it would be sent. */
static KtHttpRequest
request_of (const cJSON *vector)
{
  GString *url = g_string_new ("https://intl.myhuaweicloud-koodrive.com");
  GPtrArray *headers = g_ptr_array_new_with_free_func (g_free);
  const char *separator = "?";
  const cJSON *pair;

  g_string_append (url, text (vector, "path"));
  cJSON_ArrayForEach (pair, cJSON_GetObjectItem (vector, "query")) {
    g_autofree char *name = g_uri_escape_string (at (pair, 0), NULL, TRUE);
    g_autofree char *value = g_uri_escape_string (at (pair, 1), NULL, TRUE);
    g_string_append_printf (url, "%s%s=%s", separator, name, value);
    separator = "&";
  }
  cJSON_ArrayForEach (pair, cJSON_GetObjectItem (vector, "headers"))
    g_ptr_array_add (headers, g_strdup_printf ("%s: %s", at (pair, 0), at (pair, 1)));
  return (KtHttpRequest){
    .method = text (vector, "method"),
    .url = g_string_free (url, FALSE),
    .headers = headers,
    .body = text (vector, "body")[0] != '\0' ? kt_test_bytes (text (vector, "body")) : NULL,
  };
}

static void
request_clear (KtHttpRequest *request)
{
  g_free (request->url);
  g_ptr_array_unref (request->headers);
  g_clear_pointer (&request->body, g_bytes_unref);
}

static void
test_vectors (void)
{
  g_autoptr (GBytes) bytes = kt_test_data ("hmac-vectors.json");
  cJSON *vectors = cJSON_ParseWithLength (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  const cJSON *vector;

  g_assert_cmpint (cJSON_GetArraySize (vectors), ==, VECTORS);
  cJSON_ArrayForEach (vector, vectors) {
    KtHttpRequest request = request_of (vector);
    g_test_message ("%s", text (vector, "name"));
    kt_assert_text (kt_sign_canonical_request (&request), text (vector, "canonical_request"));
    kt_assert_text (kt_sign_string (text (vector, "canonical_request")), text (vector, "string_to_sign"));
    kt_assert_text (kt_sign_signature (text (vector, "string_to_sign"), text (vector, "app_secret")),
                    text (vector, "signature"));
    kt_assert_text (kt_sign_authorization (&request, text (vector, "app_id"), text (vector, "app_secret")),
                    text (vector, "authorization"));
    request_clear (&request);
  }
  cJSON_Delete (vectors);
}

/* The first two lines of what is signed for a URL. */
static void
assert_canonical (const char *url, const char *expected)
{
  g_autofree char *copy = g_strdup (url);
  g_autoptr (GPtrArray) headers = g_ptr_array_new ();
  const KtHttpRequest request = { .method = "GET", .url = copy, .headers = headers };
  g_autofree char *canonical = kt_sign_canonical_request (&request);
  g_auto (GStrv) lines = g_strsplit (canonical, "\n", 4);
  g_autofree char *got = g_strconcat (lines[1], " ", lines[2], NULL);

  g_assert_cmpstr (got, ==, expected);
}

static void
test_urls (void)
{
  assert_canonical ("http://h:1", "/ ");
  assert_canonical ("http://h/", "/ ");
  assert_canonical ("http://h/a/", "/a/ ");
  assert_canonical ("http://h/a%20b/c:d", "/a%20b/c%3Ad/ ");
  assert_canonical ("http://h/a?", "/a/ ");
  assert_canonical ("http://h/a?b", "/a/ b=");
  assert_canonical ("http://h/a?b=1/2&a-b=&a=2&a=10&&a=", "/a/ a=&a=10&a=2&a-b=&b=1%2F2");
  assert_canonical ("http://h/a?b=c=d", "/a/ b=c%3Dd");
}

static void
test_dates (void)
{
  g_assert_cmpint (kt_http_date_parse ("Mon, 30 Sep 2024 09:19:32 GMT"), ==, KT_FAKE_EPOCH * KT_SECOND);
  g_assert_cmpint (kt_http_date_parse ("yesterday"), ==, KT_TIME_UNKNOWN);
  g_assert_cmpint (kt_http_date_parse (""), ==, KT_TIME_UNKNOWN);
  g_assert_cmpint (kt_http_date_parse (NULL), ==, KT_TIME_UNKNOWN);
}

#define NOW (KT_FAKE_EPOCH * KT_SECOND)

/* This machine's clock as long as nothing is known, then the largest bound, which goes on with the monotonic clock. */
static void
test_clock (void)
{
  g_autoptr (KtFakeClock) fake = kt_fake_clock_new ();
  KtClock *clock = kt_fake_clock (fake);
  KtServerClock server = { 0 };

  g_assert_cmpint (kt_server_clock_now (&server, clock), ==, NOW);
  g_assert_cmpint (kt_server_clock_skew (&server, clock), ==, 0);
  kt_server_clock_learn (&server, clock, NOW - 100 * KT_SECOND);
  g_assert_cmpint (kt_server_clock_now (&server, clock), ==, NOW - 100 * KT_SECOND);
  g_assert_cmpint (kt_server_clock_skew (&server, clock), ==, 100 * KT_SECOND);
  kt_fake_clock_advance (fake, 1500 * KT_MS);
  g_assert_cmpint (kt_server_clock_now (&server, clock), ==, NOW - 98500 * KT_MS);
  kt_server_clock_learn (&server, clock, NOW - 99 * KT_SECOND); /* arrived late: says less */
  g_assert_cmpint (kt_server_clock_now (&server, clock), ==, NOW - 98500 * KT_MS);
  kt_server_clock_learn (&server, clock, NOW - 98 * KT_SECOND);
  g_assert_cmpint (kt_server_clock_now (&server, clock), ==, NOW - 98 * KT_SECOND);
}

/* Refused for its date: one later than the response's, or more than 15 minutes before it; then the response's is
 * right. */
static void
test_refused_dates (void)
{
  g_autoptr (KtFakeClock) fake = kt_fake_clock_new ();
  KtClock *clock = kt_fake_clock (fake);
  KtServerClock server = { 0 };

  kt_server_clock_learn (&server, clock, NOW);
  g_assert_false (kt_server_clock_refused (&server, clock, NOW, NOW));
  g_assert_false (kt_server_clock_refused (&server, clock, NOW - 900 * KT_SECOND, NOW));
  g_assert_true (kt_server_clock_refused (&server, clock, NOW, NOW - KT_SECOND)); /* the service's was set back */
  g_assert_cmpint (kt_server_clock_now (&server, clock), ==, NOW - KT_SECOND);
  g_assert_true (kt_server_clock_refused (&server, clock, NOW, NOW + 901 * KT_SECOND));
  g_assert_cmpint (kt_server_clock_now (&server, clock), ==, NOW + 901 * KT_SECOND);
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
  g_test_add_func ("/service/sign/vectors", test_vectors);
  g_test_add_func ("/service/sign/urls", test_urls);
  g_test_add_func ("/service/clock/dates", test_dates);
  g_test_add_func ("/service/clock/bound", test_clock);
  g_test_add_func ("/service/clock/refused", test_refused_dates);
  return g_test_run ();
}
