/* SPDX-License-Identifier: MIT */
/* The calls of the service: from a request that the checks let pass to its document. */
#include "api.h"

#include "lists.h"
#include "reply.h"

/* A document that says so much as that it went well. (transfer full) */
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

/* The document of a call about one task. (transfer full) */
static cJSON *
build_task_document (const Sim *sim, const SimRequest *req, SimShapes shapes, const SimTask *task)
{
  g_autofree char *url =
      sim_packages_make_link (sim->packages, task, req->at, sim_shapes_has (shapes, SIM_SHAPE_URL_EXPIRED));

  if (req->call == SIM_CALL_SHARE_DETAIL)
    return sim_reply_share (task, req->at, url);
  if (req->call == SIM_CALL_JOB)
    return sim_reply_job (task, req->at, url);
  if (req->call == SIM_CALL_TASK)
    return sim_reply_task (task, req->at);
  return sim_reply_result (task, req->at);
}

/* Takes DOCUMENT. */
static void
answer_document (const SimRequest *req, SimShapes shapes, SimAnswer *answer, cJSON *document)
{
  guint status = sim_shapes_has (shapes, SIM_SHAPE_STATUS_203) ? 203 : 200;

  sim_shapes_apply (shapes, req->call, document);
  sim_answer_set (answer, status, SIM_JSON_TYPE, sim_json_print (document, FALSE));
}

static void
answer_sample (const SimRequest *req, SimShapes shapes, SimAnswer *answer, GBytes *sample)
{
  gsize size;
  const char *text = g_bytes_get_data (sample, &size);

  if (shapes != 0)
    answer_document (req, shapes, answer, sim_json_parse (text, size));
  else
    sim_answer_set (answer, 200, SIM_JSON_TYPE, g_bytes_ref (sample));
}

/* Answers a call about one task of that kind. */
static SimRefusal
answer_task (Sim *sim, const SimRequest *req, SimShapes shapes, SimTaskKind kind, SimAnswer *answer)
{
  SimTask *task = sim_tasks_find (sim->tasks, kind, req->task_id, req->share_id);

  if (task == NULL) {
    sim_answer_set_error (answer, 400, SIM_CODE_NOT_FOUND, "The requested resource does not exist.");
    return SIM_REFUSAL_NOT_FOUND;
  }
  if (req->call == SIM_CALL_CANCEL) {
    if (sim_task_cancel (task, req->at))
      answer_document (req, shapes, answer, build_success ());
    else
      sim_answer_set_error (answer, 400, SIM_CODE_BAD_REQUEST, "The job has ended.");
  } else if (req->call == SIM_CALL_TASK_RESULT && sim_shapes_has (shapes, SIM_SHAPE_RESULT_BROKEN)) {
    sim_answer_set (answer, 200, SIM_JSON_TYPE, sim_tasks_load_sample ("task-result.broken.json"));
  } else if (task->sample != NULL && req->call != SIM_CALL_TASK) {
    answer_sample (req, shapes, answer, task->sample);
  } else {
    answer_document (req, shapes, answer, build_task_document (sim, req, shapes, task));
  }
  return SIM_REFUSAL_NONE;
}

static SimRefusal
answer_list (Sim *sim, const SimRequest *req, SimShapes shapes, SimAnswer *answer)
{
  gboolean jobs = req->call == SIM_CALL_JOBS;
  cJSON *document =
      jobs ? sim_lists_jobs (sim->tasks, req, shapes, answer) : sim_lists_tasks (sim->tasks, req, shapes, answer);

  if (document == NULL)
    return SIM_REFUSAL_BODY;
  answer_document (req, shapes, answer, document);
  return SIM_REFUSAL_NONE;
}

SimRefusal
sim_api_answer (Sim *sim, const SimRequest *req, SimShapes shapes, SimAnswer *answer)
{
  switch (req->call) {
  case SIM_CALL_SHARE_DETAIL: return answer_task (sim, req, shapes, SIM_TASK_SHARE, answer);
  case SIM_CALL_TASK_RESULT:
  case SIM_CALL_TASK: return answer_task (sim, req, shapes, SIM_TASK_BASIC, answer);
  case SIM_CALL_JOB:
  case SIM_CALL_CANCEL: return answer_task (sim, req, shapes, SIM_TASK_JOB, answer);
  case SIM_CALL_TASK_LIST:
  case SIM_CALL_JOBS: return answer_list (sim, req, shapes, answer);
  case SIM_CALL_REFRESH: answer_document (req, shapes, answer, refresh_session (sim, req)); break;
  case SIM_CALL_PACKAGE:
  case SIM_CALL_OTHER: break;
  }
  return SIM_REFUSAL_NONE;
}
