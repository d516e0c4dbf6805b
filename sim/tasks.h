/* SPDX-License-Identifier: MIT */
#pragma once

#include "json.h"

#include <glib.h>
#include <stdatomic.h>

/* The tasks of the simulated service.
 *
 * Nothing is stored about how far a task is: its state is a pure function of the time, worked out anew for every
 * response. The tasks never change after they are made, but for a job's cancel, once, which is an atomic. So they need
 * no lock, and the same options and start time give the same responses. */

/* The three families of the service's documents. */
typedef enum {
  SIM_TASK_SHARE,
  SIM_TASK_BASIC,
  SIM_TASK_JOB,
} SimTaskKind;
#define SIM_N_KINDS (SIM_TASK_JOB + 1)

typedef enum {
  SIM_STATUS_PENDING,
  SIM_STATUS_RUNNING,
  SIM_STATUS_COMPLETED,
  SIM_STATUS_CANCELED, /* share tasks and jobs only */
  SIM_STATUS_FAILED,   /* basic tasks only */
} SimStatus;

/* The numbers of taskResultCode. */
typedef enum {
  SIM_RESULT_NONE = 0, /* not in the response */
  SIM_RESULT_SUCCEEDED = 1,
  SIM_RESULT_PARTLY = 2,
  SIM_RESULT_FAILED = 3,
} SimResult;

/* The numbers of taskType that responses depend on. */
enum {
  SIM_SHARE_DOWNLOAD = 1,
  SIM_BASIC_TRANSFER = 0,
  SIM_BASIC_IMPORT = 1,
  SIM_JOB_UNZIP = 5,
  SIM_JOB_PACKAGE = 6,
  SIM_JOB_N_TYPES = 7, /* from 1 */
};

typedef struct {
  SimTaskKind kind;
  char *task_id;
  char *share_id; /* NULL for other kinds */
  GBytes *sample; /* a seed task: the bytes of the response that the documents show; NULL for a generated one */

  /* of a seed task only what its other responses need; times in microseconds since the epoch */
  guint64 seed; /* of everything random-looking about it */
  guint number; /* counts from 0 within its option */
  gint64 created, begins, ends;
  int type;         /* the number of taskType */
  SimResult result; /* what it comes to; NONE: it is canceled at `ends` */
  guint n_files;
  _Atomic gint64 canceled; /* when a request canceled it, G_MAXINT64 = none has */
} SimTask;

/* Where a task is at some moment. */
typedef struct {
  SimStatus status;
  SimResult result;
  int progress;        /* percent */
  gint64 begun, ended; /* 0 = not yet */
} SimState;

typedef struct {
  guint shares, imports, transfers, jobs;
} SimTaskCounts;

typedef struct SimTasks SimTasks;

/* Makes the seed samples and then the generated tasks, which take DURATION microseconds each, as seen from START; with
 * 0 all have ended before START. (transfer full) */
SimTasks *sim_tasks_new (const SimTaskCounts *counts, gint64 duration, gint64 start);
void sim_tasks_free (SimTasks *tasks);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SimTasks, sim_tasks_free)

/* The sample response of that file name. (transfer full) */
GBytes *sim_tasks_load_sample (const char *file);

guint sim_tasks_count (const SimTasks *tasks);
/* The task number INDEX, in the order of the watch list. (transfer none) */
const SimTask *sim_tasks_nth (const SimTasks *tasks, guint index);

/* The task of that kind and id, and for a share task of that share, or NULL. (transfer none) */
SimTask *sim_tasks_find (const SimTasks *tasks, SimTaskKind kind, const char *task_id, const char *share_id);

/* The task of that id, of any kind, or NULL. (transfer none) */
SimTask *sim_tasks_lookup (const SimTasks *tasks, const char *task_id);

/* Cancels a job; FALSE when it has ended by NOW or is canceled already. */
gboolean sim_task_cancel (SimTask *task, gint64 now);

/* All tasks in the watch list format of kootaskfs, one a line, seed samples first. (transfer full) */
char *sim_tasks_watch_list (const SimTasks *tasks);

/* {"tasks":[...]} for /_sim/tasks, states as of NOW. (transfer full) */
cJSON *sim_tasks_list (const SimTasks *tasks, gint64 now);

/* The state at NOW. */
SimState sim_task_state (const SimTask *task, gint64 now);

/* Whether the file of that number fails in the end: all do, or every second one, or none. */
gboolean sim_task_file_fails (const SimTask *task, guint file);

/* The number the family has for a status. */
int sim_status_number (SimStatus status);

/* A number that depends on SEED and SALT only, spread evenly over 64 bits. */
guint64 sim_task_mix (guint64 seed, guint64 salt);
