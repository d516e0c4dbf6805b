/* SPDX-License-Identifier: MIT */
/* The endpoints of the service: from a request that the checks let pass to its document. */
#include "api.h"

#include "lists.h"
#include "reply.h"

/* A document that says no more than that it went well. (transfer full) */
static cJSON *
build_success (void)
{
  cJSON *document = cJSON_CreateObject ();

  cJSON_AddNumberToObject (document, "code", 0);
  sim_json_add_string (document, "msg", "Success.");
  return document;
}

static cJSON *
refresh_session (Sim *sim, const SimRequest *req)
{
  g_autofree char *token = sim_auth_renew (sim->auth, req->at);
  g_autofree char *value = g_strconcat ("Bearer ", token, NULL);
  cJSON *document = cJSON_CreateObject ();

  sim_json_add_string (document, "code", "0");
  sim_json_add_string (document, "msg", "Success.");
  sim_json_add_string (document, "accessToken", value);
  return document;
}

/* The document of an endpoint about one task. (transfer full) */
static cJSON *
build_task_document (const Sim *sim, const SimRequest *req, SimShapes shapes, const SimTask *task)
{
  g_autofree char *url =
      sim_packages_make_link (sim->packages, task, req->at, sim_shapes_has (shapes, SIM_SHAPE_URL_EXPIRED));

  if (req->endpoint == SIM_ENDPOINT_SHARE_DETAIL)
    return sim_reply_share (task, req->at, url);
  if (req->endpoint == SIM_ENDPOINT_JOB)
    return sim_reply_job (task, req->at, url);
  if (req->endpoint == SIM_ENDPOINT_TASK)
    return sim_reply_task (task, req->at);
  return sim_reply_result (task, req->at);
}

/* Takes DOCUMENT. */
static void
respond_document (const SimRequest *req, SimShapes shapes, SimResponse *response, cJSON *document)
{
  guint status = sim_shapes_has (shapes, SIM_SHAPE_STATUS_203) ? 203 : 200;

  sim_shapes_apply (shapes, req->endpoint, document);
  sim_response_set (response, status, SIM_JSON_TYPE, sim_json_print (document, FALSE));
}

static void
respond_sample (const SimRequest *req, SimShapes shapes, SimResponse *response, GBytes *sample)
{
  gsize size;
  const char *text = g_bytes_get_data (sample, &size);

  if (shapes != 0)
    respond_document (req, shapes, response, sim_json_parse (text, size));
  else
    sim_response_set (response, 200, SIM_JSON_TYPE, g_bytes_ref (sample));
}

/* Serves an endpoint about one task of that kind. */
static SimRefusal
respond_task (Sim *sim, const SimRequest *req, SimShapes shapes, SimTaskKind kind, SimResponse *response)
{
  SimTask *task = sim_tasks_find (sim->tasks, kind, req->task_id, req->share_id);

  if (task == NULL) {
    sim_response_set_error (response, 400, SIM_CODE_NOT_FOUND, "The requested resource does not exist.");
    return SIM_REFUSAL_NOT_FOUND;
  }
  if (req->endpoint == SIM_ENDPOINT_CANCEL) {
    if (sim_task_cancel (task, req->at))
      respond_document (req, shapes, response, build_success ());
    else
      sim_response_set_error (response, 400, SIM_CODE_BAD_REQUEST, "The job has ended.");
  } else if (req->endpoint == SIM_ENDPOINT_TASK_RESULT && sim_shapes_has (shapes, SIM_SHAPE_RESULT_BROKEN)) {
    sim_response_set (response, 200, SIM_JSON_TYPE, sim_tasks_load_sample ("task-result.broken.json"));
  } else if (task->sample != NULL && req->endpoint != SIM_ENDPOINT_TASK) {
    respond_sample (req, shapes, response, task->sample);
  } else {
    respond_document (req, shapes, response, build_task_document (sim, req, shapes, task));
  }
  return SIM_REFUSAL_NONE;
}

static SimRefusal
respond_list (Sim *sim, const SimRequest *req, SimShapes shapes, SimResponse *response)
{
  gboolean jobs = req->endpoint == SIM_ENDPOINT_JOBS;
  cJSON *document =
      jobs ? sim_lists_jobs (sim->tasks, req, shapes, response) : sim_lists_tasks (sim->tasks, req, shapes, response);

  if (document == NULL)
    return SIM_REFUSAL_BODY;
  respond_document (req, shapes, response, document);
  return SIM_REFUSAL_NONE;
}

SimRefusal
sim_api_respond (Sim *sim, const SimRequest *req, SimShapes shapes, SimResponse *response)
{
  switch (req->endpoint) {
  case SIM_ENDPOINT_SHARE_DETAIL: return respond_task (sim, req, shapes, SIM_TASK_SHARE, response);
  case SIM_ENDPOINT_TASK_RESULT:
  case SIM_ENDPOINT_TASK: return respond_task (sim, req, shapes, SIM_TASK_BASIC, response);
  case SIM_ENDPOINT_JOB:
  case SIM_ENDPOINT_CANCEL: return respond_task (sim, req, shapes, SIM_TASK_JOB, response);
  case SIM_ENDPOINT_TASK_LIST:
  case SIM_ENDPOINT_JOBS: return respond_list (sim, req, shapes, response);
  case SIM_ENDPOINT_REFRESH: respond_document (req, shapes, response, refresh_session (sim, req)); break;
  case SIM_ENDPOINT_PACKAGE:
  case SIM_ENDPOINT_OTHER: break;
  }
  return SIM_REFUSAL_NONE;
}
