/* SPDX-License-Identifier: MIT */
#pragma once

#include "task.h"

/* Progress bars at the bottom of a terminal, a line a task. */

#define BAR_WIDTH_MAX 200 /* columns that a line takes at the most */

/* The line for TASK in WIDTH columns: id, status, bar and percentage, the last two when they fit. (transfer full) */
char *bar_line (const Task *task, guint width);

/* The lines for TASKS (Task) that still run, as many as fit in HEIGHT rows; if not all do, the last line counts the
 * others. Strings. (transfer full) */
GPtrArray *bar_lines (const GPtrArray *tasks, guint width, guint height);
