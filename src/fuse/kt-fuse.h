/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/kt-metrics.h"
#include "tree/kt-tree.h"

/* The kernel's side of the tree: a low-level libfuse session as a GSource of the default GMainContext. No policy
 * here: what is found, and how long it holds, the tree says. */
typedef struct KtFuse KtFuse;

typedef struct {
  void (*ready) (gpointer data); /* INIT has its reply: the mount serves */
  void (*ended) (gpointer data); /* unmounted from outside */
  gpointer data;
} KtFuseEvents;

/* TREE, CLOCK and METRICS outlive it. OPTIONS are FUSE's own, as in "-o" but not escaped: "allow_other", "fsname=a,b".
 * What libfuse does not take is KT_ERROR_USAGE, in its words. */
KtFuse *kt_fuse_new (KtTree *tree, KtClock *clock, KtMetrics *metrics, char **options, const KtFuseEvents *events,
                     GError **error);

/* Mounts and starts to serve; fails with KT_ERROR_MOUNT, which has the words of libfuse or fusermount3. */
gboolean kt_fuse_mount (KtFuse *fuse, const char *mountpoint, GError **error);

/* The device number of the mount. */
dev_t kt_fuse_device (const KtFuse *fuse);

/* Ends all parked operations with ENOTCONN, unmounts, and ends the threads. */
void kt_fuse_free (KtFuse *fuse);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtFuse, kt_fuse_free)
