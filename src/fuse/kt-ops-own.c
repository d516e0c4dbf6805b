/* SPDX-License-Identifier: MIT */
/* Operations of the announcer's thread: replied to from memory, and nothing else is done. */
#include "kt-fuse-private.h"

#include "tree/kt-tree-own.h"

#include <errno.h>

gboolean
kt_fuse_is_own (KtFuse *fuse, fuse_req_t req)
{
  return fuse->announcer != NULL && kt_announcer_is_own (fuse->announcer, fuse_req_ctx (req)->pid);
}

gboolean
kt_fuse_lookup_own (KtFuse *fuse, fuse_req_t req, fuse_ino_t parent, const char *name)
{
  const gboolean is_own = kt_fuse_is_own (fuse, req);
  KtInode entry = { 0 };
  struct fuse_entry_param param;

  if (!is_own && (parent != FUSE_ROOT_ID || !g_str_equal (name, KT_TREE_INODES)))
    return FALSE;
  if (!is_own || !kt_tree_look_up_own (fuse->tree, parent, name, &entry)) {
    fuse_reply_err (req, ENOENT); /* which the kernel does not keep */
    return TRUE;
  }
  param = kt_fuse_entry_param (&entry);
  if (fuse_reply_entry (req, &param) != 0)
    kt_tree_forget (fuse->tree, entry.id, 1);
  return TRUE;
}
