/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

/* Follows the watch list: reads it, and reads it again when its file has changed. */
typedef struct KtWatchFollow KtWatchFollow;

/* The file has changed: KEYS (KtKey, transfer none) are its tasks now, or ERROR says why it cannot be read. */
typedef void (*KtWatchChanged) (GPtrArray *keys, const GError *error, gpointer data);

/* Watches the file PATH, then reads it, so that no change goes unseen: *KEYS, which is (transfer full), are its
 * tasks. NULL for PATH is a list without tasks, which never changes. NULL and KT_ERROR_CONFIG when the file cannot
 * be read. (transfer full) */
KtWatchFollow *kt_watch_follow_new (const char *path, KtWatchChanged changed, gpointer data, GPtrArray **keys,
                                    GError **error);
void kt_watch_follow_free (KtWatchFollow *follow);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtWatchFollow, kt_watch_follow_free)
