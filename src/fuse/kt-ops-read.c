/* SPDX-License-Identifier: MIT */
/* READ: at once from memory, or when its bytes are there. */
#include "kt-fuse-private.h"

#include "base/kt-error.h"

#include <fcntl.h>

static void
on_bytes (const struct iovec *parts, int n, const GError *error, gpointer data)
{
  fuse_req_t req = kt_parked_end (data);

  if (error != NULL)
    fuse_reply_err (req, kt_error_to_errno (error));
  else
    fuse_reply_iov (req, parts, n);
}

static void
read_part (KtFuse *fuse, fuse_req_t req, fuse_ino_t inode, const KtTreePart *part)
{
  KtParked *parked = kt_parked_new (fuse, req, inode);
  KtOperation *operation = kt_tree_read_part (fuse->tree, inode, part, on_bytes, parked);

  if (operation != NULL)
    kt_parked_wait (parked, operation);
}

/* FALSE when it is no file that grows. */
static gboolean
read_growing (KtFuse *fuse, fuse_req_t req, fuse_ino_t inode, size_t size, off_t offset)
{
  g_autoptr (GBytes) bytes = kt_tree_read_at (fuse->tree, inode, offset, size);

  if (bytes == NULL)
    return FALSE;
  fuse_reply_buf (req, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  return TRUE;
}

void
kt_fuse_read (fuse_req_t req, fuse_ino_t inode, size_t size, off_t offset, struct fuse_file_info *file)
{
  KtFuse *fuse = fuse_req_userdata (req);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) content = kt_tree_read (fuse->tree, inode, &error);
  GPtrArray *others;
  const char *bytes;
  gsize length;

  kt_fuse_count (fuse, KT_FUSE_OP_read);
  kt_tree_look (fuse->tree, inode, TRUE);
  if (error != NULL) {
    fuse_reply_err (req, kt_error_to_errno (error));
    return;
  }
  if (content == NULL && read_growing (fuse, req, inode, size, offset))
    return;
  if (content == NULL) {
    read_part (fuse, req, inode, &(KtTreePart){ offset, size, (file->flags & O_NONBLOCK) == 0 });
    return;
  }
  bytes = g_bytes_get_data (content, &length);
  if ((gsize) offset >= length)
    fuse_reply_buf (req, NULL, 0);
  else
    fuse_reply_buf (req, bytes + offset, MIN (size, length - (gsize) offset));
  others = kt_tree_preload_others (fuse->tree, inode);
  if (others != NULL)
    kt_notifier_store (fuse->notifier, others, NULL, NULL, 0);
}
