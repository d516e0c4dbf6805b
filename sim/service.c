/* SPDX-License-Identifier: MIT */
/* One request to the service from checks to response, with latency, faults and the log. */
#include "service.h"

#include "api.h"

/* What the gateway says to a path that is no endpoint. */
static void
respond_no_api (const SimRequest *req, SimResponse *response)
{
  sim_response_set_gateway_error (response, req->right_method != NULL ? 405 : 404, "APIGW.0101",
                                  "The API does not exist or has not been published in the environment");
  if (req->right_method != NULL)
    sim_response_add_header (response, "Allow", req->right_method);
}

/* Waits; FALSE when the simulator ends before the time is over. */
static gboolean
wait_for (Sim *sim, gint64 milliseconds)
{
  gboolean stopping;

  if (milliseconds <= 0)
    return TRUE;
  gint64 due = g_get_monotonic_time () + milliseconds * 1000;
  g_mutex_lock (&sim->lock);
  while (!sim->stopping && g_cond_wait_until (&sim->stop_cond, &sim->lock, due)) {
  }
  stopping = sim->stopping;
  g_mutex_unlock (&sim->lock);
  return !stopping;
}

/* The response is settled when the request comes in and only then kept back: a slow response is as of the time of
 * its request, and the numbers in overrides are in the order of arrival. Faults come after the checks: they never hide
 * a malformed request. */
gboolean
sim_service_handle (Sim *sim, SimRequest *req, SimPeer *peer, SimResponse *response)
{
  SimStroke stroke = { NULL, -1 };
  SimRefusal refusal = SIM_REFUSAL_NONE;
  guint64 number = 0;

  sim_request_identify (req);
  if (req->endpoint == SIM_ENDPOINT_OTHER)
    respond_no_api (req, response);
  else if (req->endpoint == SIM_ENDPOINT_PACKAGE)
    refusal = sim_packages_check (sim->packages, sim->tasks, req, response);
  else
    refusal = sim_checks_run (req, sim->auth, sim->auth_status, response);

  const char *key = sim_request_override_key (req);
  g_mutex_lock (&sim->lock);
  SimEntry *entry = sim_journal_begin (sim->journal, req, peer);
  SimShapes shapes = sim->shapes;
  if (refusal == SIM_REFUSAL_NONE) {
    sim_faults_strike (sim->faults, req, &stroke);
    if (key != NULL)
      number = sim_overrides_take (sim->overrides, key, response);
  }
  g_mutex_unlock (&sim->lock);

  if (number > 0) {
    response->body = sim_overrides_expand (response->body, number);
  } else if (req->endpoint == SIM_ENDPOINT_PACKAGE) {
    if (refusal == SIM_REFUSAL_NONE)
      sim_packages_respond (sim->packages, sim->tasks, req, shapes, response);
  } else if (req->endpoint != SIM_ENDPOINT_OTHER) {
    if (refusal == SIM_REFUSAL_NONE)
      refusal = sim_api_respond (sim, req, shapes, response);
    sim_shapes_apply_error (shapes, response);
  }
  if (stroke.fault != NULL)
    sim_fault_apply (stroke.fault, response);

  gboolean send = wait_for (sim, sim->latency + MAX (stroke.delay, 0));
  if (send && response->wire == SIM_WIRE_RESET)
    response->status = 0;

  g_mutex_lock (&sim->lock);
  sim_journal_refuse (sim->journal, refusal);
  sim_journal_end (sim->journal, entry, send ? response->status : 0, sim_stroke_name (&stroke));
  g_mutex_unlock (&sim->lock);
  sim_fault_unref (stroke.fault);
  return send;
}
