/* SPDX-License-Identifier: MIT */
/*
 * The tasks of the simulated service.
 *
 * Nothing is stored about how far a task is: its state is a pure function of the time, worked out anew for
 * every answer. So the table never changes after it is made, needs no lock, and the same options and start
 * time give the same answers.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "json.h"

typedef enum {
  SIM_TASK_SHARE, /* asked for through share/taskDetail */
  SIM_TASK_BASIC, /* an import, asked for through task/result */
} SimTaskKind;

/* The numbers of taskStatus. */
typedef enum {
  SIM_STATUS_PENDING = 0,
  SIM_STATUS_RUNNING = 1,
  SIM_STATUS_COMPLETED = 2,
  SIM_STATUS_CANCELED = 3,
} SimStatus;

/* The numbers of taskResultCode. */
typedef enum {
  SIM_RESULT_NONE = 0, /* not in the answer */
  SIM_RESULT_SUCCEEDED = 1,
  SIM_RESULT_PARTLY = 2,
  SIM_RESULT_FAILED = 3,
} SimResult;

typedef struct {
  SimTaskKind kind;
  char *task_id;
  char *share_id; /* NULL for a basic task */
  GBytes *sample; /* a seed task: the bytes of every answer; NULL for a generated one */

  /* generated tasks only; times in microseconds since the epoch */
  guint64 seed; /* of everything random-looking about it */
  guint number; /* counts from 0 within its kind */
  gint64 created, begins, ends;
  int type;         /* 1 download, 2 save */
  SimResult result; /* what it comes to; NONE: it is canceled at `ends` */
  guint n_files;
} SimTask;

/* Where a task is at some moment. */
typedef struct {
  SimStatus status;
  SimResult result;
  int progress; /* percent */
} SimState;

typedef struct SimTasks SimTasks;

/* Makes the seed samples and then @n_share and @n_import generated tasks that take @duration microseconds
 * each, as seen from @start; with 0 all have ended before @start. (transfer full) */
SimTasks *sim_tasks_new (guint n_share, guint n_import, gint64 duration, gint64 start);
void sim_tasks_free (SimTasks *tasks);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SimTasks, sim_tasks_free)

/* The task of that kind and id, and for a share task of that share, or NULL. (transfer none) */
const SimTask *sim_tasks_find (const SimTasks *tasks, SimTaskKind kind, const char *task_id, const char *share_id);

/* All tasks in the watch list format of kootaskfs, one a line, seed samples first. (transfer full) */
char *sim_tasks_watch_list (const SimTasks *tasks);

/* {"tasks":[...]} for /_sim/tasks, states as of @now. (transfer full) */
cJSON *sim_tasks_list (const SimTasks *tasks, gint64 now);

/* The state of a generated task at @now. */
SimState sim_task_state (const SimTask *task, gint64 now);

/* A number that depends on @seed and @salt only, spread evenly over 64 bits. */
guint64 sim_task_mix (guint64 seed, guint64 salt);
