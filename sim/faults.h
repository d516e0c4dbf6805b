/* SPDX-License-Identifier: MIT */
#pragma once

#include "response.h"
#include "request.h"

#include <gio/gio.h>

/* Faults that a test has ordered.
 *
 * A fault matches requests by endpoint and task. It lets the first `after` of them pass, whatever other faults do to
 * them, and strikes the next `times` that no earlier fault has struck; so two faults without `after` strike one after
 * the other. Delays are apart from that: they add up, and go together with one fault of another kind.
 *
 * The caller holds the lock for every function on SimFaults. */
typedef struct SimFaults SimFaults;
typedef struct SimFault SimFault;

/* What strikes one request. */
typedef struct {
  SimFault *fault; /* the one that is not a delay, or NULL */
  gint64 delay;    /* milliseconds to wait on top of the latency */
} SimStroke;

SimFaults *sim_faults_new (void);
void sim_faults_free (SimFaults *faults);

/* A fault from its JSON text; an error's message names the field and what was expected. (transfer full) */
SimFault *sim_fault_parse (GBytes *text, GError **error);
void sim_fault_unref (SimFault *fault);

/* Takes FAULT; gives its id, or 0 when there are too many already. */
guint sim_faults_add (SimFaults *faults, SimFault *fault);
void sim_faults_clear (SimFaults *faults);
/* The response of GET /_sim/faults; used up faults are in it with remaining 0. (transfer full) */
cJSON *sim_faults_list (const SimFaults *faults);

/* Moves all counts on for a request and gives what strikes it; stroke->fault is (transfer full). */
void sim_faults_strike (SimFaults *faults, const SimRequest *req, SimStroke *stroke);

/* Turns the normal RESPONSE into the faulty one. Needs no lock. */
void sim_fault_apply (const SimFault *fault, SimResponse *response);
/* Such as "reset"; for a stroke of delays only "delay", for none NULL. Needs no lock. */
const char *sim_stroke_name (const SimStroke *stroke);
