/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

/* Calls CHANGED in the default main context whenever the file has been written or replaced or has got another mode
 * (inotify). NULL and KT_ERROR_CONFIG when that cannot be told. (transfer full) */
typedef struct KtFileWatch KtFileWatch;
KtFileWatch *kt_file_watch_new (const char *path, void (*changed) (gpointer data), gpointer data, GError **error);
void kt_file_watch_free (KtFileWatch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtFileWatch, kt_file_watch_free)
