/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

/* Makes sure that one can mount on PATH: a directory, and no kootaskfs mounted there already. Dead kootaskfs mounts
 * ("Transport endpoint is not connected") are cleared. Forks: to be called before there are threads. Ends within
 * seconds whatever is mounted there. Returns the absolute path without links, (transfer full), or NULL and
 * KT_ERROR_MOUNT. */
char *kt_mountpoint_prepare (const char *path, GError **error);
