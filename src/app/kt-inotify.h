/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/kt-clock.h"
#include "tree/kt-tree.h"

/* Tells the tree who watches the mount with inotify, as kt_inotify_scan() finds it every now and then. A thread scans:
 * as often as takes a hundredth of one CPU, but at least every KT_INOTIFY_LONGEST, and not more often than every
 * KT_INOTIFY_SHORTEST. While the kernel holds no inode but the root there is nothing to scan for. */
typedef struct KtInotify KtInotify;

#define KT_INOTIFY_SHORTEST KT_SECOND
#define KT_INOTIFY_LONGEST  (30 * KT_SECOND)

/* CLOCK and TREE outlive it. DEVICE is the mount's. */
KtInotify *kt_inotify_new (KtClock *clock, KtTree *tree, dev_t device);

/* Waits for a scan that is under way; then nobody watches. */
void kt_inotify_free (KtInotify *inotify);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtInotify, kt_inotify_free)

/* How long after a scan that took COST (CPU time) the next one begins. */
KtUsec kt_inotify_interval (KtUsec cost);
