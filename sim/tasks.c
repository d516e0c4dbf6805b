/* SPDX-License-Identifier: MIT */
#include "tasks.h"

#include <gio/gio.h>
#include <string.h>

/* Generated tasks begin in eight slots, an eighth of the duration apart, so that there is always something
 * going on. */
#define N_SLOTS         8
#define TASKS_PER_SHARE 3
/* Ids are 19 digits and beyond 2^53, like the service's; a second apart as snowflakes, so they are distinct
 * by themselves. */
#define SHARE_TASK_BASE  G_GUINT64_CONSTANT (1790000000000000000)
#define SHARE_BASE       G_GUINT64_CONSTANT (1780000000000000000)
#define IMPORT_TASK_BASE G_GUINT64_CONSTANT (1770000000000000000)
#define ID_STEP          (G_GUINT64_CONSTANT (1000) << 22)

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

static void
add_task (SimTasks *tasks, SimTask *task)
{
  g_ptr_array_add (tasks->all, task);
  g_hash_table_insert (tasks->by_id, task->task_id, task);
}

static void
add_sample (SimTasks *tasks, SimTaskKind kind, const char *task_id, const char *share_id, const char *file)
{
  SimTask *task = g_new0 (SimTask, 1);
  g_autofree char *path = g_strconcat ("/koodrive-sim/", file, NULL);

  task->kind = kind;
  task->task_id = g_strdup (task_id);
  task->share_id = g_strdup (share_id);
  task->sample = g_resources_lookup_data (path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
  g_assert (task->sample != NULL); /* it is compiled in */
  add_task (tasks, task);
}

/* Sets when the task is created, begins and ends. */
static void
schedule (SimTask *task, gint64 duration, gint64 start)
{
  guint slot = task->number % N_SLOTS;

  task->created = start;
  if (duration == 0) {
    /* every slot must be over at the start, with some seconds to spare as times in the answers are whole
     * seconds */
    duration = 20 * G_USEC_PER_SEC;
    task->created = start - 60 * G_USEC_PER_SEC;
  }
  task->begins = task->created + slot * duration / N_SLOTS;
  task->ends = task->begins + duration;
}

static void
add_share_task (SimTasks *tasks, guint number, gint64 duration, gint64 start)
{
  /* every eight from the first have every outcome, each time in other slots and with the other type */
  static const SimResult outcomes[] = {
    SIM_RESULT_SUCCEEDED, SIM_RESULT_PARTLY,    SIM_RESULT_SUCCEEDED, SIM_RESULT_FAILED,
    SIM_RESULT_NONE,      SIM_RESULT_SUCCEEDED, SIM_RESULT_PARTLY,    SIM_RESULT_SUCCEEDED,
  };
  SimTask *task = g_new0 (SimTask, 1);

  task->kind = SIM_TASK_SHARE;
  task->number = number;
  task->seed = sim_task_mix (SHARE_TASK_BASE, number);
  task->task_id = make_id (SHARE_TASK_BASE, number);
  task->share_id = make_id (SHARE_BASE, number / TASKS_PER_SHARE);
  task->type = 1 + number % 2;
  task->result = outcomes[(number + number / 8) % G_N_ELEMENTS (outcomes)];
  task->n_files = 1 + task->seed % 5;
  if (task->result == SIM_RESULT_PARTLY)
    task->n_files = MAX (task->n_files, 2); /* one alone cannot fail in part */

  schedule (task, duration, start);
  if (task->result == SIM_RESULT_NONE)
    task->ends = task->begins + (task->ends - task->begins) * 6 / 10; /* somebody cancels it on the way */
  add_task (tasks, task);
}

static void
add_import_task (SimTasks *tasks, guint number, gint64 duration, gint64 start)
{
  SimTask *task = g_new0 (SimTask, 1);

  task->kind = SIM_TASK_BASIC;
  task->number = number;
  task->seed = sim_task_mix (IMPORT_TASK_BASE, number);
  task->task_id = make_id (IMPORT_TASK_BASE, number);
  task->result = number % 4 == 1 ? SIM_RESULT_SUCCEEDED : SIM_RESULT_PARTLY;
  schedule (task, duration, start);
  add_task (tasks, task);
}

SimTasks *
sim_tasks_new (guint n_share, guint n_import, gint64 duration, gint64 start)
{
  SimTasks *tasks = g_new0 (SimTasks, 1);

  tasks->all = g_ptr_array_new_with_free_func (task_free);
  tasks->by_id = g_hash_table_new (g_str_hash, g_str_equal);
  add_sample (tasks, SIM_TASK_SHARE, "1521827471237047552", "1537770199275722241", "share-taskDetail.json");
  add_sample (tasks, SIM_TASK_BASIC, "1215215", NULL, "task-result.json");
  for (guint i = 0; i < n_share; i++)
    add_share_task (tasks, i, duration, start);
  for (guint i = 0; i < n_import; i++)
    add_import_task (tasks, i, duration, start);
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

const SimTask *
sim_tasks_find (const SimTasks *tasks, SimTaskKind kind, const char *task_id, const char *share_id)
{
  const SimTask *task = g_hash_table_lookup (tasks->by_id, task_id);

  if (task == NULL || task->kind != kind)
    return NULL;
  if (kind == SIM_TASK_SHARE && g_strcmp0 (task->share_id, share_id) != 0)
    return NULL;
  return task;
}

SimState
sim_task_state (const SimTask *task, gint64 now)
{
  SimState state = { SIM_STATUS_PENDING, SIM_RESULT_NONE, 0 };
  bool canceled = task->kind == SIM_TASK_SHARE && task->result == SIM_RESULT_NONE;
  int last = canceled ? 60 : 100; /* where progress stops */

  if (now >= task->ends) {
    state.status = canceled ? SIM_STATUS_CANCELED : SIM_STATUS_COMPLETED;
    state.result = task->result;
    state.progress = last;
  } else if (now >= task->begins) {
    state.status = SIM_STATUS_RUNNING;
    state.progress = (int) ((now - task->begins) * last / (task->ends - task->begins));
  }
  return state;
}

char *
sim_tasks_watch_list (const SimTasks *tasks)
{
  GString *list = g_string_new (NULL);

  for (guint i = 0; i < tasks->all->len; i++) {
    const SimTask *task = tasks->all->pdata[i];
    if (task->kind == SIM_TASK_SHARE)
      g_string_append_printf (list, "share %s %s\n", task->share_id, task->task_id);
    else
      g_string_append_printf (list, "basic %s\n", task->task_id);
  }
  return g_string_free (list, FALSE);
}

cJSON *
sim_tasks_list (const SimTasks *tasks, gint64 now)
{
  static const char *const words[] = {
    [SIM_STATUS_PENDING] = "pending",
    [SIM_STATUS_RUNNING] = "running",
    [SIM_STATUS_COMPLETED] = "completed",
    [SIM_STATUS_CANCELED] = "canceled",
  };
  cJSON *answer = cJSON_CreateObject ();
  cJSON *list = cJSON_AddArrayToObject (answer, "tasks");

  for (guint i = 0; i < tasks->all->len; i++) {
    const SimTask *task = tasks->all->pdata[i];
    cJSON *item = cJSON_CreateObject ();
    sim_json_add_string (item, "kind", task->kind == SIM_TASK_SHARE ? "share" : "basic");
    sim_json_add_string (item, "taskId", task->task_id);
    sim_json_add_string (item, "shareId", task->share_id);
    cJSON_AddBoolToObject (item, "generated", task->sample == NULL);
    if (task->sample == NULL) {
      SimState state = sim_task_state (task, now);
      sim_json_add_string (item, "status", words[state.status]);
      cJSON_AddNumberToObject (item, "progress", state.progress);
    }
    cJSON_AddItemToArray (list, item);
  }
  return answer;
}
