/* SPDX-License-Identifier: MIT */
/* The service's documents about basic tasks: task/result, task/ID, an item of task/list. */
#include "reply.h"

/* What a CSV writer can get wrong. */
static const struct {
  const char *user, *desc;
} failures[] = {
  { "zhang.san", "The user already exists." },
  { "li.si", "The department does not exist, is disabled, or is full." },
  { "wang wu", "The name \"wang wu\" contains a space." },
  { "o'neil, pat", "Line 1: the phone number is empty.\nLine 2: the email address is empty." },
  { "李四", "用户已存在，请勿重复导入。" },
  { "zhao.liu", "\"quoted\", with a comma\r\nand a line end" },
};

cJSON *
sim_reply_result (const SimTask *task, gint64 now)
{
  SimState state = sim_task_state (task, now);
  cJSON *response = cJSON_CreateObject ();

  cJSON_AddNumberToObject (response, "code", 0);
  sim_json_add_string (response, "msg", "Success.");
  cJSON *data = cJSON_AddObjectToObject (response, "data");
  if (state.ended == 0)
    return response;

  /* a transfer knows no users, only how many files went well */
  gboolean import = task->type == SIM_BASIC_IMPORT;
  guint failed = state.result == SIM_RESULT_SUCCEEDED ? 0 : import ? G_N_ELEMENTS (failures) : task->n_files;
  guint succeeded = state.result == SIM_RESULT_FAILED ? 0 : import ? 3 + task->seed % 40 : task->n_files;
  cJSON_AddNumberToObject (data, "successCount", succeeded);
  cJSON_AddNumberToObject (data, "failCount", failed);
  cJSON *list = cJSON_AddArrayToObject (data, "failInfoList");
  for (guint i = 0; import && i < failed; i++) {
    cJSON *item = cJSON_CreateObject ();
    sim_json_add_string (item, "userName", failures[i].user);
    sim_json_add_string (item, "desc", failures[i].desc);
    cJSON_AddItemToArray (list, item);
  }
  return response;
}

static void
add_head (cJSON *object, const SimTask *task, const SimState *state)
{
  gboolean import = task->type == SIM_BASIC_IMPORT;
  g_autofree char *name = g_strdup_printf ("%s %u", import ? "Batch user import" : "用户数据移交", task->number + 1);

  sim_json_add_string (object, "taskId", task->task_id);
  sim_json_add_string (object, "taskName", name);
  cJSON_AddNumberToObject (object, "taskType", task->type);
  sim_json_add_string (object, "tenantId", SIM_TENANT_ID);
  sim_json_add_string (object, "userId", SIM_USER_ID);
  cJSON_AddNumberToObject (object, "status", sim_status_number (state->status));
  if (state->status == SIM_STATUS_FAILED)
    cJSON_AddNumberToObject (object, "resultCode", import ? 18000101 : 18000001);
}

cJSON *
sim_reply_task_item (const SimTask *task, gint64 now)
{
  SimState state = sim_task_state (task, now);
  cJSON *item = cJSON_CreateObject ();

  add_head (item, task, &state);
  sim_json_add_string (item, "initParams",
                       task->type == SIM_BASIC_IMPORT ? "{\"fileName\":\"users.xlsx\"}"
                                                      : "{\"receiver\":\"zhao.liu\"}");
  sim_json_add_string (item, "locale", "en-US");
  sim_reply_add_iso_time (item, "createTime", task->created);
  sim_reply_add_iso_time (item, "startTime", state.begun);
  sim_reply_add_iso_time (item, "endTime", state.ended);
  return item;
}

cJSON *
sim_reply_task (const SimTask *task, gint64 now)
{
  SimState state = sim_task_state (task, now);
  cJSON *response = cJSON_CreateObject ();

  add_head (response, task, &state);
  cJSON_AddNumberToObject (response, "code", 0);
  sim_json_add_string (response, "msg", "Success.");
  return response;
}
