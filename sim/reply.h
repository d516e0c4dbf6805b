/* SPDX-License-Identifier: MIT */
/* The service's words about a task. */
#pragma once

#include "tasks.h"

/* The body of a good answer about @task as of @now (microseconds since the epoch). (transfer full) */
GBytes *sim_reply_build (const SimTask *task, gint64 now);
