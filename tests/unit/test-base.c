/* SPDX-License-Identifier: MIT */
/* Errors, durations, sizes, times, timers, the log and its secrets, metrics, health. */
#include "kt-test.h"

#include "base/kt-clock.h"
#include "base/kt-health.h"
#include "base/kt-log.h"
#include "base/kt-units.h"

#include <errno.h>
#include <string.h>

static void
test_errno (void)
{
  static const struct {
    KtErrorCode code;
    int number;
    const char *name;
  } table[] = {
    { KT_ERROR_NOT_FOUND, ENOENT, "ENOENT" },
    { KT_ERROR_REFUSED, EACCES, "EACCES" },
    { KT_ERROR_DENIED, EACCES, "EACCES" },
    { KT_ERROR_TIMED_OUT, ETIMEDOUT, "ETIMEDOUT" },
    { KT_ERROR_UNREACHABLE, EHOSTUNREACH, "EHOSTUNREACH" },
    { KT_ERROR_TLS, EPROTO, "EPROTO" },
    { KT_ERROR_THROTTLED, EBUSY, "EBUSY" },
    { KT_ERROR_BAD_ANSWER, EBADMSG, "EBADMSG" },
    { KT_ERROR_TOO_LARGE, EIO, "EIO" },
    { KT_ERROR_BROKEN, EIO, "EIO" },
    { KT_ERROR_PROXY, EIO, "EIO" },
    { KT_ERROR_REDIRECTED, EIO, "EIO" },
    { KT_ERROR_SERVICE, EIO, "EIO" },
    { KT_ERROR_INTERRUPTED, EINTR, "EINTR" },
    { KT_ERROR_NOT_YET, EAGAIN, "EAGAIN" },
    { KT_ERROR_READ_ONLY, EROFS, "EROFS" },
    { KT_ERROR_FORBIDDEN, EPERM, "EPERM" },
    { KT_ERROR_BAD_WORD, EINVAL, "EINVAL" },
    { KT_ERROR_ENDED, EINVAL, "EINVAL" },
    { KT_ERROR_DECLINED, EBUSY, "EBUSY" },
    { KT_ERROR_NO_ATTRIBUTE, ENODATA, "ENODATA" },
    { KT_ERROR_STOPPED, ENOTCONN, "ENOTCONN" },
    { KT_ERROR_USAGE, EINVAL, "EINVAL" },
    { KT_ERROR_CONFIG, EINVAL, "EINVAL" },
    { KT_ERROR_MOUNT, EINVAL, "EINVAL" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autoptr (GError) error = g_error_new (KT_ERROR, (int) table[i].code, "x");
    g_assert_cmpint (table[i].code, ==, i); /* the table has them all */
    g_assert_cmpint (kt_error_to_errno (error), ==, table[i].number);
    g_assert_cmpstr (kt_errno_name (table[i].number), ==, table[i].name);
  }
  g_assert_cmpint (G_N_ELEMENTS (table), ==, KT_ERROR_MOUNT + 1);
}

static void
test_errno_of_strangers (void)
{
  g_autoptr (GError) other = g_error_new (G_FILE_ERROR, KT_ERROR_NOT_FOUND, "x");
  g_autoptr (GError) beyond = g_error_new (KT_ERROR, 999, "x");

  g_assert_cmpint (kt_error_to_errno (other), ==, EIO);
  g_assert_cmpint (kt_error_to_errno (beyond), ==, EIO);
}

static void
test_durations (void)
{
  static const struct {
    const char *text;
    gint64 value;
    const char *again; /* NULL: as TEXT */
  } good[] = {
    { "0", 0, NULL },
    { "250ms", 250 * KT_MS, NULL },
    { "5s", 5 * KT_SECOND, NULL },
    { "5min", 300 * KT_SECOND, NULL },
    { "1h", 3600 * KT_SECOND, NULL },
    { "7d", 7 * 86400 * KT_SECOND, NULL },
    { "1500ms", 1500 * KT_MS, NULL },
    { "60s", 60 * KT_SECOND, "1min" },
    { "48h", 2 * 86400 * KT_SECOND, "2d" },
    { "0s", 0, "0" },
    { "forever", KT_TIME_NEVER, NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (good); i++) {
    gint64 value = -1;
    g_assert_true (kt_duration_parse (good[i].text, &value, NULL));
    g_assert_cmpint (value, ==, good[i].value);
    kt_assert_text (kt_duration_format (value), good[i].again != NULL ? good[i].again : good[i].text);
  }
}

static void
test_bad_durations (void)
{
  static const char *const bad[] = { "",
                                     "5",
                                     "s",
                                     "-5s",
                                     "+5s",
                                     "5 s",
                                     " 5s",
                                     "5s ",
                                     "5S",
                                     "1.5s",
                                     "5sec",
                                     "5m",
                                     "Forever",
                                     "9223372036854775807s",
                                     "18446744073709551616ms",
                                     "106751991168d",
                                     "0x10s" };

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;
    gint64 value = 42;
    g_assert_false (kt_duration_parse (bad[i], &value, &error));
    g_assert_cmpint (value, ==, 42);
    kt_assert_failed (&error, KT_ERROR_CONFIG, "expected a whole number with ms, s, min, h or d");
  }
}

static void
test_sizes (void)
{
  static const struct {
    const char *text;
    guint64 value;
    const char *again;
  } good[] = {
    { "0", 0, NULL },           { "1", 1, NULL },
    { "1000", 1000, NULL },     { "1024", 1024, "1K" },
    { "64K", 65536, NULL },     { "256M", 256u << 20, NULL },
    { "3G", 3ULL << 30, NULL }, { "1025K", 1025 * 1024, NULL },
  };
  static const char *const bad[] = {
    "", "K", "-1", "1k", "1KB", "1.5M", "1 M", "8589934592G", "99999999999999999999", "forever"
  };

  for (gsize i = 0; i < G_N_ELEMENTS (good); i++) {
    guint64 value = 42;
    g_assert_true (kt_size_parse (good[i].text, &value, NULL));
    g_assert_cmpuint (value, ==, good[i].value);
    kt_assert_text (kt_size_format (value), good[i].again != NULL ? good[i].again : good[i].text);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;
    guint64 value = 42;
    g_assert_false (kt_size_parse (bad[i], &value, &error));
    g_assert_cmpuint (value, ==, 42);
    kt_assert_failed (&error, KT_ERROR_CONFIG, "expected a whole number of bytes");
  }
}

/* "A time of 14 digits is `yyyyMMddHHmmss`, one of 10 digits is seconds since 1970, one of 13 digits is milliseconds
 * since 1970." "A time by ISO 8601 has `T`, `t` or a blank after the date. It may lack the seconds, or have a
 * fraction of them." "Its zone may be `Z`, `z`, `+08:00`, `+0800`, `+08` or absent. `[Asia/Shanghai]` may follow."
 * "when it is not later than the beginning of 1970" and "when it is no time (month 13)" it is absent. */
static void
test_service_times (void)
{
  static const struct {
    const char *text;
    const char *utc; /* read in UTC */
    const char *shanghai;
  } good[] = {
    { "20240930091932", "2024-09-30T09:19:32Z", "2024-09-30T01:19:32Z" },
    { "20240229000000", "2024-02-29T00:00:00Z", "2024-02-28T16:00:00Z" },
    { "2024-09-30T09:19:32Z", "2024-09-30T09:19:32Z", "2024-09-30T09:19:32Z" },
    { "2024-09-30T09:19:32.123Z", "2024-09-30T09:19:32Z", "2024-09-30T09:19:32Z" },
    { "2024-09-30T09:19:32+08:00", "2024-09-30T01:19:32Z", "2024-09-30T01:19:32Z" },
    { "2024-09-30T09:19:32+0800", "2024-09-30T01:19:32Z", "2024-09-30T01:19:32Z" },
    { "2024-09-30T09:19:32-08", "2024-09-30T17:19:32Z", "2024-09-30T17:19:32Z" },
    { "2024-09-30T09:19:32.123456789+08:00", "2024-09-30T01:19:32Z", "2024-09-30T01:19:32Z" },
    { "2024-09-30T09:19:32,5Z", "2024-09-30T09:19:32Z", "2024-09-30T09:19:32Z" },
    { "2024-09-30t09:19:32z", "2024-09-30T09:19:32Z", "2024-09-30T09:19:32Z" },
    { "2024-09-30T09:19:32", "2024-09-30T09:19:32Z", "2024-09-30T01:19:32Z" },
    { "2024-09-30 09:19:32", "2024-09-30T09:19:32Z", "2024-09-30T01:19:32Z" },
    { "2024-09-30 09:19:32.0", "2024-09-30T09:19:32Z", "2024-09-30T01:19:32Z" },
    { "2024-09-30T09:19", "2024-09-30T09:19:00Z", "2024-09-30T01:19:00Z" },
    { "2024-09-30T09:19Z", "2024-09-30T09:19:00Z", "2024-09-30T09:19:00Z" },
    { "2024-09-30T09:19+08:00", "2024-09-30T01:19:00Z", "2024-09-30T01:19:00Z" },
    { "2024-09-30T09:19:32+08:00[Asia/Shanghai]", "2024-09-30T01:19:32Z", "2024-09-30T01:19:32Z" },
    { "20240930T091932Z", "2024-09-30T09:19:32Z", "2024-09-30T09:19:32Z" },
    { " 2024-09-30T09:19:32Z\n", "2024-09-30T09:19:32Z", "2024-09-30T09:19:32Z" },
    { "20240930091932.0", "2024-09-30T09:19:32Z", "2024-09-30T01:19:32Z" },
    { "2.0240930091932E13", "2024-09-30T09:19:32Z", "2024-09-30T01:19:32Z" },
    { "1727687972", "2024-09-30T09:19:32Z", "2024-09-30T09:19:32Z" },
    { "1727687972.0", "2024-09-30T09:19:32Z", "2024-09-30T09:19:32Z" },
    { "1727687972.999999999", "2024-09-30T09:19:32Z", "2024-09-30T09:19:32Z" },
    { "1.727687972E9", "2024-09-30T09:19:32Z", "2024-09-30T09:19:32Z" },
    { "1727687972123", "2024-09-30T09:19:32Z", "2024-09-30T09:19:32Z" },
    { "1727687972999.0", "2024-09-30T09:19:32Z", "2024-09-30T09:19:32Z" },
    { "1.727687972123E12", "2024-09-30T09:19:32Z", "2024-09-30T09:19:32Z" },
    { " 1727687972 ", "2024-09-30T09:19:32Z", "2024-09-30T09:19:32Z" },
    { "9999999999", "2286-11-20T17:46:39Z", "2286-11-20T17:46:39Z" },
    { "9999999999999", "2286-11-20T17:46:39Z", "2286-11-20T17:46:39Z" },
  };
  static const char *const bad[] = { "",
                                     "0",
                                     "202409300919322",
                                     "20241330091932",
                                     "20240230091932",
                                     "20240930251932",
                                     "2024-09-30",
                                     "0.0",
                                     "-1",
                                     "-1727687972",
                                     "172768797",
                                     "17276879721",
                                     "1727687972123456",
                                     "1e400",
                                     "1e-400",
                                     "0000-00-00 00:00:00",
                                     "0000-00-00T00:00:00Z",
                                     "0001-01-01T00:00:00Z",
                                     "1970-01-01T00:00:00Z",
                                     "1970-01-01T08:00:00+08:00",
                                     "19700101000000",
                                     "2024-13-30T09:19:32Z",
                                     "2024-09-31T09:19:32Z",
                                     "2024-09-30T24:19:32Z",
                                     "2024-09-30T09:60:32Z",
                                     "2024-09-30T09:19:32+99:00",
                                     "2024-09-30T09:19:32 x",
                                     "[Asia/Shanghai]",
                                     "null",
                                     "yesterday",
                                     "00000000000000",
                                     "2024093009193\xff",
                                     "\xe4\xb8\xad" };
  g_autoptr (GTimeZone) utc = g_time_zone_new_utc ();
  g_autoptr (GTimeZone) shanghai = g_time_zone_new_identifier ("Asia/Shanghai");

  for (gsize i = 0; i < G_N_ELEMENTS (good); i++) {
    kt_assert_text (kt_time_format (kt_service_time_parse (good[i].text, utc)), good[i].utc);
    kt_assert_text (kt_time_format (kt_service_time_parse (good[i].text, shanghai)), good[i].shanghai);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_cmpint (kt_service_time_parse (bad[i], utc), ==, KT_TIME_UNKNOWN);
}

static void
test_time_add (void)
{
  g_assert_cmpint (kt_time_add (1, 2), ==, 3);
  g_assert_cmpint (kt_time_add (KT_TIME_NEVER, 5), ==, KT_TIME_NEVER);
  g_assert_cmpint (kt_time_add (5, KT_TIME_NEVER), ==, KT_TIME_NEVER);
  g_assert_cmpint (kt_time_add (KT_TIME_NEVER, KT_TIME_NEVER), ==, KT_TIME_NEVER);
  g_assert_cmpint (kt_time_add (KT_TIME_NEVER - 1, 2), ==, KT_TIME_NEVER);
}

static void
count_call (gpointer data)
{
  ++*(guint *) data;
}

static void
test_system_timers (void)
{
  KtClock *clock = kt_clock_system ();
  guint fired = 0, stopped = 0;
  KtTimer *timer;

  kt_clock_start (clock, 0, count_call, &fired);
  timer = kt_clock_start (clock, 0, count_call, &stopped);
  kt_clock_stop (clock, &timer);
  g_assert_null (timer);
  kt_clock_stop (clock, &timer); /* nothing to take back */
  while (fired == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_false (g_main_context_iteration (NULL, FALSE));
  g_assert_cmpuint (fired, ==, 1);
  g_assert_cmpuint (stopped, ==, 0);
}

static void
test_redaction (void)
{
  kt_log_add_secret ("hunter2hunter2");
  kt_log_add_secret ("hunter2hunter2"); /* twice is once */
  kt_log_add_secret ("abc");            /* too short to be one */
  kt_assert_text (kt_log_redact ("token hunter2hunter2, abc"), "token ***, abc");
  kt_assert_text (kt_log_redact ("hunter2hunter2hunter2hunter2"), "******");
  kt_assert_text (kt_log_redact ("a\nb\rc\t\x1b[31m\x7f"), "a\\x0ab\\x0dc\\x09\\x1b[31m\\x7f");
  kt_assert_text (kt_log_redact ("中文"), "中文");
  kt_assert_text (kt_log_redact (""), "");
  kt_log_forget_secrets ();
  kt_assert_text (kt_log_redact ("hunter2hunter2"), "hunter2hunter2");
}

/* A token that begins as another does must not show its tail. */
static void
test_redaction_of_prefixes (void)
{
  kt_log_add_secret ("token-one");
  kt_log_add_secret ("token-one-and-more");
  kt_assert_text (kt_log_redact ("<token-one-and-more>"), "<***>");
  kt_assert_text (kt_log_redact ("<token-one>"), "<***>");
  kt_log_forget_secrets ();
}

static gboolean
is_secret (const char *text)
{
  g_autofree char *shown = kt_log_redact (text);
  return g_str_equal (shown, "***");
}

static void
add_others (guint n)
{
  static guint number;

  for (guint i = 0; i < n; i++) {
    g_autofree char *secret = g_strdup_printf ("other-%u.", number++);
    kt_log_add_secret (secret);
    g_assert_true (is_secret (secret));
  }
}

/* Of those in use none is forgotten, however many come; of the others the oldest are. */
static void
test_secrets_are_bounded (void)
{
  kt_log_add_secret ("oldest");
  kt_log_hold_secret ("in-use");
  kt_log_hold_secret ("in-use");
  kt_log_add_secret ("next-oldest");
  add_others (KT_LOG_RECENT_SECRETS - 2);
  g_assert_true (is_secret ("oldest"));
  add_others (1);
  g_assert_false (is_secret ("oldest"));
  g_assert_true (is_secret ("next-oldest"));
  kt_log_add_secret ("next-oldest"); /* once more: it is the newest */
  add_others (KT_LOG_RECENT_SECRETS - 1);
  g_assert_true (is_secret ("next-oldest"));
  add_others (1);
  g_assert_false (is_secret ("next-oldest"));

  kt_log_release_secret ("in-use");
  add_others (2 * KT_LOG_RECENT_SECRETS);
  kt_log_add_secret ("in-use"); /* by somebody who does not hold it */
  add_others (2 * KT_LOG_RECENT_SECRETS);
  g_assert_true (is_secret ("in-use"));
  kt_log_release_secret ("in-use");
  add_others (KT_LOG_RECENT_SECRETS - 1); /* it may still be on its way */
  g_assert_true (is_secret ("in-use"));
  add_others (1);
  g_assert_false (is_secret ("in-use"));
  kt_log_release_secret ("in-use"); /* no harm */
  kt_log_release_secret (NULL);
  kt_log_hold_secret (NULL);
  kt_log_forget_secrets ();
}

/* N secrets of which PREFIX begins the text are held by one more, or released. */
static void
each_of (const char *prefix, guint n, void (*call) (const char *secret))
{
  for (guint i = 0; i < n; i++) {
    g_autofree char *secret = g_strdup_printf ("%s-%u.", prefix, i);
    call (secret);
  }
}

static void
assert_is_secret (const char *text)
{
  g_assert_true (is_secret (text));
}

/* Many secrets in use, each of which another replaces at the same time: requests with the old ones are under way. */
static void
test_replaced_secrets (void)
{
  const guint many = 4 * KT_LOG_RECENT_SECRETS;

  each_of ("before", many, kt_log_hold_secret);
  each_of ("after", many, kt_log_add_secret);
  each_of ("after", many, kt_log_hold_secret);
  each_of ("before", many, kt_log_release_secret);
  each_of ("after", many, assert_is_secret);
  each_of ("before", many, assert_is_secret);
  add_others (2 * many); /* still there is a bound */
  g_assert_false (is_secret ("before-0."));
  kt_log_forget_secrets ();
}

static void
test_log_writer (void)
{
  if (g_test_subprocess ()) {
    g_log_set_default_handler (g_log_default_handler, NULL); /* not the tests' own */
    kt_log_init ();
    kt_log_open (KT_LOG_STDERR, FALSE);
    kt_log_add_secret ("hunter2hunter2");
    g_message ("m hunter2hunter2\nforged: line");
    g_info ("not shown");
    kt_log_open (KT_LOG_STDERR, TRUE);
    g_info ("shown");
    kt_log_forget_secrets ();
    return;
  }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_passed ();
  g_test_trap_assert_stderr ("*kootaskfs: m ???\\x0aforged: line\nkootaskfs: shown\n*");
  g_test_trap_assert_stderr_unmatched ("*not shown*");
  g_test_trap_assert_stderr_unmatched ("*hunter2*");
}

/* The lines of HEALTH at NOW. */
static void
assert_health (const KtHealth *health, KtSec now, const char *service, const char *success, const char *failure,
               guint failures)
{
  g_autofree char *expected = g_strdup_printf (
      "service: %s\nlast-success: %s\nlast-failure: %s\nfailures-in-a-row: %u\n", service, success, failure, failures);

  kt_assert_text (kt_health_format (health, now * KT_SECOND), expected);
}

static void
test_health (void)
{
  g_autoptr (KtHealth) health = kt_health_new ();
  g_autoptr (GError) denied = g_error_new (KT_ERROR, KT_ERROR_DENIED, "HTTP 401\nforged");
  g_autoptr (GError) unknown = g_error_new (KT_ERROR, KT_ERROR_NOT_FOUND, "HTTP 404");
  g_autoptr (GError) config = g_error_new (KT_ERROR, KT_ERROR_CONFIG, "tasks:1: what?");
  const char *second_61 = "1970-01-01T00:01:01Z", *second_62 = "1970-01-01T00:01:02Z";

  kt_test_warnings ();
  g_assert_cmpstr (kt_health_last_error (health), ==, "");
  g_assert_cmpint (kt_health_state (health), ==, -1);
  assert_health (health, 60, "not asked yet", "never", "never", 0);

  kt_health_failure (health, 60 * KT_SECOND, "share/taskDetail 7", "abc", denied);
  kt_health_failure (health, 61 * KT_SECOND, "task/result 8", NULL, denied);
  g_assert_cmpuint (kt_test_warnings (), ==, 2);
  g_assert_cmpint (kt_health_state (health), ==, 0);
  g_assert_cmpstr (kt_health_last_error (health), ==,
                   "1970-01-01T00:01:01Z task/result 8: EACCES: HTTP 401\\x0aforged");
  assert_health (health, 61, "failing, no success yet", "never", second_61, 2);

  /* "no such task" is no failure of the service: nobody is warned */
  kt_health_failure (health, 62 * KT_SECOND, "task/result 7", "abc", unknown);
  g_assert_cmpuint (kt_test_warnings (), ==, 0);
  g_assert_cmpint (kt_health_state (health), ==, 1);
  g_assert_cmpstr (kt_health_last_error (health), ==,
                   "1970-01-01T00:01:02Z task/result 7: ENOENT: HTTP 404, trace id abc");
  assert_health (health, 67, "ok, last success 5 s ago; nothing asked since", second_62, second_61, 0);

  /* nor does a bad watch list say anything of the service, but it is warned of */
  kt_health_failure (health, 62 * KT_SECOND, "watch list", NULL, config);
  g_assert_cmpuint (kt_test_warnings (), ==, 1);
  g_assert_cmpstr (kt_health_last_error (health), ==, "1970-01-01T00:01:02Z watch list: EINVAL: tasks:1: what?");
  assert_health (health, 62, "ok, last success 0 s ago; nothing asked since", second_62, second_61, 0);

  kt_health_failure (health, 63 * KT_SECOND, "x", NULL, denied);
  assert_health (health, 62 + 3 * 3600, "failing, last success 3 h ago", second_62, "1970-01-01T00:01:03Z", 1);
  kt_health_success (health, 64 * KT_SECOND);
  assert_health (health, 64, "ok, last success 0 s ago; nothing asked since", "1970-01-01T00:01:04Z",
                 "1970-01-01T00:01:03Z", 0);
  kt_test_warnings ();
}

/* "ok" is of the past: it says of when, and what has been asked since. A clock that was put back makes no age. */
static void
test_health_since (void)
{
  g_autoptr (KtHealth) health = kt_health_new ();
  const char *then = "1970-01-01T00:01:00Z";

  kt_health_begin (health);
  assert_health (health, 60, "not asked yet; 1 request under way", "never", "never", 0);
  kt_health_end (health);
  assert_health (health, 60, "not asked yet", "never", "never", 0); /* it was ended */
  kt_health_success (health, 60 * KT_SECOND);
  assert_health (health, 60 + 3 * 3600, "ok, last success 3 h ago; nothing asked since", then, "never", 0);
  assert_health (health, 0, "ok, last success 0 s ago; nothing asked since", then, "never", 0);
  kt_health_begin (health);
  kt_health_begin (health);
  assert_health (health, 69, "ok, last success 9 s ago; 2 requests under way", then, "never", 0);
  kt_health_end (health);
  kt_health_end (health);
  assert_health (health, 69, "ok, last success 9 s ago", then, "never", 0); /* was asked, and nobody knows */
}

static void
test_ages (void)
{
  static const struct {
    KtUsec age;
    const char *text;
  } table[] = {
    { -KT_SECOND, "0 s" },        { KT_SECOND - 1, "0 s" },    { 59 * KT_SECOND, "59 s" },
    { 119 * KT_SECOND, "1 min" }, { 3600 * KT_SECOND, "1 h" }, { 49 * 3600 * KT_SECOND, "2 d" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    kt_assert_text (kt_age_format (table[i].age), table[i].text);
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
  g_test_add_func ("/base/errno", test_errno);
  g_test_add_func ("/base/errno-of-strangers", test_errno_of_strangers);
  g_test_add_func ("/base/durations", test_durations);
  g_test_add_func ("/base/bad-durations", test_bad_durations);
  g_test_add_func ("/base/sizes", test_sizes);
  g_test_add_func ("/base/service-times", test_service_times);
  g_test_add_func ("/base/time-add", test_time_add);
  g_test_add_func ("/base/system-timers", test_system_timers);
  g_test_add_func ("/base/redaction", test_redaction);
  g_test_add_func ("/base/redaction-of-prefixes", test_redaction_of_prefixes);
  g_test_add_func ("/base/secrets-are-bounded", test_secrets_are_bounded);
  g_test_add_func ("/base/replaced-secrets", test_replaced_secrets);
  g_test_add_func ("/base/log-writer", test_log_writer);
  g_test_add_func ("/base/health", test_health);
  g_test_add_func ("/base/health-since", test_health_since);
  g_test_add_func ("/base/ages", test_ages);
  return g_test_run ();
}
