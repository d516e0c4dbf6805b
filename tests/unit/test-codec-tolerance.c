/* SPDX-License-Identifier: MIT */
/* The contradictions of the service's documentation: the decoders take either side. */
#include "kt-test.h"

#include "base/kt-units.h"
#include "codec/kt-decode.h"

#include <string.h>

static KtTask *
detail_in (const char *json, const char *zone_name)
{
  g_autoptr (KtKey) key = kt_key_new_share ("S", "7");
  g_autoptr (GBytes) body = kt_test_bytes (json);
  g_autoptr (GTimeZone) zone = g_time_zone_new_identifier (zone_name);
  g_autoptr (GError) error = NULL;
  KtTask *task = kt_decode_share_detail (key, 200, body, zone, &error);

  if (task == NULL)
    g_error ("%s: %s", json, error->message);
  return task;
}

static KtTask *
detail (const char *json)
{
  return detail_in (json, "UTC");
}

static KtTask *
result (const char *json)
{
  g_autoptr (KtKey) key = kt_key_new (KT_FAMILY_BASIC, "7");
  g_autoptr (GBytes) body = kt_test_bytes (json);
  g_autoptr (GTimeZone) zone = g_time_zone_new_utc ();
  g_autoptr (GError) error = NULL;
  KtTask *task = kt_decode_task_result (key, 200, body, zone, &error);

  if (task == NULL)
    g_error ("%s: %s", json, error->message);
  return task;
}

/* "`code` may be 0, '0' or absent." */
static void
test_code (void)
{
  static const char *const codes[] = { "\"code\":0,", "\"code\":\"0\",", "", "\"code\":null,",
                                       "\"error_code\":\"0\"," };

  for (gsize i = 0; i < G_N_ELEMENTS (codes); i++) {
    g_autofree char *share = g_strdup_printf ("{%s\"jobInfo\":{\"taskStatus\":1}}", codes[i]);
    g_autofree char *basic = g_strdup_printf ("{%s\"data\":{\"successCount\":1,\"failCount\":0}}", codes[i]);
    g_autoptr (KtTask) task = detail (share);
    g_autoptr (KtTask) import = result (basic);
    g_assert_cmpstr (task->status, ==, "running");
    g_assert_cmpstr (import->result, ==, "succeeded");
  }
}

/* "`taskInfos` may be an array, an object, null or absent." */
static void
test_task_infos (void)
{
  static const struct {
    const char *infos;
    guint n_files;
  } table[] = {
    { "", 0 },
    { ",\"taskInfos\":null", 0 },
    { ",\"taskInfos\":[]", 0 },
    { ",\"taskInfos\":{\"fileId\":\"F\",\"status\":\"2\"}", 1 },
    { ",\"taskInfos\":[{\"fileId\":\"F\",\"status\":2}]", 1 },
    { ",\"taskInfos\":[{\"fileId\":\"F\",\"status\":\"2\"},{\"fileId\":\"G\",\"status\":\"1\"}]", 2 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autofree char *json = g_strdup_printf ("{\"jobInfo\":{}%s}", table[i].infos);
    g_autoptr (KtTask) task = detail (json);
    g_assert_cmpuint (task->files->len, ==, table[i].n_files);
    g_assert_cmpint (task->fail_count, ==, table[i].n_files > 0 ? 1 : -1);
    if (table[i].n_files > 0)
      g_assert_cmpstr (kt_task_find_file (task, "F")->status, ==, "failed");
  }
}

/* "`taskInfo` may stand for `jobInfo`": the 2024-07 edition. */
static void
test_wrapper (void)
{
  g_autoptr (KtTask) task = detail ("{\"code\":\"0\",\"taskInfo\":{\"taskId\":\"7\",\"taskType\":2,\"taskStatus\":3,"
                                    "\"resultCode\":\"0\",\"taskInfos\":[{\"fileId\":\"F\"}]}}");

  g_assert_cmpstr (task->type, ==, "save");
  g_assert_cmpstr (task->status, ==, "canceled");
  g_assert_cmpuint (task->files->len, ==, 1);
}

/* "`status` may stand for `taskStatus` and `beginTime` for `startTime`" */
static void
test_field_names (void)
{
  g_autoptr (KtTask) task = detail ("{\"jobInfo\":{\"status\":1,\"beginTime\":\"20240930091932\",\"endTime\":\"\"}}");
  g_autoptr (KtTask) both = detail ("{\"jobInfo\":{\"status\":1,\"taskStatus\":2,\"beginTime\":\"20240930091932\","
                                    "\"startTime\":\"20240930091933\"}}");

  g_assert_cmpstr (task->status, ==, "running");
  g_assert_cmpint (task->started, ==, 1727687972);
  g_assert_cmpint (task->ended, ==, KT_TIME_UNKNOWN);
  g_assert_cmpstr (both->status, ==, "completed"); /* the share family's own names win */
  g_assert_cmpint (both->started, ==, 1727687973);
}

static void
test_numbers_as_strings (void)
{
  g_autoptr (KtTask) task = detail ("{\"jobInfo\":{\"taskId\":7,\"taskType\":\"1\",\"taskStatus\":\"2\","
                                    "\"taskResultCode\":\"3\",\"progress\":\"57\",\"userId\":12,"
                                    "\"createTime\":20240930091932}}");
  g_autoptr (KtTask) import = result ("{\"data\":{\"successCount\":\"0\",\"failCount\":\"3\"}}");

  g_assert_cmpstr (task->type, ==, "download");
  g_assert_cmpstr (task->status, ==, "completed");
  g_assert_cmpstr (task->result, ==, "failed");
  g_assert_cmpint (task->progress, ==, 57);
  g_assert_cmpstr (task->user, ==, "12");
  g_assert_cmpint (task->created, ==, 1727687972);
  g_assert_cmpint (import->success_count, ==, 0);
  g_assert_cmpint (import->fail_count, ==, 3);
  g_assert_cmpstr (import->result, ==, "failed");
}

static void
test_progress (void)
{
  static const struct {
    const char *field;
    gint progress;
  } table[] = {
    { "\"progress\":0", 0 },     { "\"progress\":100", 100 }, { "\"progress\":101", -1 },
    { "\"progress\":-1", -1 },   { "\"progress\":null", -1 }, { "\"x\":1", -1 },
    { "\"progress\":1e2", 100 }, { "\"progress\":50.5", -1 }, { "\"progress\":\"\"", -1 },
    { "\"progress\":true", -1 }, { "\"progress\":[]", -1 },   { "\"progress\":99999999999999999999", -1 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autofree char *json = g_strdup_printf ("{\"jobInfo\":{%s}}", table[i].field);
    g_autoptr (KtTask) task = detail (json);
    g_assert_cmpint (task->progress, ==, table[i].progress);
  }
}

static void
test_unknown_values (void)
{
  g_autoptr (KtTask) task =
      detail ("{\"jobInfo\":{\"taskType\":9,\"taskStatus\":\"x\\ny\",\"taskResultCode\":-1},"
              "\"taskInfos\":[{\"fileId\":\"F\",\"status\":\"9\"},{\"fileId\":\"G\",\"status\":\"1\"}]}");
  g_autoptr (KtTask) nothing = detail ("{\"jobInfo\":{\"taskStatus\":\"\",\"taskType\":null,\"taskResultCode\":{}}}");

  g_assert_cmpstr (task->type, ==, "unknown-9");
  g_assert_cmpstr (task->status, ==, "unknown-x%0Ay");
  g_assert_cmpstr (task->result, ==, "unknown--1");
  g_assert_cmpstr (kt_task_find_file (task, "F")->status, ==, "unknown-9");
  g_assert_cmpint (task->success_count, ==, -1); /* a count would be a guess */
  g_assert_cmpstr (nothing->status, ==, "");
  g_assert_cmpstr (nothing->type, ==, "");
  g_assert_cmpstr (nothing->result, ==, "");
}

static void
test_times (void)
{
  g_autoptr (KtTask) shanghai = detail_in ("{\"jobInfo\":{\"createTime\":\"20240930091932\","
                                           "\"startTime\":\"2024-09-30T09:19:32Z\",\"endTime\":null}}",
                                           "Asia/Shanghai");

  g_assert_cmpint (shanghai->created, ==, 1727687972 - 8 * 3600);
  g_assert_cmpint (shanghai->started, ==, 1727687972);
  g_assert_cmpint (shanghai->ended, ==, KT_TIME_UNKNOWN);
}

/* "There may be fields that nobody documented." They, and numbers that no double holds, come back digit for digit. */
static void
test_job_json_keeps_all (void)
{
  g_autoptr (KtTask) task =
      detail ("{\"jobInfo\":{\"big\":12345678901234567890,\"huge\":1e400,\"neg\":-0.10,\"E\":1E+2,"
              "\"text\":\"12\",\"n\":\"n12\",\"s\":\"s\",\"t\":true,\"z\":null,\"a\":[1.0,{\"12\":\"\\u0031\"}],"
              "\"\":\"\\\\u0000\",\"中\":\"\\ud83d\\ude00\"}}");

  kt_assert_bytes (g_bytes_ref (task->job_json),
                   "{\n\t\"big\":\t12345678901234567890,\n\t\"huge\":\t1e400,\n\t\"neg\":\t-0.10,\n\t\"E\":\t1E+2,\n"
                   "\t\"text\":\t\"12\",\n\t\"n\":\t\"n12\",\n\t\"s\":\t\"s\",\n\t\"t\":\ttrue,\n\t\"z\":\tnull,\n"
                   "\t\"a\":\t[1.0, {\n\t\t\t\"12\":\t\"1\"\n\t\t}],\n\t\"\":\t\"\\\\u0000\",\n\t\"中\":\t\"😀\"\n}\n");
}

static void
test_hostile_strings (void)
{
  g_autoptr (KtTask) task =
      detail ("{\"jobInfo\":{\"userId\":\"a\\nb\"},\"taskInfos\":[{\"fileId\":\"../x\"},{\"fileId\":\"\"},"
              "{},{\"fileId\":\"\xff\"},{\"fileId\":\"../x\"},{\"fileId\":7,\"status\":{}}]}");
  static const char *const names[] = { "%2E.%2Fx", "unnamed", "unnamed.2", "%FF", "%2E.%2Fx.2", "7" };

  g_assert_cmpuint (task->files->len, ==, G_N_ELEMENTS (names));
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    g_assert_cmpstr (g_array_index (task->files, KtTaskFile, i).name, ==, names[i]);
}

/* task/result has no status: counts are there once the import is through. */
static void
test_result_states (void)
{
  static const struct {
    const char *json;
    const char *status;
    const char *result;
    gint64 success;
    gint64 fail;
  } table[] = {
    { "{\"code\":0}", "running", "", -1, -1 },
    { "{\"code\":0,\"data\":null}", "running", "", -1, -1 },
    { "{\"code\":0,\"data\":{}}", "running", "", -1, -1 },
    { "{\"data\":{\"failInfoList\":[]}}", "running", "", -1, -1 },
    { "{\"data\":{\"successCount\":3,\"failCount\":0,\"failInfoList\":null}}", "completed", "succeeded", 3, 0 },
    { "{\"data\":{\"successCount\":0,\"failCount\":0}}", "completed", "succeeded", 0, 0 },
    { "{\"data\":{\"successCount\":0,\"failCount\":2}}", "completed", "failed", 0, 2 },
    { "{\"data\":{\"successCount\":1,\"failCount\":2}}", "completed", "partly-failed", 1, 2 },
    { "{\"data\":{\"successCount\":1}}", "completed", "", 1, -1 },
    { "{\"data\":{\"successCount\":-1,\"failCount\":1}}", "completed", "", -1, 1 },
    { "{\"data\":{\"successCount\":9223372036854775808,\"failCount\":9223372036854775807}}", "completed", "", -1,
      G_MAXINT64 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autoptr (KtTask) task = result (table[i].json);
    g_assert_cmpstr (task->type, ==, "import");
    g_assert_cmpstr (task->status, ==, table[i].status);
    g_assert_cmpstr (task->result, ==, table[i].result);
    g_assert_cmpint (task->success_count, ==, table[i].success);
    g_assert_cmpint (task->fail_count, ==, table[i].fail);
    g_assert_nonnull (task->job_json);
  }
}

static void
test_failure_without_desc (void)
{
  g_autoptr (KtTask) task = result ("{\"data\":{\"failInfoList\":[{\"userName\":\"ss\"},{\"desc\":7}]}}");

  g_assert_cmpuint (task->failures->len, ==, 2);
  g_assert_cmpstr (g_array_index (task->failures, KtTaskFailure, 0).user_name, ==, "ss");
  g_assert_cmpstr (g_array_index (task->failures, KtTaskFailure, 0).desc, ==, "");
  g_assert_cmpstr (g_array_index (task->failures, KtTaskFailure, 1).desc, ==, "7");
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
  g_test_add_func ("/codec/tolerance/code", test_code);
  g_test_add_func ("/codec/tolerance/task-infos", test_task_infos);
  g_test_add_func ("/codec/tolerance/wrapper", test_wrapper);
  g_test_add_func ("/codec/tolerance/field-names", test_field_names);
  g_test_add_func ("/codec/tolerance/numbers-as-strings", test_numbers_as_strings);
  g_test_add_func ("/codec/tolerance/progress", test_progress);
  g_test_add_func ("/codec/tolerance/unknown-values", test_unknown_values);
  g_test_add_func ("/codec/tolerance/times", test_times);
  g_test_add_func ("/codec/tolerance/job-json-keeps-all", test_job_json_keeps_all);
  g_test_add_func ("/codec/tolerance/hostile-strings", test_hostile_strings);
  g_test_add_func ("/codec/tolerance/result-states", test_result_states);
  g_test_add_func ("/codec/tolerance/failure-without-desc", test_failure_without_desc);
  return g_test_run ();
}
