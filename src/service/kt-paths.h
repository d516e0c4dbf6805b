/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

/* What every path begins with, after the service's address. */
#define KT_SERVICE_PATH "/koodrive/ose/v1/"

/* The paths of the endpoints, after that. An id comes after KT_PATH_TASK, and right after KT_SERVICE_PATH. */
#define KT_PATH_SHARE_DETAIL "share/taskDetail"
#define KT_PATH_TASK         "task"
#define KT_PATH_TASK_RESULT  "task/result"
#define KT_PATH_TASK_LIST    "task/list"
#define KT_PATH_JOBS         "jobs"
#define KT_PATH_CANCEL       "cancel"
#define KT_PATH_REFRESH      "session/refresh"

/* Whether WORD is part of a path of the service, in whatever case: as an id in a path it would be another endpoint,
 * so no task that is asked for by its path has it. */
gboolean kt_path_has_word (const char *word);
