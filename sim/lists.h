/* SPDX-License-Identifier: MIT */
/* The two lists of tasks, a page at a time. */
#pragma once

#include "answer.h"
#include "request.h"
#include "shapes.h"
#include "tasks.h"

/* GET /task/list and GET /jobs: the page that @req asks for, as of its time and
 * in so far as @shapes change what is on it. NULL, and @answer filled, when its
 * arguments are wrong. (transfer full) */
cJSON *sim_lists_tasks (const SimTasks *tasks, const SimRequest *req, SimShapes shapes, SimAnswer *answer);
cJSON *sim_lists_jobs (const SimTasks *tasks, const SimRequest *req, SimShapes shapes, SimAnswer *answer);
