/* SPDX-License-Identifier: MIT */
/* One HTTP request as it came in, and what it asks for. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "json.h"

#define SIM_SERVICE_BODY_MAX (1024u * 1024)
#define SIM_ADMIN_BODY_MAX   (64u * 1024 * 1024)

typedef enum {
  SIM_CALL_SHARE_DETAIL,
  SIM_CALL_TASK_RESULT,
  SIM_CALL_OTHER, /* anything the simulator does not know: also a known path with the wrong method */
} SimCall;
#define SIM_N_CALLS (SIM_CALL_OTHER + 1)

typedef struct {
  char *name;
  char *value;
} SimPair;

typedef struct {
  gint64 at; /* arrival, microseconds since the epoch */
  char *method;
  char *path;         /* percent-decoded */
  char *query;        /* as sent, without "?"; "" when there is none */
  GPtrArray *headers; /* SimPair, in the order sent */
  GPtrArray *args;    /* SimPair, decoded query arguments */
  GByteArray *body;
  gsize body_max;
  bool body_too_big; /* the rest of the body was thrown away */

  /* filled by sim_request_identify () */
  SimCall call;
  const char *right_method; /* set when the path is known but the method is another than this */
  cJSON *json;              /* the parsed body of a POST, or NULL */
  char *task_id;            /* as far as it can be made out, also in a malformed request; or NULL */
  char *share_id;
} SimRequest;

/* A new request; @uri is the raw target with its query. (transfer full) */
SimRequest *sim_request_new (const char *uri);
/* Accepts NULL. */
void sim_request_free (SimRequest *req);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SimRequest, sim_request_free)

/* Appends a copy to one of the lists of pairs; @value may be NULL (an argument without "="). */
void sim_request_add_pair (GPtrArray *pairs, const char *name, const char *value);
/* Appends to the body, up to body_max; beyond it sets body_too_big and forgets the body. */
void sim_request_add_body (SimRequest *req, const char *data, gsize size);

/* The first header of that name, in any letter case, or NULL. (transfer none) */
const char *sim_request_header (const SimRequest *req, const char *name);
/* The first query argument of exactly that name, or NULL. (transfer none) */
const char *sim_request_arg (const SimRequest *req, const char *name);

/* Works out call, task and share from the complete request. Judges nothing: that is for checks.c. */
void sim_request_identify (SimRequest *req);

/* "share/taskDetail", "task/result" or "other". */
const char *sim_call_name (SimCall call);
/* The call of that name; false when there is none. */
bool sim_call_from_name (const char *name, SimCall *call);
