/* SPDX-License-Identifier: MIT */
/* What a request carries, and how its failure is reported. */
#include "kt-test.h"

#include "base/kt-units.h"
#include "codec/kt-decoder.h"
#include "kt-service-fixture.h"

#include <string.h>

#define DETAIL      "POST https://example.com/koodrive/ose/v1/share/taskDetail"
#define RESULT      "GET https://example.com/koodrive/ose/v1/task/result?taskId=7"
#define TASK        "GET https://example.com/koodrive/ose/v1/task/7"
#define GOOD_JOB    "{\"code\":\"0\",\"data\":{\"jobInfo\":{\"status\":2}}}"
#define GOOD_RESULT "{\"data\":{\"successCount\":1,\"failCount\":0},\"code\":0}"

typedef KtServiceFixture Fixture;

static void
fetch (Fixture *f, KtKey *key)
{
  f->done = 0;
  kt_service_fixture_fetch (f, key);
}

static const char *
header (Fixture *f, guint index, const char *name)
{
  return kt_fake_transport_header (f->transport, index, name);
}

static void
test_result_request (Fixture *f, gconstpointer data)
{
  fetch (f, kt_key_new (KT_FAMILY_BASIC, "7"));
  g_assert_cmpuint (kt_fake_transport_sent (f->transport), ==, 2);
  g_assert_cmpstr (kt_fake_transport_line (f->transport, 0), ==, TASK);
  g_assert_cmpstr (kt_fake_transport_line (f->transport, 1), ==, RESULT);
  g_assert_null (kt_fake_transport_body (f->transport, 0));
  g_assert_null (kt_fake_transport_body (f->transport, 1));
  g_assert_cmpstr (header (f, 0, "Authorization"), ==, "Bearer TOKEN");
  g_assert_cmpstr (header (f, 0, "X-User-Id"), ==, "1505084218764547200");
  g_assert_cmpstr (header (f, 0, "X-Date"), ==, "20240930T091932Z");
  g_assert_cmpstr (header (f, 0, "language"), ==, "en-US");
  g_assert_null (header (f, 0, "Content-Type"));
  g_assert_null (header (f, 0, "X-Hw-Agentname"));
  kt_fake_transport_land (f->transport, 1, 200, GOOD_RESULT, NULL);
  g_assert_cmpuint (f->done, ==, 0);
  kt_fake_transport_land (f->transport, 0, 200, "{\"taskId\":\"7\",\"status\":1}", NULL);
  g_assert_cmpstr (f->status, ==, "running");
  g_assert_cmpstr (f->trace_id, ==, header (f, 0, "X-Traceid")); /* of the last one */
}

static void
test_detail_request (Fixture *f, gconstpointer data)
{
  g_autoptr (GBytes) sample = kt_test_data ("share-taskDetail.json");
  g_autofree char *text = g_strndup (g_bytes_get_data (sample, NULL), g_bytes_get_size (sample));

  fetch (f, kt_key_new_share ("S1", "1521827471237047552"));
  g_assert_cmpstr (kt_fake_transport_line (f->transport, 0), ==, DETAIL);
  g_assert_cmpstr (kt_fake_transport_body (f->transport, 0), ==,
                   "{\"taskId\":\"1521827471237047552\",\"shareId\":\"S1\"}");
  g_assert_cmpstr (header (f, 0, "Content-Type"), ==, "application/json");
  kt_fake_transport_land (f->transport, 0, 200, text, NULL);
  g_assert_cmpint (f->error, ==, -1);
  g_assert_cmpstr (f->status, ==, "completed");
}

static void
test_share_token (Fixture *f, gconstpointer data)
{
  g_autoptr (GHashTable) tokens = g_hash_table_new (g_str_hash, g_str_equal);

  g_hash_table_insert (tokens, (gpointer) "S1", (gpointer) "tok\"en");
  f->options.share_tokens = tokens;
  f->options.agent_name = "carrier";
  kt_service_set_options (f->service, &f->options);
  fetch (f, kt_key_new_share ("S1", "7"));
  fetch (f, kt_key_new_share ("S2", "7"));
  g_assert_cmpstr (kt_fake_transport_body (f->transport, 0), ==,
                   "{\"taskId\":\"7\",\"shareId\":\"S1\",\"kdstoken\":\"tok\\\"en\"}");
  g_assert_cmpstr (kt_fake_transport_body (f->transport, 1), ==, "{\"taskId\":\"7\",\"shareId\":\"S2\"}");
  g_assert_cmpstr (header (f, 0, "X-Hw-Agentname"), ==, "carrier");
}

static void
test_token_schemes (void)
{
  static const struct {
    const char *token;
    KtTokenScheme scheme;
    const char *value;
  } table[] = {
    { "T", KT_TOKEN_AUTO, "Bearer T" },
    { "Bearer T", KT_TOKEN_AUTO, "Bearer T" },
    { "Bearer+T", KT_TOKEN_AUTO, "Bearer+T" },
    { "AT T", KT_TOKEN_AUTO, "AT T" },
    { "HMAC-SHA256 T", KT_TOKEN_AUTO, "HMAC-SHA256 T" },
    { "BearerT", KT_TOKEN_AUTO, "Bearer BearerT" },
    { "ATLAS", KT_TOKEN_AUTO, "Bearer ATLAS" },
    { "T", KT_TOKEN_BEARER, "Bearer T" },
    { "T", KT_TOKEN_BEARER_PLUS, "Bearer+T" },
    { "T", KT_TOKEN_RAW, "T" },
    { "AT T", KT_TOKEN_RAW, "AT T" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    kt_assert_text (kt_token_header_value (table[i].token, table[i].scheme), table[i].value);
}

/* Not later than the service's clock: rounded down. */
static void
test_x_date (void)
{
  kt_assert_text (kt_x_date (KT_FAKE_EPOCH * KT_SECOND), "20240930T091932Z");
  kt_assert_text (kt_x_date (KT_FAKE_EPOCH * KT_SECOND + KT_SECOND - 1), "20240930T091932Z");
  kt_assert_text (kt_x_date (0), "19700101T000000Z");
}

static void
test_trace_id (void)
{
  g_autofree char *one = kt_trace_id_new ();
  g_autofree char *other = kt_trace_id_new ();

  g_assert_cmpuint (strlen (one), ==, 58);
  g_assert_cmpuint (strspn (one, "0123456789abcdef"), ==, 58);
  g_assert_cmpstr (one, !=, other);
}

/* Each attempt has its own date and trace id; a new token counts from the next attempt on. */
static void
test_attempts (Fixture *f, gconstpointer data)
{
  fetch (f, kt_key_new (KT_FAMILY_JOB, "7"));
  kt_fake_transport_land (f->transport, 0, 503, "", "2");
  f->options.token = "FRESH";
  kt_service_set_options (f->service, &f->options);
  kt_fake_clock_advance (f->clock, 2 * KT_SECOND);
  g_assert_cmpstr (header (f, 1, "X-Date"), ==, "20240930T091934Z");
  g_assert_cmpstr (header (f, 1, "Authorization"), ==, "Bearer FRESH");
  g_assert_cmpstr (header (f, 1, "X-Traceid"), !=, header (f, 0, "X-Traceid"));
  kt_fake_transport_land (f->transport, 1, 200, GOOD_JOB, NULL);
  g_assert_cmpstr (f->trace_id, ==, header (f, 1, "X-Traceid"));
}

static void
test_failure_is_reported_once (Fixture *f, gconstpointer data)
{
  g_autofree char *expected = NULL;

  fetch (f, kt_key_new (KT_FAMILY_JOB, "7"));
  kt_fake_transport_land (f->transport, 0, 401, "{\"code\":123,\"msg\":\"no\"}", NULL);
  g_assert_cmpint (f->error, ==, KT_ERROR_REFUSED);
  g_assert_cmpuint (kt_test_warnings (), ==, 1);
  expected = g_strdup_printf ("2024-09-30T09:19:32Z job 7: EACCES: HTTP 401, code 123: no, trace id %s",
                              header (f, 0, "X-Traceid"));
  g_assert_cmpstr (kt_health_last_error (f->health), ==, expected);
  g_assert_cmpuint (*kt_metrics_counter (f->metrics, "kootaskfs_request_failures_total", "", "errno", "EACCES"), ==, 1);
  g_assert_cmpuint (*kt_metrics_counter_of (f->metrics, "kootaskfs_requests_total", "",
                                            (const KtLabel[]){ { "call", "job" }, { "status", "401" } }, 2),
                    ==, 1);
}

static void
test_transport_failure (Fixture *f, gconstpointer data)
{
  fetch (f, kt_key_new (KT_FAMILY_JOB, "7"));
  kt_fake_transport_fail (f->transport, 0, KT_ERROR_TLS);
  g_assert_cmpint (f->error, ==, KT_ERROR_TLS);
  g_assert_cmpuint (kt_test_warnings (), ==, 1);
}

static void
test_timeout (Fixture *f, gconstpointer data)
{
  fetch (f, kt_key_new (KT_FAMILY_JOB, "7"));
  kt_fake_clock_advance (f->clock, 10 * KT_SECOND);
  g_assert_cmpint (f->error, ==, KT_ERROR_TIMED_OUT);
  g_assert_cmpuint (f->done, ==, 1);
}

/* "The time that it takes to decode a large response does not count": one that is decoded aside. */
static void
test_decoding_after_deadline (Fixture *f, gconstpointer data)
{
  g_autofree char *filler = g_strnfill (KT_DECODER_SMALL, 'x');
  g_autofree char *json =
      g_strconcat ("{\"code\":\"0\",\"data\":{\"jobInfo\":{\"status\":2,\"x\":\"", filler, "\"}}}", NULL);

  fetch (f, kt_key_new (KT_FAMILY_JOB, "7"));
  kt_fake_transport_land (f->transport, 0, 200, json, NULL);
  kt_fake_clock_advance (f->clock, 60 * KT_SECOND); /* six times the deadline */
  g_assert_cmpuint (f->done, ==, 0);
  while (f->done == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpint (f->error, ==, -1);
  g_assert_cmpstr (f->status, ==, "completed");
}

/* The end of the mount is no failure of the service. */
static void
test_stop (Fixture *f, gconstpointer data)
{
  fetch (f, kt_key_new (KT_FAMILY_JOB, "7"));
  kt_http_client_free (g_steal_pointer (&f->http));
  g_assert_cmpint (f->error, ==, KT_ERROR_STOPPED);
  g_assert_cmpuint (kt_test_warnings (), ==, 0);
  g_assert_cmpstr (kt_health_last_error (f->health), ==, "");
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
#define TEST(path, func) g_test_add (path, Fixture, NULL, kt_service_fixture_set_up, func, kt_service_fixture_tear_down)
  TEST ("/service/result-request", test_result_request);
  TEST ("/service/detail-request", test_detail_request);
  TEST ("/service/share-token", test_share_token);
  g_test_add_func ("/service/token-schemes", test_token_schemes);
  g_test_add_func ("/service/x-date", test_x_date);
  g_test_add_func ("/service/trace-id", test_trace_id);
  TEST ("/service/attempts", test_attempts);
  TEST ("/service/failure-is-reported-once", test_failure_is_reported_once);
  TEST ("/service/transport-failure", test_transport_failure);
  TEST ("/service/decoding-after-deadline", test_decoding_after_deadline);
  TEST ("/service/timeout", test_timeout);
  TEST ("/service/stop", test_stop);
  return g_test_run ();
}
