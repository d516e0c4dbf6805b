/* SPDX-License-Identifier: MIT */
#pragma once

#include "checks.h"
#include "request.h"

/* The log of requests to the service and the counters. The caller holds the lock for every function. */
typedef struct SimJournal SimJournal;
typedef struct SimEntry SimEntry; /* one request in the log; outlives sim_journal_reset() while its request is served */

/* What the journal remembers about a TCP connection; zeroed for a new one. */
typedef struct {
  guint64 counted; /* the epoch in which it was counted, 0 = never */
} SimPeer;

SimJournal *sim_journal_new (void);
void sim_journal_free (SimJournal *journal);

/* Counts and logs a request that has come in on PEER. Every one is to be ended. (transfer full) */
SimEntry *sim_journal_begin (SimJournal *journal, const SimRequest *req, SimPeer *peer);

/* Counts a refusal; NONE is not counted. */
void sim_journal_refuse (SimJournal *journal, SimRefusal refusal);

/* To be called before the response is sent: whoever has a response also finds it in the log. STATUS 0 = nothing is
 * sent. FAULT is the kind of the fault that struck, or NULL. Takes ENTRY. */
void sim_journal_end (SimJournal *journal, SimEntry *entry, guint status, const char *fault);

/* Empties the log and the counters; requests being served stay in inFlight. */
void sim_journal_reset (SimJournal *journal);

/* The responses of /_sim/counters and /_sim/requests, the latter for one task unless TASK_ID is NULL. (transfer
 * full) */
cJSON *sim_journal_counters (const SimJournal *journal);
cJSON *sim_journal_requests (const SimJournal *journal, const char *task_id);
