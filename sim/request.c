/* SPDX-License-Identifier: MIT */
#include "request.h"

#include <string.h>

static const struct {
  const char *name;
  const char *method;
  const char *path;
} calls[SIM_N_CALLS] = {
  [SIM_CALL_SHARE_DETAIL] = { "share/taskDetail", "POST", "/koodrive/ose/v1/share/taskDetail" },
  [SIM_CALL_TASK_RESULT] = { "task/result", "GET", "/koodrive/ose/v1/task/result" },
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

SimRequest *
sim_request_new (const char *uri)
{
  SimRequest *req = g_new0 (SimRequest, 1);
  const char *query = strchr (uri, '?');
  req->at = g_get_real_time ();
  req->query = g_strdup (query != NULL ? query + 1 : "");
  req->headers = g_ptr_array_new_with_free_func (pair_free);
  req->args = g_ptr_array_new_with_free_func (pair_free);
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
    req->body_too_big = true;
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

void
sim_request_identify (SimRequest *req)
{
  const char *task_id = NULL;

  for (SimCall call = 0; call < SIM_CALL_OTHER; call++) {
    if (strcmp (req->path, calls[call].path) != 0)
      continue;
    if (strcmp (req->method, calls[call].method) == 0)
      req->call = call;
    else
      req->right_method = calls[call].method;
  }

  if (req->call == SIM_CALL_SHARE_DETAIL) {
    req->json = sim_json_parse (req->body->data, req->body->len);
    task_id = sim_json_get_string (req->json, "taskId");
    req->share_id = g_strdup (sim_json_get_string (req->json, "shareId"));
  } else if (req->call == SIM_CALL_TASK_RESULT) {
    /* the documents have both spellings */
    task_id = sim_request_arg (req, "taskId");
    if (task_id == NULL)
      task_id = sim_request_arg (req, "taskid");
  }
  req->task_id = g_strdup (task_id);
}

const char *
sim_call_name (SimCall call)
{
  return calls[call].name;
}

bool
sim_call_from_name (const char *name, SimCall *call)
{
  for (guint i = 0; i < SIM_N_CALLS; i++)
    if (strcmp (name, calls[i].name) == 0) {
      *call = (SimCall) i;
      return true;
    }
  return false;
}
