/* SPDX-License-Identifier: MIT */
/* The service's documents about batch jobs: the job, an item of the list. */
#include "reply.h"

static void
add_job (cJSON *object, const SimTask *task, const SimState *state)
{
  static const char *const names[SIM_JOB_N_TYPES] = {
    "Copy", "Delete", "Move", "Restore", "Unzip", "Package download", "Empty recycle bin",
  };
  g_autofree char *name = g_strdup_printf ("%s %u", names[task->type - 1], task->number / SIM_JOB_N_TYPES + 1);

  sim_json_add_string (object, "taskId", task->task_id);
  sim_json_add_string (object, "taskName", name);
  cJSON_AddNumberToObject (object, "taskType", task->type);
  cJSON_AddNumberToObject (object, "actionType", task->type);
  cJSON_AddNumberToObject (object, "status", sim_status_number (state->status));
  if (state->result != SIM_RESULT_NONE)
    cJSON_AddNumberToObject (object, "taskResultCode", state->result);
  if (state->result == SIM_RESULT_PARTLY || state->result == SIM_RESULT_FAILED)
    cJSON_AddNumberToObject (object, "resultCode", 13000408);
  cJSON_AddNumberToObject (object, "contentNum", task->n_files);
  sim_json_add_string (object, "containerId", "IAACk0hRXpq9DAWkA1465823622533999616");
  sim_json_add_string (object, "tenantId", SIM_TENANT_ID);
  sim_json_add_string (object, "userId", SIM_USER_ID);
  sim_reply_add_time (object, "createTime", task->created);
  sim_reply_add_time (object, "beginTime", state->begun);
  sim_reply_add_time (object, "endTime", state->ended);
}

cJSON *
sim_reply_job_item (const SimTask *task, gint64 now)
{
  SimState state = sim_task_state (task, now);
  cJSON *item = cJSON_CreateObject ();

  add_job (item, task, &state);
  return item;
}

/* What has come out of an archive so far: a folder and then a file for each file of the task. */
static cJSON *
build_uncompressed (const SimTask *task, const SimState *state)
{
  cJSON *list = cJSON_CreateArray ();

  for (guint i = 0; i <= task->n_files && state->begun != 0; i++) {
    gboolean folder = i == 0;
    gboolean fails = !folder && sim_task_file_fails (task, i - 1);
    g_autofree char *name = folder ? g_strdup ("archive") : g_strdup_printf ("archive/文件 %u.txt", i);
    g_autofree char *updated = g_strdup_printf ("%" G_GINT64_FORMAT, (state->begun + i * G_USEC_PER_SEC / 10) / 1000);
    g_autofree char *size = g_strdup_printf ("%u", folder ? 0 : (guint) (task->seed % 100000) + i);
    cJSON *item = cJSON_CreateObject ();

    if (!folder && state->progress * (int) task->n_files < 100 * (int) i) {
      cJSON_Delete (item);
      break;
    }
    sim_json_add_string (item, "code", fails ? "13000408" : "0");
    sim_json_add_string (item, "name", name);
    sim_json_add_string (item, "type", folder ? "2" : "1");
    sim_json_add_string (item, "updateAt", updated);
    sim_json_add_string (item, "fileSize", size);
    cJSON_AddItemToArray (list, item);
  }
  return list;
}

cJSON *
sim_reply_job (const SimTask *task, gint64 now, const char *url)
{
  SimState state = sim_task_state (task, now);
  cJSON *response = cJSON_CreateObject ();

  sim_json_add_string (response, "code", "0");
  sim_json_add_string (response, "msg", "Success.");
  cJSON *data = cJSON_AddObjectToObject (response, "data");
  cJSON *job = cJSON_AddObjectToObject (data, "jobInfo");
  add_job (job, task, &state);
  cJSON_AddNumberToObject (job, "progress", state.progress);
  if (sim_reply_has_package (task, &state))
    sim_json_add_string (job, "downloadUrl", url);
  cJSON_AddItemToObject (data, "taskInfos", sim_reply_files (task, &state));
  if (task->type == SIM_JOB_UNZIP)
    cJSON_AddItemToObject (data, "uncompressedFileList", build_uncompressed (task, &state));
  return response;
}
