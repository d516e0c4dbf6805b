/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* A copy of a mount that stands nowhere: a descriptor by which files below it are named, whatever stands at the mount
 * point. The mount itself can be unmounted meanwhile as if nobody used it, which a path that leads through it, or a
 * descriptor in it, would prevent (EBUSY). But the file system ends only when the copy is closed. */

/* A copy of the mount of DEVICE at MOUNTPOINT; -1 when there is none, or none can be made: *WHY says why (transfer full).
 * Who may not copy mounts makes the copy in a process that is in a user namespace of its own. */
int kt_mount_copy (const char *mountpoint, dev_t device, char **why);

/* Whether MOUNTINFO, as in /proc/self/mountinfo, has a mount of DEVICE. */
gboolean kt_mount_is_there (const char *mountinfo, dev_t device);
