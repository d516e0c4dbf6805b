/* SPDX-License-Identifier: MIT */
/* Which requests are repeated, and when. */
#include "kt-test.h"

#include "base/kt-units.h"
#include "http/kt-retry.h"

#include <string.h>

#define NOW      (1000 * KT_SECOND)
#define REAL     (1727687972 * KT_SECOND) /* Mon, 30 Sep 2024 09:19:32 GMT */
#define FAR      (NOW + 3600 * KT_SECOND)
#define NO_ERROR (-1)

static gint64
delay_of (guint attempt, guint status, int error_code, const char *retry_after, KtUsec deadline, double jitter)
{
  g_autoptr (GError) error = error_code != NO_ERROR ? g_error_new (KT_ERROR, error_code, "x") : NULL;
  const KtAttempt a = {
    .attempt = attempt,
    .status = status,
    .error = error,
    .retry_after = retry_after,
    .now_wall = REAL,
    .now = NOW,
    .deadline = deadline,
    .jitter = jitter,
  };

  return kt_retry_delay (&a);
}

/* "A request is repeated, at most three times, when its trouble may pass": by status.
 * "No other request is repeated, because the response would be the same." */
static void
test_statuses (void)
{
  static const guint again[] = { 429, 500, 502, 503, 504 };
  static const guint never[] = { 200, 204, 301, 302, 400, 401, 403, 404, 405, 407, 408, 409,
                                 410, 413, 414, 415, 421, 425, 431, 451, 501, 505, 507, 511 };

  for (gsize i = 0; i < G_N_ELEMENTS (again); i++)
    g_assert_cmpint (delay_of (1, again[i], NO_ERROR, NULL, FAR, 1), ==, 100 * KT_MS);
  for (gsize i = 0; i < G_N_ELEMENTS (never); i++)
    g_assert_cmpint (delay_of (1, never[i], NO_ERROR, "1", FAR, 1), ==, KT_RETRY_NO);
}

static void
test_errors (void)
{
  for (int code = 0; code <= KT_ERROR_MOUNT; code++) {
    gboolean passing = code == KT_ERROR_UNREACHABLE || code == KT_ERROR_BROKEN;
    g_assert_cmpint (delay_of (1, 0, code, NULL, FAR, 1), ==, passing ? 100 * KT_MS : KT_RETRY_NO);
  }
}

/* "Before the first retry kootaskfs waits at most 100 ms, before each further one at most twice as long." */
static void
test_doubling (void)
{
  g_assert_cmpint (delay_of (1, 503, NO_ERROR, NULL, FAR, 1), ==, 100 * KT_MS);
  g_assert_cmpint (delay_of (2, 503, NO_ERROR, NULL, FAR, 1), ==, 200 * KT_MS);
  g_assert_cmpint (delay_of (3, 503, NO_ERROR, NULL, FAR, 1), ==, 400 * KT_MS);
  g_assert_cmpint (delay_of (KT_RETRY_ATTEMPTS, 503, NO_ERROR, NULL, FAR, 1), ==, KT_RETRY_NO);
  g_assert_cmpint (delay_of (KT_RETRY_ATTEMPTS, 503, NO_ERROR, "0", FAR, 1), ==, KT_RETRY_NO);
  g_assert_cmpint (delay_of (1, 503, NO_ERROR, NULL, FAR, 0), ==, 50 * KT_MS); /* jitter takes off half at most */
}

/* "A `Retry-After` of the response replaces this time." */
static void
test_retry_after (void)
{
  static const struct {
    const char *value;
    KtUsec delay;
  } table[] = {
    { "0", 0 },
    { "7", 7 * KT_SECOND },
    { "Mon, 30 Sep 2024 09:19:42 GMT", 10 * KT_SECOND },
    { "Monday, 30-Sep-24 09:19:42 GMT", 10 * KT_SECOND },
    { "Mon, 30 Sep 2024 09:19:00 GMT", 0 }, /* it is past */
    { "soon", 100 * KT_MS },
    { "-7", 100 * KT_MS },
    { "1.5", 100 * KT_MS },
    { "", 100 * KT_MS },
    { "99999999999999999999", 100 * KT_MS },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    g_assert_cmpint (delay_of (1, 429, NO_ERROR, table[i].value, FAR, 1), ==, table[i].delay);
}

static void
test_deadline (void)
{
  g_assert_cmpint (delay_of (1, 503, NO_ERROR, NULL, NOW + 101 * KT_MS, 1), ==, 100 * KT_MS);
  g_assert_cmpint (delay_of (1, 503, NO_ERROR, NULL, NOW + 100 * KT_MS, 1), ==, KT_RETRY_NO);
  g_assert_cmpint (delay_of (1, 429, NO_ERROR, "7", NOW + 5 * KT_SECOND, 1), ==, KT_RETRY_NO);
  g_assert_cmpint (delay_of (1, 503, NO_ERROR, "0", NOW, 1), ==, KT_RETRY_NO);
  g_assert_cmpint (delay_of (1, 503, NO_ERROR, NULL, NOW - 1, 1), ==, KT_RETRY_NO);
  g_assert_cmpint (delay_of (1, 429, NO_ERROR, "2147483647", FAR, 1), ==, KT_RETRY_NO);
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
  g_test_add_func ("/http/retry/statuses", test_statuses);
  g_test_add_func ("/http/retry/errors", test_errors);
  g_test_add_func ("/http/retry/doubling", test_doubling);
  g_test_add_func ("/http/retry/retry-after", test_retry_after);
  g_test_add_func ("/http/retry/deadline", test_deadline);
  return g_test_run ();
}
