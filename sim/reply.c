/* SPDX-License-Identifier: MIT */
#include "reply.h"

/* The host is in a domain that never resolves: there is no package behind the link, and nobody else's host
 * gets asked. */
#define DOWNLOAD_URL                                                                                                   \
  "https://packages.koodrive-sim.invalid/%s.zip?Expires=%" G_GINT64_FORMAT "&Signature=%016" G_GINT64_MODIFIER "x"
#define USER_ID      "0929b397a3424384b32cf8f96d9f35e4|1465814559892958208"
#define PACKAGE_LIFE (7 * 24 * 3600) /* seconds */

/* A file id as in the sample: F and 32 more of 64 characters. */
static void
add_file_id (cJSON *item, const char *key, guint64 seed)
{
  static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
  char id[34] = "F";

  for (guint i = 1; i < 33; i++)
    id[i] = alphabet[sim_task_mix (seed, i) % 64];
  sim_json_add_string (item, key, id);
}

/* @when as 14 digits in UTC, or "" when it has not @happened. */
static void
add_time (cJSON *object, const char *key, gint64 when, bool happened)
{
  if (!happened) {
    sim_json_add_string (object, key, "");
    return;
  }
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (when / G_USEC_PER_SEC);
  g_autofree char *text = g_date_time_format (time, "%Y%m%d%H%M%S");
  sim_json_add_string (object, key, text);
}

/* Whether the file fails in the end: all do, or every second one, or none. */
static bool
file_fails (const SimTask *task, guint file)
{
  return task->result == SIM_RESULT_FAILED || (task->result == SIM_RESULT_PARTLY && file % 2 == 1);
}

static cJSON *
build_file (const SimTask *task, guint file, int progress)
{
  cJSON *item = cJSON_CreateObject ();
  guint64 seed = sim_task_mix (task->seed, file + 100);
  bool done = progress * (int) task->n_files >= 100 * (int) (file + 1);
  g_autofree char *container = NULL;

  add_file_id (item, "fileId", seed);
  sim_json_add_string (item, "status", !done ? "0" : file_fails (task, file) ? "2" : "1");
  if (done && !file_fails (task, file))
    add_file_id (item, "newFileId", ~seed);
  container = g_strdup_printf ("IAACk0hRXpq9DAWkA%" G_GUINT64_FORMAT,
                               G_GUINT64_CONSTANT (1465823622533999616) + task->number / 8);
  sim_json_add_string (item, "srcContainerId", container);
  return item;
}

static GBytes *
build_share (const SimTask *task, gint64 now)
{
  SimState state = sim_task_state (task, now);
  bool ended = now >= task->ends;
  cJSON *answer = cJSON_CreateObject ();
  cJSON *job = cJSON_AddObjectToObject (answer, "jobInfo");

  sim_json_add_string (job, "userId", USER_ID);
  sim_json_add_string (job, "taskId", task->task_id);
  cJSON_AddNumberToObject (job, "taskType", task->type);
  cJSON_AddNumberToObject (job, "taskStatus", state.status);
  if (state.result != SIM_RESULT_NONE)
    cJSON_AddNumberToObject (job, "taskResultCode", state.result);
  add_time (job, "createTime", task->created, true);
  add_time (job, "startTime", task->begins, now >= task->begins);
  add_time (job, "endTime", task->ends, ended);
  cJSON_AddNumberToObject (job, "progress", state.progress);
  if (task->type == 1 && (state.result == SIM_RESULT_SUCCEEDED || state.result == SIM_RESULT_PARTLY)) {
    gint64 expires = task->ends / G_USEC_PER_SEC + PACKAGE_LIFE;
    g_autofree char *url = g_strdup_printf (DOWNLOAD_URL, task->task_id, expires, sim_task_mix (task->seed, 7));
    sim_json_add_string (job, "downloadUrl", url);
  }

  cJSON *files = cJSON_AddArrayToObject (answer, "taskInfos");
  for (guint i = 0; i < task->n_files; i++)
    cJSON_AddItemToArray (files, build_file (task, i, state.progress));
  cJSON_AddNumberToObject (answer, "code", 0);
  sim_json_add_string (answer, "msg", "Success.");
  return sim_json_print (answer, FALSE);
}

static GBytes *
build_import (const SimTask *task, gint64 now)
{
  /* what a CSV writer can get wrong */
  static const struct {
    const char *user, *desc;
  } rows[] = {
    { "zhang.san", "The user already exists." },
    { "li.si", "The department does not exist, is disabled, or is full." },
    { "wang wu", "The name \"wang wu\" contains a space." },
    { "o'neil, pat", "Line 1: the phone number is empty.\nLine 2: the email address is empty." },
    { "李四", "用户已存在，请勿重复导入。" },
    { "zhao.liu", "\"quoted\", with a comma\r\nand a line end" },
  };
  cJSON *answer = cJSON_CreateObject ();

  cJSON_AddNumberToObject (answer, "code", 0);
  sim_json_add_string (answer, "msg", "Success.");
  cJSON *data = cJSON_AddObjectToObject (answer, "data");
  if (sim_task_state (task, now).status == SIM_STATUS_COMPLETED) {
    guint failed = task->result == SIM_RESULT_SUCCEEDED ? 0 : G_N_ELEMENTS (rows);
    cJSON_AddNumberToObject (data, "successCount", (double) (3 + task->seed % 40));
    cJSON_AddNumberToObject (data, "failCount", failed);
    cJSON *list = cJSON_AddArrayToObject (data, "failInfoList");
    for (guint i = 0; i < failed; i++) {
      cJSON *item = cJSON_CreateObject ();
      sim_json_add_string (item, "userName", rows[i].user);
      sim_json_add_string (item, "desc", rows[i].desc);
      cJSON_AddItemToArray (list, item);
    }
  }
  return sim_json_print (answer, FALSE);
}

GBytes *
sim_reply_build (const SimTask *task, gint64 now)
{
  if (task->sample != NULL)
    return g_bytes_ref (task->sample);
  return task->kind == SIM_TASK_SHARE ? build_share (task, now) : build_import (task, now);
}
