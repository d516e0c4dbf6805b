/* SPDX-License-Identifier: MIT */
/* From answers to tasks, tolerant as docs/semantics.md ("Answers of the service") promises and not more. Only this
 * file sees cJSON.h. cJSON's numbers are doubles, so kt_json_mark() hands it every number as a marked string; after
 * parsing, unmark() makes those cJSON_Raw: they print digit for digit, and text() reads numbers and strings alike. */
#include "kt-decode.h"

#include "base/kt-error.h"
#include "base/kt-names.h"
#include "base/kt-units.h"
#include "kt-json.h"
#include "model/kt-words.h"

#include <cjson/cJSON.h>
#include <string.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC (cJSON, cJSON_Delete)

#define LONGEST_CODE    32
#define LONGEST_MESSAGE 200

/* FALSE when a number stands where only a string may, as a field's name. */
static gboolean
unmark (cJSON *item)
{
  for (; item != NULL; item = item->next) {
    if (item->string != NULL) {
      if (item->string[0] != KT_JSON_STRING)
        return FALSE;
      memmove (item->string, item->string + 1, strlen (item->string));
    }
    if (cJSON_IsString (item)) {
      if (item->valuestring[0] == KT_JSON_NUMBER)
        item->type = cJSON_Raw;
      memmove (item->valuestring, item->valuestring + 1, strlen (item->valuestring));
    }
    if (!unmark (item->child))
      return FALSE;
  }
  return TRUE;
}

static cJSON *
parse (GBytes *body, GError **error)
{
  gsize length;
  const char *text = g_bytes_get_data (body, &length);
  GString *marked = kt_json_mark (text != NULL ? text : "", length, error);
  g_autoptr (cJSON) root = NULL;

  if (marked == NULL)
    return NULL;
  root = cJSON_ParseWithLengthOpts (marked->str, marked->len + 1, NULL, TRUE);
  g_string_free (marked, TRUE);
  if (root != NULL && unmark (root))
    return g_steal_pointer (&root);
  g_set_error (error, KT_ERROR, KT_ERROR_BAD_ANSWER, length > 0 ? "the answer is not JSON" : "the answer is empty");
  return NULL;
}

static const cJSON *
get (const cJSON *object, const char *name)
{
  const cJSON *item = cJSON_GetObjectItemCaseSensitive (object, name);
  return cJSON_IsNull (item) ? NULL : item;
}

/* A string's text or a number's digits, NULL when the field is absent, null or of another type. */
static const char *
text (const cJSON *object, const char *name)
{
  const cJSON *item = get (object, name);
  return cJSON_IsString (item) || cJSON_IsRaw (item) ? item->valuestring : NULL;
}

/* The first of two names that has text: the families spell the same thing differently. */
static const char *
text_either (const cJSON *object, const char *name, const char *other)
{
  const char *value = text (object, name);
  return value != NULL ? value : text (object, other);
}

static char *
copy (const cJSON *object, const char *name)
{
  const char *value = text (object, name);
  return g_strdup (value != NULL ? value : "");
}

/* A whole number from 0 to MAX, -1 when the field holds no such number. */
static gint64
number (const cJSON *object, const char *name, gint64 max)
{
  const char *value = text (object, name);
  guint64 result;

  if (value == NULL || !g_ascii_string_to_unsigned (value, 10, 0, (guint64) max, &result, NULL))
    return -1;
  return (gint64) result;
}

static gint64
time_of (const cJSON *object, const char *name, const char *other, GTimeZone *zone)
{
  const char *value = text_either (object, name, other);
  return value != NULL ? kt_service_time_parse (value, zone) : KT_TIME_UNKNOWN;
}

/* The documented codes; what is not here is judged by its HTTP status. */
static const struct {
  const char *code;
  KtErrorCode error;
} service_codes[] = {
  { "13000101", KT_ERROR_SERVICE },   /* bad request */
  { "13000102", KT_ERROR_SERVICE },   /* parameter check failed */
  { "13000201", KT_ERROR_SERVICE },   /* internal error */
  { "13000309", KT_ERROR_NOT_FOUND }, /* resource not found */
  { "13000407", KT_ERROR_SERVICE },   /* no download address */
  { "13000408", KT_ERROR_SERVICE },   /* download failed */
  { "13000410", KT_ERROR_DENIED },    /* no permission for the space */
};

static KtErrorCode
status_error (guint status)
{
  switch (status) {
  case 400: /* documented for "authentication not passed" too */
  case 401:
  case 403: return KT_ERROR_DENIED;
  case 404: return KT_ERROR_NOT_FOUND;
  case 429: return KT_ERROR_THROTTLED;
  default: return KT_ERROR_SERVICE;
  }
}

static gboolean
bad (GError **error, const char *what)
{
  g_set_error (error, KT_ERROR, KT_ERROR_BAD_ANSWER, "the answer is JSON but not of the documented kind: %s", what);
  return FALSE;
}

/* FALSE and the error when the answer is one: ROOT is its body, NULL when that was not JSON. */
static gboolean
check (guint status, const cJSON *root, GError **error)
{
  const char *code = text_either (root, "code", "error_code");
  const char *message = text_either (root, "msg", "error_msg");
  KtErrorCode kind = status_error (status);
  g_autofree char *code_line = kt_line_encode (code != NULL ? code : "none");
  g_autofree char *line = kt_line_encode (message != NULL ? message : "no message");

  if (status == 200 && code == NULL && get (root, "code") != NULL)
    return bad (error, "code is neither number nor string");
  if (status == 200 && (code == NULL || g_str_equal (code, "0")))
    return TRUE;
  for (gsize i = 0; code != NULL && i < G_N_ELEMENTS (service_codes); i++)
    if (g_str_equal (service_codes[i].code, code))
      kind = service_codes[i].error;
  g_set_error (error, KT_ERROR, kind, "HTTP %u, code %.*s: %.*s", status, LONGEST_CODE, code_line, LONGEST_MESSAGE,
               line);
  return FALSE;
}

/* Parses and checks. (transfer full), NULL and the error otherwise. */
static cJSON *
open_answer (guint status, GBytes *body, GError **error)
{
  g_autoptr (GError) parse_error = NULL;
  g_autoptr (cJSON) root = parse (body, &parse_error);

  if (root == NULL && status == 200) {
    g_propagate_error (error, g_steal_pointer (&parse_error));
    return NULL;
  }
  if (!check (status, root, error))
    return NULL;
  if (!cJSON_IsObject (root)) {
    g_set_error (error, KT_ERROR, KT_ERROR_BAD_ANSWER, "the answer is JSON but not an object");
    return NULL;
  }
  return g_steal_pointer (&root);
}

static GBytes *
print (const cJSON *item)
{
  char *printed = cJSON_Print (item);
  GString *out = g_string_new (printed);

  cJSON_free (printed);
  g_string_append_c (out, '\n');
  return g_string_free_to_bytes (out);
}

static void
share (char **field, const cJSON *object, const char *name)
{
  const char *value = text (object, name);
  kt_task_share (field, value != NULL ? value : "");
}

static void
set_word (KtTask *task, char **field, KtWordKind kind, const char *code)
{
  g_autofree char *word = code != NULL && code[0] != '\0' ? kt_word (task->key->family, kind, code) : NULL;

  if (word != NULL)
    kt_task_share (field, word);
}

static gboolean
add_file (KtTask *task, const cJSON *item, GError **error)
{
  KtTaskFile *file;

  if (!cJSON_IsObject (item))
    return bad (error, "an item of taskInfos is not an object");
  file = kt_task_add_file (task);
  kt_task_set (&file->id, copy (item, "fileId"));
  kt_task_set (&file->new_id, copy (item, "newFileId"));
  share (&file->container_id, item, "srcContainerId");
  set_word (task, &file->status, KT_WORD_FILE_STATUS, text (item, "status"));
  return TRUE;
}

/* taskInfos: an array, a single object, null or absent. */
static gboolean
add_files (KtTask *task, const cJSON *infos, GError **error)
{
  const cJSON *item;

  if (infos == NULL)
    return TRUE;
  if (cJSON_IsObject (infos))
    return add_file (task, infos, error);
  if (!cJSON_IsArray (infos))
    return bad (error, "taskInfos is neither array nor object");
  cJSON_ArrayForEach (item, infos)
    if (!add_file (task, item, error))
      return FALSE;
  return TRUE;
}

/* Success and failure counts of a share task: known only when every file's status is. */
static void
count_files (KtTask *task)
{
  gint64 succeeded = 0, failed = 0;

  for (guint i = 0; i < task->files->len; i++) {
    const KtTaskFile *file = &g_array_index (task->files, KtTaskFile, i);
    if (g_str_equal (file->status, KT_RESULT_SUCCEEDED))
      succeeded++;
    else if (g_str_equal (file->status, KT_RESULT_FAILED))
      failed++;
    else if (!g_str_equal (file->status, KT_STATUS_PENDING))
      return;
  }
  if (task->files->len > 0) {
    task->success_count = succeeded;
    task->fail_count = failed;
  }
}

KtTask *
kt_decode_share_detail (KtKey *key, guint status, GBytes *body, GTimeZone *zone, GError **error)
{
  g_autoptr (cJSON) root = open_answer (status, body, error);
  g_autoptr (KtTask) task = kt_task_new (key);
  const cJSON *info;
  const char *id;

  if (root == NULL)
    return NULL;
  info = get (root, "jobInfo");
  if (info == NULL)
    info = get (root, "taskInfo"); /* the 2024 edition's wrapper */
  if (!cJSON_IsObject (info)) {
    bad (error, "there is no object jobInfo (or taskInfo)");
    return NULL;
  }
  id = text (info, "taskId");
  if (id != NULL && !g_str_equal (id, key->task_id)) {
    bad (error, "it is about another task");
    return NULL;
  }
  set_word (task, &task->type, KT_WORD_TYPE, text (info, "taskType"));
  set_word (task, &task->status, KT_WORD_STATUS, text_either (info, "taskStatus", "status"));
  set_word (task, &task->result, KT_WORD_RESULT, text (info, "taskResultCode"));
  task->progress = (gint) number (info, "progress", 100);
  task->created = time_of (info, "createTime", "createTime", zone);
  task->started = time_of (info, "startTime", "beginTime", zone);
  task->ended = time_of (info, "endTime", "endTime", zone);
  kt_task_set (&task->user, copy (info, "userId"));
  kt_task_set (&task->download_url, copy (info, "downloadUrl"));
  if (!add_files (task, get (root, "taskInfos") != NULL ? get (root, "taskInfos") : get (info, "taskInfos"), error))
    return NULL;
  count_files (task);
  task->job_json = print (info);
  task->response = g_bytes_ref (body);
  kt_task_seal (task);
  return g_steal_pointer (&task);
}

static gboolean
add_failures (KtTask *task, const cJSON *list, GError **error)
{
  const cJSON *item;

  if (list != NULL && !cJSON_IsArray (list))
    return bad (error, "failInfoList is not an array");
  cJSON_ArrayForEach (item, list) {
    KtTaskFailure *failure;
    if (!cJSON_IsObject (item))
      return bad (error, "an item of failInfoList is not an object");
    failure = kt_task_add_failure (task);
    kt_task_set (&failure->user_name, copy (item, "userName"));
    kt_task_set (&failure->desc, copy (item, "desc"));
  }
  return TRUE;
}

static const char *
result_of_counts (gint64 succeeded, gint64 failed)
{
  if (succeeded < 0 || failed < 0)
    return "";
  if (failed == 0)
    return KT_RESULT_SUCCEEDED;
  return succeeded == 0 ? KT_RESULT_FAILED : KT_RESULT_PARTLY_FAILED;
}

KtTask *
kt_decode_task_result (KtKey *key, guint status, GBytes *body, GTimeZone *zone, GError **error)
{
  g_autoptr (cJSON) root = open_answer (status, body, error);
  g_autoptr (KtTask) task = kt_task_new (key);
  const cJSON *data;

  if (root == NULL)
    return NULL;
  data = get (root, "data");
  if (data == NULL ? text (root, "code") == NULL : !cJSON_IsObject (data)) {
    bad (error, "there is no object data");
    return NULL;
  }
  task->success_count = number (data, "successCount", G_MAXINT64);
  task->fail_count = number (data, "failCount", G_MAXINT64);
  kt_task_share (&task->type, KT_TYPE_IMPORT);
  /* the call tells no status; counts are there once the import is through */
  kt_task_share (&task->status,
                 task->success_count >= 0 || task->fail_count >= 0 ? KT_STATUS_COMPLETED : KT_STATUS_RUNNING);
  kt_task_share (&task->result, result_of_counts (task->success_count, task->fail_count));
  if (!add_failures (task, get (data, "failInfoList"), error))
    return NULL;
  task->job_json = print (data != NULL ? data : root);
  task->response = g_bytes_ref (body);
  kt_task_seal (task);
  return g_steal_pointer (&task);
}

char *
kt_encode_object (const char *name, ...)
{
  g_autoptr (cJSON) object = cJSON_CreateObject ();
  char *printed, *result;
  va_list args;

  va_start (args, name);
  for (; name != NULL; name = va_arg (args, const char *))
    cJSON_AddStringToObject (object, name, va_arg (args, const char *));
  va_end (args);
  printed = cJSON_PrintUnformatted (object);
  result = g_strdup (printed);
  cJSON_free (printed);
  return result;
}
