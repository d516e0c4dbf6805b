/* SPDX-License-Identifier: MIT */
/* Signing in: what a request carries, and what happens when it is refused. */
#include "kt-test.h"

#include "base/kt-log.h"
#include "base/kt-units.h"
#include "kt-signin-fixture.h"

#include <string.h>

static void
test_signed (KtServiceFixture *f, gconstpointer data)
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
    kt_signin_configure (f);
    kt_signin_fetch (f);
    g_assert_cmpstr (kt_signin_header (f, i, "Host"), ==, table[i].host);
    g_assert_true (g_str_has_prefix (kt_signin_header (f, i, "Authorization"),
                                     "HMAC-SHA256 AppId=APP,SignedHeaders=host;x-date;x-user-id,Signature="));
  }
  g_assert_cmpstr (kt_signin_header (f, 0, "Authorization"), !=, kt_signin_header (f, 2, "Authorization"));
  g_assert_cmpstr (kt_signin_header (f, 0, "Authorization"), ==, kt_signin_header (f, 1, "Authorization"));
}

/* A clock ahead of the service's: "A refused request is sent once more, within its deadline, when its date was wrong".
 * "For such a date HTTP 401, 403 and 400 count as refused, and so does HTTP 200 with any error code." */
static void
test_clock_ahead (KtServiceFixture *f, gconstpointer data)
{
  static const char *const bodies[] = { REFUSED, "{\"code\":13000102,\"msg\":\"X-Date\"}" };
  static const guint statuses[] = { 400, 401, 403, 200 };

  for (guint i = 0; i < G_N_ELEMENTS (bodies) * G_N_ELEMENTS (statuses); i++) {
    guint first = kt_signin_sent (f);
    g_autoptr (KtService) service =
        kt_service_new (f->http, kt_fake_clock (f->clock), f->health, f->metrics, &f->options);
    KtService *other = f->service;
    f->service = service;
    kt_signin_fetch (f);
    f->service = other;
    g_assert_cmpstr (kt_signin_header (f, first, "X-Date"), ==, "20240930T091932Z");
    kt_fake_transport_land_dated (f->transport, first, statuses[i / 2], bodies[i % 2], AHEAD);
    g_assert_cmpstr (kt_signin_header (f, first + 1, "X-Date"), ==, "20240930T090932Z");
    kt_fake_transport_land_dated (f->transport, first + 1, 200, GOOD, AHEAD);
    g_assert_cmpuint (f->good, ==, i + 1);
    g_assert_cmpuint (kt_test_warnings (), ==, 1);
  }
  g_assert_cmpuint (f->reads, ==, 0);
  kt_assert_text (kt_health_format (f->health, kt_clock_wall (kt_fake_clock (f->clock))),
                  "service: ok, last success 0 s ago; nothing asked since\nlast-success: "
                  "2024-09-30T09:19:32Z\nlast-failure: never\nfailures-in-a-row: 0\n"
                  "clock-skew: 600 s\n");
}

/* "A clock that is more than 5 s ahead or more than 2 min behind is logged once." */
static void
test_clock_warnings (KtServiceFixture *f, gconstpointer data)
{
  static const struct {
    const char *date; /* of the service; this machine's clock is at 09:19:32 */
    guint warnings;
  } table[] = {
    { "Mon, 30 Sep 2024 09:19:27 GMT", 0 }, /* 5 s */
    { "Mon, 30 Sep 2024 09:19:26 GMT", 1 },
    { "Mon, 30 Sep 2024 09:21:32 GMT", 0 }, /* 2 min */
    { "Mon, 30 Sep 2024 09:21:33 GMT", 1 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autoptr (KtService) service =
        kt_service_new (f->http, kt_fake_clock (f->clock), f->health, f->metrics, &f->options);
    KtService *other = f->service;
    f->service = service;
    for (guint again = 0; again < 2; again++) {
      kt_signin_fetch (f);
      kt_fake_transport_land_dated (f->transport, kt_signin_sent (f) - 1, 200, GOOD, table[i].date);
    }
    f->service = other;
    g_assert_cmpuint (kt_test_warnings (), ==, table[i].warnings);
  }
}

/* From the first response on the date is the service's; one warning says that the clock is off, and no other reason is
 * looked for when the date was right. */
static void
test_clock_learned (KtServiceFixture *f, gconstpointer data)
{
  kt_signin_fetch (f);
  kt_fake_transport_land_dated (f->transport, 0, 200, GOOD, AHEAD);
  kt_signin_fetch (f);
  kt_fake_clock_advance (f->clock, 1500 * KT_MS);
  kt_signin_fetch (f);
  g_assert_cmpstr (kt_signin_header (f, 1, "X-Date"), ==, "20240930T090932Z");
  g_assert_cmpstr (kt_signin_header (f, 2, "X-Date"), ==, "20240930T090933Z");
  kt_fake_transport_land_dated (f->transport, 2, 400, REFUSED, "Mon, 30 Sep 2024 09:09:33 GMT");
  g_assert_cmpuint (f->refused, ==, 1);
  g_assert_cmpuint (kt_signin_sent (f), ==, 3);
  g_assert_cmpuint (kt_test_warnings (), ==, 2); /* the clock, the failure */
}

/* A second refusal stands, and so does one that has no date. */
static void
test_clock_once (KtServiceFixture *f, gconstpointer data)
{
  f->options.read_token = NULL;
  kt_signin_configure (f);
  kt_signin_fetch (f);
  kt_fake_transport_land_dated (f->transport, 0, 401, REFUSED, AHEAD);
  kt_fake_transport_land_dated (f->transport, 1, 401, REFUSED, "Mon, 30 Sep 2024 08:09:32 GMT");
  g_assert_cmpuint (f->refused, ==, 1);
  kt_signin_fetch (f);
  kt_signin_land (f, 2, 401, REFUSED);
  g_assert_cmpuint (f->refused, ==, 2);
  g_assert_cmpuint (kt_signin_sent (f), ==, 3);
}

/* Twenty requests refused at a time: the token is read once, all are sent again. */
static void
test_single_flight (KtServiceFixture *f, gconstpointer data)
{
  static const guint statuses[] = { 401, 403, 400 };

  kt_signin_later (f);
  for (guint i = 0; i < 20; i++)
    kt_signin_fetch (f);
  for (guint i = 0; i < 19; i++)
    kt_signin_land (f, i, statuses[i % 3], REFUSED);
  g_assert_cmpuint (f->reads, ==, 1);
  g_assert_cmpuint (kt_signin_sent (f), ==, 20);
  kt_signin_give (f, "SECOND", 0);
  g_assert_cmpuint (kt_signin_sent (f), ==, 39);
  for (guint i = 20; i < 39; i++) {
    g_assert_cmpstr (kt_signin_header (f, i, "Authorization"), ==, "Bearer SECOND");
    kt_signin_land (f, i, 200, GOOD);
  }
  kt_signin_later (f);
  kt_signin_land (f, 19, 401, REFUSED); /* the straggler was sent with the old token: no need to read */
  g_assert_cmpuint (f->reads, ==, 1);
  kt_signin_land (f, 39, 200, GOOD);
  g_assert_cmpuint (f->good, ==, 20);
  g_assert_cmpuint (kt_test_warnings (), ==, 0);
}

/* The same token again, or none: the refusal stands. The source is asked every three seconds at most. */
static void
test_refusal_stands (KtServiceFixture *f, gconstpointer data)
{
  kt_signin_fetch (f);
  kt_signin_land (f, 0, 401, REFUSED); /* the token was just read */
  g_assert_cmpuint (f->reads, ==, 0);
  g_assert_cmpuint (f->refused, ==, 1);
  kt_signin_later (f);
  kt_signin_fetch (f);
  kt_signin_land (f, 1, 401, REFUSED);
  kt_signin_give (f, "FIRST", 0);
  g_assert_cmpuint (f->refused, ==, 2);
  kt_signin_fetch (f);
  kt_signin_land (f, 2, 401, REFUSED);
  g_assert_cmpuint (f->reads, ==, 1);
  g_assert_cmpuint (f->refused, ==, 3);
  kt_signin_later (f);
  kt_test_warnings ();
  kt_signin_fetch (f);
  kt_signin_land (f, 3, 401, REFUSED);
  kt_signin_give (f, NULL, KT_ERROR_CONFIG);
  g_assert_cmpuint (f->reads, ==, 2);
  g_assert_cmpuint (f->refused, ==, 4);
  g_assert_cmpuint (kt_test_warnings (), ==, 2); /* the token, the request */
  g_assert_cmpuint (kt_signin_sent (f), ==, 4);
}

/* What is no refusal: no permission, an unknown task, a known code. */
static void
test_no_refusal (KtServiceFixture *f, gconstpointer data)
{
  static const struct {
    guint status;
    const char *body;
  } table[] = {
    { 200, "{\"code\":13000410}" },
    { 404, "{}" },
    { 400, "{\"code\":13000309}" },
    { 400, "{\"code\":13000102}" },
    { 403, "{\"code\":13000410}" },
    { 500, REFUSED },
    { 200, "nonsense" },
  };

  kt_signin_later (f);
  for (guint i = 0; i < G_N_ELEMENTS (table); i++) {
    kt_signin_fetch (f);
    kt_signin_land (f, i, table[i].status, table[i].body);
  }
  g_assert_cmpuint (f->reads, ==, 0);
  g_assert_cmpuint (kt_signin_sent (f), ==, G_N_ELEMENTS (table));
}

/* Who waits for a token that does not come fails at its deadline. */
static void
test_waits_till_deadline (KtServiceFixture *f, gconstpointer data)
{
  kt_signin_later (f);
  kt_signin_fetch (f);
  kt_signin_land (f, 0, 401, REFUSED);
  kt_fake_clock_advance (f->clock, 10 * KT_SECOND - 1);
  g_assert_cmpuint (f->refused, ==, 0);
  kt_fake_clock_advance (f->clock, 1);
  g_assert_cmpuint (f->refused, ==, 1);
  kt_signin_give (f, "SECOND", 0);
  kt_signin_fetch (f);
  g_assert_cmpstr (kt_signin_header (f, 1, "Authorization"), ==, "Bearer SECOND");
}

/* "A request that is signed as an app is refused only for its date or for the secret of the app. The secret is read
 * again as a token is." */
static void
test_app_secret (KtServiceFixture *f, gconstpointer data)
{
  g_autofree char *first = NULL;

  f->options.app_id = "APP";
  f->options.token = "SECRET";
  kt_signin_configure (f);
  kt_signin_later (f);
  kt_signin_fetch (f);
  first = g_strdup (kt_signin_header (f, 0, "Authorization"));
  kt_signin_land (f, 0, 401, REFUSED);
  g_assert_cmpuint (kt_signin_sent (f), ==, 1); /* no session is asked */
  g_assert_cmpuint (f->reads, ==, 1);
  kt_signin_give (f, "ANOTHER", 0);
  g_assert_cmpuint (kt_signin_sent (f), ==, 2);
  g_assert_true (g_str_has_prefix (kt_signin_header (f, 1, "Authorization"), "HMAC-SHA256 AppId=APP,"));
  g_assert_cmpstr (kt_signin_header (f, 1, "Authorization"), !=, first);
  kt_signin_land (f, 1, 200, GOOD);
  g_assert_cmpuint (f->good, ==, 1);
}

/* A token that its file has now counts at once; requests under way that it refused are sent again. */
static void
test_set_token (KtServiceFixture *f, gconstpointer data)
{
  kt_signin_fetch (f);
  kt_service_set_token (f->service, "AT SECOND");
  kt_signin_land (f, 0, 403, REFUSED);
  g_assert_cmpstr (kt_signin_header (f, 1, "Authorization"), ==, "AT SECOND");
  g_assert_cmpuint (f->reads, ==, 0);
  kt_assert_text (kt_log_redact ("AT SECOND, SECOND, FIRST"), "AT ***, ***, ***");
}

/* A token is renewed every 20 minutes for a year: what is in use stays out of the log, what was long ago is
 * forgotten. */
static void
test_year_of_tokens (KtServiceFixture *f, gconstpointer data)
{
  g_autoptr (GHashTable) tokens = g_hash_table_new (g_str_hash, g_str_equal);

  g_hash_table_insert (tokens, (gpointer) "S1", (gpointer) "kdstoken-1");
  f->options.session_id = "session-1";
  f->options.share_tokens = tokens;
  kt_signin_configure (f);
  for (guint i = 0; i < 365 * 24 * 3; i++) {
    g_autofree char *token = g_strdup_printf ("Bearer token-%u.", i);
    kt_service_set_token (f->service, token);
  }
  kt_assert_text (kt_log_redact ("session-1 kdstoken-1 token-26279. token-26278. token-0."),
                  "*** *** *** *** token-0.");
  f->options.share_tokens = NULL;
  kt_signin_configure (f);
  for (guint i = 0; i < KT_LOG_RECENT_SECRETS + 2; i++) {
    g_autofree char *token = g_strdup_printf ("another-%u.", i);
    kt_service_set_token (f->service, token);
  }
  kt_assert_text (kt_log_redact ("session-1 kdstoken-1"), "*** kdstoken-1");
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
#define TEST(path, func) g_test_add (path, KtServiceFixture, NULL, kt_signin_set_up, func, kt_signin_tear_down)
  TEST ("/service/auth/signed", test_signed);
  TEST ("/service/auth/clock-ahead", test_clock_ahead);
  TEST ("/service/auth/clock-warnings", test_clock_warnings);
  TEST ("/service/auth/clock-learned", test_clock_learned);
  TEST ("/service/auth/clock-once", test_clock_once);
  TEST ("/service/auth/single-flight", test_single_flight);
  TEST ("/service/auth/refusal-stands", test_refusal_stands);
  TEST ("/service/auth/no-refusal", test_no_refusal);
  TEST ("/service/auth/waits-till-deadline", test_waits_till_deadline);
  TEST ("/service/auth/app-secret", test_app_secret);
  TEST ("/service/auth/set-token", test_set_token);
  TEST ("/service/auth/year-of-tokens", test_year_of_tokens);
  return g_test_run ();
}
