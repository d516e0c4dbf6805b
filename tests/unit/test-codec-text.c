/* SPDX-License-Identifier: MIT */
/* docs/semantics.md, "Answers of the service": numbers, strings and times. */
#include "kt-test.h"

#include "base/kt-units.h"
#include "model/kt-csv.h"
#include "codec/kt-decode.h"
#include "codec/kt-json.h"

#include <string.h>

#define U  "\xEF\xBF\xBD" /* U+FFFD */
#define ID "1521827471237047552"

static KtTask *
detail (const char *json)
{
  g_autoptr (KtKey) key = kt_key_new_share ("S", ID);
  g_autoptr (GBytes) body = kt_test_bytes (json);
  g_autoptr (GTimeZone) zone = g_time_zone_new_utc ();
  g_autoptr (GError) error = NULL;
  KtTask *task = kt_decode_share_detail (key, 200, body, zone, &error);

  if (task == NULL)
    g_error ("%s: %s", json, error->message);
  g_assert_true (g_bytes_equal (task->response, body));
  return task;
}

static void
assert_refused (const char *json)
{
  g_autoptr (KtKey) key = kt_key_new_share ("S", ID);
  g_autoptr (GBytes) body = kt_test_bytes (json);
  g_autoptr (GTimeZone) zone = g_time_zone_new_utc ();
  g_autoptr (GError) error = NULL;

  g_assert_null (kt_decode_share_detail (key, 200, body, zone, &error));
  g_assert_error (error, KT_ERROR, KT_ERROR_BAD_ANSWER);
}

/* ---- numbers */

/* "Whole numbers are read by their value, digit by digit, from numbers and from strings": wherever there is a
 * number. */
static void
test_whole_numbers (void)
{
  static const char *const twos[] = { "2",   "2.0",   "2.00",    "0.2e1",   "20E-1",
                                      "2e0", "\"2\"", "\"2.0\"", "\"2e0\"", "\" 2 \"" };

  for (gsize i = 0; i < G_N_ELEMENTS (twos); i++) {
    g_autofree char *json = g_strdup_printf (
        "{\"code\":0.0,\"jobInfo\":{\"taskType\":%s,\"taskStatus\":%s,\"taskResultCode\":%s,\"progress\":%s},"
        "\"taskInfos\":[{\"fileId\":\"F\",\"status\":%s}]}",
        twos[i], twos[i], twos[i], twos[i], twos[i]);
    g_autoptr (KtTask) task = detail (json);
    g_assert_cmpstr (task->type, ==, "save");
    g_assert_cmpstr (task->status, ==, "completed");
    g_assert_cmpstr (task->result, ==, "partly-failed");
    g_assert_cmpint (task->progress, ==, 2);
    g_assert_cmpint (task->fail_count, ==, 1);
  }
}

static void
test_counts (void)
{
  g_autoptr (KtKey) key = kt_key_new (KT_FAMILY_BASIC, ID);
  g_autoptr (GBytes) body = kt_test_bytes ("{\"code\":\"0.0\",\"data\":{\"successCount\":1E2,\"failCount\":\"-0\"}}");
  g_autoptr (GBytes) failed = kt_test_bytes ("{\"code\":1.3000309E7}");
  g_autoptr (GTimeZone) zone = g_time_zone_new_utc ();
  g_autoptr (KtTask) task = kt_decode_task_result (key, 200, body, zone, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (task->success_count, ==, 100);
  g_assert_cmpint (task->fail_count, ==, 0);
  g_assert_null (kt_decode_task_result (key, 200, failed, zone, &error));
  kt_assert_failed (&error, KT_ERROR_NOT_FOUND, "code 13000309:");
}

static void
test_zeros (void)
{
  static const char *const zeros[] = {
    "0", "0.0", "-0", "-0.0", "0e5", "0E-7", "\"0\"", "\"0.00\"", "\"00\"", "\" 0 \""
  };

  for (gsize i = 0; i < G_N_ELEMENTS (zeros); i++) {
    g_autofree char *json =
        g_strdup_printf ("{\"code\":%s,\"jobInfo\":{\"taskStatus\":%s,\"progress\":%s}}", zeros[i], zeros[i], zeros[i]);
    g_autoptr (KtTask) task = detail (json);
    g_assert_cmpstr (task->status, ==, "pending");
    g_assert_cmpint (task->progress, ==, 0);
  }
}

/* "A number with a fraction, such as `99.7`, is no whole number." "A number whose whole part has more than 64 digits is
 * shown as the service wrote it." What is unknown but whole is shown by its value. */
static void
test_unknown_numbers (void)
{
  static const char *const table[][2] = {
    { "7.0", "unknown-7" },
    { "-1.0", "unknown--1" },
    { "99.7", "unknown-99.7" },
    { "\"7e0\"", "unknown-7" },
    { "1e400", "unknown-1e400" },
    { "1e-400", "unknown-1e-400" },
    { "1000000000000000000000e-21", "running" },
    { "1.0000000000000000001", "unknown-1.0000000000000000001" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autofree char *json = g_strdup_printf ("{\"jobInfo\":{\"taskStatus\":%s}}", table[i][0]);
    g_autoptr (KtTask) task = detail (json);
    g_assert_cmpstr (task->status, ==, table[i][1]);
  }
}

/* "An id that is a number is read as the digits of its value", beyond 2^53 too. */
static void
test_ids (void)
{
  static const char *const same[] = { "\"" ID "\"", ID, ID ".0", "1.521827471237047552E18",
                                      "1521827471237047552000e-3" };
  static const char *const other[] = { "1521827471237047553",   "1.521827471237047553E18",
                                       "1521827471237047552.1", "\"1521827471237047552.0\"",
                                       "\" " ID "\"",           "\"" ID "\\u0000\"",
                                       "\"" ID "\\ud83d\"" };

  for (gsize i = 0; i < G_N_ELEMENTS (same); i++) {
    g_autofree char *json = g_strdup_printf (
        "{\"jobInfo\":{\"taskId\":%s,\"userId\":%s},\"taskInfos\":[{\"fileId\":%s}]}", same[i], same[i], same[i]);
    g_autoptr (KtTask) task = detail (json);
    g_assert_cmpstr (task->user, ==, ID);
    g_assert_nonnull (kt_task_find_file (task, ID));
  }
  for (gsize i = 0; i < G_N_ELEMENTS (other); i++) {
    g_autofree char *json = g_strdup_printf ("{\"jobInfo\":{\"taskId\":%s}}", other[i]);
    assert_refused (json);
  }
}

/* "An id that is a string is not changed", also when it looks like a number. */
static void
test_strings_stay (void)
{
  g_autoptr (KtTask) task = detail ("{\"jobInfo\":{\"userId\":\"1e2\"},\"taskInfos\":[{\"fileId\":\"2.0\"}]}");

  g_assert_cmpstr (task->user, ==, "1e2");
  g_assert_nonnull (kt_task_find_file (task, "2.0"));
}

/* "`nextCursor` may be a number or a string." */
static void
test_cursor (void)
{
  static const char *const table[][2] = {
    { "2.0", "2" }, { "1E2", "100" }, { "\"1e2\"", "1e2" }, { "9007199254740993", "9007199254740993" }
  };
  g_autoptr (KtKey) key = kt_key_new (KT_FAMILY_BASIC, "");
  g_autoptr (GTimeZone) zone = g_time_zone_new_utc ();

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autofree char *json = g_strdup_printf ("{\"taskList\":[],\"nextCursor\":%s}", table[i][0]);
    g_autoptr (GBytes) body = kt_test_bytes (json);
    g_autoptr (KtListPage) page = kt_decode_task_list (key, 200, body, zone, NULL);
    g_assert_cmpstr (page->next, ==, table[i][1]);
  }
}

/* A million digits cost no more than their length, and stand in job.json as they came. */
static void
test_long_numbers (void)
{
  g_autofree char *nines = g_strnfill (1000000, '9');
  g_autofree char *json = g_strdup_printf ("{\"jobInfo\":{\"progress\":%s,\"x\":-0.%se%s}}", nines, nines, nines);
  g_autofree char *expected = g_strdup_printf ("{\n\t\"progress\":\t%s,\n\t\"x\":\t-0.%se%s\n}\n", nines, nines, nines);
  g_autoptr (KtTask) task = detail (json);

  g_assert_cmpint (task->progress, ==, -1);
  kt_assert_bytes (g_bytes_ref (task->job_json), expected);
}

/* ---- strings */

/* "One bad string does not make the whole response an error." "The same holds for the names of fields."
 * "Half a surrogate pair (`\ud83d`) is read as U+FFFD."
 * "NUL (`\u0000`, or the bytes C0 80 that Java writes) is U+FFFD in CSV and `job.json`, and `%00` in names and values."
 * "Any other byte that is not part of a UTF-8 character is U+FFFD, and `%XX` in names."
 * "`response.json` has such strings byte for byte": detail() looks. */
static void
test_bad_strings (void)
{
  static const struct {
    const char *string;
    const char *read; /* as it stands in job.json and tables */
    const char *name; /* of a file, NULL when the same */
  } table[] = {
    { "Li \\ud83d", "Li " U, NULL },
    { "\\ude00 x", U " x", NULL },
    { "\\ud83dx", U "x", NULL },
    { "\\ud83d\\n", U "\\n", U "%0A" },
    { "\\ud83d\\u0041", U "A", NULL },
    { "\\ud83d\\ud83d\\ude00", U "😀", NULL },
    { "\\ude00\\ud83d", U U, NULL },
    { "\\uD83D\\uDE00", "😀", NULL },
    { "\\udbff\\udfff", "\xf4\x8f\xbf\xbf", NULL },
    { "\\ud83d\\\\ude00", U "\\\\ude00", U "\\ude00" },
    { "x\\u0000", "x" U, "x%00" },
    { "\\u0000", U, "%00" },
    { "\\u0000\\u0000x", U U "x", "%00%00x" },
    { "\\ud83d\\u0000", U U, U "%00" },
    { "\\\\u0000", "\\\\u0000", "\\u0000" },
    { "x\ny", "x\\ny", "x%0Ay" }, /* not escaped, as it should be */
    { "x\ty", "x\\ty", "x%09y" },
    { "x\xff", "x" U, "x%FF" },
    { "\xc0\x80", U, "%00" },                                          /* NUL as Java writes it */
    { "\xc0\xaf", U U, "%C0%AF" },                                     /* an overlong slash */
    { "\xed\xa0\xbd\xed\xb8\x80", U U U U U U, "%ED%A0%BD%ED%B8%80" }, /* CESU-8 */
    { "x\xe4\xb8", "x" U U, "x%E4%B8" },                               /* cut in the middle of a character */
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autofree char *json = g_strdup_printf (
        "{\"jobInfo\":{\"taskStatus\":1,\"other\":[{\"%s\":\"%s\"}]},\"taskInfos\":[{\"fileId\":\"%s\","
        "\"status\":\"1\"},{\"fileId\":\"last\"}],\"%s\":7}",
        table[i].string, table[i].string, table[i].string, table[i].string);
    g_autofree char *job = g_strdup_printf (
        "{\n\t\"taskStatus\":\t1,\n\t\"other\":\t[{\n\t\t\t\"%s\":\t\"%s\"\n\t\t}]\n}\n", table[i].read, table[i].read);
    g_autoptr (KtTask) task = detail (json);
    g_autoptr (GBytes) csv = kt_csv_files (task);

    g_assert_cmpstr (task->status, ==, "running");
    kt_assert_bytes (g_bytes_ref (task->job_json), job);
    g_assert_nonnull (kt_task_find_file (task, table[i].name != NULL ? table[i].name : table[i].read));
    g_assert_nonnull (kt_task_find_file (task, "last"));
    g_assert_true (g_utf8_validate_len (g_bytes_get_data (csv, NULL), g_bytes_get_size (csv), NULL));
    if (strchr (table[i].read, '\\') == NULL) {
      g_autofree char *row = g_strdup_printf ("\n%s,succeeded,,\nlast,", table[i].read);
      g_autofree char *text = g_strndup (g_bytes_get_data (csv, NULL), g_bytes_get_size (csv));
      g_assert_nonnull (strstr (text, row));
    }
  }
}

/* A field's name with a NUL is another field's, and what differs behind a NUL stays apart. */
static void
test_nul_is_no_end (void)
{
  g_autoptr (KtTask) task =
      detail ("{\"jobInfo\":{\"taskStatus\\u0000\":2,\"taskStatus\":1,\"userId\":\"a\\u0000b\"},"
              "\"taskInfos\":[{\"fileId\":\"a\\u0000b\"},{\"fileId\":\"a\\u0000c\"},{\"fileId\":\"a\"},"
              "{\"fileId\":\"x\\ud83d\"},{\"fileId\":\"x\\ude00\"}]}");
  static const char *const names[] = { "a%00b", "a%00c", "a", "x" U, "x" U ".2" };

  g_assert_cmpstr (task->status, ==, "running");
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    g_assert_cmpstr (g_array_index (task->files, KtTaskFile, i).name, ==, names[i]);
}

static void
test_malformed_escapes (void)
{
  static const char *const bad[] = { "\\u",     "\\u1",       "\\u12zz",      "\\uzzzz",        "\\u 123", "\\u+123",
                                     "\\u-001", "\\ud83d\\u", "\\ud83d\\u12", "\\ud83d\\ux000", "\\x",     "\\U0041" };

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autofree char *json = g_strdup_printf ("{\"jobInfo\":{\"a\":\"%s\"}}", bad[i]);
    assert_refused (json);
  }
}

/* ---- around and twice */

/* "A byte order mark before the response, blanks around it"; control characters are among the bad strings above. */
static void
test_around (void)
{
  static const char *const good[] = { "\xef\xbb\xbf{\"jobInfo\":{\"taskStatus\":1}}",
                                      " \r\n\t{\"jobInfo\":{\"taskStatus\":1}}\r\n \n",
                                      "\xef\xbb\xbf\n{ \"jobInfo\" : { \"taskStatus\" : 1 } }\n" };
  static const char *const bad[] = { "\xef\xbb\xbf\xef\xbb\xbf{\"jobInfo\":{}}", "\xef\xbb\xbf",
                                     "{\"jobInfo\":{}}\xef\xbb\xbf", "\xff\xfe{\"jobInfo\":{}}" };

  for (gsize i = 0; i < G_N_ELEMENTS (good); i++) {
    g_autoptr (KtTask) task = detail (good[i]);
    g_assert_cmpstr (task->status, ==, "running");
  }
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    assert_refused (bad[i]);
}

/* "When a field occurs twice, the first one counts. `job.json` has both" */
static void
test_duplicates (void)
{
  g_autoptr (KtTask) task = detail ("{\"jobInfo\":{\"taskStatus\":2,\"taskStatus\":1,\"userId\":null,"
                                    "\"userId\":\"a\"},\"jobInfo\":7}");

  g_assert_cmpstr (task->status, ==, "completed");
  g_assert_cmpstr (task->user, ==, "");
  kt_assert_bytes (g_bytes_ref (task->job_json),
                   "{\n\t\"taskStatus\":\t2,\n\t\"taskStatus\":\t1,\n\t\"userId\":\tnull,\n"
                   "\t\"userId\":\t\"a\"\n}\n");
}

/* In every field; the other name's where the first has none. "These digits may be a number or a string. They may have a
 * fraction, which is cut off." */
static void
test_times (void)
{
  static const char *const times[] = { "\"20240930091932\"", "20240930091932",    "2.0240930091932E13",
                                       "1727687972",         "\"1727687972\"",    "1727687972.0",
                                       "1727687972123",      "\"1727687972123\"", "1.727687972123E12" };

  for (gsize i = 0; i < G_N_ELEMENTS (times); i++) {
    g_autofree char *json = g_strdup_printf ("{\"jobInfo\":{\"createTime\":%s,\"startTime\":\"\",\"beginTime\":%s,"
                                             "\"endTime\":%s}}",
                                             times[i], times[i], times[i]);
    g_autoptr (KtTask) task = detail (json);
    g_assert_cmpint (task->created, ==, 1727687972);
    g_assert_cmpint (task->started, ==, 1727687972);
    g_assert_cmpint (task->ended, ==, 1727687972);
  }
}

/* "A time is absent when it is '', null or 0" */
static void
test_no_times (void)
{
  static const char *const times[] = { "0",     "\"0\"", "0.0",
                                       "\"\"",  "null",  "-1",
                                       "false", "{}",    "\"0000-00-00 00:00:00\"" };

  for (gsize i = 0; i < G_N_ELEMENTS (times); i++) {
    g_autofree char *json = g_strdup_printf ("{\"jobInfo\":{\"createTime\":%s}}", times[i]);
    g_autoptr (KtTask) task = detail (json);
    g_assert_cmpint (task->created, ==, KT_TIME_UNKNOWN);
  }
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
  g_test_add_func ("/codec/text/whole-numbers", test_whole_numbers);
  g_test_add_func ("/codec/text/counts", test_counts);
  g_test_add_func ("/codec/text/zeros", test_zeros);
  g_test_add_func ("/codec/text/unknown-numbers", test_unknown_numbers);
  g_test_add_func ("/codec/text/ids", test_ids);
  g_test_add_func ("/codec/text/strings-stay", test_strings_stay);
  g_test_add_func ("/codec/text/cursor", test_cursor);
  g_test_add_func ("/codec/text/long-numbers", test_long_numbers);
  g_test_add_func ("/codec/text/bad-strings", test_bad_strings);
  g_test_add_func ("/codec/text/nul-is-no-end", test_nul_is_no_end);
  g_test_add_func ("/codec/text/malformed-escapes", test_malformed_escapes);
  g_test_add_func ("/codec/text/around", test_around);
  g_test_add_func ("/codec/text/duplicates", test_duplicates);
  g_test_add_func ("/codec/text/times", test_times);
  g_test_add_func ("/codec/text/no-times", test_no_times);
  return g_test_run ();
}
