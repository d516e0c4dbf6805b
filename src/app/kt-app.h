/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-config.h"
#include "kt-daemon.h"
#include "kt-options.h"

/* Puts everything together: builds the layers from the lowest to the highest, mounts, runs the loop until a signal
 * or an unmount ends it, and takes the layers down in the reverse order. CONFIG is (transfer full),
 * ENVIRONMENT_TOKEN that of $KOOTASKFS_TOKEN, or NULL. Returns FALSE and the error when it did not get as far as a
 * mount. */
gboolean kt_app_run (const KtOptions *options, KtConfig *config, const char *environment_token, const char *mountpoint,
                     KtDaemon *daemon, GError **error);
