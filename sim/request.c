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
} endpoints[SIM_N_ENDPOINTS] = {
  [SIM_ENDPOINT_SHARE_DETAIL] = { "share/taskDetail", "POST", API "share/taskDetail" },
  [SIM_ENDPOINT_TASK_RESULT] = { "task/result", "GET", API "task/result" },
  [SIM_ENDPOINT_TASK_LIST] = { "task/list", "GET", API "task/list" },
  [SIM_ENDPOINT_JOBS] = { "jobs", "GET", API "jobs" },
  [SIM_ENDPOINT_CANCEL] = { "cancel", "POST", API "cancel" },
  [SIM_ENDPOINT_REFRESH] = { "session/refresh", "POST", API "session/refresh" },
  [SIM_ENDPOINT_TASK] = { "task", "GET", API "task/*" },
  [SIM_ENDPOINT_JOB] = { "job", "GET", API "*" },
  [SIM_ENDPOINT_PACKAGE] = { "package", "GET, HEAD", "/packages/*" },
  [SIM_ENDPOINT_OTHER] = { "other", NULL, NULL },
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
  req->endpoint = SIM_ENDPOINT_OTHER;
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
  SimEndpoint endpoint = 0;

  while (endpoint < SIM_ENDPOINT_OTHER && !path_fits (req->path, endpoints[endpoint].path, &task_id))
    endpoint++;
  g_auto (GStrv) methods =
      g_strsplit (endpoint != SIM_ENDPOINT_OTHER ? endpoints[endpoint].methods : req->method, ", ", -1);
  if (!g_strv_contains ((const char *const *) methods, req->method)) {
    req->right_method = endpoints[endpoint].methods;
    return;
  }

  req->endpoint = endpoint;
  if (strcmp (req->method, "POST") == 0)
    req->json = sim_json_parse (req->body->data, req->body->len);
  if (endpoint == SIM_ENDPOINT_SHARE_DETAIL) {
    task_id = sim_json_get_string (req->json, "taskId");
    req->share_id = g_strdup (sim_json_get_string (req->json, "shareId"));
  } else if (endpoint == SIM_ENDPOINT_CANCEL) {
    task_id = sim_json_get_string (req->json, "jobId");
  } else if (endpoint == SIM_ENDPOINT_TASK_RESULT) {
    /* the documents have both spellings */
    task_id = sim_request_arg (req, "taskId");
    if (task_id == NULL)
      task_id = sim_request_arg (req, "taskid");
  }
  if (endpoint != SIM_ENDPOINT_PACKAGE)
    req->task_id = g_strdup (task_id);
  else if (g_str_has_suffix (task_id, ".zip"))
    req->task_id = g_strndup (task_id, strlen (task_id) - strlen (".zip"));
}

const char *
sim_request_override_key (const SimRequest *req)
{
  switch (req->endpoint) {
  case SIM_ENDPOINT_SHARE_DETAIL:
  case SIM_ENDPOINT_TASK_RESULT:
  case SIM_ENDPOINT_TASK:
  case SIM_ENDPOINT_JOB: return req->task_id;
  case SIM_ENDPOINT_TASK_LIST:
  case SIM_ENDPOINT_JOBS: return sim_endpoint_name (req->endpoint);
  case SIM_ENDPOINT_CANCEL:
  case SIM_ENDPOINT_REFRESH:
  case SIM_ENDPOINT_PACKAGE:
  case SIM_ENDPOINT_OTHER: break;
  }
  return NULL;
}

const char *
sim_endpoint_name (SimEndpoint endpoint)
{
  return endpoints[endpoint].name;
}

char *
sim_endpoint_names (void)
{
  const char *names[SIM_N_ENDPOINTS + 1] = { NULL };

  for (guint i = 0; i < SIM_N_ENDPOINTS; i++)
    names[i] = endpoints[i].name;
  return g_strjoinv (", ", (char **) names);
}

gboolean
sim_endpoint_from_name (const char *name, SimEndpoint *endpoint)
{
  for (guint i = 0; i < SIM_N_ENDPOINTS; i++)
    if (strcmp (name, endpoints[i].name) == 0) {
      *endpoint = (SimEndpoint) i;
      return TRUE;
    }
  return FALSE;
}
