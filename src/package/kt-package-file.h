/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

/* Opens a temporary file in DIRECTORY, of which no name is left. -1 with KT_ERROR_SERVICE when that fails. */
int kt_package_file_open (const char *directory, GError **error);

/* Writes LENGTH bytes at OFFSET. Errors: KT_ERROR_SERVICE. */
gboolean kt_package_file_write (int fd, gint64 offset, gconstpointer bytes, gsize length, GError **error);

/* The LENGTH bytes at OFFSET, all of which were written, or NULL with KT_ERROR_SERVICE. (transfer full) */
gpointer kt_package_file_read (int fd, gint64 offset, gsize length, GError **error);
