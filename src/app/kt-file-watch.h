/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

/* Calls CHANGED in the default main context whenever one of the files PATHS (absolute, NULL-terminated) has been
 * written or replaced, has got another mode, or is another one because a link or a directory on the way to it has
 * changed (inotify, no timer). A file that is gone is no change, that it is there again is one, unless its directory
 * must not be listed. CHANGED may be called without need, and must not free the watch. NULL and KT_ERROR_CONFIG when
 * they cannot be watched. (transfer full) */
typedef struct KtFileWatch KtFileWatch;
KtFileWatch *kt_file_watch_new (const char *const *paths, void (*changed) (gpointer data), gpointer data,
                                GError **error);
void kt_file_watch_free (KtFileWatch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtFileWatch, kt_file_watch_free)
