/* SPDX-License-Identifier: MIT */
/* What an HTTP client counts: attempts by call and status, their durations, and for how long requests were held back. */
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
  kt_fake_clock_free (f->clock);
  kt_metrics_free (f->metrics);
}

static void
prepare (KtHttpRequest *request, gpointer call)
{
  request->call = call;
}

static void
done (const KtHttpResponse *response, const GError *error, gpointer data)
{
}

static void
send (Fixture *f, const char *call, KtUsec within)
{
  kt_http_client_send (f->client, "GET", "u", NULL, kt_fake_clock_now (f->clock) + within, prepare, done,
                       (gpointer) call);
}

/* The lines of what was counted of NAME, without NAME itself. */
static void
assert_lines (Fixture *f, const char *name, const char *expected)
{
  g_autofree char *text = kt_metrics_format (f->metrics);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autoptr (GString) out = g_string_new (NULL);

  for (char **line = lines; *line != NULL; line++)
    if (g_str_has_prefix (*line, name))
      g_string_append_printf (out, "%s\n", *line + strlen (name));
  g_assert_cmpstr (out->str, ==, expected);
}

/* Each attempt by itself; what had no response is "none", also when the deadline ended it. */
static void
test_attempts (Fixture *f, gconstpointer limits)
{
  kt_http_client_expect (f->client, "job");
  assert_lines (f, "kootaskfs_requests_total", "{call=\"job\",status=\"200\"} 0\n");
  send (f, "job", 60 * KT_SECOND);
  kt_fake_clock_advance (f->clock, 20 * KT_MS);
  kt_fake_transport_fail (f->transport, 0, KT_ERROR_UNREACHABLE);
  kt_fake_clock_advance (f->clock, KT_SECOND);
  kt_fake_clock_advance (f->clock, 2 * KT_SECOND);
  kt_fake_transport_land (f->transport, 1, 200, "12345", NULL);
  send (f, NULL, 3 * KT_SECOND);
  kt_fake_clock_advance (f->clock, 3 * KT_SECOND);
  assert_lines (
      f, "kootaskfs_requests_total",
      "{call=\"job\",status=\"200\"} 1\n{call=\"job\",status=\"none\"} 1\n{call=\"other\",status=\"none\"} 1\n");
  assert_lines (f, "kootaskfs_request_retries_total", " 1\n");
  assert_lines (f, "kootaskfs_response_bytes_total", " 5\n");
  assert_lines (f, "kootaskfs_request_duration_seconds_count", "{call=\"job\"} 2\n{call=\"other\"} 1\n");
  assert_lines (f, "kootaskfs_request_duration_seconds_sum{call=\"other\"}", " 3\n");
  assert_lines (f, "kootaskfs_throttled_seconds_total", "{cause=\"limit\"} 0\n{cause=\"service\"} 0\n");
}

/* A response that asks for patience holds back, whether the wait ends in another attempt or at the deadline; a pause
 * after another failure is no throttling. */
static void
test_held_by_service (Fixture *f, gconstpointer limits)
{
  send (f, "job", 60 * KT_SECOND);
  kt_fake_transport_land (f->transport, 0, 429, "", "7");
  kt_fake_clock_advance (f->clock, 7 * KT_SECOND);
  assert_lines (f, "kootaskfs_throttled_seconds_total", "{cause=\"limit\"} 0\n{cause=\"service\"} 7\n");
  kt_fake_transport_land (f->transport, 1, 503, "", "5");
  kt_fake_clock_advance (f->clock, 5 * KT_SECOND);
  kt_fake_transport_fail (f->transport, 2, KT_ERROR_UNREACHABLE);
  kt_fake_clock_advance (f->clock, 5 * KT_SECOND);
  assert_lines (f, "kootaskfs_throttled_seconds_total", "{cause=\"limit\"} 0\n{cause=\"service\"} 12\n");
}

/* The time in the queue counts, for whoever left it. */
static void
test_held_by_limit (Fixture *f, gconstpointer limits)
{
  send (f, "job", 60 * KT_SECOND);
  send (f, "job", 60 * KT_SECOND);
  send (f, "job", KT_SECOND);
  kt_fake_clock_advance (f->clock, 2 * KT_SECOND); /* the third has given up after one */
  kt_fake_transport_land (f->transport, 0, 200, "", NULL);
  kt_fake_transport_land (f->transport, 1, 200, "", NULL);
  assert_lines (f, "kootaskfs_throttled_seconds_total", "{cause=\"limit\"} 3\n{cause=\"service\"} 0\n");
  assert_lines (f, "kootaskfs_requests_total", "{call=\"job\",status=\"200\"} 2\n");
}

int
main (int argc, char **argv)
{
  static const KtHttpLimits wide = { .concurrency = 8 }, narrow = { .concurrency = 1 };

  kt_test_init (&argc, &argv);
  g_test_add ("/http/count/attempts", Fixture, &wide, set_up, test_attempts, tear_down);
  g_test_add ("/http/count/held-by-service", Fixture, &wide, set_up, test_held_by_service, tear_down);
  g_test_add ("/http/count/held-by-limit", Fixture, &narrow, set_up, test_held_by_limit, tear_down);
  return g_test_run ();
}
