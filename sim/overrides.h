/* SPDX-License-Identifier: MIT */
#pragma once

#include "response.h"

#define SIM_OVERRIDES_MAX_BYTES (512u * 1024 * 1024) /* of all bodies together */

/* Responses that a test has put in place of the service's own, by task. The caller holds the lock for every function
 * but sim_overrides_expand(). */
typedef struct SimOverrides SimOverrides;

SimOverrides *sim_overrides_new (void);
void sim_overrides_free (SimOverrides *overrides);

/* From now on this is the response about TASK_ID; its requests are counted from 1 again. FALSE when that would be
 * too many bytes. */
gboolean sim_overrides_put (SimOverrides *overrides, const char *task_id, guint status, const char *content_type,
                            GBytes *body);
/* Undoes it; FALSE when there was none. */
gboolean sim_overrides_remove (SimOverrides *overrides, const char *task_id);
void sim_overrides_clear (SimOverrides *overrides);

/* Counts a request for TASK_ID and fills RESPONSE, its body not yet expanded. Gives the number of the request since the
 * PUT, from 1, or 0 and an untouched RESPONSE when nothing was put for that task. */
guint64 sim_overrides_take (SimOverrides *overrides, const char *task_id, SimResponse *response);

/* BODY with every "@N@" replaced by NUMBER. Takes BODY; gives it back when there is none. (transfer full) */
GBytes *sim_overrides_expand (GBytes *body, guint64 number);
