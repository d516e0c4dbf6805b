/* SPDX-License-Identifier: MIT */
#pragma once

#include "model/kt-key.h"

/* The watch list: a line a task, of the form of kt_family_line(); `#` begins a comment. ORIGIN
 * is the file's name for errors (KT_ERROR_CONFIG, with the line's number and what was expected). Returns the tasks in
 * order, KtKey, (transfer full). */
GPtrArray *kt_watch_list_parse (const char *text, const char *origin, GError **error);

/* The same of a file. */
GPtrArray *kt_watch_list_load (const char *path, GError **error);
