/* SPDX-License-Identifier: MIT */
/* POLL: at once from memory, and the wake-ups that make the kernel ask again. */
#include "kt-fuse-private.h"

#include <linux/fuse.h>
#include <sys/uio.h>
#include <unistd.h>

/* libfuse gives POLL a handle for one wake-up, and does not say which open file it is of. The request does. */
guint64
kt_fuse_poll_handle (const struct fuse_buf *buffer)
{
  const struct {
    struct fuse_in_header header;
    struct fuse_poll_in poll;
  } *request = buffer->mem;

  return buffer->size >= sizeof (*request) && request->header.opcode == FUSE_POLL ? request->poll.kh : 0;
}

void
kt_fuse_poll (fuse_req_t req, fuse_ino_t inode, struct fuse_file_info *file, struct fuse_pollhandle *handle)
{
  KtFuse *fuse = fuse_req_userdata (req);

  kt_fuse_count (fuse, KT_FUSE_OP_poll);
  if (handle != NULL)
    fuse_pollhandle_destroy (handle);
  fuse_reply_poll (req, kt_tree_poll (fuse->tree, inode, fuse->poll_handle, file->poll_events));
}

/* The kernel wakes who polls, which takes no lock that a request may hold: so this is sent from the loop. Of files that are
 * closed it knows nothing, which does no harm. */
void
kt_fuse_wake (gpointer kernel, const guint64 *handles, guint n)
{
  const int fd = fuse_session_fd (((KtFuse *) kernel)->session);

  for (guint i = 0; i < n; i++) {
    struct fuse_notify_poll_wakeup_out out = { .kh = handles[i] };
    struct fuse_out_header header = { .len = sizeof (header) + sizeof (out), .error = FUSE_NOTIFY_POLL };
    struct iovec parts[] = { { &header, sizeof (header) }, { &out, sizeof (out) } };
    if (writev (fd, parts, G_N_ELEMENTS (parts)) < 0)
      break; /* the mount has ended */
  }
}
