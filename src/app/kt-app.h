/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-config.h"
#include "kt-daemon.h"
#include "kt-options.h"

/* Everything put together: builds the layers from left to right, mounts, runs the loop until it is told to end, and
 * takes all down from right to left. CONFIG is (transfer full), ENVIRONMENT_TOKEN that of $KOOTASKFS_TOKEN, or NULL.
 * Returns FALSE and the error when it did not get as far as a mount. */
gboolean kt_app_run (const KtOptions *options, KtConfig *config, const char *environment_token, const char *mountpoint,
                     KtDaemon *daemon, GError **error);
