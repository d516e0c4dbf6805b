/* SPDX-License-Identifier: MIT */
/* Which operations are those of the announcer's thread, and what it finds. */
#include "kt-fuse-private.h"

#include "tree/kt-tree-own.h"

gboolean
kt_fuse_is_own (KtFuse *fuse, fuse_req_t req)
{
  return fuse->announcer != NULL && kt_announcer_is_own (fuse->announcer, fuse_req_ctx (req)->pid);
}

gboolean
kt_fuse_look_up_own (KtFuse *fuse, fuse_req_t req, fuse_ino_t parent, const char *name, KtInode *entry)
{
  const gboolean is_own = kt_fuse_is_own (fuse, req);

  if (!is_own && (parent != FUSE_ROOT_ID || !g_str_equal (name, KT_TREE_INODES)))
    return FALSE;
  if (!is_own || !kt_tree_look_up_own (fuse->tree, parent, name, entry))
    *entry = (KtInode){ 0 };
  return TRUE;
}
