/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

/* Makes sure that one can mount on PATH: a directory, and no kootaskfs living there already. A dead kootaskfs
 * mount ("Transport endpoint is not connected") is cleared. Returns the absolute path, (transfer full), or NULL
 * and KT_ERROR_MOUNT. */
char *kt_mountpoint_prepare (const char *path, GError **error);
