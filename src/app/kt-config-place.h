/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

/* The first of $XDG_CONFIG_HOME/kootaskfs/kootaskfs.conf and /etc/kootaskfs.conf that exists: sets *PATH, or, when
 * neither does, *SEARCHED, which has both in order; (transfer full). FALSE and KT_ERROR_CONFIG
 * when one is there and cannot be reached: the next one is somebody else's, so none is passed over. */
gboolean kt_config_find (char **path, char **searched, GError **error);
