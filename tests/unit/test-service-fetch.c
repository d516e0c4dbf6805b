/* SPDX-License-Identifier: MIT */
/* Which requests a task takes, and lists page after page. */
#include "kt-test.h"

#include "base/kt-units.h"
#include "kt-service-fixture.h"

#include <string.h>

#define BASE       "https://example.com/koodrive/ose/v1/"
#define NOT_FOUND  "{\"code\":13000309}"
#define DETAIL     "{\"status\":2,\"taskType\":1}"
#define RESULT     "{\"data\":{\"successCount\":1,\"failCount\":0}}"
#define JOB        "{\"data\":{\"jobInfo\":{\"status\":1}}}"
#define FIRST_LIST "GET " BASE "task/list?pageSize=100"

typedef KtServiceFixture Fixture;

static void
choose (Fixture *f, guint families)
{
  f->options.families = families;
  kt_service_set_options (f->service, &f->options);
}

static void
fetch (Fixture *f, KtFamily family)
{
  kt_service_fixture_fetch (f, kt_key_new (family, "7"));
  g_assert_cmpuint (f->done, ==, 0);
}

static void
land (Fixture *f, guint index, const char *body)
{
  kt_fake_transport_land (f->transport, index, 200, body, NULL);
}

/* The trace id is that of the request with this number. */
static void
assert_trace_id (Fixture *f, guint index)
{
  g_assert_cmpstr (f->trace_id, ==, kt_fake_transport_header (f->transport, index, "X-Traceid"));
}

/* Each of a basic task's two requests, in both orders of their responses. */
static void
test_basic (Fixture *f, gconstpointer data)
{
  static const struct {
    const char *bodies[2]; /* of task/ID and task/result */
    int error;             /* -1: none */
  } table[] = {
    { { DETAIL, RESULT }, -1 },
    { { DETAIL, NOT_FOUND }, -1 },
    { { NOT_FOUND, RESULT }, -1 },
    { { NOT_FOUND, NOT_FOUND }, KT_ERROR_NOT_FOUND },
    { { DETAIL, "{\"code\":13000201}" }, KT_ERROR_SERVICE }, /* nothing may be missing that is there */
    { { "{\"code\":13000410}", RESULT }, KT_ERROR_DENIED },
    { { NOT_FOUND, "{\"code\":13000410}" }, KT_ERROR_DENIED },
    { { "{\"code\":13000410}", NOT_FOUND }, KT_ERROR_DENIED },
    { { DETAIL, "{" }, KT_ERROR_BAD_ANSWER },
    { { "{\"taskId\":\"8\",\"status\":1}", RESULT }, KT_ERROR_BAD_ANSWER },
  };

  for (gsize i = 0; i < 2 * G_N_ELEMENTS (table); i++) {
    guint sent = kt_fake_transport_sent (f->transport), order = i % 2;
    f->done = 0;
    fetch (f, KT_FAMILY_BASIC);
    g_assert_cmpuint (kt_fake_transport_sent (f->transport), ==, sent + 2);
    g_assert_cmpstr (kt_fake_transport_line (f->transport, sent), ==, "GET " BASE "task/7");
    g_assert_cmpstr (kt_fake_transport_line (f->transport, sent + 1), ==, "GET " BASE "task/result?taskId=7");
    land (f, sent + order, table[i / 2].bodies[order]);
    g_assert_cmpuint (f->done, ==, 0); /* one alone is not the task */
    land (f, sent + !order, table[i / 2].bodies[!order]);
    g_assert_cmpuint (f->done, ==, 1);
    g_assert_cmpint (f->error, ==, table[i / 2].error);
    g_assert_cmpstr (f->status, ==, table[i / 2].error == -1 ? "completed" : NULL);
  }
}

/* The trace id is of a request that went well, where one did. */
static void
test_basic_trace_id (Fixture *f, gconstpointer data)
{
  fetch (f, KT_FAMILY_BASIC);
  land (f, 0, DETAIL);
  land (f, 1, NOT_FOUND);
  assert_trace_id (f, 0);
  f->done = 0;
  fetch (f, KT_FAMILY_BASIC);
  land (f, 2, NOT_FOUND);
  land (f, 3, RESULT);
  assert_trace_id (f, 3);
}

static void
test_job (Fixture *f, gconstpointer data)
{
  fetch (f, KT_FAMILY_JOB);
  g_assert_cmpuint (kt_fake_transport_sent (f->transport), ==, 1);
  g_assert_cmpstr (kt_fake_transport_line (f->transport, 0), ==, "GET " BASE "7");
  land (f, 0, JOB);
  g_assert_cmpstr (f->status, ==, "running");
  g_assert_cmpint (f->family, ==, KT_FAMILY_JOB);
}

static void
test_unknown_is_job (Fixture *f, gconstpointer data)
{
  fetch (f, KT_FAMILY_UNKNOWN);
  g_assert_cmpuint (kt_fake_transport_sent (f->transport), ==, 3);
  g_assert_cmpstr (kt_fake_transport_line (f->transport, 2), ==, "GET " BASE "7");
  land (f, 0, NOT_FOUND);
  land (f, 2, JOB);
  g_assert_cmpuint (f->done, ==, 1); /* the first that knows it is enough */
  g_assert_cmpint (f->family, ==, KT_FAMILY_JOB);
  assert_trace_id (f, 2);
  kt_fake_transport_fail (f->transport, 1, KT_ERROR_TLS);
  g_assert_cmpuint (f->done, ==, 1);
}

static void
test_unknown_is_basic (Fixture *f, gconstpointer data)
{
  fetch (f, KT_FAMILY_UNKNOWN);
  land (f, 2, NOT_FOUND);
  land (f, 1, RESULT);
  g_assert_cmpuint (f->done, ==, 0);
  land (f, 0, DETAIL);
  g_assert_cmpuint (f->done, ==, 1);
  g_assert_cmpint (f->family, ==, KT_FAMILY_BASIC);
}

/* Of two failures "not found" is reported only when it is all there is to say. */
static void
test_unknown_fails (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < 4; i++) {
    guint sent = kt_fake_transport_sent (f->transport);
    const char *job = i % 2 == 0 ? NOT_FOUND : "{\"code\":13000410}";
    f->done = 0;
    fetch (f, KT_FAMILY_UNKNOWN);
    if (i < 2)
      land (f, sent + 2, job);
    land (f, sent, NOT_FOUND);
    land (f, sent + 1, NOT_FOUND);
    if (i >= 2)
      land (f, sent + 2, job);
    g_assert_cmpuint (f->done, ==, 1);
    g_assert_cmpint (f->error, ==, i % 2 == 0 ? KT_ERROR_NOT_FOUND : KT_ERROR_DENIED);
  }
}

static void
test_unknown_in_chosen_families (Fixture *f, gconstpointer data)
{
  choose (f, KT_FAMILY_BIT (KT_FAMILY_SHARE) | KT_FAMILY_BIT (KT_FAMILY_JOB));
  fetch (f, KT_FAMILY_UNKNOWN);
  g_assert_cmpuint (kt_fake_transport_sent (f->transport), ==, 1);
  land (f, 0, NOT_FOUND);
  g_assert_cmpint (f->error, ==, KT_ERROR_NOT_FOUND);
  f->done = 0;
  choose (f, KT_FAMILY_BIT (KT_FAMILY_BASIC));
  fetch (f, KT_FAMILY_UNKNOWN);
  g_assert_cmpuint (kt_fake_transport_sent (f->transport), ==, 3);
  land (f, 1, DETAIL);
  land (f, 2, NOT_FOUND);
  g_assert_cmpint (f->family, ==, KT_FAMILY_BASIC);
}

static void
test_unknown_stop (Fixture *f, gconstpointer data)
{
  fetch (f, KT_FAMILY_UNKNOWN);
  kt_http_client_free (g_steal_pointer (&f->http));
  g_assert_cmpuint (f->done, ==, 1);
  g_assert_cmpint (f->error, ==, KT_ERROR_STOPPED);
  g_assert_cmpuint (kt_test_warnings (), ==, 0);
}

static void
test_cancel (Fixture *f, gconstpointer data)
{
  g_autoptr (KtKey) key = kt_key_new (KT_FAMILY_JOB, "7");

  for (guint i = 0; i < 2; i++)
    kt_source_cancel (kt_service_source (f->service), key, KT_TIME_NEVER, kt_service_fixture_ended, f);
  g_assert_cmpstr (kt_fake_transport_line (f->transport, 0), ==, "POST " BASE "cancel");
  g_assert_cmpstr (kt_fake_transport_body (f->transport, 0), ==, "{\"jobId\":\"7\"}");
  land (f, 0, "{\"code\":0,\"msg\":\"ok\"}");
  g_assert_true (f->done == 1 && f->error == -1);
  land (f, 1, "{\"code\":13000102}");
  g_assert_true (f->done == 2 && f->error == KT_ERROR_DECLINED);
  g_assert_cmpuint (kt_test_warnings (), ==, 0); /* the caller reports it */
}

/* "The service declines by the code 13000101, the code 13000102 or a code that is not known", and what is no such no.
 * "The request to cancel is sent once." */
static void
test_cancel_errors (Fixture *f, gconstpointer data)
{
  static const struct {
    guint status;
    const char *body;
    KtErrorCode error;
  } table[] = {
    { 400, "{\"code\":13000101}", KT_ERROR_DECLINED },
    { 400, "{\"code\":\"13000999\"}", KT_ERROR_DECLINED }, /* which may be the token, or not */
    { 400, "", KT_ERROR_DECLINED },
    { 409, "{\"code\":1}", KT_ERROR_DECLINED },
    { 422, "no", KT_ERROR_DECLINED },
    { 200, "{\"code\":13000999}", KT_ERROR_DECLINED },
    { 200, "{\"error_code\":\"X\"}", KT_ERROR_DECLINED },
    { 200, "no", KT_ERROR_BAD_ANSWER },
    { 200, "{\"code\":13000201}", KT_ERROR_SERVICE },
    { 200, "{\"code\":13000309}", KT_ERROR_NOT_FOUND },
    { 200, "{\"code\":13000410}", KT_ERROR_DENIED },
    { 401, "{\"code\":1}", KT_ERROR_REFUSED },
    { 403, "{\"code\":1}", KT_ERROR_REFUSED },
    { 404, "", KT_ERROR_NOT_FOUND },
    { 429, "", KT_ERROR_THROTTLED },
    { 500, "{\"code\":1}", KT_ERROR_SERVICE },
  };
  g_autoptr (KtKey) key = kt_key_new (KT_FAMILY_JOB, "7");

  for (guint i = 0; i < G_N_ELEMENTS (table); i++) {
    kt_source_cancel (kt_service_source (f->service), key, KT_TIME_NEVER, kt_service_fixture_ended, f);
    kt_fake_transport_land (f->transport, i, table[i].status, table[i].body, NULL);
    g_assert_cmpuint (kt_fake_transport_sent (f->transport), ==, i + 1); /* never sent again */
    g_assert_cmpuint (f->done, ==, i + 1);
    if (f->error != (int) table[i].error)
      g_error ("%u %s: %d", table[i].status, table[i].body, f->error);
  }
  kt_test_warnings ();
}

static void
on_page (GPtrArray *tasks, KtUsec age, gpointer data)
{
  g_assert_cmpuint (((Fixture *) data)->done, ==, 0);
  kt_service_fixture_page (tasks, age, data);
}

static void
start_list (Fixture *f, KtFamily family)
{
  kt_source_list (kt_service_source (f->service), family, 10 * KT_SECOND, on_page, kt_service_fixture_ended, f);
  g_assert_cmpuint (f->done, ==, 0);
}

static void
assert_last_line (Fixture *f, guint sent, const char *line)
{
  g_assert_cmpuint (kt_fake_transport_sent (f->transport), ==, sent);
  g_assert_cmpstr (kt_fake_transport_line (f->transport, sent - 1), ==, line);
}

/* The end is where there is no cursor, and nowhere else. */
static void
test_list_cursors (Fixture *f, gconstpointer data)
{
  start_list (f, KT_FAMILY_BASIC);
  assert_last_line (f, 1, FIRST_LIST);
  land (f, 0, "{\"taskList\":[{\"taskId\":\"1\"},{\"taskId\":\"2\"}],\"nextCursor\":\"a b&c=\"}");
  assert_last_line (f, 2, FIRST_LIST "&pageCursor=a%20b%26c%3D");
  land (f, 1, "{\"taskListDtos\":[],\"nextCursor\":12345678901234567890}");
  assert_last_line (f, 3, FIRST_LIST "&pageCursor=12345678901234567890");
  land (f, 2, "{\"taskList\":[{\"taskId\":\"3\"}]}");
  g_assert_true (f->done == 1 && f->error == -1);
  g_assert_cmpstr (f->ids->str, ==, "1 2 | | 3 | ");
  g_assert_cmpuint (kt_fake_transport_sent (f->transport), ==, 3);
}

/* "The question is for one task of a list", and it is one request. */
static void
test_try_list (Fixture *f, gconstpointer data)
{
  kt_service_try_list (f->service, KT_FAMILY_BASIC, 10 * KT_SECOND, kt_service_fixture_ended, f);
  assert_last_line (f, 1, "GET " BASE "task/list?pageSize=1");
  land (f, 0, "{\"taskList\":[{\"taskId\":\"1\"}],\"nextCursor\":\"a\"}");
  g_assert_true (f->done == 1 && f->error == -1);
  kt_service_try_list (f->service, KT_FAMILY_JOB, 10 * KT_SECOND, kt_service_fixture_ended, f);
  assert_last_line (f, 2, "GET " BASE "jobs?offset=0&limit=1");
  land (f, 1, "{\"code\":13000410}");
  g_assert_true (f->done == 2 && f->error == KT_ERROR_DENIED);
}

static void
test_list_empty (Fixture *f, gconstpointer data)
{
  start_list (f, KT_FAMILY_BASIC);
  land (f, 0, "{\"code\":0}");
  g_assert_true (f->done == 1 && f->error == -1);
  g_assert_cmpuint (kt_fake_transport_sent (f->transport), ==, 1);
}

/* N jobs from FIRST on. (transfer full) */
static char *
jobs (guint first, guint n)
{
  GString *out = g_string_new ("{\"code\":\"0\",\"data\":[");

  for (guint i = first; i < first + n; i++)
    g_string_append_printf (out, "%s{\"taskId\":\"%u\"}", i > first ? "," : "", i);
  g_string_append (out, "]}");
  return g_string_free (out, FALSE);
}

static void
land_jobs (Fixture *f, guint index, guint first, guint n)
{
  g_autofree char *body = jobs (first, n);
  land (f, index, body);
}

static void
test_list_offsets (Fixture *f, gconstpointer data)
{
  start_list (f, KT_FAMILY_JOB);
  assert_last_line (f, 1, "GET " BASE "jobs?offset=0&limit=100");
  land_jobs (f, 0, 0, 100);
  assert_last_line (f, 2, "GET " BASE "jobs?offset=100&limit=100");
  land_jobs (f, 1, 50, 100); /* what came in between has moved the rest on */
  assert_last_line (f, 3, "GET " BASE "jobs?offset=200&limit=100");
  land_jobs (f, 2, 200, 99);
  g_assert_true (f->done == 1 && f->error == -1);
}

static void
test_list_full_last_page (Fixture *f, gconstpointer data)
{
  start_list (f, KT_FAMILY_JOB);
  land_jobs (f, 0, 0, 130); /* more than was asked for */
  assert_last_line (f, 2, "GET " BASE "jobs?offset=130&limit=100");
  land_jobs (f, 1, 0, 0);
  g_assert_true (f->done == 1 && f->error == -1);
  g_assert_cmpuint (kt_fake_transport_sent (f->transport), ==, 2);
}

static void
test_list_fails_midway (Fixture *f, gconstpointer data)
{
  start_list (f, KT_FAMILY_JOB);
  land_jobs (f, 0, 0, 100);
  land (f, 1, "{\"code\":13000410}");
  g_assert_true (f->done == 1 && f->error == KT_ERROR_DENIED);
  g_assert_true (g_str_has_prefix (f->ids->str, "0 1 2 ")); /* what came before is right */
  g_assert_nonnull (strstr (kt_health_last_error (f->health), " jobs: EACCES: "));
  g_assert_cmpuint (kt_test_warnings (), ==, 1);
}

/* Each page has its own time. */
static void
test_list_page_timeout (Fixture *f, gconstpointer data)
{
  start_list (f, KT_FAMILY_JOB);
  kt_fake_clock_advance (f->clock, 9 * KT_SECOND);
  land_jobs (f, 0, 0, 100);
  kt_fake_clock_advance (f->clock, 9 * KT_SECOND);
  g_assert_cmpuint (f->done, ==, 0);
  kt_fake_clock_advance (f->clock, KT_SECOND);
  g_assert_true (f->done == 1 && f->error == KT_ERROR_TIMED_OUT);
}

static void
assert_endless (Fixture *f, const char *why)
{
  g_assert_true (f->done == 1 && f->error == KT_ERROR_BAD_ANSWER);
  g_assert_cmpuint (kt_fake_transport_pending (f->transport), ==, 0);
  g_assert_nonnull (strstr (kt_health_last_error (f->health), why));
  g_assert_nonnull (strstr (kt_health_last_error (f->health), ", trace id "));
  g_assert_cmpuint (kt_test_warnings (), ==, 1);
}

static void
test_list_cursor_repeats (Fixture *f, gconstpointer data)
{
  start_list (f, KT_FAMILY_BASIC);
  land (f, 0, "{\"taskList\":[{\"taskId\":\"1\"}],\"nextCursor\":\"a\"}");
  land (f, 1, "{\"taskList\":[{\"taskId\":\"2\"}],\"nextCursor\":\"b\"}");
  land (f, 2, "{\"taskList\":[{\"taskId\":\"3\"}],\"nextCursor\":\"a\"}");
  assert_endless (f, " task/list: EBADMSG: the list does not end: a cursor comes again (page 3)");
  g_assert_cmpstr (f->ids->str, ==, "1 | 2 | 3 | ");
}

static void
test_list_page_repeats (Fixture *f, gconstpointer data)
{
  start_list (f, KT_FAMILY_JOB);
  land_jobs (f, 0, 0, 100);
  land_jobs (f, 1, 0, 100);
  assert_endless (f, " jobs: EBADMSG: the list does not end: a page comes again (page 2)");
}

static void
test_list_empty_pages (Fixture *f, gconstpointer data)
{
  start_list (f, KT_FAMILY_BASIC);
  for (guint i = 0; f->done == 0; i++) {
    g_autofree char *body = g_strdup_printf ("{\"taskList\":[],\"nextCursor\":%u}", i);
    g_assert_cmpuint (i, <=, 100);
    land (f, i, body);
  }
  assert_endless (f, "empty pages without end (page 101)");
}

/* "A list may have an empty page before its end": a hundred are not too many. */
static void
test_list_many_empty_pages (Fixture *f, gconstpointer data)
{
  start_list (f, KT_FAMILY_BASIC);
  for (guint i = 0; i < 202; i++) {
    g_autofree char *body =
        g_strdup_printf ("{\"taskList\":[%s],\"nextCursor\":%u}", i == 100 ? "{\"taskId\":\"1\"}" : "", i);
    if (i < 201)
      land (f, i, body);
  }
  land (f, 201, "{\"taskList\":[]}");
  g_assert_true (f->done == 1 && f->error == -1);
}

static void
test_list_stop (Fixture *f, gconstpointer data)
{
  start_list (f, KT_FAMILY_BASIC);
  kt_http_client_free (g_steal_pointer (&f->http));
  g_assert_true (f->done == 1 && f->error == KT_ERROR_STOPPED);
  g_assert_cmpuint (kt_test_warnings (), ==, 0);
}

static void
then_another (const KtResponse *response, const GError *error, gpointer data)
{
  fetch (data, KT_FAMILY_JOB);
}

/* The end of a response that was being decoded may begin another request, as in the store: that ends too. */
static void
test_stop (Fixture *f, gconstpointer data)
{
  g_autoptr (KtKey) key = kt_key_new (KT_FAMILY_JOB, "7");
  g_autofree char *large = g_strdup_printf ("%*s", 70000, JOB);

  kt_source_fetch (kt_service_source (f->service), key, kt_fake_clock_now (f->clock) + 10 * KT_SECOND, then_another, f);
  kt_fake_transport_land (f->transport, 0, 200, large, NULL);
  kt_service_stop (f->service);
  g_assert_cmpuint (kt_fake_transport_sent (f->transport), ==, 2);
  kt_fake_transport_land (f->transport, 1, 200, large, NULL);
  g_assert_cmpuint (f->done, ==, 1);
  g_assert_cmpint (f->error, ==, KT_ERROR_STOPPED);
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
#define TEST(path, func) g_test_add (path, Fixture, NULL, kt_service_fixture_set_up, func, kt_service_fixture_tear_down)
  TEST ("/service/fetch/basic", test_basic);
  TEST ("/service/fetch/basic-trace-id", test_basic_trace_id);
  TEST ("/service/fetch/job", test_job);
  TEST ("/service/fetch/unknown-is-job", test_unknown_is_job);
  TEST ("/service/fetch/unknown-is-basic", test_unknown_is_basic);
  TEST ("/service/fetch/unknown-fails", test_unknown_fails);
  TEST ("/service/fetch/unknown-in-chosen-families", test_unknown_in_chosen_families);
  TEST ("/service/fetch/unknown-stop", test_unknown_stop);
  TEST ("/service/fetch/try-list", test_try_list);
  TEST ("/service/fetch/cancel-errors", test_cancel_errors);
  TEST ("/service/fetch/cancel", test_cancel);
  TEST ("/service/list/cursors", test_list_cursors);
  TEST ("/service/list/empty", test_list_empty);
  TEST ("/service/list/offsets", test_list_offsets);
  TEST ("/service/list/full-last-page", test_list_full_last_page);
  TEST ("/service/list/fails-midway", test_list_fails_midway);
  TEST ("/service/list/page-timeout", test_list_page_timeout);
  TEST ("/service/list/cursor-repeats", test_list_cursor_repeats);
  TEST ("/service/list/page-repeats", test_list_page_repeats);
  TEST ("/service/list/empty-pages", test_list_empty_pages);
  TEST ("/service/list/many-empty-pages", test_list_many_empty_pages);
  TEST ("/service/list/stop", test_list_stop);
  TEST ("/service/stop", test_stop);
  return g_test_run ();
}
