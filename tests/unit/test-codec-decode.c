/* SPDX-License-Identifier: MIT */
/* What is decoded from good responses, and what is refused. */
#include "kt-test.h"

#include "base/kt-log.h"
#include "base/kt-units.h"
#include "codec/kt-decode.h"

#include <string.h>

#define SAMPLE_ID "1521827471237047552"

static KtTask *
decode (KtDecodeTask *function, guint status, GBytes *body, GError **error)
{
  g_autoptr (KtKey) key =
      function == kt_decode_share_detail ? kt_key_new_share ("S", SAMPLE_ID) : kt_key_new (KT_FAMILY_BASIC, SAMPLE_ID);
  g_autoptr (GTimeZone) zone = g_time_zone_new_utc ();
  KtTask *task = function (key, status, body, zone, error);

  g_assert_true (error == NULL || (task == NULL) == (*error != NULL));
  return task;
}

static void
assert_refused (KtDecodeTask *function, guint status, const char *body, gsize length, KtErrorCode code)
{
  g_autoptr (GBytes) bytes = g_bytes_new (body, length);
  g_autoptr (GError) error = NULL;
  KtTask *task = decode (function, status, bytes, &error);

  if (task != NULL || !g_error_matches (error, KT_ERROR, (int) code))
    g_error ("HTTP %u with '%.60s': %s", status, body, error != NULL ? error->message : "taken for good");
}

static void
test_detail_sample (void)
{
  g_autoptr (GBytes) body = kt_test_data ("share-taskDetail.json");
  g_autoptr (KtTask) task = decode (kt_decode_share_detail, 200, body, NULL);
  const KtTaskFile *file;

  g_assert_nonnull (task);
  g_assert_cmpstr (task->type, ==, "download");
  g_assert_cmpstr (task->status, ==, "completed");
  g_assert_cmpstr (task->result, ==, "succeeded");
  g_assert_cmpint (task->progress, ==, 100);
  g_assert_cmpint (task->created, ==, 1727687972);
  g_assert_cmpint (task->started, ==, 1727687972);
  g_assert_cmpint (task->ended, ==, 1727687973);
  g_assert_cmpstr (task->user, ==, "0929b397a3424384b32cf8f96d9f35e4|1465814559892958208");
  g_assert_cmpint (task->success_count, ==, 2);
  g_assert_cmpint (task->fail_count, ==, 0);
  g_assert_cmpuint (task->failures->len, ==, 0);
  g_assert_cmpuint (task->files->len, ==, 2);
  file = kt_task_find_file (task, "FulYbSXt1ovCywA4qda1Fe64BveY4dMvw");
  g_assert_nonnull (file);
  g_assert_cmpstr (file->status, ==, "succeeded");
  g_assert_cmpstr (file->new_id, ==, "FjRrf91UdJQnffuMcw-xIIJlNeVgWHEwJ");
  g_assert_cmpstr (file->container_id, ==, "IAACk0hRXpq9DAWkA1465823622533999616");
  g_assert_true (g_bytes_equal (task->response, body));
  kt_assert_bytes (g_bytes_ref (task->job_json),
                   "{\n"
                   "\t\"userId\":\t\"0929b397a3424384b32cf8f96d9f35e4|1465814559892958208\",\n"
                   "\t\"taskId\":\t\"1521827471237047552\",\n"
                   "\t\"taskType\":\t1,\n"
                   "\t\"taskStatus\":\t2,\n"
                   "\t\"taskResultCode\":\t1,\n"
                   "\t\"createTime\":\t\"20240930091932\",\n"
                   "\t\"startTime\":\t\"20240930091932\",\n"
                   "\t\"endTime\":\t\"20240930091933\",\n"
                   "\t\"progress\":\t100\n"
                   "}\n");
}

static void
test_result_sample (void)
{
  g_autoptr (GBytes) body = kt_test_data ("task-result.json");
  g_autoptr (KtTask) task = decode (kt_decode_task_result, 200, body, NULL);
  const KtTaskFailure *failure;

  g_assert_nonnull (task);
  g_assert_cmpstr (task->type, ==, "import");
  g_assert_cmpstr (task->status, ==, "completed");
  g_assert_cmpstr (task->result, ==, "partly-failed");
  g_assert_cmpint (task->progress, ==, -1);
  g_assert_cmpint (task->ended, ==, KT_TIME_UNKNOWN);
  g_assert_cmpint (task->success_count, ==, 1);
  g_assert_cmpint (task->fail_count, ==, 1);
  g_assert_cmpuint (task->files->len, ==, 0);
  g_assert_cmpuint (task->failures->len, ==, 1);
  failure = &g_array_index (task->failures, KtTaskFailure, 0);
  g_assert_cmpstr (failure->user_name, ==, "ss");
  g_assert_cmpstr (failure->desc, ==, "The user already exists.");
  g_assert_true (g_bytes_equal (task->response, body));
}

static void
test_broken_sample (void)
{
  g_autoptr (GBytes) body = kt_test_data ("task-result.broken.json");
  g_autoptr (GError) error = NULL;

  g_assert_null (decode (kt_decode_task_result, 200, body, &error));
  kt_assert_failed (&error, KT_ERROR_BAD_ANSWER, "not JSON");
}

/* "A response that is not JSON by RFC 8259 is EBADMSG." So is JSON that a C program cannot hold. */
static void
test_bad_json (void)
{
  static const char *const bad[] = {
    "",
    " ",
    "null",
    "true",
    "12",
    "\"x\"",
    "[]",
    "[{}]",
    "{",
    "}",
    "{\"jobInfo\":{}",
    "{\"jobInfo\":{}}}",
    "{\"jobInfo\":{}} x",
    "{\"jobInfo\":{}}{}",
    "<html></html>",
    "{1:2}",
    "{\"jobInfo\":{1:2}}",
    "{\"jobInfo\":{\"a\":01}}",
    "{\"jobInfo\":{\"a\":1.}}",
    "{\"jobInfo\":{\"a\":.5}}",
    "{\"jobInfo\":{\"a\":1e}}",
    "{\"jobInfo\":{\"a\":1e+}}",
    "{\"jobInfo\":{\"a\":-}}",
    "{\"jobInfo\":{\"a\":+1}}",
    "{\"jobInfo\":{\"a\":-01}}",
    "{\"jobInfo\":{\"a\":0x1}}",
    "{\"jobInfo\":{\"a\":1 2}}",
    "{\"jobInfo\":{\"a\":1\"b\"}}",
    "{\"jobInfo\":{\"a\":NaN}}",
    "{\"jobInfo\":{\"a\":Infinity}}",
    "{\"jobInfo\":{\"a\":-Infinity}}",
    "{\"jobInfo\":{\"a\":[1,]}}",
    "{\"jobInfo\":{\"a\":1,}}",
    "{\"jobInfo\":{\"a\" 1}}",
    "{\"jobInfo\":{\"a\":'x'}}",
    "{\"jobInfo\":{a:1}}",
    "{\"jobInfo\":{\"a\":tru}}",
    "{\"jobInfo\":{\"a\":\"\\x\"}}",
    "{\"jobInfo\":{\"a\":\"\\u12\"}}",
    "{\"jobInfo\":{\"a\":\"",
    "{\"jobInfo\":{\"a\":\"\\",
    "{\"jobInfo\":{\"a\":\"\\\"",
    "{\"jobInfo\":{\"a\":\"\\u",
    "\"",
    "-",
    "{\"jobInfo\":{}}\v,",
    "\xef\xbb\xbf",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
    assert_refused (kt_decode_share_detail, 200, bad[i], strlen (bad[i]), KT_ERROR_BAD_ANSWER);
    assert_refused (kt_decode_task_result, 200, bad[i], strlen (bad[i]), KT_ERROR_BAD_ANSWER);
  }
}

/* "A response with NUL bytes is EBADMSG." */
static void
test_nul_bytes (void)
{
  static const char good[] = "{\"jobInfo\":{\"a\":\"b\",\"c\":1}}";

  /* a NUL instead of any byte, and after the end */
  for (gsize i = 0; i <= strlen (good); i++) {
    char text[sizeof (good)];
    memcpy (text, good, sizeof (good));
    text[i] = '\0';
    assert_refused (kt_decode_share_detail, 200, text, sizeof (good), KT_ERROR_BAD_ANSWER);
  }
  assert_refused (kt_decode_share_detail, 200, "{\"jobInfo\":{\"a\":\"\\\0\"}}", 21, KT_ERROR_BAD_ANSWER);
}

/* What is cut off anywhere is refused, without a look past its end. */
static void
test_truncated (void)
{
  g_autoptr (GBytes) sample = kt_test_data ("share-taskDetail.json");
  gsize length;
  const char *text = g_bytes_get_data (sample, &length);

  while (length > 0 && text[length - 1] != '}')
    length--;
  for (gsize i = 0; i < length; i++) {
    g_autofree char *exact = g_memdup2 (text, i); /* the sanitizer sees a read beyond I */
    assert_refused (kt_decode_share_detail, 200, exact != NULL ? exact : "", i, KT_ERROR_BAD_ANSWER);
  }
}

static char *
nested (guint depth, const char *open, const char *inside, const char *close)
{
  GString *out = g_string_new ("{\"jobInfo\":{\"taskStatus\":1,\"x\":");

  for (guint i = 2; i < depth; i++)
    g_string_append (out, open);
  g_string_append (out, inside);
  for (guint i = 2; i < depth; i++)
    g_string_append (out, close);
  g_string_append (out, "}}");
  return g_string_free (out, FALSE);
}

/* "A response with nesting deeper than 64 is EBADMSG." */
static void
test_depth (void)
{
  g_autofree char *deepest = nested (64, "[", "", "]");
  g_autofree char *too_deep = nested (65, "[", "", "]");
  g_autofree char *objects = nested (65, "{\"a\":", "1", "}");
  g_autofree char *abyss = g_strnfill (1000000, '[');
  g_autoptr (GBytes) body = kt_test_bytes (deepest);
  g_autoptr (KtTask) task = decode (kt_decode_share_detail, 200, body, NULL);

  g_assert_nonnull (task);
  assert_refused (kt_decode_share_detail, 200, too_deep, strlen (too_deep), KT_ERROR_BAD_ANSWER);
  assert_refused (kt_decode_share_detail, 200, objects, strlen (objects), KT_ERROR_BAD_ANSWER);
  assert_refused (kt_decode_share_detail, 200, abyss, strlen (abyss), KT_ERROR_BAD_ANSWER);
}

/* JSON, but not what is documented. */
static void
test_wrong_kind (void)
{
  static const char *const detail[] = {
    "{}",
    "{\"code\":0}",
    "{\"jobInfo\":null}",
    "{\"jobInfo\":[]}",
    "{\"jobInfo\":\"x\"}",
    "{\"jobInfo\":7}",
    "{\"jobInfo\":{},\"taskInfos\":\"x\"}",
    "{\"jobInfo\":{},\"taskInfos\":[1]}",
    "{\"jobInfo\":{},\"taskInfos\":[[]]}",
    "{\"jobInfo\":{},\"taskInfos\":[null]}",
    "{\"jobInfo\":{\"taskId\":\"1521827471237047553\"}}", /* another task */
    "{\"jobInfo\":{\"taskId\":1521827471237047553}}",     /* the same as a double */
    "{\"jobInfo\":{\"taskId\":\"\"}}",
    "{\"code\":false,\"jobInfo\":{}}",
    "{\"code\":[],\"jobInfo\":{}}",
  };
  static const char *const result[] = {
    "{}",
    "{\"data\":[]}",
    "{\"data\":7}",
    "{\"data\":\"x\",\"code\":0}",
    "{\"data\":null}",
    "{\"data\":{\"failInfoList\":{}}}",
    "{\"data\":{\"failInfoList\":\"x\"}}",
    "{\"data\":{\"failInfoList\":[\"x\"]}}",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (detail); i++)
    assert_refused (kt_decode_share_detail, 200, detail[i], strlen (detail[i]), KT_ERROR_BAD_ANSWER);
  for (gsize i = 0; i < G_N_ELEMENTS (result); i++)
    assert_refused (kt_decode_task_result, 200, result[i], strlen (result[i]), KT_ERROR_BAD_ANSWER);
}

static void
test_errors (void)
{
  static const struct {
    guint status;
    const char *body;
    KtErrorCode code;
  } table[] = {
    /* by status, when the body does not say more */
    { 400, "", KT_ERROR_REFUSED },
    { 401, "", KT_ERROR_REFUSED },
    { 403, "<html>", KT_ERROR_REFUSED },
    { 404, "{}", KT_ERROR_NOT_FOUND },
    { 429, "null", KT_ERROR_THROTTLED },
    { 429, "{\"code\":13000201}", KT_ERROR_THROTTLED },
    { 429, "{\"code\":13000309}", KT_ERROR_THROTTLED },
    { 429, "{\"code\":\"APIGW.0301\"}", KT_ERROR_THROTTLED },
    { 500, "{\"code\":0}", KT_ERROR_SERVICE },
    { 503, "[1,]", KT_ERROR_SERVICE },
    { 204, "", KT_ERROR_BAD_ANSWER },
    { 302, "", KT_ERROR_SERVICE },
    /* authentication that fails as a 400 or 200, with a code */
    { 400, "{\"code\":\"APIGW.0301\",\"msg\":\"Incorrect IAM authentication information\"}", KT_ERROR_REFUSED },
    { 400, "{\"error_code\":\"APIGW.0301\",\"error_msg\":\"x\"}", KT_ERROR_REFUSED },
    { 200, "{\"error_code\":\"APIGW.0301\",\"error_msg\":\"x\"}", KT_ERROR_REFUSED },
    /* by the documented codes, number or string, whatever the status */
    { 200, "{\"code\":13000309}", KT_ERROR_NOT_FOUND },
    { 200, "{\"code\":\"13000309\"}", KT_ERROR_NOT_FOUND },
    { 400, "{\"code\":13000309}", KT_ERROR_NOT_FOUND },
    { 500, "{\"error_code\":\"13000309\",\"error_msg\":\"x\"}", KT_ERROR_NOT_FOUND },
    { 400, "{\"code\":13000101}", KT_ERROR_SERVICE },
    { 400, "{\"code\":13000102}", KT_ERROR_SERVICE },
    { 200, "{\"code\":13000201}", KT_ERROR_SERVICE },
    { 200, "{\"code\":13000407}", KT_ERROR_SERVICE },
    { 200, "{\"code\":13000408}", KT_ERROR_SERVICE },
    { 200, "{\"code\":13000410}", KT_ERROR_DENIED },
    { 403, "{\"code\":13000410}", KT_ERROR_DENIED },
    /* 200 and a code that is not 0, with all that a good response has */
    { 200, "{\"code\":1,\"jobInfo\":{\"taskStatus\":2},\"data\":{\"successCount\":1}}", KT_ERROR_SERVICE },
    { 200, "{\"code\":\"99\",\"jobInfo\":{},\"data\":{}}", KT_ERROR_SERVICE },
    { 200, "{\"error_code\":\"APIGW.0101\",\"jobInfo\":{},\"data\":{}}", KT_ERROR_SERVICE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    assert_refused (kt_decode_share_detail, table[i].status, table[i].body, strlen (table[i].body), table[i].code);
    assert_refused (kt_decode_task_result, table[i].status, table[i].body, strlen (table[i].body), table[i].code);
  }
}

/* "An error may be named by `error_code` and `error_msg`." */
static void
test_error_message (void)
{
  g_autoptr (GBytes) body = kt_test_bytes ("{\"code\":13000201,\"msg\":\"busy\\nforged\"}");
  g_autoptr (GBytes) older = kt_test_bytes ("{\"error_code\":\"APIGW.0301\",\"error_msg\":\"who?\"}");
  g_autofree char *filler = g_strnfill (5000, 'x');
  g_autofree char *long_text = g_strconcat ("{\"code\":\"", filler, "\",\"msg\":\"", filler, "\"}", NULL);
  g_autoptr (GBytes) endless = kt_test_bytes (long_text);
  g_autoptr (GError) error = NULL;

  decode (kt_decode_task_result, 500, body, &error);
  g_assert_cmpstr (error->message, ==, "HTTP 500, code 13000201: busy%0Aforged");
  g_clear_error (&error);
  decode (kt_decode_task_result, 400, older, &error);
  g_assert_cmpstr (error->message, ==, "HTTP 400, code APIGW.0301: who?");
  g_clear_error (&error);
  decode (kt_decode_task_result, 500, endless, &error);
  g_assert_cmpuint (strlen (error->message), <, 300);
}

/* A message that quotes a secret which is longer than what is kept of the message. */
static void
test_error_quotes_secret (void)
{
  g_autofree char *token = g_strnfill (1000, 't');
  g_autofree char *text = g_strconcat ("{\"code\":\"", token, "\",\"msg\":\"", token, " has expired\"}", NULL);
  g_autoptr (GBytes) body = kt_test_bytes (text);
  g_autoptr (GError) error = NULL;

  kt_log_add_secret (token);
  decode (kt_decode_task_result, 401, body, &error);
  g_assert_cmpstr (error->message, ==, "HTTP 401, code ***: *** has expired");
  kt_log_forget_secrets ();
}

static void
test_encode (void)
{
  kt_assert_text (kt_encode_object ("a", "x\"\\\n中", "b", "", NULL), "{\"a\":\"x\\\"\\\\\\n中\",\"b\":\"\"}");
  kt_assert_text (kt_encode_object (NULL, NULL), "{}");
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
  g_test_add_func ("/codec/decode/detail-sample", test_detail_sample);
  g_test_add_func ("/codec/decode/result-sample", test_result_sample);
  g_test_add_func ("/codec/decode/broken-sample", test_broken_sample);
  g_test_add_func ("/codec/decode/bad-json", test_bad_json);
  g_test_add_func ("/codec/decode/nul-bytes", test_nul_bytes);
  g_test_add_func ("/codec/decode/truncated", test_truncated);
  g_test_add_func ("/codec/decode/depth", test_depth);
  g_test_add_func ("/codec/decode/wrong-kind", test_wrong_kind);
  g_test_add_func ("/codec/decode/errors", test_errors);
  g_test_add_func ("/codec/decode/error-message", test_error_message);
  g_test_add_func ("/codec/decode/error-quotes-secret", test_error_quotes_secret);
  g_test_add_func ("/codec/decode/encode", test_encode);
  return g_test_run ();
}
