/* SPDX-License-Identifier: MIT */
#pragma once

#define FUSE_USE_VERSION 314

#include "kt-announcer.h"
#include "kt-fuse.h"
#include "kt-notifier.h"

#include <fuse_lowlevel.h>

/* The operations, as counted in `.kootaskfs/metrics`. */
/* clang-format off */
#define KT_FUSE_OPS(X)                                                                                             \
  X (lookup) X (forget) X (getattr) X (setattr) X (readlink) X (open) X (read) X (opendir) X (readdir) X (readdirplus) \
  X (releasedir) X (getxattr) X (listxattr) X (access) X (statfs) X (poll) X (write)

typedef enum {
#define X(name) KT_FUSE_OP_##name,
  KT_FUSE_OPS (X)
#undef X
  KT_N_FUSE_OPS,
} KtFuseOp;
/* clang-format on */

struct KtFuse {
  struct fuse_session *session;
  struct fuse_buf buffer;
  guint source;
  KtTree *tree;
  KtClock *clock;
  KtMetrics *metrics;
  KtNotifier *notifier;
  KtNotifier *ahead;      /* of its own: it may wait for a page as long as a read of a package waits for its host */
  KtAnnouncer *announcer; /* NULL: inotify watchers are told nothing */
  dev_t device;
  KtFuseEvents events;
  GQueue parked;           /* KtParked, in the order in which they came */
  KtUsec limit;            /* how long one may be parked: kt_request_limit() */
  KtTimer *limiting;       /* the first of them, or one before it, has been parked for so long */
  GHashTable *listings;    /* KtListing: the open directories */
  guint64 **counters;      /* by KtFuseOp */
  KtHistogram **durations; /* by KtFuseOp */
  KtFuseOp operation;      /* the last one that came; KT_N_FUSE_OPS once it is parked */
  KtUsec came_at;          /* when it did */
  guint64 poll_handle;     /* of the request that is being processed, if that is a POLL */
  gboolean init_answered;
  guint max_read; /* of -o, which libfuse takes in two places */
};

/* OPERATION has come. */
static inline void
kt_fuse_count (KtFuse *fuse, KtFuseOp operation)
{
  fuse->operation = operation;
  ++*fuse->counters[operation];
}

/* The operations, which libfuse calls; their user data is the KtFuse. */
extern const struct fuse_lowlevel_ops kt_fuse_ops;

/* Whether REQ is of the announcer's thread. */
gboolean kt_fuse_is_own (KtFuse *fuse, fuse_req_t req);

/* What its LOOKUP finds, from memory, and that of a name that only it finds: ENTRY, whose id is 0 when there is no such
 * name. FALSE when it is any other LOOKUP. */
gboolean kt_fuse_look_up_own (KtFuse *fuse, fuse_req_t req, fuse_ino_t parent, const char *name, KtInode *entry);

/* One of them, in a file of its own. */
void kt_fuse_read (fuse_req_t req, fuse_ino_t inode, size_t size, off_t offset, struct fuse_file_info *file);

/* The same. Its handle is that of the request in BUFFER, which is about to be processed. */
void kt_fuse_poll (fuse_req_t req, fuse_ino_t inode, struct fuse_file_info *file, struct fuse_pollhandle *handle);
guint64 kt_fuse_poll_handle (const struct fuse_buf *buffer);

/* A KtTreeWake; KERNEL is the KtFuse. */
void kt_fuse_wake (gpointer kernel, const guint64 *handles, guint n);

/* An operation that has no reply yet: parked until the tree calls back, which may be at once. */
typedef struct KtParked {
  KtFuse *fuse;
  fuse_req_t req;
  guint64 inode;
  gsize size; /* of a write */
  KtOperation *operation;
  KtFuseOp kind;
  KtUsec came_at;
  KtTimer *check; /* after an interrupt: when to look for signals next */
  GList link;     /* KtFuse.parked */
} KtParked;

KtParked *kt_parked_new (KtFuse *fuse, fuse_req_t req, guint64 inode);

/* The tree has not called back yet. From now on an interrupt ends the operation, when the signal matters, and so does
 * the limit of the kernel. */
void kt_parked_wait (KtParked *parked, KtOperation *operation);

/* Ends the parking and gives back the request, which is to be replied to. */
fuse_req_t kt_parked_end (KtParked *parked);

/* Ends all parked operations with ERROR. */
void kt_parked_end_all (KtFuse *fuse, int error);

/* Whether thread TID has a signal pending for which a wait should end: SIGKILL, or one it does not block other than
 * URG CHLD WINCH CONT PROF VTALRM. TRUE too when that is unknown. STATUS is the text of /proc/TID/status. */
gboolean kt_signal_matters (const char *status);
