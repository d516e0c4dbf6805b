/* SPDX-License-Identifier: MIT */
/* Signing in: sessions, and tokens that must not expire. */
#include "kt-test.h"

#include "base/kt-log.h"
#include "base/kt-units.h"
#include "kt-signin-fixture.h"

#include <string.h>

static void
with_session (KtServiceFixture *f)
{
  f->options.session_id = "SESSION";
  kt_signin_configure (f);
}

static void
assert_renewals (KtServiceFixture *f, const char *way, guint succeeded, guint failed)
{
  const char *name = "kootaskfs_token_renewals_total";
  KtLabel labels[] = { { "way", way }, { "result", "succeeded" } };

  g_assert_cmpuint (*kt_metrics_counter_of (f->metrics, name, "", labels, 2), ==, succeeded);
  labels[1].value = "failed";
  g_assert_cmpuint (*kt_metrics_counter_of (f->metrics, name, "", labels, 2), ==, failed);
}

static void
assert_under_way (KtServiceFixture *f, guint n)
{
  g_autofree char *health = kt_health_format (f->health, 0);
  g_autofree char *words = g_strdup_printf ("; %u request%s under way\n", n, n > 1 ? "s" : "");

  g_assert_cmpint (strstr (health, n > 0 ? words : "under way") != NULL, ==, n > 0);
}

/* "The token is renewed once for all requests that were refused. They wait for it." The session is asked before the
 * source. "A token from `session/refresh` is used until its source has another token than before." */
static void
test_session (KtServiceFixture *f, gconstpointer data)
{
  with_session (f);
  for (guint i = 0; i < 20; i++)
    kt_signin_fetch (f);
  for (guint i = 0; i < 20; i++)
    kt_signin_land (f, i, 401, REFUSED);
  g_assert_cmpuint (kt_signin_sent (f), ==, 21);
  assert_under_way (f, 21); /* all of them go on */
  assert_renewals (f, "session", 0, 0);
  g_assert_cmpstr (kt_fake_transport_line (f->transport, 20), ==, REFRESH);
  g_assert_cmpstr (kt_fake_transport_body (f->transport, 20), ==, "");
  g_assert_cmpstr (kt_signin_header (f, 20, "x-session-id"), ==, "SESSION");
  g_assert_cmpstr (kt_signin_header (f, 20, "Authorization"), ==, "Bearer FIRST");
  kt_signin_land (f, 20, 200, "{\"code\":\"0\",\"accessToken\":\"AT RENEWED\"}");
  g_assert_cmpuint (kt_signin_sent (f), ==, 41);
  for (guint i = 21; i < 41; i++) {
    g_assert_cmpstr (kt_signin_header (f, i, "Authorization"), ==, "AT RENEWED");
    kt_signin_land (f, i, 200, GOOD);
  }
  g_assert_cmpuint (f->good, ==, 20);
  assert_under_way (f, 0);
  assert_renewals (f, "session", 1, 0);
  assert_renewals (f, "source", 0, 0);
  g_assert_cmpuint (f->reads, ==, 0);
  kt_assert_text (kt_log_redact ("SESSION AT RENEWED RENEWED"), "*** AT *** ***");
  kt_service_set_token (f->service, "FIRST"); /* the source knows nothing of it */
  kt_signin_configure (f);
  kt_signin_fetch (f);
  g_assert_cmpstr (kt_signin_header (f, 41, "Authorization"), ==, "AT RENEWED");
  kt_service_set_token (f->service, "SECOND");
  kt_signin_fetch (f);
  g_assert_cmpstr (kt_signin_header (f, 42, "Authorization"), ==, "Bearer SECOND");
}

/* A refusal may come as a 400, or as a 200 that only its body gives away. */
static void
test_session_statuses (KtServiceFixture *f, gconstpointer data)
{
  with_session (f);
  kt_signin_fetch (f);
  kt_signin_land (f, 0, 400, REFUSED);
  g_assert_cmpstr (kt_fake_transport_line (f->transport, 1), ==, REFRESH);
  kt_signin_land (f, 1, 200, "{\"code\":0,\"accessToken\":\"AT RENEWED\"}");
  kt_signin_land (f, 2, 200, GOOD);
  kt_signin_later (f);
  kt_signin_fetch (f);
  kt_signin_land (f, 3, 200, "{\"error_code\":\"APIGW.0301\",\"error_msg\":\"no\"}");
  g_assert_cmpstr (kt_fake_transport_line (f->transport, 4), ==, REFRESH);
  kt_signin_land (f, 4, 200, "{\"code\":0,\"accessToken\":\"AT AGAIN\"}");
  kt_signin_land (f, 5, 200, GOOD);
  g_assert_cmpuint (f->good, ==, 2);
  g_assert_cmpuint (f->reads, ==, 0);
}

/* The token that comes may be the one that was there. "`session/refresh` is called at most once in 3 s" */
static void
test_session_same_token (KtServiceFixture *f, gconstpointer data)
{
  with_session (f);
  kt_signin_fetch (f);
  kt_signin_land (f, 0, 401, REFUSED);
  kt_signin_land (f, 1, 200, "{\"code\":0,\"accessToken\":\"Bearer FIRST\"}");
  g_assert_cmpstr (kt_fake_transport_line (f->transport, 2), ==, JOB);
  kt_signin_land (f, 2, 401, REFUSED); /* it has not helped */
  g_assert_cmpuint (f->refused, ==, 1);
  kt_signin_fetch (f);
  kt_signin_land (f, 3, 401, REFUSED); /* nor would it again, so soon */
  g_assert_cmpuint (f->refused, ==, 2);
  g_assert_cmpuint (kt_signin_sent (f), ==, 4);
}

/* No session any more. "Without a `session-id`, after HTTP 403, or when `session/refresh` fails, the token is read
 * again from its source." */
static void
test_session_lost (KtServiceFixture *f, gconstpointer data)
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
    guint first = kt_signin_sent (f);
    kt_signin_later (f);
    kt_signin_fetch (f);
    kt_signin_land (f, first, 401, REFUSED);
    g_assert_cmpstr (kt_fake_transport_line (f->transport, first + 1), ==, REFRESH);
    kt_signin_land (f, first + 1, table[i].status, table[i].body);
    g_assert_cmpuint (kt_test_warnings (), ==, 1);
    g_assert_nonnull (strstr (kt_health_last_error (f->health), "session/refresh: "));
    kt_signin_give (f, token, 0);
    kt_signin_land (f, first + 2, 200, GOOD);
  }
  g_assert_cmpuint (f->good, ==, G_N_ELEMENTS (table));
  assert_renewals (f, "session", 0, G_N_ELEMENTS (table));
  assert_renewals (f, "source", G_N_ELEMENTS (table), 0);
}

/* "the token is renewed by `session/refresh`, but not after HTTP 403"; the end of the mount ends everything. */
static void
test_session_others (KtServiceFixture *f, gconstpointer data)
{
  with_session (f);
  kt_signin_later (f);
  kt_signin_fetch (f);
  kt_signin_land (f, 0, 403, REFUSED);
  g_assert_cmpuint (f->reads, ==, 1);
  kt_signin_give (f, "FIRST", 0);
  g_assert_cmpuint (f->refused, ==, 1);
  kt_signin_later (f);
  kt_signin_fetch (f);
  kt_signin_land (f, 1, 401, REFUSED);
  kt_http_client_free (g_steal_pointer (&f->http)); /* the refresh is under way */
  g_assert_cmpuint (f->refused, ==, 2);
  g_assert_cmpuint (f->reads, ==, 1);
  assert_under_way (f, 0);
  assert_renewals (f, "session", 0, 0); /* what the end of the mount ended is no failure */
}

/* "With `keep-alive = no`, an idle mount makes no call but the one at the start, and sets no timer." */
static void
test_idle (KtServiceFixture *f, gconstpointer data)
{
  g_assert_cmpuint (kt_fake_clock_timers (f->clock), ==, 0);
  with_session (f);
  g_assert_cmpuint (kt_fake_clock_timers (f->clock), ==, 0);
  kt_signin_fetch (f);
  kt_signin_land (f, 0, 200, GOOD);
  g_assert_cmpuint (kt_fake_clock_timers (f->clock), ==, 0);
}

/* 15 minutes after the last call, again and again; sooner after one that failed. "Without a `session-id`, kootaskfs
 * makes one cheap call instead." */
static void
test_keep_alive (KtServiceFixture *f, gconstpointer data)
{
  f->options.keep_alive = TRUE;
  kt_signin_configure (f);
  kt_fake_clock_advance (f->clock, 10 * MINUTE);
  kt_signin_fetch (f);
  kt_signin_land (f, 0, 200, GOOD);
  kt_fake_clock_advance (f->clock, 15 * MINUTE - 1);
  g_assert_cmpuint (kt_signin_sent (f), ==, 1);
  kt_fake_clock_advance (f->clock, 1);
  g_assert_cmpuint (kt_signin_sent (f), ==, 2);
  g_assert_cmpstr (kt_fake_transport_line (f->transport, 1), ==, CHEAP);
  assert_under_way (f, 1);
  g_assert_null (kt_fake_transport_body (f->transport, 1));
  kt_signin_land (f, 1, 200, "{}");
  kt_fake_clock_advance (f->clock, 15 * MINUTE);
  g_assert_cmpuint (kt_signin_sent (f), ==, 3);
  kt_fake_transport_fail (f->transport, 2, KT_ERROR_TLS);
  g_assert_nonnull (strstr (kt_health_last_error (f->health), "keep-alive: EPROTO"));
  kt_fake_clock_advance (f->clock, MINUTE);
  g_assert_cmpuint (kt_signin_sent (f), ==, 4);
  kt_signin_land (f, 3, 401, REFUSED); /* too late: the next request shall find a better one */
  kt_signin_give (f, "SECOND", 0);
  kt_fake_clock_advance (f->clock, 15 * MINUTE);
  g_assert_cmpstr (kt_signin_header (f, 4, "Authorization"), ==, "Bearer SECOND");
  f->options.keep_alive = FALSE;
  kt_signin_configure (f);
  kt_signin_land (f, 4, 200, "{}");
  g_assert_cmpuint (kt_fake_clock_timers (f->clock), ==, 0);
}

/* "With `keep-alive = yes`, the token is renewed by `session/refresh` after 15 idle minutes." */
static void
test_keep_alive_session (KtServiceFixture *f, gconstpointer data)
{
  f->options.keep_alive = TRUE;
  with_session (f);
  kt_fake_clock_advance (f->clock, 15 * MINUTE);
  g_assert_cmpuint (kt_signin_sent (f), ==, 1);
  g_assert_cmpstr (kt_fake_transport_line (f->transport, 0), ==, REFRESH);
  kt_signin_land (f, 0, 200, "{\"code\":0,\"accessToken\":\"AT RENEWED\"}");
  kt_signin_fetch (f);
  g_assert_cmpstr (kt_signin_header (f, 1, "Authorization"), ==, "AT RENEWED");
}

/* A clock that stood still in a suspended machine: the request of our own is dated anew too. */
static void
test_keep_alive_date (KtServiceFixture *f, gconstpointer data)
{
  f->options.keep_alive = TRUE;
  with_session (f);
  kt_signin_fetch (f);
  kt_fake_transport_land_dated (f->transport, 0, 200, GOOD, NOW);
  kt_fake_clock_advance (f->clock, 15 * MINUTE);
  kt_fake_transport_land_dated (f->transport, 1, 401, REFUSED, "Mon, 30 Sep 2024 20:00:00 GMT");
  g_assert_cmpstr (kt_fake_transport_line (f->transport, 2), ==, REFRESH);
  g_assert_cmpstr (kt_signin_header (f, 2, "X-Date"), ==, "20240930T200000Z");
  kt_signin_land (f, 2, 200, "{\"code\":0,\"accessToken\":\"AT RENEWED\"}");
  g_assert_cmpuint (f->reads, ==, 0);
}

/* "A request that takes 15 minutes has its session renew the token, also with `keep-alive = no`." */
static void
test_under_way (KtServiceFixture *f, gconstpointer data)
{
  with_session (f);
  kt_signin_fetch_within (f, 60 * MINUTE);
  kt_fake_clock_advance (f->clock, 15 * MINUTE);
  g_assert_cmpstr (kt_fake_transport_line (f->transport, 1), ==, REFRESH);
  kt_signin_land (f, 1, 200, "{\"code\":0,\"accessToken\":\"AT RENEWED\"}");
  kt_signin_land (f, 0, 200, GOOD);
  g_assert_cmpuint (kt_fake_clock_timers (f->clock), ==, 0);
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
#define TEST(path, func) g_test_add (path, KtServiceFixture, NULL, kt_signin_set_up, func, kt_signin_tear_down)
  TEST ("/service/auth/session", test_session);
  TEST ("/service/auth/session-statuses", test_session_statuses);
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
