/* SPDX-License-Identifier: MIT */
/* The service's documents about share tasks, and what the documents of all families have in common. */
#include "reply.h"

static void
add_formatted_time (cJSON *object, const char *key, gint64 when, const char *format)
{
  if (when == 0) {
    sim_json_add_string (object, key, "");
    return;
  }
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (when / G_USEC_PER_SEC);
  g_autofree char *text = g_date_time_format (time, format);
  sim_json_add_string (object, key, text);
}

void
sim_reply_add_time (cJSON *object, const char *key, gint64 when)
{
  add_formatted_time (object, key, when, "%Y%m%d%H%M%S");
}

void
sim_reply_add_iso_time (cJSON *object, const char *key, gint64 when)
{
  add_formatted_time (object, key, when, "%Y-%m-%dT%H:%M:%SZ");
}

void
sim_reply_add_file_id (cJSON *object, const char *key, guint64 seed)
{
  static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
  char id[34] = "F";

  for (guint i = 1; i < 33; i++)
    id[i] = alphabet[sim_task_mix (seed, i) % 64];
  sim_json_add_string (object, key, id);
}

gboolean
sim_reply_has_package (const SimTask *task, const SimState *state)
{
  gboolean packed = (task->kind == SIM_TASK_SHARE && task->type == SIM_SHARE_DOWNLOAD)
                    || (task->kind == SIM_TASK_JOB && task->type == SIM_JOB_PACKAGE);

  return packed && (state->result == SIM_RESULT_SUCCEEDED || state->result == SIM_RESULT_PARTLY);
}

static cJSON *
build_file (const SimTask *task, guint file, int progress)
{
  cJSON *item = cJSON_CreateObject ();
  guint64 seed = sim_task_mix (task->seed, file + 100);
  gboolean done = progress * (int) task->n_files >= 100 * (int) (file + 1);
  gboolean fails = sim_task_file_fails (task, file);
  g_autofree char *container = g_strdup_printf ("IAACk0hRXpq9DAWkA%" G_GUINT64_FORMAT,
                                                G_GUINT64_CONSTANT (1465823622533999616) + task->number / 8);

  sim_reply_add_file_id (item, "fileId", seed);
  sim_json_add_string (item, "status", !done ? "0" : fails ? "2" : "1");
  if (done && !fails)
    sim_reply_add_file_id (item, "newFileId", ~seed);
  sim_json_add_string (item, "srcContainerId", container);
  return item;
}

cJSON *
sim_reply_files (const SimTask *task, const SimState *state)
{
  cJSON *files = cJSON_CreateArray ();

  for (guint i = 0; i < task->n_files; i++)
    cJSON_AddItemToArray (files, build_file (task, i, state->progress));
  return files;
}

cJSON *
sim_reply_share (const SimTask *task, gint64 now, const char *url)
{
  SimState state = sim_task_state (task, now);
  cJSON *response = cJSON_CreateObject ();
  cJSON *job = cJSON_AddObjectToObject (response, "jobInfo");

  sim_json_add_string (job, "userId", SIM_USER_ID);
  sim_json_add_string (job, "taskId", task->task_id);
  cJSON_AddNumberToObject (job, "taskType", task->type);
  cJSON_AddNumberToObject (job, "taskStatus", sim_status_number (state.status));
  if (state.result != SIM_RESULT_NONE)
    cJSON_AddNumberToObject (job, "taskResultCode", state.result);
  sim_reply_add_time (job, "createTime", task->created);
  sim_reply_add_time (job, "startTime", state.begun);
  sim_reply_add_time (job, "endTime", state.ended);
  cJSON_AddNumberToObject (job, "progress", state.progress);
  if (sim_reply_has_package (task, &state))
    sim_json_add_string (job, "downloadUrl", url);
  cJSON_AddItemToObject (response, "taskInfos", sim_reply_files (task, &state));
  cJSON_AddNumberToObject (response, "code", 0);
  sim_json_add_string (response, "msg", "Success.");
  return response;
}
