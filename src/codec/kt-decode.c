/* SPDX-License-Identifier: MIT */
/* Decodes the responses about one task. */
#include "kt-decode.h"

#include "base/kt-error.h"
#include "base/kt-units.h"
#include "kt-decode-private.h"
#include "model/kt-words.h"

static void
share (char **field, const cJSON *object, const char *name)
{
  const char *value = kt_body_text (object, name);
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
    return kt_body_bad (error, "an item of taskInfos is not an object");
  file = kt_task_add_file (task);
  kt_task_set (&file->id, kt_body_copy (item, "fileId"));
  kt_task_set (&file->new_id, kt_body_copy (item, "newFileId"));
  share (&file->container_id, item, "srcContainerId");
  set_word (task, &file->status, KT_WORD_FILE_STATUS, kt_body_text (item, "status"));
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
    return kt_body_bad (error, "taskInfos is neither array nor object");
  cJSON_ArrayForEach (item, infos)
    if (!add_file (task, item, error))
      return FALSE;
  return TRUE;
}

/* Success and failure counts of a share task or a job: known only when every file's status is. */
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

/* What jobInfo, a summary, and the basic family's details have in common. Families spell fields differently,
 * and none uses another's name for something else. FALSE when it is about another task. */
static gboolean
fill (KtTask *task, const cJSON *info, GTimeZone *zone, GError **error)
{
  const char *id = kt_body_text (info, "taskId");

  if (id != NULL && !g_str_equal (id, task->key->task_id))
    return kt_body_bad (error, "it is about another task");
  set_word (task, &task->type, KT_WORD_TYPE, kt_body_text (info, "taskType"));
  set_word (task, &task->status, KT_WORD_STATUS, kt_body_text_either (info, "taskStatus", "status"));
  set_word (task, &task->result, KT_WORD_RESULT, kt_body_text (info, "taskResultCode"));
  task->progress = (gint) kt_body_number (info, "progress", 100);
  task->created = kt_body_time (info, "createTime", "createTime", zone);
  task->started = kt_body_time (info, "startTime", "beginTime", zone);
  task->ended = kt_body_time (info, "endTime", "endTime", zone);
  kt_task_set (&task->user, kt_body_copy (info, "userId"));
  kt_task_set (&task->name, kt_body_copy (info, "taskName"));
  kt_task_set (&task->download_url, kt_body_copy (info, "downloadUrl"));
  return TRUE;
}

/* jobInfo and taskInfos, wherever the family puts them: INFO may have the latter too. */
static gboolean
fill_detail (KtTask *task, const cJSON *parent, const cJSON *info, GTimeZone *zone, GError **error)
{
  const cJSON *files = kt_body_get (parent, "taskInfos");

  if (!cJSON_IsObject (info))
    return kt_body_bad (error, "there is no object jobInfo (or taskInfo)");
  if (!fill (task, info, zone, error)
      || !add_files (task, files != NULL ? files : kt_body_get (info, "taskInfos"), error))
    return FALSE;
  count_files (task);
  task->job_json = kt_body_print (info);
  return TRUE;
}

static KtTask *
seal (KtTask *task, GBytes *body)
{
  task->response = g_bytes_ref (body);
  kt_task_seal (task);
  return kt_task_ref (task);
}

KtTask *
kt_decode_share_detail (KtKey *key, guint status, GBytes *body, GTimeZone *zone, GError **error)
{
  g_autoptr (cJSON) root = kt_body_open (status, body, error);
  g_autoptr (KtTask) task = kt_task_new (key);
  const cJSON *info;

  if (root == NULL)
    return NULL;
  info = kt_body_get (root, "jobInfo");
  if (info == NULL)
    info = kt_body_get (root, "taskInfo"); /* the 2024 edition's wrapper */
  return fill_detail (task, root, info, zone, error) ? seal (task, body) : NULL;
}

KtTask *
kt_decode_job (KtKey *key, guint status, GBytes *body, GTimeZone *zone, GError **error)
{
  g_autoptr (cJSON) root = kt_body_open (status, body, error);
  g_autoptr (KtTask) task = kt_task_new (key);
  const cJSON *data = root != NULL ? kt_body_get (root, "data") : NULL;

  if (root == NULL)
    return NULL;
  if (!cJSON_IsObject (data)) {
    kt_body_bad (error, "there is no object data");
    return NULL;
  }
  return fill_detail (task, data, kt_body_get (data, "jobInfo"), zone, error) ? seal (task, body) : NULL;
}

KtTask *
kt_decode_basic_task (KtKey *key, guint status, GBytes *body, GTimeZone *zone, GError **error)
{
  g_autoptr (cJSON) root = kt_body_open (status, body, error);
  g_autoptr (KtTask) task = kt_task_new (key);

  if (root == NULL)
    return NULL;
  if (kt_body_text (root, "status") == NULL) {
    kt_body_bad (error, "there is no status");
    return NULL;
  }
  if (!fill (task, root, zone, error))
    return NULL;
  task->job_json = kt_body_print (root);
  return seal (task, body);
}

KtTask *
kt_decode_list_item (KtFamily family, const char *id, const cJSON *item, GTimeZone *zone, GError **error)
{
  g_autoptr (KtKey) key = kt_key_new (family, id);
  g_autoptr (KtTask) task = kt_task_new (key);

  task->from_list = TRUE;
  return fill (task, item, zone, error) ? g_steal_pointer (&task) : NULL;
}

static gboolean
add_failures (KtTask *task, const cJSON *list, GError **error)
{
  const cJSON *item;

  if (list != NULL && !cJSON_IsArray (list))
    return kt_body_bad (error, "failInfoList is not an array");
  cJSON_ArrayForEach (item, list) {
    KtTaskFailure *failure;
    if (!cJSON_IsObject (item))
      return kt_body_bad (error, "an item of failInfoList is not an object");
    failure = kt_task_add_failure (task);
    kt_task_set (&failure->user_name, kt_body_copy (item, "userName"));
    kt_task_set (&failure->desc, kt_body_copy (item, "desc"));
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
  g_autoptr (cJSON) root = kt_body_open (status, body, error);
  g_autoptr (KtTask) task = kt_task_new (key);
  const cJSON *data;

  if (root == NULL)
    return NULL;
  data = kt_body_get (root, "data");
  if (data == NULL ? kt_body_text (root, "code") == NULL : !cJSON_IsObject (data)) {
    kt_body_bad (error, "there is no object data");
    return NULL;
  }
  task->success_count = kt_body_number (data, "successCount", G_MAXINT64);
  task->fail_count = kt_body_number (data, "failCount", G_MAXINT64);
  kt_task_share (&task->type, KT_TYPE_IMPORT);
  /* the response has no status; counts are there once the import is through */
  kt_task_share (&task->status,
                 task->success_count >= 0 || task->fail_count >= 0 ? KT_STATUS_COMPLETED : KT_STATUS_RUNNING);
  kt_task_share (&task->result, result_of_counts (task->success_count, task->fail_count));
  if (!add_failures (task, kt_body_get (data, "failInfoList"), error))
    return NULL;
  task->job_json = kt_body_print (data != NULL ? data : root);
  return seal (task, body);
}

/* Of a basic task that has ended: by its counts, which know "partly", unless they contradict its status. */
static const char *
result_of_basic (const KtTask *task)
{
  gboolean failed = g_str_equal (task->status, KT_STATUS_FAILED);
  const char *by_counts = result_of_counts (task->success_count, task->fail_count);

  if (!kt_task_is_final (task))
    return "";
  if (by_counts[0] == '\0' || (failed && task->fail_count == 0))
    return failed ? KT_RESULT_FAILED : KT_RESULT_SUCCEEDED;
  return by_counts;
}

KtTask *
kt_decode_basic (KtTask *detail, KtTask *result)
{
  if (detail == NULL)
    return kt_task_ref (result);
  if (result != NULL) {
    if (detail->type[0] == '\0')
      kt_task_share (&detail->type, result->type);
    detail->success_count = result->success_count;
    detail->fail_count = result->fail_count;
    g_array_unref (detail->failures);
    detail->failures = g_array_ref (result->failures);
    g_clear_pointer (&detail->failures_csv, g_bytes_unref);
    detail->failures_csv = result->failures_csv != NULL ? g_bytes_ref (result->failures_csv) : NULL;
    g_bytes_unref (detail->response);
    detail->response = g_bytes_ref (result->response);
  }
  kt_task_share (&detail->result, result_of_basic (detail));
  return kt_task_ref (detail);
}
