/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/kt-clock.h"

#include <sys/types.h>

/* A thread that makes events for those who watch the mount with inotify: the kernel makes none when the daemon tells it
 * to forget something. So it does what a program would do that writes a file, in a copy of the mount (kt-mount-copy.h):
 * it sets the time of modification (IN_MODIFY), then opens the file for writing and closes it (IN_OPEN, IN_CLOSE_WRITE).
 * Where a file cannot be opened for writing it sets both times (IN_ATTRIB), as it does of a directory. The daemon knows
 * its operations by the thread's id and does nothing but reply.
 *
 * The loop replies to what the thread does, and must never wait for it. The thread owns nothing but its queue, which has
 * each path once, and the copy. */
typedef struct KtAnnouncer KtAnnouncer;

/* DEVICE is that of the mount at MOUNTPOINT; CLOCK outlives the announcer. */
KtAnnouncer *kt_announcer_new (KtClock *clock, const char *mountpoint, dev_t device);

/* PATHS (transfer full) have changed: see KtTreeAnnounce. None: nobody watches any more, so no copy is kept. */
void kt_announcer_announce (KtAnnouncer *announcer, GPtrArray *paths);

/* Whether an operation of the process PID, as FUSE has it, is the thread's. */
gboolean kt_announcer_is_own (KtAnnouncer *announcer, pid_t pid);

/* The end has three steps, as that of a notifier: see kt_notifier_stop(). What is queued is not announced any more. */
void kt_announcer_stop (KtAnnouncer *announcer);
gboolean kt_announcer_has_ended (KtAnnouncer *announcer);
void kt_announcer_join (KtAnnouncer *announcer);
