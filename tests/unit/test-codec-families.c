/* SPDX-License-Identifier: MIT */
/* Basic tasks, batch jobs and lists: their responses in every shape the service's documents name. */
#include "kt-test.h"

#include "base/kt-units.h"
#include "codec/kt-decode.h"

#include <string.h>

#define EPOCH 1727687972 /* 2024-09-30T09:19:32Z */

/* Empty and ERROR when it was refused. */
static KtDecoded
decode_as (const KtDecode *decode, KtFamily family, const char *json, GError **error)
{
  g_autoptr (KtKey) key = kt_key_new (family, "7");
  g_autoptr (GBytes) body = kt_test_bytes (json);
  g_autoptr (GTimeZone) zone = g_time_zone_new_utc ();
  KtDecoded decoded = { 0 };

  kt_decode (decode, key, 200, body, zone, &decoded, error);
  return decoded;
}

static KtDecoded
decode_good (const KtDecode *decode, KtFamily family, const char *json)
{
  g_autoptr (GError) error = NULL;
  KtDecoded decoded = decode_as (decode, family, json, &error);

  if (error != NULL)
    g_error ("%s: %s", json, error->message);
  return decoded;
}

static KtTask *
decode (KtDecodeTask *task, KtFamily family, const char *json)
{
  return decode_good (&(KtDecode){ .task = task }, family, json).task;
}

static KtTask *
basic (const char *json)
{
  return decode (kt_decode_basic_task, KT_FAMILY_BASIC, json);
}

static KtTask *
job (const char *json)
{
  return decode (kt_decode_job, KT_FAMILY_JOB, json);
}

static const KtDecode list_of[] = {
  [KT_FAMILY_BASIC] = { .page = kt_decode_task_list },
  [KT_FAMILY_JOB] = { .page = kt_decode_jobs },
};

static KtListPage *
page_of (KtFamily family, const char *json)
{
  return decode_good (&list_of[family], family, json).page;
}

static void
assert_refused (const KtDecode *decode, KtFamily family, const char *json)
{
  g_autoptr (GError) error = NULL;
  const KtDecoded decoded = decode_as (decode, family, json, &error);

  if (error == NULL || decoded.task != NULL || decoded.page != NULL)
    g_error ("%s was taken for good", json);
  g_assert_error (error, KT_ERROR, KT_ERROR_BAD_ANSWER);
}

static void
test_basic_task (void)
{
  static const char json[] = "{\"code\":0,\"msg\":\"ok\",\"taskId\":\"7\",\"taskName\":\"n\",\"taskType\":0,"
                             "\"tenantId\":\"t\",\"userId\":\"u\",\"status\":3,\"resultCode\":18000001,\"x\":[1.0]}";
  g_autoptr (KtTask) task = basic (json);
  g_autoptr (KtTask) strings = basic ("{\"taskId\":7,\"taskType\":\"1\",\"status\":\"1\"}");
  g_autoptr (KtTask) unknown = basic ("{\"code\":\"0\",\"status\":9,\"taskType\":8,\"userId\":null}");

  g_assert_cmpint (task->key->family, ==, KT_FAMILY_BASIC);
  g_assert_cmpstr (task->type, ==, "transfer");
  g_assert_cmpstr (task->status, ==, "failed"); /* which is canceled elsewhere */
  g_assert_cmpstr (task->user, ==, "u");
  g_assert_cmpstr (task->result, ==, ""); /* only with the other response */
  g_assert_cmpint (task->progress, ==, -1);
  g_assert_cmpint (task->created, ==, KT_TIME_UNKNOWN);
  g_assert_cmpint (task->success_count, ==, -1);
  g_assert_false (task->from_list);
  kt_assert_bytes (g_bytes_ref (task->response), json);
  g_assert_nonnull (strstr (g_bytes_get_data (task->job_json, NULL), "\"x\":\t[1.0]"));
  g_assert_cmpstr (strings->type, ==, "import");
  g_assert_cmpstr (strings->status, ==, "running");
  g_assert_cmpstr (unknown->type, ==, "unknown-8");
  g_assert_cmpstr (unknown->status, ==, "unknown-9");
}

static void
test_bad_basic_task (void)
{
  static const char *const bad[] = {
    "{}",
    "{\"code\":0}",
    "{\"code\":0,\"status\":null}",
    "{\"status\":{}}",
    "{\"status\":[1]}",
    "{\"data\":{}}",
    "{\"taskId\":\"8\",\"status\":1}",
    "[]",
    "{\"status\":1",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    assert_refused (&(KtDecode){ .task = kt_decode_basic_task }, KT_FAMILY_BASIC, bad[i]);
}

static void
test_job (void)
{
  static const char json[] =
      "{\"code\":\"0\",\"data\":{\"jobInfo\":{\"taskId\":\"7\",\"taskName\":\"n\",\"taskType\":6,\"actionType\":1,"
      "\"status\":2,\"taskResultCode\":2,\"contentNum\":2,\"userId\":\"u\",\"createTime\":\"20240930091932\","
      "\"beginTime\":\"20240930091933\",\"endTime\":\"2024-09-30T09:19:34Z\",\"progress\":100,"
      "\"downloadUrl\":\"https://x/\"},\"taskInfos\":[{\"fileId\":\"F\",\"status\":\"1\",\"newFileId\":\"N\"},"
      "{\"fileId\":\"G\",\"status\":\"2\"}],\"uncompressedFileList\":[{\"name\":\"z\"}]}}";
  g_autoptr (KtTask) task = job (json);

  g_assert_cmpint (task->key->family, ==, KT_FAMILY_JOB);
  g_assert_cmpstr (task->type, ==, "package");
  g_assert_cmpstr (task->status, ==, "completed");
  g_assert_cmpstr (task->result, ==, "partly-failed");
  g_assert_cmpint (task->progress, ==, 100);
  g_assert_cmpint (task->created, ==, EPOCH);
  g_assert_cmpint (task->started, ==, EPOCH + 1);
  g_assert_cmpint (task->ended, ==, EPOCH + 2);
  g_assert_cmpint (task->success_count, ==, 1);
  g_assert_cmpint (task->fail_count, ==, 1);
  g_assert_cmpstr (kt_task_find_file (task, "F")->new_id, ==, "N");
  g_assert_cmpstr (kt_task_find_file (task, "G")->status, ==, "failed");
  kt_assert_bytes (g_bytes_ref (task->response), json);
  g_assert_true (g_str_has_prefix (g_bytes_get_data (task->job_json, NULL), "{\n\t\"taskId\":\t\"7\","));
}

/* A job has `status` and `beginTime`, "and the other way about". */
static void
test_job_shapes (void)
{
  static const struct {
    const char *info, *infos;
    const char *status;
    gint progress;
    guint n_files;
  } table[] = {
    { "\"status\":0", "", "pending", -1, 0 },
    { "\"status\":\"1\",\"endTime\":\"\",\"progress\":\"57\"", ",\"taskInfos\":null", "running", 57, 0 },
    { "\"status\":3,\"progress\":-1", ",\"taskInfos\":[]", "canceled", -1, 0 },
    { "\"taskStatus\":1,\"startTime\":\"20240930091932\"", ",\"taskInfos\":{\"fileId\":\"F\"}", "running", -1, 1 },
    { "\"status\":4,\"progress\":101", ",\"taskInfos\":[{},{}]", "unknown-4", -1, 2 },
    { "\"status\":1,\"taskInfos\":[{\"fileId\":\"F\"}]", "", "running", -1, 1 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autofree char *json = g_strdup_printf ("{\"data\":{\"jobInfo\":{%s}%s}}", table[i].info, table[i].infos);
    g_autoptr (KtTask) task = job (json);
    g_assert_cmpstr (task->status, ==, table[i].status);
    g_assert_cmpint (task->progress, ==, table[i].progress);
    g_assert_cmpuint (task->files->len, ==, table[i].n_files);
    g_assert_cmpint (task->ended, ==, KT_TIME_UNKNOWN);
  }
}

static void
test_bad_job (void)
{
  static const char *const bad[] = {
    "{}",
    "{\"code\":\"0\"}",
    "{\"data\":null}",
    "{\"data\":[]}",
    "{\"data\":{}}",
    "{\"data\":{\"jobInfo\":null}}",
    "{\"data\":{\"jobInfo\":[]}}",
    "{\"jobInfo\":{\"status\":1}}",
    "{\"data\":{\"jobInfo\":{\"taskId\":\"8\"}}}",
    "{\"data\":{\"jobInfo\":{},\"taskInfos\":7}}",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    assert_refused (&(KtDecode){ .task = kt_decode_job }, KT_FAMILY_JOB, bad[i]);
}

#define BASIC_ITEM                                                                                                     \
  "{\"taskId\":\"9\",\"taskName\":\"n\",\"taskType\":1,\"userId\":\"u\",\"status\":2,\"locale\":\"zh\","               \
  "\"createTime\":\"2024-09-30T09:19:32Z\",\"startTime\":\"2024-09-30T09:19:33Z\","                                    \
  "\"endTime\":\"2024-09-30T09:19:34Z\"}"
#define JOB_ITEM                                                                                                       \
  "{\"taskId\":\"9\",\"taskType\":1,\"userId\":\"u\",\"status\":2,\"taskResultCode\":3,"                               \
  "\"createTime\":\"20240930091932\",\"beginTime\":\"20240930091933\",\"endTime\":\"20240930091934\"}"

/* "A list may be named `taskList` or `taskListDtos`." */
static void
test_list_items (void)
{
  static const struct {
    KtFamily family;
    const char *json;
    const char *type, *result;
  } table[] = {
    { KT_FAMILY_BASIC, "{\"taskList\":[" BASIC_ITEM "]}", "import", "" },
    { KT_FAMILY_BASIC, "{\"code\":0,\"taskListDtos\":[" BASIC_ITEM "]}", "import", "" },
    { KT_FAMILY_BASIC, "{\"taskList\":null,\"taskListDtos\":[" BASIC_ITEM "]}", "import", "" },
    { KT_FAMILY_JOB, "{\"code\":\"0\",\"msg\":\"\",\"data\":[" JOB_ITEM "]}", "copy", "failed" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autoptr (KtListPage) page = page_of (table[i].family, table[i].json);
    const KtTask *task;
    g_assert_cmpuint (page->tasks->len, ==, 1);
    g_assert_null (page->next);
    task = page->tasks->pdata[0];
    g_assert_true (task->from_list);
    g_assert_cmpint (task->key->family, ==, table[i].family);
    g_assert_cmpstr (task->key->task_id, ==, "9");
    g_assert_cmpstr (task->status, ==, "completed");
    g_assert_cmpstr (task->type, ==, table[i].type);
    g_assert_cmpstr (task->result, ==, table[i].result);
    g_assert_cmpstr (task->user, ==, "u");
    g_assert_cmpint (task->created, ==, EPOCH);
    g_assert_cmpint (task->started, ==, EPOCH + 1);
    g_assert_cmpint (task->ended, ==, EPOCH + 2);
  }
}

/* "`nextCursor` may be a number or a string." */
static void
test_list_shapes (void)
{
  static const struct {
    KtFamily family;
    const char *json;
    guint n_tasks;
    const char *next;
  } table[] = {
    { KT_FAMILY_BASIC, "{\"taskList\":[]}", 0, NULL },
    { KT_FAMILY_BASIC, "{\"code\":\"0\"}", 0, NULL },
    { KT_FAMILY_BASIC, "{\"taskList\":[],\"nextCursor\":\"abc=/\"}", 0, "abc=/" },
    { KT_FAMILY_BASIC, "{\"taskList\":[],\"nextCursor\":12345678901234567890}", 0, "12345678901234567890" },
    { KT_FAMILY_BASIC, "{\"nextCursor\":\"c\"}", 0, "c" },
    { KT_FAMILY_BASIC, "{\"taskList\":[],\"nextCursor\":\"\"}", 0, NULL },
    { KT_FAMILY_BASIC, "{\"taskList\":[],\"nextCursor\":null}", 0, NULL },
    { KT_FAMILY_BASIC, "{\"taskList\":[{\"taskId\":9}],\"nextCursor\":1}", 1, "1" },
    { KT_FAMILY_JOB, "{\"code\":0,\"data\":[]}", 0, NULL },
    { KT_FAMILY_JOB, "{\"code\":\"0\",\"data\":null}", 0, NULL },
    { KT_FAMILY_JOB, "{\"data\":[" JOB_ITEM ",{\"taskId\":9,\"status\":\"77\"}]}", 2, NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autoptr (KtListPage) page = page_of (table[i].family, table[i].json);
    g_assert_cmpuint (page->tasks->len, ==, table[i].n_tasks);
    g_assert_cmpstr (page->next, ==, table[i].next);
    if (table[i].n_tasks == 2)
      g_assert_cmpstr (((KtTask *) page->tasks->pdata[1])->status, ==, "unknown-77");
  }
}

/* "An item whose id cannot be an id is left out of the list": the others are whole, and paging goes on where it
 * should. */
static void
test_unusable_ids (void)
{
  static const char *const ids[] = { "\"../x\"", "\"\"", "\"8/9\"", "\"8\\u0000\"", "\"8\\ud83d\"", "8.5" };

  for (gsize i = 0; i < G_N_ELEMENTS (ids); i++) {
    g_autofree char *basic = g_strdup_printf ("{\"taskList\":[{\"taskId\":%s},{\"taskId\":9.0}]}", ids[i]);
    g_autofree char *jobs = g_strdup_printf ("{\"data\":[{\"taskId\":\"9\"},{\"taskId\":%s}]}", ids[i]);
    g_autoptr (KtListPage) page = page_of (KT_FAMILY_BASIC, basic);
    g_autoptr (KtListPage) other = page_of (KT_FAMILY_JOB, jobs);
    g_assert_cmpuint (page->tasks->len, ==, 1);
    g_assert_cmpuint (other->tasks->len, ==, 1);
    g_assert_cmpuint (page->n_items, ==, 2);
    g_assert_cmpuint (other->n_items, ==, 2);
    g_assert_cmpstr (((KtTask *) page->tasks->pdata[0])->key->task_id, ==, "9");
  }
}

static void
test_bad_lists (void)
{
  static const struct {
    KtFamily family;
    const char *json;
  } table[] = {
    { KT_FAMILY_BASIC, "{}" },
    { KT_FAMILY_BASIC, "{\"data\":[]}" },
    { KT_FAMILY_BASIC, "{\"taskList\":{}}" },
    { KT_FAMILY_BASIC, "{\"taskList\":[7]}" },
    { KT_FAMILY_BASIC, "{\"taskList\":[{}]}" },
    { KT_FAMILY_BASIC, "{\"taskList\":[{\"taskId\":\"8\"},null]}" },
    { KT_FAMILY_BASIC, "{\"taskList\":[{\"taskId\" \"8\"}]}" },
    { KT_FAMILY_JOB, "{}" },
    { KT_FAMILY_JOB, "{\"data\":{}}" },
    { KT_FAMILY_JOB, "{\"taskList\":[]}" },
    { KT_FAMILY_JOB, "{\"data\":[{\"taskId\":[]}]}" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    assert_refused (&list_of[table[i].family], table[i].family, table[i].json);
  kt_list_page_free (NULL);
}

/* What the two responses about a basic task say together: NULL is an endpoint that does not know it. */
static void
test_basic_pairs (void)
{
  static const struct {
    const char *detail, *result;
    const char *type, *status, *summed; /* SUMMED is the task's result */
    gint64 success, fail;
  } table[] = {
    { "\"taskType\":1,\"status\":2", NULL, "import", "completed", "succeeded", -1, -1 },
    { "\"taskType\":0,\"status\":3", NULL, "transfer", "failed", "failed", -1, -1 },
    { "\"taskType\":1,\"status\":1", NULL, "import", "running", "", -1, -1 },
    { NULL, "\"successCount\":1,\"failCount\":1", "import", "completed", "partly-failed", 1, 1 },
    { NULL, "\"failInfoList\":[]", "import", "running", "", -1, -1 },
    { "\"taskType\":1,\"status\":2", "\"successCount\":3,\"failCount\":0", "import", "completed", "succeeded", 3, 0 },
    { "\"taskType\":1,\"status\":2", "\"successCount\":1,\"failCount\":2", "import", "completed", "partly-failed", 1,
      2 },
    { "\"taskType\":1,\"status\":2", "\"successCount\":0,\"failCount\":2", "import", "completed", "failed", 0, 2 },
    { "\"taskType\":0,\"status\":2", "", "transfer", "completed", "succeeded", -1, -1 },
    { "\"taskType\":0,\"status\":2", "\"successCount\":1", "transfer", "completed", "succeeded", 1, -1 },
    { "\"status\":2", "", "import", "completed", "succeeded", -1, -1 }, /* the result's type stands in */
    /* counts before the end are not the result */
    { "\"taskType\":1,\"status\":1", "\"successCount\":1,\"failCount\":0", "import", "running", "", 1, 0 },
    { "\"taskType\":1,\"status\":9", "\"successCount\":1,\"failCount\":0", "import", "unknown-9", "", 1, 0 },
    /* contradictions: the status is right */
    { "\"taskType\":1,\"status\":3", "\"successCount\":5,\"failCount\":0", "import", "failed", "failed", 5, 0 },
    { "\"taskType\":1,\"status\":3", "\"successCount\":0,\"failCount\":0", "import", "failed", "failed", 0, 0 },
    { "\"taskType\":1,\"status\":3", "\"successCount\":5,\"failCount\":1", "import", "failed", "partly-failed", 5, 1 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autofree char *detail_json = g_strdup_printf ("{%s,\"userId\":\"u\"}", table[i].detail);
    g_autofree char *result_json = g_strdup_printf ("{\"data\":{%s}}", table[i].result);
    g_autoptr (KtTask) detail = table[i].detail != NULL ? basic (detail_json) : NULL;
    g_autoptr (KtTask) result =
        table[i].result != NULL ? decode (kt_decode_task_result, KT_FAMILY_BASIC, result_json) : NULL;
    g_autoptr (KtTask) task = kt_decode_basic (detail, result);
    g_assert_cmpstr (task->type, ==, table[i].type);
    g_assert_cmpstr (task->status, ==, table[i].status);
    g_assert_cmpstr (task->result, ==, table[i].summed);
    g_assert_cmpstr (task->user, ==, detail != NULL ? "u" : "");
    g_assert_cmpint (task->success_count, ==, table[i].success);
    g_assert_cmpint (task->fail_count, ==, table[i].fail);
    kt_assert_bytes (g_bytes_ref (task->response), result != NULL ? result_json : detail_json);
    g_assert_cmpint (strstr (g_bytes_get_data (task->job_json, NULL), "\"userId\"") != NULL, ==, detail != NULL);
  }
}

/* Nothing that either of the two says is lost. */
static void
test_basic_pair_keeps_all (void)
{
  g_autoptr (KtTask) detail = basic ("{\"status\":3,\"createTime\":\"20240930091932\",\"endTime\":\"20240930091934\","
                                     "\"progress\":70}");
  g_autoptr (KtTask) result =
      decode (kt_decode_task_result, KT_FAMILY_BASIC,
              "{\"data\":{\"successCount\":1,\"failCount\":1,\"failInfoList\":[{\"userName\":\"a\",\"desc\":\"b\"}]}}");
  g_autoptr (KtTask) task = kt_decode_basic (detail, result);

  g_assert_cmpint (task->created, ==, EPOCH);
  g_assert_cmpint (task->ended, ==, EPOCH + 2);
  g_assert_cmpint (task->progress, ==, 70);
  g_assert_cmpuint (task->failures->len, ==, 1);
  g_assert_cmpstr (g_array_index (task->failures, KtTaskFailure, 0).user_name, ==, "a");
}

/* The table of many failures was made with them, where nobody waits. */
static void
test_basic_pair_keeps_table (void)
{
  g_autoptr (GString) rows = g_string_new ("{\"data\":{\"successCount\":0,\"failCount\":2000,\"failInfoList\":[{}");
  g_autoptr (KtTask) detail = basic ("{\"status\":3}");
  g_autoptr (KtTask) result = NULL;
  g_autoptr (KtTask) task = NULL;

  for (guint i = 1; i < 2000; i++)
    g_string_append (rows, ",{}");
  g_string_append (rows, "]}}");
  result = decode (kt_decode_task_result, KT_FAMILY_BASIC, rows->str);
  task = kt_decode_basic (detail, result);
  g_assert_nonnull (task->failures_csv);
  g_assert_true (task->failures_csv == result->failures_csv);
}

static void
test_done (void)
{
  static const KtDecode done = { .done = kt_decode_done };
  g_autoptr (GError) error = NULL;

  decode_good (&done, KT_FAMILY_JOB, "{\"code\":0,\"msg\":\"ok\"}");
  decode_as (&done, KT_FAMILY_JOB, "{\"code\":13000309}", &error);
  g_assert_error (error, KT_ERROR, KT_ERROR_NOT_FOUND);
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
  g_test_add_func ("/codec/families/basic-task", test_basic_task);
  g_test_add_func ("/codec/families/bad-basic-task", test_bad_basic_task);
  g_test_add_func ("/codec/families/job", test_job);
  g_test_add_func ("/codec/families/job-shapes", test_job_shapes);
  g_test_add_func ("/codec/families/bad-job", test_bad_job);
  g_test_add_func ("/codec/families/list-items", test_list_items);
  g_test_add_func ("/codec/families/list-shapes", test_list_shapes);
  g_test_add_func ("/codec/families/unusable-ids", test_unusable_ids);
  g_test_add_func ("/codec/families/bad-lists", test_bad_lists);
  g_test_add_func ("/codec/families/basic-pairs", test_basic_pairs);
  g_test_add_func ("/codec/families/basic-pair-keeps-all", test_basic_pair_keeps_all);
  g_test_add_func ("/codec/families/basic-pair-keeps-table", test_basic_pair_keeps_table);
  g_test_add_func ("/codec/families/done", test_done);
  return g_test_run ();
}
