/* SPDX-License-Identifier: MIT */
/* The content of each file of a task. */
#include "kt-test.h"

#include "base/kt-units.h"
#include "codec/kt-decode.h"
#include "tree/kt-entry-ops.h"

#include <string.h>

static KtTask *
decode (KtFamily family, const char *json)
{
  g_autoptr (KtKey) key = family == KT_FAMILY_SHARE ? kt_key_new_share ("S", "7") : kt_key_new (KT_FAMILY_BASIC, "7");
  g_autoptr (GBytes) body = kt_test_bytes (json);
  g_autoptr (GTimeZone) zone = g_time_zone_new_utc ();
  g_autoptr (GError) error = NULL;
  KtTask *task = family == KT_FAMILY_SHARE ? kt_decode_share_detail (key, 200, body, zone, &error)
                                           : kt_decode_task_result (key, 200, body, zone, &error);
  g_assert_no_error (error);
  return task;
}

/* The file NAME of TASK, or of its file FILE. */
static void
assert_file (const KtTask *task, const KtTaskFile *file, const char *name, const char *expected)
{
  const KtSubject subject = { .task = task, .file = file };
  const KtEntry *entry =
      kt_entry_find (kt_files, file != NULL ? KT_PLACE_FILE : KT_PLACE_TASK, name, kt_family_facts (task->key->family));

  g_assert_nonnull (entry);
  kt_assert_bytes (entry->render (&subject), expected);
}

static void
test_values (void)
{
  g_autoptr (KtTask) task =
      decode (KT_FAMILY_SHARE, "{\"jobInfo\":{\"userId\":\"a|b\\nc\",\"taskName\":\"two\\nlines\",\"taskType\":1,"
                               "\"taskStatus\":2,\"taskResultCode\":2,"
                               "\"createTime\":\"20240930091932\",\"startTime\":\"20240930091933\","
                               "\"endTime\":\"20240930091934\",\"progress\":100},"
                               "\"taskInfos\":[{\"fileId\":\"F\",\"status\":\"2\",\"srcContainerId\":\"C\"}]}");
  const KtTaskFile *file = kt_task_find_file (task, "F");

  assert_file (task, NULL, "kind", "share\n");
  assert_file (task, NULL, "type", "download\n");
  assert_file (task, NULL, "status", "completed\n");
  assert_file (task, NULL, "result", "partly-failed\n");
  assert_file (task, NULL, "progress", "100\n");
  assert_file (task, NULL, "created", "2024-09-30T09:19:32Z\n");
  assert_file (task, NULL, "started", "2024-09-30T09:19:33Z\n");
  assert_file (task, NULL, "ended", "2024-09-30T09:19:34Z\n");
  assert_file (task, NULL, "user", "a|b%0Ac\n"); /* one line, whatever the service says */
  assert_file (task, NULL, "name", "two%0Alines\n");
  assert_file (task, NULL, "success-count", "0\n");
  assert_file (task, NULL, "fail-count", "1\n");
  assert_file (task, file, "status", "failed\n");
  assert_file (task, file, "new-file-id", "");
  assert_file (task, file, "source-container-id", "C\n");
}

/* Nothing to say: size 0, so that [ -s result ] works. */
static void
test_empty_values (void)
{
  static const char *const names[] = { "type",  "status", "result", "progress",      "created",   "started",
                                       "ended", "user",   "name",   "success-count", "fail-count" };
  g_autoptr (KtTask) task = decode (KT_FAMILY_SHARE, "{\"jobInfo\":{}}");

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    assert_file (task, NULL, names[i], "");
}

static void
test_json (void)
{
  const char *json = " {\"jobInfo\" : {\"a\":1.50}} \n";
  g_autoptr (KtTask) task = decode (KT_FAMILY_SHARE, json);

  assert_file (task, NULL, "response.json", json);
  assert_file (task, NULL, "job.json", "{\n\t\"a\":\t1.50\n}\n");
}

/* One object with the same names whatever the family; what is not known is null. */
static void
test_task_json (void)
{
  g_autoptr (KtTask) task = decode (
      KT_FAMILY_SHARE, "{\"jobInfo\":{\"userId\":\"a|b\",\"taskName\":\"a \\\"b\\\"\\n\\\\\xff\",\"taskType\":1,"
                       "\"taskStatus\":2,\"taskResultCode\":2,\"createTime\":\"20240930091932\","
                       "\"startTime\":\"20240930091933\",\"endTime\":\"20240930091934\",\"progress\":100},"
                       "\"taskInfos\":[{\"fileId\":\"F\",\"status\":\"2\"}]}");
  g_autoptr (KtTask) empty = decode (KT_FAMILY_SHARE, "{\"jobInfo\":{}}");
  g_autoptr (KtTask) import = decode (KT_FAMILY_BASIC, "{\"data\":{\"successCount\":0}}");

  assert_file (task, NULL, "task.json",
               "{\n\t\"id\":\t\"7\",\n\t\"kind\":\t\"share\",\n\t\"type\":\t\"download\",\n"
               "\t\"status\":\t\"completed\",\n\t\"result\":\t\"partly-failed\",\n\t\"progress\":\t100,\n"
               "\t\"created\":\t\"2024-09-30T09:19:32Z\",\n\t\"started\":\t\"2024-09-30T09:19:33Z\",\n"
               "\t\"ended\":\t\"2024-09-30T09:19:34Z\",\n\t\"user\":\t\"a|b\",\n"
               "\t\"name\":\t\"a \\\"b\\\"\\u000a\\\\\xef\xbf\xbd\",\n"
               "\t\"successCount\":\t0,\n\t\"failCount\":\t1\n}\n");
  assert_file (empty, NULL, "task.json",
               "{\n\t\"id\":\t\"7\",\n\t\"kind\":\t\"share\",\n\t\"type\":\tnull,\n"
               "\t\"status\":\tnull,\n\t\"result\":\tnull,\n\t\"progress\":\tnull,\n"
               "\t\"created\":\tnull,\n\t\"started\":\tnull,\n\t\"ended\":\tnull,\n\t\"user\":\tnull,\n"
               "\t\"name\":\tnull,\n\t\"successCount\":\tnull,\n\t\"failCount\":\tnull\n}\n");
  assert_file (import, NULL, "task.json",
               "{\n\t\"id\":\t\"7\",\n\t\"kind\":\t\"basic\",\n\t\"type\":\t\"import\",\n"
               "\t\"status\":\t\"completed\",\n\t\"result\":\tnull,\n\t\"progress\":\tnull,\n"
               "\t\"created\":\tnull,\n\t\"started\":\tnull,\n\t\"ended\":\tnull,\n\t\"user\":\tnull,\n"
               "\t\"name\":\tnull,\n\t\"successCount\":\t0,\n\t\"failCount\":\tnull\n}\n");
}

#define HEADER "fileId,status,newFileId,srcContainerId\n"

static void
test_csv (void)
{
  g_autoptr (KtTask) task =
      decode (KT_FAMILY_SHARE, "{\"jobInfo\":{},\"taskInfos\":["
                               "{\"fileId\":\"a,b\",\"status\":\"1\"},"
                               "{\"fileId\":\"say \\\"hi\\\"\",\"status\":\"2\"},"
                               "{\"fileId\":\"two\\nlines\\rof\",\"status\":\"0\"},"
                               "{\"fileId\":\"\xff\xfe\",\"status\":\"9\",\"newFileId\":\"报\"},"
                               "{\"fileId\":\"\\\"\",\"status\":\"2\",\"newFileId\":\",\",\"srcContainerId\":\" x \"},"
                               "{}]}");
  g_autoptr (KtTask) empty = decode (KT_FAMILY_SHARE, "{\"jobInfo\":{}}");

  assert_file (task, NULL, "files.csv",
               HEADER "\"a,b\",succeeded,,\n"
                      "\"say \"\"hi\"\"\",failed,,\n"
                      "\"two\nlines\rof\",pending,,\n"
                      "\xef\xbf\xbd\xef\xbf\xbd,unknown-9,报,\n"
                      "\"\"\"\",failed,\",\", x \n"
                      ",,,\n");
  assert_file (task, NULL, "failures.csv", HEADER "\"say \"\"hi\"\"\",failed,,\n\"\"\"\",failed,\",\", x \n");
  assert_file (empty, NULL, "files.csv", HEADER);
  assert_file (empty, NULL, "failures.csv", HEADER);
}

static void
test_import_failures (void)
{
  g_autoptr (KtTask) task =
      decode (KT_FAMILY_BASIC, "{\"data\":{\"failInfoList\":[{\"userName\":\"s,s\",\"desc\":\"a\\nb\"},"
                               "{\"userName\":\"t\"}]}}");

  assert_file (task, NULL, "failures.csv", "userName,desc\n\"s,s\",\"a\nb\"\nt,\n");
}

static void
test_summary (void)
{
  g_autoptr (KtTask) task =
      decode (KT_FAMILY_SHARE, "{\"jobInfo\":{\"userId\":\"u\\u001b[31m\",\"taskName\":\"n\\tm\",\"taskType\":2,"
                               "\"taskStatus\":1,\"progress\":50,"
                               "\"startTime\":\"20240930091933\"},\"taskInfos\":{\"fileId\":\"F\",\"status\":\"1\"}}");
  g_autoptr (KtTask) import = decode (KT_FAMILY_BASIC, "{\"code\":0}");
  g_autoptr (KtTask) half = decode (KT_FAMILY_BASIC, "{\"data\":{\"failCount\":3}}"); /* unknown is not 0 */

  assert_file (task, NULL, "summary",
               "task      7\n"
               "share     S\n"
               "name      n%09m\n"
               "kind      share, save\n"
               "status    running\n"
               "progress  [####################....................] 50%\n"
               "started   2024-09-30T09:19:33Z\n"
               "user      u%1B[31m\n"
               "counts    1 succeeded, 0 failed\n");
  assert_file (import, NULL, "summary", "task      7\nkind      basic, import\nstatus    running\n");
  assert_file (half, NULL, "summary",
               "task      7\nkind      basic, import\nstatus    completed\ncounts    3 failed\n");
}

static void
test_summary_bar (void)
{
  static const struct {
    const char *progress;
    guint done; /* of 40 */
  } table[] = { { "0", 0 }, { "1", 0 }, { "3", 1 }, { "99", 39 }, { "100", 40 } };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autofree char *json = g_strdup_printf ("{\"jobInfo\":{\"progress\":%s}}", table[i].progress);
    g_autofree char *done = g_strnfill (table[i].done, '#');
    g_autofree char *rest = g_strnfill (40 - table[i].done, '.');
    g_autofree char *expected = g_strdup_printf ("task      7\nshare     S\nkind      share\nprogress  [%s%s] %s%%\n",
                                                 done, rest, table[i].progress);
    g_autoptr (KtTask) task = decode (KT_FAMILY_SHARE, json);
    assert_file (task, NULL, "summary", expected);
  }
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
  g_test_add_func ("/tree/render/values", test_values);
  g_test_add_func ("/tree/render/empty-values", test_empty_values);
  g_test_add_func ("/tree/render/json", test_json);
  g_test_add_func ("/tree/render/task-json", test_task_json);
  g_test_add_func ("/tree/render/csv", test_csv);
  g_test_add_func ("/tree/render/import-failures", test_import_failures);
  g_test_add_func ("/tree/render/summary", test_summary);
  g_test_add_func ("/tree/render/summary-bar", test_summary_bar);
  return g_test_run ();
}
