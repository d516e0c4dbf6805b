/* SPDX-License-Identifier: MIT */
#pragma once

#include "tasks.h"

/* The service's documents about tasks. Each family has its own field names, numbers or Strings, form of times. All
 * give a document or a part of one as of NOW (microseconds since the epoch). (transfer full) */

/* Whether there is a package to download. */
gboolean sim_reply_has_package (const SimTask *task, const SimState *state);

/* POST /share/taskDetail. URL is put in when there is a package. */
cJSON *sim_reply_share (const SimTask *task, gint64 now, const char *url);

/* GET /task/result; an item of GET /task/list; GET /task/{taskId}. */
cJSON *sim_reply_result (const SimTask *task, gint64 now);
cJSON *sim_reply_task_item (const SimTask *task, gint64 now);
cJSON *sim_reply_task (const SimTask *task, gint64 now);

/* An item of GET /jobs; GET /{jobId}. */
cJSON *sim_reply_job_item (const SimTask *task, gint64 now);
cJSON *sim_reply_job (const SimTask *task, gint64 now, const char *url);

/* A String of 14 digits or in ISO 8601, UTC; "" for 0, which is a time that has not come yet. */
void sim_reply_add_time (cJSON *object, const char *key, gint64 when);
void sim_reply_add_iso_time (cJSON *object, const char *key, gint64 when);

/* A file id as in the sample: F and 32 more of 64 characters. */
void sim_reply_add_file_id (cJSON *object, const char *key, guint64 seed);

/* The array taskInfos of a share task or job. */
cJSON *sim_reply_files (const SimTask *task, const SimState *state);

#define SIM_USER_ID   "0929b397a3424384b32cf8f96d9f35e4|1465814559892958208"
#define SIM_TENANT_ID "0929b397a3424384b32cf8f96d9f35e4"
