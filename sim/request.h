/* SPDX-License-Identifier: MIT */
#pragma once

#include "json.h"

#include <glib.h>

#define SIM_SERVICE_BODY_MAX (1024u * 1024)
#define SIM_ADMIN_BODY_MAX   (64u * 1024 * 1024)

typedef enum {
  SIM_ENDPOINT_SHARE_DETAIL,
  SIM_ENDPOINT_TASK_RESULT,
  SIM_ENDPOINT_TASK_LIST,
  SIM_ENDPOINT_JOBS,
  SIM_ENDPOINT_CANCEL,
  SIM_ENDPOINT_REFRESH,
  SIM_ENDPOINT_TASK,
  SIM_ENDPOINT_JOB,
  SIM_ENDPOINT_PACKAGE, /* no endpoint of the service: what a downloadUrl leads to */
  SIM_ENDPOINT_OTHER,   /* anything the simulator does not know: also a known path with the wrong method */
} SimEndpoint;
#define SIM_N_ENDPOINTS (SIM_ENDPOINT_OTHER + 1)

typedef struct {
  char *name;
  char *value;
} SimPair;

/* One HTTP request as it came in, and what it asks for. */
typedef struct {
  gint64 at; /* arrival by the server's clock, microseconds since the epoch */
  char *method;
  char *path;         /* percent-decoded */
  char *raw_path;     /* as sent */
  char *query;        /* as sent, without "?"; "" when there is none */
  GPtrArray *headers; /* SimPair, in the order sent */
  GPtrArray *args;    /* SimPair, decoded query arguments */
  GByteArray *body;
  gsize body_max;
  gboolean body_too_big; /* the rest of the body was thrown away */

  /* filled by sim_request_identify() */
  SimEndpoint endpoint;
  const char *right_method; /* set when the path is known but the method is none of these */
  cJSON *json;              /* the parsed body of a POST, or NULL */
  char *task_id;            /* or the job's, as far as it can be made out, also in a malformed request; or NULL */
  char *share_id;
} SimRequest;

/* A new request that came in at AT; URI is the raw target with its query. (transfer full) */
SimRequest *sim_request_new (const char *uri, gint64 at);
/* Accepts NULL. */
void sim_request_free (SimRequest *req);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SimRequest, sim_request_free)

/* A list of SimPair. (transfer full) */
GPtrArray *sim_pairs_new (void);
/* Appends a copy to one of the lists of pairs; VALUE may be NULL (an argument without "="). */
void sim_request_add_pair (GPtrArray *pairs, const char *name, const char *value);
/* Appends to the body, up to body_max; beyond it sets body_too_big and forgets the body. */
void sim_request_add_body (SimRequest *req, const char *data, gsize size);

/* The first header of that name, in any letter case, or NULL. (transfer none) */
const char *sim_request_header (const SimRequest *req, const char *name);
/* The first query argument of exactly that name, or NULL. (transfer none) */
const char *sim_request_arg (const SimRequest *req, const char *name);

/* Works out endpoint, task and share from the complete request. Judges nothing: that is for checks.c. */
void sim_request_identify (SimRequest *req);

/* Such as "share/taskDetail"; "other" for SIM_ENDPOINT_OTHER. */
const char *sim_endpoint_name (SimEndpoint endpoint);
/* All names with commas between, for messages. (transfer full) */
char *sim_endpoint_names (void);
/* Under what tests may put a response in place of the endpoint's own: the task's id for a detail or result, the
 * endpoint's name for a list; NULL for other endpoints. (transfer none) */
const char *sim_request_override_key (const SimRequest *req);
/* The endpoint of that name; FALSE when there is none. */
gboolean sim_endpoint_from_name (const char *name, SimEndpoint *endpoint);
