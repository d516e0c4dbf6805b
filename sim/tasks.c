/* SPDX-License-Identifier: MIT */
/* The tasks of the simulated service: which there are, and where each is at a moment. */
#include "tasks.h"

#include <gio/gio.h>
#include <string.h>

/* Generated tasks begin in eight slots, an eighth of the duration apart, so that there is always something going on. */
#define N_SLOTS         8
#define TASKS_PER_SHARE 3
/* Ids are 19 digits and beyond 2^53, like the service's; a second apart as snowflakes, so they are distinct by
 * themselves. */
#define SHARE_TASK_BASE    G_GUINT64_CONSTANT (1790000000000000000)
#define SHARE_BASE         G_GUINT64_CONSTANT (1780000000000000000)
#define IMPORT_TASK_BASE   G_GUINT64_CONSTANT (1770000000000000000)
#define TRANSFER_TASK_BASE G_GUINT64_CONSTANT (1760000000000000000)
#define JOB_BASE           G_GUINT64_CONSTANT (1750000000000000000)
#define ID_STEP            (G_GUINT64_CONSTANT (1000) << 22)
/* of the sample import, whose documented response has no times */
#define SAMPLE_TIME (G_GINT64_CONSTANT (1725852805) * G_USEC_PER_SEC)

struct SimTasks {
  GPtrArray *all;    /* SimTask, owned */
  GHashTable *by_id; /* id to SimTask; ids are distinct across kinds */
};

guint64
sim_task_mix (guint64 seed, guint64 salt)
{
  /* splitmix64 */
  guint64 z = seed + (salt + 1) * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return z ^ (z >> 31);
}

static char *
make_id (guint64 base, guint64 number)
{
  return g_strdup_printf ("%" G_GUINT64_FORMAT, base + number * ID_STEP + sim_task_mix (base, number) % 4096);
}

static void
task_free (void *data)
{
  SimTask *task = data;
  g_free (task->task_id);
  g_free (task->share_id);
  g_clear_pointer (&task->sample, g_bytes_unref);
  g_free (task);
}

/* (transfer none) */
static SimTask *
add_task (SimTasks *tasks, SimTaskKind kind, char *task_id, char *share_id)
{
  SimTask *task = g_new0 (SimTask, 1);

  task->kind = kind;
  task->task_id = task_id;
  task->share_id = share_id;
  atomic_init (&task->canceled, G_MAXINT64);
  g_ptr_array_add (tasks->all, task);
  g_hash_table_insert (tasks->by_id, task->task_id, task);
  return task;
}

GBytes *
sim_tasks_load_sample (const char *file)
{
  g_autofree char *path = g_strconcat ("/koodrive-sim/", file, NULL);
  GBytes *sample = g_resources_lookup_data (path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);

  g_assert (sample != NULL); /* it is compiled in */
  return sample;
}

static void
add_sample (SimTasks *tasks, SimTaskKind kind, const char *task_id, const char *share_id, const char *file)
{
  SimTask *task = add_task (tasks, kind, g_strdup (task_id), g_strdup (share_id));

  task->sample = sim_tasks_load_sample (file);
  task->created = task->begins = SAMPLE_TIME;
  task->ends = SAMPLE_TIME + G_USEC_PER_SEC;
  task->type = SIM_BASIC_IMPORT;
  task->result = SIM_RESULT_PARTLY;
}

/* Adds a generated task; type and result are left to the caller. (transfer none) */
static SimTask *
add_generated (SimTasks *tasks, SimTaskKind kind, guint64 base, guint number, gint64 duration, gint64 start)
{
  SimTask *task = add_task (tasks, kind, make_id (base, number), NULL);
  guint slot = number % N_SLOTS;

  task->number = number;
  task->seed = sim_task_mix (base, number);
  task->n_files = 1 + task->seed % 5;
  task->created = start;
  if (duration == 0) {
    /* every slot must be over at the start, with some seconds to spare as times in the responses are whole seconds */
    duration = 20 * G_USEC_PER_SEC;
    task->created = start - 60 * G_USEC_PER_SEC;
  }
  task->begins = task->created + slot * duration / N_SLOTS;
  task->ends = task->begins + duration;
  return task;
}

/* Sets what a task with files comes to. */
static void
set_result (SimTask *task, SimResult result)
{
  task->result = result;
  if (result == SIM_RESULT_PARTLY)
    task->n_files = MAX (task->n_files, 2); /* one alone cannot fail in part */
  if (result == SIM_RESULT_NONE)
    task->ends = task->begins + (task->ends - task->begins) * 6 / 10; /* somebody cancels it on the way */
}

static void
add_share_task (SimTasks *tasks, guint number, gint64 duration, gint64 start)
{
  /* every eight from the first have every outcome, each time in other slots and with the other type */
  static const SimResult outcomes[] = {
    SIM_RESULT_SUCCEEDED, SIM_RESULT_PARTLY,    SIM_RESULT_SUCCEEDED, SIM_RESULT_FAILED,
    SIM_RESULT_NONE,      SIM_RESULT_SUCCEEDED, SIM_RESULT_PARTLY,    SIM_RESULT_SUCCEEDED,
  };
  SimTask *task = add_generated (tasks, SIM_TASK_SHARE, SHARE_TASK_BASE, number, duration, start);

  task->share_id = make_id (SHARE_BASE, number / TASKS_PER_SHARE);
  task->type = 1 + (int) (number % 2);
  set_result (task, outcomes[(number + number / 8) % G_N_ELEMENTS (outcomes)]);
}

static void
add_import_task (SimTasks *tasks, guint number, gint64 duration, gint64 start)
{
  static const SimResult outcomes[] = { SIM_RESULT_PARTLY, SIM_RESULT_SUCCEEDED, SIM_RESULT_PARTLY, SIM_RESULT_FAILED };
  SimTask *task = add_generated (tasks, SIM_TASK_BASIC, IMPORT_TASK_BASE, number, duration, start);

  task->type = SIM_BASIC_IMPORT;
  task->result = outcomes[number % G_N_ELEMENTS (outcomes)];
}

static void
add_transfer_task (SimTasks *tasks, guint number, gint64 duration, gint64 start)
{
  SimTask *task = add_generated (tasks, SIM_TASK_BASIC, TRANSFER_TASK_BASE, number, duration, start);

  task->type = SIM_BASIC_TRANSFER;
  task->result = number % 2 == 0 ? SIM_RESULT_SUCCEEDED : SIM_RESULT_FAILED;
}

static void
add_job (SimTasks *tasks, guint number, gint64 duration, gint64 start)
{
  /* the first seven have every type and every outcome; later seven the outcomes with other types */
  static const SimResult outcomes[SIM_JOB_N_TYPES] = {
    SIM_RESULT_SUCCEEDED, SIM_RESULT_PARTLY,    SIM_RESULT_FAILED, SIM_RESULT_SUCCEEDED,
    SIM_RESULT_SUCCEEDED, SIM_RESULT_SUCCEEDED, SIM_RESULT_NONE,
  };
  SimTask *task = add_generated (tasks, SIM_TASK_JOB, JOB_BASE, number, duration, start);

  task->type = 1 + (int) (number % SIM_JOB_N_TYPES);
  set_result (task, outcomes[(number + number / SIM_JOB_N_TYPES) % SIM_JOB_N_TYPES]);
}

SimTasks *
sim_tasks_new (const SimTaskCounts *counts, gint64 duration, gint64 start)
{
  SimTasks *tasks = g_new0 (SimTasks, 1);
  const struct {
    guint count;
    void (*add) (SimTasks *, guint, gint64, gint64);
  } makers[] = {
    { counts->shares, add_share_task },
    { counts->imports, add_import_task },
    { counts->transfers, add_transfer_task },
    { counts->jobs, add_job },
  };

  tasks->all = g_ptr_array_new_with_free_func (task_free);
  tasks->by_id = g_hash_table_new (g_str_hash, g_str_equal);
  add_sample (tasks, SIM_TASK_SHARE, "1521827471237047552", "1537770199275722241", "share-taskDetail.json");
  add_sample (tasks, SIM_TASK_BASIC, "1215215", NULL, "task-result.json");
  for (guint i = 0; i < G_N_ELEMENTS (makers); i++)
    for (guint number = 0; number < makers[i].count; number++)
      makers[i].add (tasks, number, duration, start);
  return tasks;
}

void
sim_tasks_free (SimTasks *tasks)
{
  if (tasks == NULL)
    return;
  g_hash_table_unref (tasks->by_id);
  g_ptr_array_unref (tasks->all);
  g_free (tasks);
}

guint
sim_tasks_count (const SimTasks *tasks)
{
  return tasks->all->len;
}

const SimTask *
sim_tasks_nth (const SimTasks *tasks, guint index)
{
  return tasks->all->pdata[index];
}

SimTask *
sim_tasks_lookup (const SimTasks *tasks, const char *task_id)
{
  return g_hash_table_lookup (tasks->by_id, task_id);
}

SimTask *
sim_tasks_find (const SimTasks *tasks, SimTaskKind kind, const char *task_id, const char *share_id)
{
  SimTask *task = sim_tasks_lookup (tasks, task_id);

  if (task == NULL || task->kind != kind)
    return NULL;
  if (kind == SIM_TASK_SHARE && g_strcmp0 (task->share_id, share_id) != 0)
    return NULL;
  return task;
}

gboolean
sim_task_cancel (SimTask *task, gint64 now)
{
  gint64 none = G_MAXINT64;

  return now < task->ends && atomic_compare_exchange_strong (&task->canceled, &none, now);
}

SimState
sim_task_state (const SimTask *task, gint64 now)
{
  SimState state = { SIM_STATUS_PENDING, SIM_RESULT_NONE, 0, 0, 0 };
  gboolean to_cancel = task->result == SIM_RESULT_NONE;
  int last = to_cancel ? 60 : 100; /* where progress stops */
  gint64 canceled = atomic_load (&task->canceled);
  gint64 at = MIN (now, canceled); /* where it stands still */

  if (at >= task->begins) {
    state.status = SIM_STATUS_RUNNING;
    state.begun = task->begins;
    state.progress = at >= task->ends ? last : (int) ((at - task->begins) * last / (task->ends - task->begins));
  }
  if (at >= task->ends) {
    gboolean failed = task->kind == SIM_TASK_BASIC && task->result == SIM_RESULT_FAILED;
    state.status = to_cancel ? SIM_STATUS_CANCELED : failed ? SIM_STATUS_FAILED : SIM_STATUS_COMPLETED;
    state.result = task->result;
    state.ended = task->ends;
  } else if (canceled <= now) {
    state.status = SIM_STATUS_CANCELED;
    state.ended = canceled;
  }
  return state;
}

gboolean
sim_task_file_fails (const SimTask *task, guint file)
{
  return task->result == SIM_RESULT_FAILED || (task->result == SIM_RESULT_PARTLY && file % 2 == 1);
}

int
sim_status_number (SimStatus status)
{
  /* canceled for share tasks and jobs, failed for basic tasks: no family has both */
  return status == SIM_STATUS_FAILED ? 3 : (int) status;
}

static const char *const kind_words[SIM_N_KINDS] = {
  [SIM_TASK_SHARE] = "share",
  [SIM_TASK_BASIC] = "basic",
  [SIM_TASK_JOB] = "job",
};

char *
sim_tasks_watch_list (const SimTasks *tasks)
{
  GString *list = g_string_new (NULL);

  for (guint i = 0; i < tasks->all->len; i++) {
    const SimTask *task = tasks->all->pdata[i];
    g_string_append (list, kind_words[task->kind]);
    if (task->share_id != NULL)
      g_string_append_printf (list, " %s", task->share_id);
    g_string_append_printf (list, " %s\n", task->task_id);
  }
  return g_string_free (list, FALSE);
}

cJSON *
sim_tasks_list (const SimTasks *tasks, gint64 now)
{
  static const char *const words[] = {
    [SIM_STATUS_PENDING] = "pending",   [SIM_STATUS_RUNNING] = "running", [SIM_STATUS_COMPLETED] = "completed",
    [SIM_STATUS_CANCELED] = "canceled", [SIM_STATUS_FAILED] = "failed",
  };
  cJSON *response = cJSON_CreateObject ();
  cJSON *list = cJSON_AddArrayToObject (response, "tasks");

  for (guint i = 0; i < tasks->all->len; i++) {
    const SimTask *task = tasks->all->pdata[i];
    cJSON *item = cJSON_CreateObject ();
    sim_json_add_string (item, "kind", kind_words[task->kind]);
    sim_json_add_string (item, "taskId", task->task_id);
    sim_json_add_string (item, "shareId", task->share_id);
    cJSON_AddNumberToObject (item, "taskType", task->type);
    cJSON_AddBoolToObject (item, "generated", task->sample == NULL);
    if (task->sample == NULL) {
      SimState state = sim_task_state (task, now);
      sim_json_add_string (item, "status", words[state.status]);
      cJSON_AddNumberToObject (item, "progress", state.progress);
    }
    cJSON_AddItemToArray (list, item);
  }
  return response;
}
