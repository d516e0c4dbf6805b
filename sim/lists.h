/* SPDX-License-Identifier: MIT */
#pragma once

#include "response.h"
#include "request.h"
#include "shapes.h"
#include "tasks.h"

/* GET /task/list and GET /jobs: the page that REQ asks for, as of its time and in so far as SHAPES change what is on
 * it. NULL, and RESPONSE filled, when its arguments are wrong. (transfer full) */
cJSON *sim_lists_tasks (const SimTasks *tasks, const SimRequest *req, SimShapes shapes, SimResponse *response);
cJSON *sim_lists_jobs (const SimTasks *tasks, const SimRequest *req, SimShapes shapes, SimResponse *response);
