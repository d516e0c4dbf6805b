/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

/* The first of $XDG_CONFIG_HOME/kootaskfs/kootaskfs.conf and /etc/kootaskfs.conf that exists: sets *PATH, or, when
 * neither does, *SEARCHED, which has both in order; (transfer full). One that is there and cannot be reached is
 * KT_ERROR_CONFIG: it must not be passed over, the next one is somebody else's. */
gboolean kt_config_find (char **path, char **searched, GError **error);
