/* SPDX-License-Identifier: MIT */
/* Signing in: what happens to refused requests, and to the token. */
#include "kt-test.h"

#include "base/kt-log.h"
#include "base/kt-units.h"
#include "kt-fake-clock.h"
#include "kt-fake-transport.h"
#include "service/kt-service.h"

#include <string.h>

#define RESULT  "GET https://example.com/koodrive/ose/v1/task/result?taskId=7"
#define REFRESH "POST https://example.com/koodrive/ose/v1/session/refresh"
#define CHEAP   "GET https://example.com/koodrive/ose/v1/task/list?pageSize=1"
#define GOOD    "{\"data\":{\"successCount\":1,\"failCount\":0},\"code\":0}"
#define REFUSED "{\"code\":1,\"msg\":\"no\"}"
#define MINUTE  (60 * KT_SECOND)
#define AHEAD   "Mon, 30 Sep 2024 09:09:32 GMT" /* of a service whose clock is ten minutes behind ours */
#define NOW     "Mon, 30 Sep 2024 09:19:32 GMT"

typedef struct {
  KtFakeClock *clock;
  KtFakeTransport *transport;
  KtMetrics *metrics;
  KtHealth *health;
  KtHttpClient *http;
  GTimeZone *zone;
  KtServiceOptions options;
  KtService *service;
  guint good; /* how fetches ended */
  guint refused;
  /* the token's source */
  guint reads;
  KtTokenDone read_done; /* of a read that has not ended */
  gpointer read_data;
} Fixture;

static void
read_token (gpointer source, KtTokenDone done, gpointer data)
{
  Fixture *f = source;

  g_assert_null (f->read_done);
  f->reads++;
  f->read_done = done;
  f->read_data = data;
}

/* The source gives TOKEN, or fails. */
static void
give (Fixture *f, const char *token, KtErrorCode code)
{
  g_autoptr (GError) error = token == NULL ? g_error_new (KT_ERROR, (int) code, "made to fail") : NULL;
  KtTokenDone done = f->read_done;

  g_assert_nonnull (done);
  f->read_done = NULL;
  done (token, error, f->read_data);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  const KtHttpLimits limits = { .concurrency = 64, .max_response = 1000 };

  f->clock = kt_fake_clock_new ();
  f->transport = kt_fake_transport_new ();
  f->metrics = kt_metrics_new ();
  f->health = kt_health_new ();
  f->http = kt_http_client_new (kt_fake_clock (f->clock), kt_fake_transport (f->transport), &limits, f->metrics);
  f->zone = g_time_zone_new_utc ();
  f->options = (KtServiceOptions){
    .endpoint = "https://example.com/",
    .user_id = "1505084218764547200",
    .token = "FIRST",
    .language = "en-US",
    .zone = f->zone,
    .read_token = read_token,
    .token_source = f,
  };
  f->service = kt_service_new (f->http, kt_fake_clock (f->clock), f->health, f->metrics, &f->options);
  kt_test_warnings ();
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  if (f->read_done != NULL)
    give (f, NULL, KT_ERROR_STOPPED);
  kt_http_client_free (f->http);
  kt_service_free (f->service);
  kt_fake_transport_unref (f->transport);
  kt_fake_clock_free (f->clock);
  kt_metrics_free (f->metrics);
  kt_health_free (f->health);
  g_time_zone_unref (f->zone);
  kt_log_forget_secrets ();
}

static void
done (KtTask *task, const char *trace_id, const GError *error, gpointer data)
{
  Fixture *f = data;

  f->good += task != NULL;
  f->refused += g_error_matches (error, KT_ERROR, KT_ERROR_DENIED);
}

static void
fetch (Fixture *f)
{
  KtKey *key = kt_key_new_basic ("7");

  kt_service_fetch (f->service, key, kt_fake_clock_now (f->clock) + 10 * KT_SECOND, done, f);
  kt_key_unref (key);
}

static const char *
header (Fixture *f, guint index, const char *name)
{
  return kt_fake_transport_header (f->transport, index, name);
}

static void
land (Fixture *f, guint index, guint status, const char *body)
{
  kt_fake_transport_land (f->transport, index, status, body, NULL);
}

static guint
sent (Fixture *f)
{
  return kt_fake_transport_sent (f->transport);
}

static void
configure (Fixture *f)
{
  kt_service_set_options (f->service, &f->options);
}

/* The token may be read again from now on: it was not just read. */
static void
later (Fixture *f)
{
  kt_fake_clock_advance (f->clock, 3 * KT_SECOND);
}

static void
test_signed (Fixture *f, gconstpointer data)
{
  static const struct {
    const char *endpoint;
    const char *host;
  } table[] = {
    { "https://example.com", "example.com" },
    { "https://example.com:443/", "example.com" },
    { "https://example.com:8443", "example.com:8443" },
    { "https://example.com:80", "example.com:80" },
    { "http://127.0.0.1:80", "127.0.0.1" },
    { "http://[::1]:443", "[::1]:443" },
  };

  f->options.app_id = "APP";
  f->options.token = "koodrive-test-secret";
  for (guint i = 0; i < G_N_ELEMENTS (table); i++) {
    f->options.endpoint = table[i].endpoint;
    configure (f);
    fetch (f);
    g_assert_cmpstr (header (f, i, "Host"), ==, table[i].host);
    g_assert_true (g_str_has_prefix (header (f, i, "Authorization"),
                                     "HMAC-SHA256 AppId=APP,SignedHeaders=host;x-date;x-user-id,Signature="));
  }
  g_assert_cmpstr (header (f, 0, "Authorization"), !=, header (f, 2, "Authorization"));
  g_assert_cmpstr (header (f, 0, "Authorization"), ==, header (f, 1, "Authorization"));
}

/* A clock ahead of the service's: sent once more, dated by the service's clock, whatever the refusal's code is. */
static void
test_clock_ahead (Fixture *f, gconstpointer data)
{
  static const char *const bodies[] = { REFUSED, "{\"code\":13000102,\"msg\":\"X-Date\"}" };

  for (guint i = 0; i < G_N_ELEMENTS (bodies); i++) {
    guint first = sent (f);
    g_autoptr (KtService) service =
        kt_service_new (f->http, kt_fake_clock (f->clock), f->health, f->metrics, &f->options);
    KtService *other = f->service;
    f->service = service;
    fetch (f);
    f->service = other;
    g_assert_cmpstr (header (f, first, "X-Date"), ==, "20240930T091932Z");
    kt_fake_transport_land_dated (f->transport, first, 400, bodies[i], AHEAD);
    g_assert_cmpstr (header (f, first + 1, "X-Date"), ==, "20240930T090932Z");
    kt_fake_transport_land_dated (f->transport, first + 1, 200, GOOD, AHEAD);
    g_assert_cmpuint (f->good, ==, i + 1);
    g_assert_cmpuint (kt_test_warnings (), ==, 1);
  }
  g_assert_cmpuint (f->reads, ==, 0);
  kt_assert_text (kt_health_format (f->health),
                  "service: ok\nlast-success: 2024-09-30T09:19:32Z\nlast-failure: never\nfailures-in-a-row: 0\n"
                  "clock-skew: 600 s\n");
}

/* From the first answer on the date is the service's; it is told once that the clock is off, and no other reason is
 * looked for when the date was right. */
static void
test_clock_learned (Fixture *f, gconstpointer data)
{
  fetch (f);
  kt_fake_transport_land_dated (f->transport, 0, 200, GOOD, AHEAD);
  fetch (f);
  kt_fake_clock_advance (f->clock, 1500 * KT_MS);
  fetch (f);
  g_assert_cmpstr (header (f, 1, "X-Date"), ==, "20240930T090932Z");
  g_assert_cmpstr (header (f, 2, "X-Date"), ==, "20240930T090933Z");
  kt_fake_transport_land_dated (f->transport, 2, 400, REFUSED, "Mon, 30 Sep 2024 09:09:33 GMT");
  g_assert_cmpuint (f->refused, ==, 1);
  g_assert_cmpuint (sent (f), ==, 3);
  g_assert_cmpuint (kt_test_warnings (), ==, 2); /* the clock, the failure */
}

/* A second refusal stands, and so does one that has no date. */
static void
test_clock_once (Fixture *f, gconstpointer data)
{
  f->options.read_token = NULL;
  configure (f);
  fetch (f);
  kt_fake_transport_land_dated (f->transport, 0, 401, REFUSED, AHEAD);
  kt_fake_transport_land_dated (f->transport, 1, 401, REFUSED, "Mon, 30 Sep 2024 08:09:32 GMT");
  g_assert_cmpuint (f->refused, ==, 1);
  fetch (f);
  land (f, 2, 401, REFUSED);
  g_assert_cmpuint (f->refused, ==, 2);
  g_assert_cmpuint (sent (f), ==, 3);
}

/* Twenty requests refused at a time: the token is read once, all are sent again. */
static void
test_single_flight (Fixture *f, gconstpointer data)
{
  static const guint statuses[] = { 401, 403, 400 };

  later (f);
  for (guint i = 0; i < 20; i++)
    fetch (f);
  for (guint i = 0; i < 19; i++)
    land (f, i, statuses[i % 3], REFUSED);
  g_assert_cmpuint (f->reads, ==, 1);
  g_assert_cmpuint (sent (f), ==, 20);
  give (f, "SECOND", 0);
  g_assert_cmpuint (sent (f), ==, 39);
  for (guint i = 20; i < 39; i++) {
    g_assert_cmpstr (header (f, i, "Authorization"), ==, "Bearer SECOND");
    land (f, i, 200, GOOD);
  }
  later (f);
  land (f, 19, 401, REFUSED); /* the straggler was sent with the old token: no need to read */
  g_assert_cmpuint (f->reads, ==, 1);
  land (f, 39, 200, GOOD);
  g_assert_cmpuint (f->good, ==, 20);
  g_assert_cmpuint (kt_test_warnings (), ==, 0);
}

/* The same token again, or none: the refusal stands. The source is asked every three seconds at most. */
static void
test_refusal_stands (Fixture *f, gconstpointer data)
{
  fetch (f);
  land (f, 0, 401, REFUSED); /* the token was just read */
  g_assert_cmpuint (f->reads, ==, 0);
  g_assert_cmpuint (f->refused, ==, 1);
  later (f);
  fetch (f);
  land (f, 1, 401, REFUSED);
  give (f, "FIRST", 0);
  g_assert_cmpuint (f->refused, ==, 2);
  fetch (f);
  land (f, 2, 401, REFUSED);
  g_assert_cmpuint (f->reads, ==, 1);
  g_assert_cmpuint (f->refused, ==, 3);
  later (f);
  kt_test_warnings ();
  fetch (f);
  land (f, 3, 401, REFUSED);
  give (f, NULL, KT_ERROR_CONFIG);
  g_assert_cmpuint (f->reads, ==, 2);
  g_assert_cmpuint (f->refused, ==, 4);
  g_assert_cmpuint (kt_test_warnings (), ==, 2); /* the token, the request */
  g_assert_cmpuint (sent (f), ==, 4);
}

/* What is no refusal: no permission, an unknown task, a known code. */
static void
test_no_refusal (Fixture *f, gconstpointer data)
{
  static const struct {
    guint status;
    const char *body;
  } table[] = {
    { 200, "{\"code\":13000410}" },
    { 404, "{}" },
    { 400, "{\"code\":13000309}" },
    { 400, "{\"code\":13000102}" },
  };

  later (f);
  for (guint i = 0; i < G_N_ELEMENTS (table); i++) {
    fetch (f);
    land (f, i, table[i].status, table[i].body);
  }
  g_assert_cmpuint (f->reads, ==, 0);
  g_assert_cmpuint (sent (f), ==, G_N_ELEMENTS (table));
}

/* Who waits for a token that does not come fails at its deadline. */
static void
test_waits_till_deadline (Fixture *f, gconstpointer data)
{
  later (f);
  fetch (f);
  land (f, 0, 401, REFUSED);
  kt_fake_clock_advance (f->clock, 10 * KT_SECOND - 1);
  g_assert_cmpuint (f->refused, ==, 0);
  kt_fake_clock_advance (f->clock, 1);
  g_assert_cmpuint (f->refused, ==, 1);
  give (f, "SECOND", 0);
  fetch (f);
  g_assert_cmpstr (header (f, 1, "Authorization"), ==, "Bearer SECOND");
}

/* A token that its file has now counts at once; requests under way that it refused are sent again. */
static void
test_set_token (Fixture *f, gconstpointer data)
{
  fetch (f);
  kt_service_set_token (f->service, "AT SECOND");
  land (f, 0, 403, REFUSED);
  g_assert_cmpstr (header (f, 1, "Authorization"), ==, "AT SECOND");
  g_assert_cmpuint (f->reads, ==, 0);
  kt_assert_text (kt_log_redact ("AT SECOND, SECOND, FIRST"), "AT ***, ***, ***");
}

static void
with_session (Fixture *f)
{
  f->options.session_id = "SESSION";
  configure (f);
}

/* 401: the session is asked for a token, once for all, before the source is. */
static void
test_session (Fixture *f, gconstpointer data)
{
  with_session (f);
  for (guint i = 0; i < 20; i++)
    fetch (f);
  for (guint i = 0; i < 20; i++)
    land (f, i, 401, REFUSED);
  g_assert_cmpuint (sent (f), ==, 21);
  g_assert_cmpstr (kt_fake_transport_line (f->transport, 20), ==, REFRESH);
  g_assert_cmpstr (kt_fake_transport_body (f->transport, 20), ==, "");
  g_assert_cmpstr (header (f, 20, "x-session-id"), ==, "SESSION");
  g_assert_cmpstr (header (f, 20, "Authorization"), ==, "Bearer FIRST");
  land (f, 20, 200, "{\"code\":\"0\",\"accessToken\":\"AT RENEWED\"}");
  g_assert_cmpuint (sent (f), ==, 41);
  for (guint i = 21; i < 41; i++) {
    g_assert_cmpstr (header (f, i, "Authorization"), ==, "AT RENEWED");
    land (f, i, 200, GOOD);
  }
  g_assert_cmpuint (f->good, ==, 20);
  g_assert_cmpuint (f->reads, ==, 0);
  kt_assert_text (kt_log_redact ("SESSION AT RENEWED RENEWED"), "*** AT *** ***");
  kt_service_set_token (f->service, "FIRST"); /* the source knows nothing of it */
  configure (f);
  fetch (f);
  g_assert_cmpstr (header (f, 41, "Authorization"), ==, "AT RENEWED");
  kt_service_set_token (f->service, "SECOND");
  fetch (f);
  g_assert_cmpstr (header (f, 42, "Authorization"), ==, "Bearer SECOND");
}

/* The token that comes may be the one that was there. */
static void
test_session_same_token (Fixture *f, gconstpointer data)
{
  with_session (f);
  fetch (f);
  land (f, 0, 401, REFUSED);
  land (f, 1, 200, "{\"code\":0,\"accessToken\":\"Bearer FIRST\"}");
  g_assert_cmpstr (kt_fake_transport_line (f->transport, 2), ==, RESULT);
  land (f, 2, 401, REFUSED); /* it has not helped */
  g_assert_cmpuint (f->refused, ==, 1);
  fetch (f);
  land (f, 3, 401, REFUSED); /* nor would it again, so soon */
  g_assert_cmpuint (f->refused, ==, 2);
  g_assert_cmpuint (sent (f), ==, 4);
}

/* No session any more: told, and the source is asked. */
static void
test_session_lost (Fixture *f, gconstpointer data)
{
  static const struct {
    guint status;
    const char *body;
  } table[] = {
    { 401, REFUSED },
    { 200, "{\"code\":7}" },
    { 200, "{\"code\":0}" },
    { 200, "{\"code\":0,\"accessToken\":\"\"}" },
    { 200, "{\"code\":0,\"accessToken\":\"a\\r\\nX: y\"}" },
    { 200, "{\"code\":0,\"accessToken\":{}}" },
    { 200, "nonsense" },
  };

  with_session (f);
  for (guint i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autofree char *token = g_strdup_printf ("NUMBER%u", i);
    guint first = sent (f);
    later (f);
    fetch (f);
    land (f, first, 401, REFUSED);
    g_assert_cmpstr (kt_fake_transport_line (f->transport, first + 1), ==, REFRESH);
    land (f, first + 1, table[i].status, table[i].body);
    g_assert_cmpuint (kt_test_warnings (), ==, 1);
    g_assert_nonnull (strstr (kt_health_last_error (f->health), "session/refresh: "));
    give (f, token, 0);
    land (f, first + 2, 200, GOOD);
  }
  g_assert_cmpuint (f->good, ==, G_N_ELEMENTS (table));
}

/* A 403 is none of the session's business; the end of the mount ends everything. */
static void
test_session_others (Fixture *f, gconstpointer data)
{
  with_session (f);
  later (f);
  fetch (f);
  land (f, 0, 403, REFUSED);
  g_assert_cmpuint (f->reads, ==, 1);
  give (f, "FIRST", 0);
  g_assert_cmpuint (f->refused, ==, 1);
  later (f);
  fetch (f);
  land (f, 1, 401, REFUSED);
  kt_http_client_free (g_steal_pointer (&f->http)); /* the refresh is under way */
  g_assert_cmpuint (f->refused, ==, 2);
  g_assert_cmpuint (f->reads, ==, 1);
}

/* Nothing is done for an idle mount's token unless it is asked for. */
static void
test_idle (Fixture *f, gconstpointer data)
{
  g_assert_cmpuint (kt_fake_clock_timers (f->clock), ==, 0);
  with_session (f);
  g_assert_cmpuint (kt_fake_clock_timers (f->clock), ==, 0);
  fetch (f);
  land (f, 0, 200, GOOD);
  g_assert_cmpuint (kt_fake_clock_timers (f->clock), ==, 0);
}

/* keep-alive: 15 minutes after the last call, again and again; sooner after one that failed. */
static void
test_keep_alive (Fixture *f, gconstpointer data)
{
  f->options.keep_alive = TRUE;
  configure (f);
  kt_fake_clock_advance (f->clock, 10 * MINUTE);
  fetch (f);
  land (f, 0, 200, GOOD);
  kt_fake_clock_advance (f->clock, 15 * MINUTE - 1);
  g_assert_cmpuint (sent (f), ==, 1);
  kt_fake_clock_advance (f->clock, 1);
  g_assert_cmpuint (sent (f), ==, 2);
  g_assert_cmpstr (kt_fake_transport_line (f->transport, 1), ==, CHEAP);
  g_assert_null (kt_fake_transport_body (f->transport, 1));
  land (f, 1, 200, "{}");
  kt_fake_clock_advance (f->clock, 15 * MINUTE);
  g_assert_cmpuint (sent (f), ==, 3);
  kt_fake_transport_fail (f->transport, 2, KT_ERROR_TLS);
  g_assert_nonnull (strstr (kt_health_last_error (f->health), "keep-alive: EPROTO"));
  kt_fake_clock_advance (f->clock, MINUTE);
  g_assert_cmpuint (sent (f), ==, 4);
  land (f, 3, 401, REFUSED); /* too late: the next request shall find a better one */
  give (f, "SECOND", 0);
  kt_fake_clock_advance (f->clock, 15 * MINUTE);
  g_assert_cmpstr (header (f, 4, "Authorization"), ==, "Bearer SECOND");
  f->options.keep_alive = FALSE;
  configure (f);
  land (f, 4, 200, "{}");
  g_assert_cmpuint (kt_fake_clock_timers (f->clock), ==, 0);
}

/* With a session the token is renewed instead. */
static void
test_keep_alive_session (Fixture *f, gconstpointer data)
{
  f->options.keep_alive = TRUE;
  with_session (f);
  kt_fake_clock_advance (f->clock, 15 * MINUTE);
  g_assert_cmpuint (sent (f), ==, 1);
  g_assert_cmpstr (kt_fake_transport_line (f->transport, 0), ==, REFRESH);
  land (f, 0, 200, "{\"code\":0,\"accessToken\":\"AT RENEWED\"}");
  fetch (f);
  g_assert_cmpstr (header (f, 1, "Authorization"), ==, "AT RENEWED");
}

/* A clock that stood still in a suspended machine: the call of our own is dated anew too. */
static void
test_keep_alive_date (Fixture *f, gconstpointer data)
{
  f->options.keep_alive = TRUE;
  with_session (f);
  fetch (f);
  kt_fake_transport_land_dated (f->transport, 0, 200, GOOD, NOW);
  kt_fake_clock_advance (f->clock, 15 * MINUTE);
  kt_fake_transport_land_dated (f->transport, 1, 401, REFUSED, "Mon, 30 Sep 2024 20:00:00 GMT");
  g_assert_cmpstr (kt_fake_transport_line (f->transport, 2), ==, REFRESH);
  g_assert_cmpstr (header (f, 2, "X-Date"), ==, "20240930T200000Z");
  land (f, 2, 200, "{\"code\":0,\"accessToken\":\"AT RENEWED\"}");
  g_assert_cmpuint (f->reads, ==, 0);
}

/* A request that has been under way for so long keeps the session's token alive too. */
static void
test_under_way (Fixture *f, gconstpointer data)
{
  KtKey *key = kt_key_new_basic ("7");

  with_session (f);
  kt_service_fetch (f->service, key, kt_fake_clock_now (f->clock) + 60 * MINUTE, done, f);
  kt_key_unref (key);
  kt_fake_clock_advance (f->clock, 15 * MINUTE);
  g_assert_cmpstr (kt_fake_transport_line (f->transport, 1), ==, REFRESH);
  land (f, 1, 200, "{\"code\":0,\"accessToken\":\"AT RENEWED\"}");
  land (f, 0, 200, GOOD);
  g_assert_cmpuint (kt_fake_clock_timers (f->clock), ==, 0);
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
#define TEST(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)
  TEST ("/service/auth/signed", test_signed);
  TEST ("/service/auth/clock-ahead", test_clock_ahead);
  TEST ("/service/auth/clock-learned", test_clock_learned);
  TEST ("/service/auth/clock-once", test_clock_once);
  TEST ("/service/auth/single-flight", test_single_flight);
  TEST ("/service/auth/refusal-stands", test_refusal_stands);
  TEST ("/service/auth/no-refusal", test_no_refusal);
  TEST ("/service/auth/waits-till-deadline", test_waits_till_deadline);
  TEST ("/service/auth/set-token", test_set_token);
  TEST ("/service/auth/session", test_session);
  TEST ("/service/auth/session-same-token", test_session_same_token);
  TEST ("/service/auth/session-lost", test_session_lost);
  TEST ("/service/auth/session-others", test_session_others);
  TEST ("/service/auth/idle", test_idle);
  TEST ("/service/auth/keep-alive", test_keep_alive);
  TEST ("/service/auth/keep-alive-session", test_keep_alive_session);
  TEST ("/service/auth/keep-alive-date", test_keep_alive_date);
  TEST ("/service/auth/under-way", test_under_way);
  return g_test_run ();
}
