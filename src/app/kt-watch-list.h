/* SPDX-License-Identifier: MIT */
#pragma once

#include "model/kt-key.h"

/* The watch list: a line a task, `share SHAREID TASKID` or `basic TASKID`, `#` begins a comment. ORIGIN is the
 * file's name for errors (KT_ERROR_CONFIG, with the line's number and what was expected). Returns the tasks in order,
 * KtKey, (transfer full). */
GPtrArray *kt_watch_list_parse (const char *text, const char *origin, GError **error);

/* The same of a file. */
GPtrArray *kt_watch_list_load (const char *path, GError **error);

/* Calls CHANGED in the default main context whenever the file has been written or replaced (inotify). NULL and
 * KT_ERROR_CONFIG when that cannot be told. (transfer full) */
typedef struct KtFileWatch KtFileWatch;
KtFileWatch *kt_file_watch_new (const char *path, void (*changed) (gpointer data), gpointer data, GError **error);
void kt_file_watch_free (KtFileWatch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtFileWatch, kt_file_watch_free)
