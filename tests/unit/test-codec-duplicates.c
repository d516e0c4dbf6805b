/* SPDX-License-Identifier: MIT */
/* "When a field occurs twice, the first one counts.": of every field that is read, in every response. */
#include "kt-test.h"

#include "codec/kt-decode.h"

#include <string.h>

/* All that a decoder reads, but for the documents, which have both fields. */
static void
describe_task (GString *out, const KtTask *task)
{
  g_string_append_printf (out,
                          "%s|%s|%s|%d|%" G_GINT64_FORMAT "|%" G_GINT64_FORMAT "|%" G_GINT64_FORMAT
                          "|%s|%s|%s|%" G_GINT64_FORMAT "|%" G_GINT64_FORMAT "\n",
                          task->type, task->status, task->result, task->progress, task->created, task->started,
                          task->ended, task->user, task->name, task->download_url, task->success_count,
                          task->fail_count);
  for (guint i = 0; i < task->files->len; i++) {
    const KtTaskFile *file = &g_array_index (task->files, KtTaskFile, i);
    g_string_append_printf (out, "file %s|%s|%s|%s\n", file->id, file->status, file->new_id, file->container_id);
  }
  for (guint i = 0; i < task->failures->len; i++) {
    const KtTaskFailure *failure = &g_array_index (task->failures, KtTaskFailure, i);
    g_string_append_printf (out, "failure %s|%s\n", failure->user_name, failure->desc);
  }
}

static void
describe_page (GString *out, const KtListPage *page)
{
  g_string_append_printf (out, "next %s\n", page->next);
  for (guint i = 0; i < page->tasks->len; i++) {
    const KtTask *task = g_ptr_array_index (page->tasks, i);
    g_string_append_printf (out, "task %s ", task->key->task_id);
    describe_task (out, task);
  }
}

/* What the response is to the decoder; to that of session/refresh when DECODE has none. (transfer full) */
static char *
outcome (const KtDecode *decode, KtFamily family, const char *json)
{
  g_autoptr (KtKey) key = family == KT_FAMILY_SHARE ? kt_key_new_share ("S", "7") : kt_key_new (family, "7");
  g_autoptr (GBytes) body = kt_test_bytes (json);
  g_autoptr (GTimeZone) zone = g_time_zone_new_utc ();
  g_autoptr (GError) error = NULL;
  g_autofree char *token = NULL;
  GString *out = g_string_new (NULL);
  KtDecoded decoded = { 0 };
  gboolean good;

  if (decode->task == NULL && decode->page == NULL && decode->done == NULL)
    good = (token = kt_decode_access_token (200, body, &error)) != NULL;
  else
    good = kt_decode (decode, key, 200, body, zone, &decoded, &error);
  g_assert_true (good == (error == NULL));
  if (error != NULL)
    g_string_append_printf (out, "error %d: %s", error->code, error->message);
  if (decoded.task != NULL)
    describe_task (out, decoded.task);
  if (decoded.page != NULL)
    describe_page (out, decoded.page);
  if (token != NULL)
    g_string_append (out, token);
  kt_decoded_clear (&decoded);
  return g_string_free (out, FALSE);
}

/* TEMPLATE, whose @ is replaced by the field NAME with the value FIRST, and again with SECOND unless that is NULL.
 * (transfer full) */
static char *
answer (const char *template, const char *name, const char *first, const char *second)
{
  const char *at = strchr (template, '@');
  g_autofree char *field = g_strdup_printf ("\"%s\":%s", name, first);
  /* the same name, spelled otherwise: it is one field */
  g_autofree char *again = g_strdup_printf (",\"\\u%04x%s\":%s", (guint) name[0], name + 1, second);

  g_assert_true (at != NULL && strchr (at + 1, '@') == NULL);
  return g_strdup_printf ("%.*s%s%s%s", (int) (at - template), template, field, second != NULL ? again : "", at + 1);
}

typedef struct {
  const char *name;
  const char *value;
  const char *other;
} Field;

/* The fields of a task, wherever they stand. */
static const Field task_fields[] = {
  { "taskId", "\"7\"", "\"8\"" }, /* another task's response is refused */
  { "taskType", "1", "2" },
  { "taskStatus", "1", "2" },
  { "status", "1", "2" },
  { "taskResultCode", "0", "3" },
  { "progress", "5", "6" },
  { "createTime", "20240930091932", "20250930091932" },
  { "startTime", "20240930091932", "20250930091932" },
  { "beginTime", "20240930091932", "20250930091932" },
  { "endTime", "20240930091932", "20250930091932" },
  { "userId", "\"a\"", "\"b\"" },
  { "taskName", "\"a\"", "\"b\"" },
  { "downloadUrl", "\"https://a\"", "\"https://b\"" },
};

static const Field file_fields[] = {
  { "fileId", "\"a\"", "\"b\"" },
  { "status", "1", "2" },
  { "newFileId", "\"a\"", "\"b\"" },
  { "srcContainerId", "\"a\"", "\"b\"" },
};

static const Field code_fields[] = { { "code", "0", "13000309" }, { "error_code", "0", "13000309" } };
static const Field message_fields[] = { { "msg", "\"a\"", "\"b\"" }, { "error_msg", "\"a\"", "\"b\"" } };
static const Field failure_fields[] = { { "userName", "\"a\"", "\"b\"" }, { "desc", "\"a\"", "\"b\"" } };
static const Field count_fields[] = { { "successCount", "1", "2" }, { "failCount", "1", "2" } };
static const Field token_fields[] = { { "accessToken", "\"a\"", "\"b\"" } };
static const Field job_info[] = { { "jobInfo", "{\"userId\":\"a\"}", "{\"userId\":\"b\"}" },
                                  { "jobInfo", "{\"userId\":\"a\"}", "7" } };
static const Field task_info[] = { { "taskInfo", "{\"userId\":\"a\"}", "{\"userId\":\"b\"}" } };
static const Field task_infos[] = { { "taskInfos", "[{\"fileId\":\"F\"}]", "[{\"fileId\":\"G\"}]" },
                                    { "taskInfos", "{\"fileId\":\"F\"}", "[]" } };
static const Field job_data[] = { { "data", "{\"jobInfo\":{\"userId\":\"a\"}}", "{\"jobInfo\":{\"userId\":\"b\"}}" } };
static const Field result_data[] = { { "data", "{\"failCount\":1}", "{\"failCount\":2}" } };
static const Field failures[] = { { "failInfoList", "[{\"userName\":\"a\"}]", "[{\"userName\":\"b\"}]" } };
static const Field list[] = { { "taskList", "[{\"taskId\":\"1\"}]", "[{\"taskId\":\"2\"}]" },
                              { "taskListDtos", "[{\"taskId\":\"1\"}]", "[{\"taskId\":\"2\"}]" },
                              { "nextCursor", "\"a\"", "\"b\"" } };
static const Field jobs[] = { { "data", "[{\"taskId\":\"1\"}]", "[{\"taskId\":\"2\"}]" } };

#define FIELDS(fields) fields, G_N_ELEMENTS (fields)

/* Every response that is decoded, and the places in it where fields stand. */
static const struct {
  KtDecode decode;
  KtFamily family;
  const char *template;
  const Field *fields;
  gsize n_fields;
} table[] = {
  { { .task = kt_decode_share_detail }, KT_FAMILY_SHARE, "{@,\"jobInfo\":{}}", FIELDS (code_fields) },
  { { .task = kt_decode_share_detail }, KT_FAMILY_SHARE, "{\"code\":99,@}", FIELDS (message_fields) },
  { { .task = kt_decode_share_detail }, KT_FAMILY_SHARE, "{@}", FIELDS (job_info) },
  { { .task = kt_decode_share_detail }, KT_FAMILY_SHARE, "{@}", FIELDS (task_info) },
  { { .task = kt_decode_share_detail }, KT_FAMILY_SHARE, "{\"jobInfo\":{@}}", FIELDS (task_fields) },
  { { .task = kt_decode_share_detail }, KT_FAMILY_SHARE, "{\"jobInfo\":{},@}", FIELDS (task_infos) },
  { { .task = kt_decode_share_detail }, KT_FAMILY_SHARE, "{\"jobInfo\":{@}}", FIELDS (task_infos) },
  { { .task = kt_decode_share_detail }, KT_FAMILY_SHARE, "{\"jobInfo\":{},\"taskInfos\":[{@}]}", FIELDS (file_fields) },
  { { .task = kt_decode_job }, KT_FAMILY_JOB, "{@,\"data\":{\"jobInfo\":{}}}", FIELDS (code_fields) },
  { { .task = kt_decode_job }, KT_FAMILY_JOB, "{@}", FIELDS (job_data) },
  { { .task = kt_decode_job }, KT_FAMILY_JOB, "{\"data\":{@}}", FIELDS (job_info) },
  { { .task = kt_decode_job }, KT_FAMILY_JOB, "{\"data\":{\"jobInfo\":{@}}}", FIELDS (task_fields) },
  { { .task = kt_decode_job }, KT_FAMILY_JOB, "{\"data\":{\"jobInfo\":{},@}}", FIELDS (task_infos) },
  { { .task = kt_decode_job }, KT_FAMILY_JOB, "{\"data\":{\"jobInfo\":{},\"taskInfos\":[{@}]}}", FIELDS (file_fields) },
  { { .task = kt_decode_basic_task }, KT_FAMILY_BASIC, "{@,\"status\":1}", FIELDS (code_fields) },
  /* of the basic family's own names: the endpoint is known by its status */
  { { .task = kt_decode_basic_task }, KT_FAMILY_BASIC, "{@,\"status\":\"\"}", FIELDS (task_fields) },
  { { .task = kt_decode_task_result }, KT_FAMILY_BASIC, "{@,\"data\":{}}", FIELDS (code_fields) },
  { { .task = kt_decode_task_result }, KT_FAMILY_BASIC, "{@}", FIELDS (result_data) },
  { { .task = kt_decode_task_result }, KT_FAMILY_BASIC, "{\"data\":{@}}", FIELDS (count_fields) },
  { { .task = kt_decode_task_result }, KT_FAMILY_BASIC, "{\"data\":{@}}", FIELDS (failures) },
  { { .task = kt_decode_task_result },
    KT_FAMILY_BASIC,
    "{\"data\":{\"failInfoList\":[{@}]}}",
    FIELDS (failure_fields) },
  { { .page = kt_decode_task_list }, KT_FAMILY_BASIC, "{@,\"taskList\":[]}", FIELDS (code_fields) },
  { { .page = kt_decode_task_list }, KT_FAMILY_BASIC, "{@}", FIELDS (list) },
  { { .page = kt_decode_task_list }, KT_FAMILY_BASIC, "{\"taskList\":[{@,\"taskId\":\"7\"}]}", FIELDS (task_fields) },
  { { .page = kt_decode_jobs }, KT_FAMILY_JOB, "{@,\"data\":[]}", FIELDS (code_fields) },
  { { .page = kt_decode_jobs }, KT_FAMILY_JOB, "{@}", FIELDS (jobs) },
  { { .page = kt_decode_jobs }, KT_FAMILY_JOB, "{\"data\":[{@,\"taskId\":\"7\"}]}", FIELDS (task_fields) },
  { { .done = kt_decode_done }, KT_FAMILY_JOB, "{@}", FIELDS (code_fields) },
  { { .task = NULL }, KT_FAMILY_JOB, "{@,\"accessToken\":\"t\"}", FIELDS (code_fields) },
  { { .task = NULL }, KT_FAMILY_JOB, "{@}", FIELDS (token_fields) },
};

static char *
outcome_of (gsize row, const char *name, const char *first, const char *second)
{
  g_autofree char *json = answer (table[row].template, name, first, second);
  return outcome (&table[row].decode, table[row].family, json);
}

/* FIRST and then SECOND is what FIRST alone is. */
static void
assert_first_counts (gsize row, const char *name, const char *first, const char *second)
{
  g_autofree char *alone = outcome_of (row, name, first, NULL);
  g_autofree char *twice = outcome_of (row, name, first, second);

  if (!g_str_equal (twice, alone))
    g_error ("row %" G_GSIZE_FORMAT ": of %s %s counts, and not %s, in %s", row, name, second, first,
             table[row].template);
}

static void
test_first_counts (void)
{
  for (gsize row = 0; row < G_N_ELEMENTS (table); row++) {
    for (gsize i = 0; i < table[row].n_fields; i++) {
      const Field *field = &table[row].fields[i];
      g_autofree char *one = outcome_of (row, field->name, field->value, NULL);
      g_autofree char *other = outcome_of (row, field->name, field->other, NULL);

      g_assert_cmpstr (one, !=, other); /* else which of them counts could not be seen */
      assert_first_counts (row, field->name, field->value, field->other);
      assert_first_counts (row, field->name, field->other, field->value);
      assert_first_counts (row, field->name, "null", field->value); /* which is as absent */
    }
  }
}

/* Nobody looks into a response for a code that comes behind another: neither for asking again, nor for a no. */
static void
test_first_code_counts (void)
{
  g_autoptr (GBytes) final = kt_test_bytes ("{\"code\":13000309,\"code\":13000201}");
  g_autoptr (GBytes) passing = kt_test_bytes ("{\"code\":13000201,\"code\":13000309}");
  g_autoptr (GBytes) no = kt_test_bytes ("{\"code\":13000101,\"code\":13000201}");
  g_autoptr (GBytes) failure = kt_test_bytes ("{\"code\":13000201,\"code\":13000101}");
  g_autoptr (GError) error = NULL;

  g_assert_true (kt_decode_is_final (500, final));
  g_assert_false (kt_decode_is_final (500, passing));
  g_assert_false (kt_decode_done (200, no, &error));
  kt_assert_failed (&error, KT_ERROR_DECLINED, "13000101");
  g_assert_false (kt_decode_done (200, failure, &error));
  kt_assert_failed (&error, KT_ERROR_SERVICE, "13000201");
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
  g_test_add_func ("/codec/duplicates/first-counts", test_first_counts);
  g_test_add_func ("/codec/duplicates/first-code-counts", test_first_code_counts);
  return g_test_run ();
}
