/* SPDX-License-Identifier: MIT */
/* The two lists of tasks, a page at a time. */
#include "lists.h"

#include "reply.h"

#define PAGE_MAX 100

/* The argument NAME, or VALUE when it is absent or empty. FALSE, and RESPONSE filled, when it is no number from MIN to
 * MAX. */
static gboolean
get_number (const SimRequest *req, const char *name, guint64 min, guint64 max, guint64 *value, SimResponse *response)
{
  const char *text = sim_request_arg (req, name);

  if (text == NULL || *text == '\0' || g_ascii_string_to_unsigned (text, 10, min, max, value, NULL))
    return TRUE;
  sim_response_set_error (response, 400, SIM_CODE_BAD_PARAMETER,
                          "%s: must be an Integer from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT ".", name, min,
                          max);
  return FALSE;
}

/* Sets in *SET a bit for each number given as NAME, or all bits when there is none: a filter may be given several
 * times. FALSE, and RESPONSE filled, when one is no number from MIN to MAX. */
static gboolean
get_filter (const SimRequest *req, const char *name, guint min, guint max, guint *set, SimResponse *response)
{
  *set = 0;
  for (guint i = 0; i < req->args->len; i++) {
    const SimPair *pair = req->args->pdata[i];
    guint64 number;
    if (g_strcmp0 (pair->name, name) != 0 || *pair->value == '\0')
      continue;
    if (!g_ascii_string_to_unsigned (pair->value, 10, min, max, &number, NULL)) {
      sim_response_set_error (response, 400, SIM_CODE_BAD_PARAMETER, "%s: must be an Integer from %u to %u.", name, min,
                              max);
      return FALSE;
    }
    *set |= 1u << number;
  }
  if (*set == 0)
    *set = G_MAXUINT;
  return TRUE;
}

typedef struct {
  SimTaskKind kind;
  guint types, statuses; /* sets of numbers */
  gint64 now;
} Filter;

/* The index of the first task from INDEX on that passes, or the number of tasks. */
static guint
find_next (const SimTasks *tasks, guint index, const Filter *filter)
{
  for (; index < sim_tasks_count (tasks); index++) {
    const SimTask *task = sim_tasks_nth (tasks, index);
    if (task->kind == filter->kind && (filter->types >> task->type & 1)
        && (filter->statuses >> sim_status_number (sim_task_state (task, filter->now).status) & 1))
      break;
  }
  return index;
}

/* A cursor is twice the index of the first task to come, plus one when the empty page before it has been given. An
 * index, and not a number of tasks, means the same however many the filter lets pass by then. */
cJSON *
sim_lists_tasks (const SimTasks *tasks, const SimRequest *req, SimShapes shapes, SimResponse *response)
{
  gboolean endless = sim_shapes_has (shapes, SIM_SHAPE_CURSOR_ENDLESS);
  gboolean same = sim_shapes_has (shapes, SIM_SHAPE_CURSOR_SAME);
  Filter filter = { .kind = SIM_TASK_BASIC, .now = req->at };
  guint64 size = PAGE_MAX, cursor = 0;
  guint count = sim_tasks_count (tasks);

  if (!get_filter (req, "taskType", 0, 1, &filter.types, response)
      || !get_filter (req, "status", 0, 3, &filter.statuses, response)
      || !get_number (req, "pageSize", 1, PAGE_MAX, &size, response)
      || !get_number (req, "pageCursor", 0, endless ? G_MAXINT32 : 2 * count, &cursor, response))
    return NULL;

  cJSON *page = cJSON_CreateObject ();
  cJSON_AddNumberToObject (page, "code", 0);
  sim_json_add_string (page, "msg", "Success.");
  cJSON *list = cJSON_AddArrayToObject (page, "taskList");
  gboolean empty = sim_shapes_has (shapes, SIM_SHAPE_PAGE_EMPTY) && cursor % 2 == 0;
  guint index = find_next (tasks, endless || same ? 0 : (guint) cursor / 2, &filter);
  for (; index < count && size > 0 && !empty; size--) {
    cJSON_AddItemToArray (list, sim_reply_task_item (sim_tasks_nth (tasks, index), req->at));
    index = find_next (tasks, index + 1, &filter);
  }
  if (index < count || endless || same) {
    guint64 next = endless ? cursor + 2 : same ? 2 : 2 * (guint64) index;
    g_autofree char *text = g_strdup_printf ("%" G_GUINT64_FORMAT, empty ? (cursor | 1) : next);
    sim_json_add_string (page, "nextCursor", text);
  }
  return page;
}

cJSON *
sim_lists_jobs (const SimTasks *tasks, const SimRequest *req, SimShapes shapes, SimResponse *response)
{
  gboolean repeats = sim_shapes_has (shapes, SIM_SHAPE_PAGE_REPEATS);
  Filter filter = { .kind = SIM_TASK_JOB, .now = req->at };
  guint64 limit = PAGE_MAX, offset = 0;
  guint count = sim_tasks_count (tasks);

  if (!get_filter (req, "type", 1, SIM_JOB_N_TYPES, &filter.types, response)
      || !get_filter (req, "status", 0, 3, &filter.statuses, response)
      || !get_number (req, "offset", 0, G_MAXINT32, &offset, response)
      || !get_number (req, "limit", 1, PAGE_MAX, &limit, response))
    return NULL;

  cJSON *page = cJSON_CreateObject ();
  sim_json_add_string (page, "code", "0");
  sim_json_add_string (page, "msg", "Success.");
  cJSON *list = cJSON_AddArrayToObject (page, "data");
  guint first = find_next (tasks, 0, &filter), index = first;
  if (repeats)
    offset = 0;
  for (guint64 passed = 0; index < count && passed < offset + limit; passed++) {
    if (passed >= offset)
      cJSON_AddItemToArray (list, sim_reply_job_item (sim_tasks_nth (tasks, index), req->at));
    index = find_next (tasks, index + 1, &filter);
    if (index == count && repeats)
      index = first; /* as often as it takes to fill the page */
  }
  return page;
}
