/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* Who watches a file system with inotify or fanotify: the kernel does not tell the file system, but shows it in
 * /proc/PID/fdinfo/FD, to root of all processes and to others of their own. */

/* Watched inodes that are taken note of at the most. */
#define KT_INOTIFY_MOST 16384

/* LINE of an fdinfo file: TRUE and the DEVICE and INODE that are watched when it is about a watch. Where the line has
 * FUSE's file handle, INODE is the number by which the kernel asks for it, and else the one that stat shows. */
gboolean kt_inotify_parse (const char *line, dev_t *device, guint64 *inode);

/* The inodes of DEVICE that processes of PROC ("/proc") watch, each once: guint64, in no order, KT_INOTIFY_MOST at the
 * most. Processes that may not be looked at are passed over. Takes as long as it takes: not for the loop. (transfer full) */
GArray *kt_inotify_scan (const char *proc, dev_t device);
