/* SPDX-License-Identifier: MIT */
#include "service.h"

#include "reply.h"

enum { NOT_FOUND = 13000309 };

/* What the gateway says to a path that is no call of ours. */
static void
answer_no_api (const SimRequest *req, SimAnswer *answer)
{
  sim_answer_set_gateway_error (answer, req->right_method != NULL ? 405 : 404, "APIGW.0101",
                                "The API does not exist or has not been published in the environment");
  answer->allow = g_strdup (req->right_method);
}

/* Answers about a task from the table, which needs no lock. */
static SimRefusal
answer_task (Sim *sim, const SimRequest *req, SimAnswer *answer)
{
  SimTaskKind kind = req->call == SIM_CALL_SHARE_DETAIL ? SIM_TASK_SHARE : SIM_TASK_BASIC;
  const SimTask *task = sim_tasks_find (sim->tasks, kind, req->task_id, req->share_id);

  if (task == NULL) {
    sim_answer_set_error (answer, 400, NOT_FOUND, "The requested resource does not exist.");
    return SIM_REFUSAL_NOT_FOUND;
  }
  sim_answer_set (answer, 200, SIM_JSON_TYPE, sim_reply_build (task, req->at));
  return SIM_REFUSAL_NONE;
}

/* Waits; false when the simulator ends before the time is over. */
static bool
wait_for (Sim *sim, gint64 milliseconds)
{
  bool stopping;

  if (milliseconds <= 0)
    return true;
  gint64 due = g_get_monotonic_time () + milliseconds * 1000;
  g_mutex_lock (&sim->lock);
  while (!sim->stopping && g_cond_wait_until (&sim->stop_cond, &sim->lock, due)) {
  }
  stopping = sim->stopping;
  g_mutex_unlock (&sim->lock);
  return !stopping;
}

/*
 * The answer is settled when the request comes in and only then kept back: a slow answer tells how things
 * were when it was asked for, and the numbers that stored answers carry are in the order of arrival. Faults
 * come after the checks, so that they never hide a malformed request.
 */
bool
sim_service_handle (Sim *sim, SimRequest *req, SimPeer *peer, SimAnswer *answer)
{
  SimStroke stroke = { NULL, -1 };
  SimRefusal refusal = SIM_REFUSAL_NONE;
  guint64 number = 0;

  sim_request_identify (req);
  if (req->call == SIM_CALL_OTHER)
    answer_no_api (req, answer);
  else
    refusal = sim_checks_run (req, sim->token, answer);

  g_mutex_lock (&sim->lock);
  SimEntry *entry = sim_journal_begin (sim->journal, req, peer);
  if (refusal == SIM_REFUSAL_NONE) {
    sim_faults_strike (sim->faults, req, &stroke);
    if (req->call != SIM_CALL_OTHER)
      number = sim_overrides_take (sim->overrides, req->task_id, answer);
  }
  g_mutex_unlock (&sim->lock);

  if (number > 0)
    answer->body = sim_overrides_expand (answer->body, number);
  else if (refusal == SIM_REFUSAL_NONE && req->call != SIM_CALL_OTHER)
    refusal = answer_task (sim, req, answer);
  if (stroke.fault != NULL)
    sim_fault_apply (stroke.fault, answer);

  bool send = wait_for (sim, sim->latency + MAX (stroke.delay, 0));
  if (send && answer->wire == SIM_WIRE_RESET)
    answer->status = 0;

  g_mutex_lock (&sim->lock);
  sim_journal_refuse (sim->journal, refusal);
  sim_journal_end (sim->journal, entry, send ? answer->status : 0, sim_stroke_name (&stroke));
  g_mutex_unlock (&sim->lock);
  sim_fault_unref (stroke.fault);
  return send;
}
