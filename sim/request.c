/* SPDX-License-Identifier: MIT */
/* One HTTP request as it came in, and what it asks for. */
#include "request.h"

#include <string.h>

#define API "/koodrive/ose/v1/"

/* The first path that fits counts, so those with a variable segment, shown as "*", come last. */
static const struct {
  const char *name;
  const char *methods;
  const char *path;
} calls[SIM_N_CALLS] = {
  [SIM_CALL_SHARE_DETAIL] = { "share/taskDetail", "POST", API "share/taskDetail" },
  [SIM_CALL_TASK_RESULT] = { "task/result", "GET", API "task/result" },
  [SIM_CALL_TASK_LIST] = { "task/list", "GET", API "task/list" },
  [SIM_CALL_JOBS] = { "jobs", "GET", API "jobs" },
  [SIM_CALL_CANCEL] = { "cancel", "POST", API "cancel" },
  [SIM_CALL_REFRESH] = { "session/refresh", "POST", API "session/refresh" },
  [SIM_CALL_TASK] = { "task", "GET", API "task/*" },
  [SIM_CALL_JOB] = { "job", "GET", API "*" },
  [SIM_CALL_PACKAGE] = { "package", "GET, HEAD", "/packages/*" },
  [SIM_CALL_OTHER] = { "other", NULL, NULL },
};

static void
pair_free (void *data)
{
  SimPair *pair = data;
  g_free (pair->name);
  g_free (pair->value);
  g_free (pair);
}

GPtrArray *
sim_pairs_new (void)
{
  return g_ptr_array_new_with_free_func (pair_free);
}

SimRequest *
sim_request_new (const char *uri, gint64 at)
{
  SimRequest *req = g_new0 (SimRequest, 1);
  gsize length = strcspn (uri, "?");
  req->at = at;
  req->raw_path = g_strndup (uri, length);
  req->query = g_strdup (uri[length] != '\0' ? uri + length + 1 : "");
  req->headers = sim_pairs_new ();
  req->args = sim_pairs_new ();
  req->body = g_byte_array_new ();
  req->call = SIM_CALL_OTHER;
  return req;
}

void
sim_request_free (SimRequest *req)
{
  if (req == NULL)
    return;
  g_free (req->method);
  g_free (req->path);
  g_free (req->raw_path);
  g_free (req->query);
  g_ptr_array_unref (req->headers);
  g_ptr_array_unref (req->args);
  g_byte_array_unref (req->body);
  cJSON_Delete (req->json);
  g_free (req->task_id);
  g_free (req->share_id);
  g_free (req);
}

void
sim_request_add_pair (GPtrArray *pairs, const char *name, const char *value)
{
  SimPair *pair = g_new0 (SimPair, 1);
  pair->name = g_strdup (name);
  pair->value = g_strdup (value != NULL ? value : "");
  g_ptr_array_add (pairs, pair);
}

void
sim_request_add_body (SimRequest *req, const char *data, gsize size)
{
  if (req->body_too_big)
    return;
  if (size > req->body_max - req->body->len) {
    req->body_too_big = TRUE;
    g_byte_array_set_size (req->body, 0);
    return;
  }
  g_byte_array_append (req->body, (const guint8 *) data, (guint) size);
}

const char *
sim_request_header (const SimRequest *req, const char *name)
{
  for (guint i = 0; i < req->headers->len; i++) {
    const SimPair *pair = req->headers->pdata[i];
    if (g_ascii_strcasecmp (pair->name, name) == 0)
      return pair->value;
  }
  return NULL;
}

const char *
sim_request_arg (const SimRequest *req, const char *name)
{
  for (guint i = 0; i < req->args->len; i++) {
    const SimPair *pair = req->args->pdata[i];
    if (strcmp (pair->name, name) == 0)
      return pair->value;
  }
  return NULL;
}

/* Whether PATH fits PATTERN; gives what stands for its "*" in *SEGMENT, untouched when there is none. */
static gboolean
path_fits (const char *path, const char *pattern, const char **segment)
{
  gsize fixed = strcspn (pattern, "*");

  if (pattern[fixed] == '\0')
    return strcmp (path, pattern) == 0;
  if (strncmp (path, pattern, fixed) != 0 || path[fixed] == '\0' || strchr (path + fixed, '/') != NULL)
    return FALSE;
  *segment = path + fixed;
  return TRUE;
}

void
sim_request_identify (SimRequest *req)
{
  const char *task_id = NULL;
  SimCall call = 0;

  while (call < SIM_CALL_OTHER && !path_fits (req->path, calls[call].path, &task_id))
    call++;
  g_auto (GStrv) methods = g_strsplit (call != SIM_CALL_OTHER ? calls[call].methods : req->method, ", ", -1);
  if (!g_strv_contains ((const char *const *) methods, req->method)) {
    req->right_method = calls[call].methods;
    return;
  }

  req->call = call;
  if (strcmp (req->method, "POST") == 0)
    req->json = sim_json_parse (req->body->data, req->body->len);
  if (call == SIM_CALL_SHARE_DETAIL) {
    task_id = sim_json_get_string (req->json, "taskId");
    req->share_id = g_strdup (sim_json_get_string (req->json, "shareId"));
  } else if (call == SIM_CALL_CANCEL) {
    task_id = sim_json_get_string (req->json, "jobId");
  } else if (call == SIM_CALL_TASK_RESULT) {
    /* the documents have both spellings */
    task_id = sim_request_arg (req, "taskId");
    if (task_id == NULL)
      task_id = sim_request_arg (req, "taskid");
  }
  if (call != SIM_CALL_PACKAGE)
    req->task_id = g_strdup (task_id);
  else if (g_str_has_suffix (task_id, ".zip"))
    req->task_id = g_strndup (task_id, strlen (task_id) - strlen (".zip"));
}

const char *
sim_request_override_key (const SimRequest *req)
{
  switch (req->call) {
  case SIM_CALL_SHARE_DETAIL:
  case SIM_CALL_TASK_RESULT:
  case SIM_CALL_TASK:
  case SIM_CALL_JOB: return req->task_id;
  case SIM_CALL_TASK_LIST:
  case SIM_CALL_JOBS: return sim_call_name (req->call);
  case SIM_CALL_CANCEL:
  case SIM_CALL_REFRESH:
  case SIM_CALL_PACKAGE:
  case SIM_CALL_OTHER: break;
  }
  return NULL;
}

const char *
sim_call_name (SimCall call)
{
  return calls[call].name;
}

char *
sim_call_names (void)
{
  const char *names[SIM_N_CALLS + 1] = { NULL };

  for (guint i = 0; i < SIM_N_CALLS; i++)
    names[i] = calls[i].name;
  return g_strjoinv (", ", (char **) names);
}

gboolean
sim_call_from_name (const char *name, SimCall *call)
{
  for (guint i = 0; i < SIM_N_CALLS; i++)
    if (strcmp (name, calls[i].name) == 0) {
      *call = (SimCall) i;
      return TRUE;
    }
  return FALSE;
}
