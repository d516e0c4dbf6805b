/* SPDX-License-Identifier: MIT */
/* fuse_lowlevel_ops ↔ tree: each operation counts itself, calls one function of the tree and replies. */
#include "kt-fuse-private.h"

#include "base/kt-error.h"
#include "base/kt-units.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define FOREVER       1e9        /* seconds; the kernel cuts longer ones off itself */
#define UNKNOWN_INODE 0xffffffff /* what libfuse says in a listing of an inode not looked up yet */

static KtFuse *
count (fuse_req_t req, KtFuseOp operation)
{
  KtFuse *fuse = fuse_req_userdata (req);
  kt_fuse_count (fuse, operation);
  return fuse;
}

static double
seconds (KtUsec timeout)
{
  return timeout == KT_TIME_NEVER ? FOREVER : (double) timeout / KT_SECOND;
}

static struct fuse_entry_param
entry_param (const KtInode *entry)
{
  return (struct fuse_entry_param){
    .ino = entry->id,
    .attr = entry->stat,
    .attr_timeout = seconds (entry->attr_timeout),
    .entry_timeout = seconds (entry->entry_timeout),
  };
}

static void
op_init (void *data, struct fuse_conn_info *conn)
{
  KtFuse *fuse = data;

  /* a read that waits must be interruptible by any signal, which only synchronous reads are */
  conn->want &= ~(unsigned) (FUSE_CAP_ASYNC_READ | FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE);
  /* listings come with attributes always: find stats all it has listed, which the kernel's heuristic does not
   * foresee */
  conn->want &= ~(unsigned) FUSE_CAP_READDIRPLUS_AUTO;
  /* truncating is ours to refuse: with this flag it comes with open, which is never sent, and the kernel would take
   * the file for empty */
  conn->want &= ~(unsigned) FUSE_CAP_ATOMIC_O_TRUNC;
  conn->max_read = fuse->max_read;
  /* a file that grows: each read asks whether it has, and then pages are read again */
  conn->want |= conn->capable & FUSE_CAP_AUTO_INVAL_DATA;
  conn->want |= conn->capable & (FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_CACHE_SYMLINKS);
  fuse->events.ready (fuse->events.data);
}

/* An id of 0 is a name that is not there, as the kernel may keep for the timeout. */
static void
reply_entry (KtFuse *fuse, fuse_req_t req, const KtInode *entry)
{
  struct fuse_entry_param param = entry_param (entry);

  if (entry->id == 0 && entry->entry_timeout == 0)
    fuse_reply_err (req, ENOENT);
  else if (fuse_reply_entry (req, &param) != 0 && entry->id != 0)
    kt_tree_forget (fuse->tree, entry->id, 1); /* interrupted meanwhile: the kernel did not count it */
}

static void
on_found (const KtInode *entry, const GError *error, gpointer data)
{
  KtFuse *fuse = ((KtParked *) data)->fuse;
  fuse_req_t req = kt_parked_end (data);

  if (error != NULL)
    fuse_reply_err (req, kt_error_to_errno (error));
  else
    reply_entry (fuse, req, entry);
}

static void
op_lookup (fuse_req_t req, fuse_ino_t parent, const char *name)
{
  KtFuse *fuse = count (req, KT_FUSE_OP_lookup);
  KtParked *parked;
  KtOperation *operation;
  KtInode entry;

  if (kt_fuse_look_up_own (fuse, req, parent, name, &entry)) {
    reply_entry (fuse, req, &entry);
    return;
  }
  parked = kt_parked_new (fuse, req, parent);
  operation = kt_tree_lookup (fuse->tree, parent, name, on_found, parked);
  if (operation != NULL)
    kt_parked_wait (parked, operation);
}

static void
op_forget (fuse_req_t req, fuse_ino_t inode, uint64_t lookups)
{
  KtFuse *fuse = count (req, KT_FUSE_OP_forget);

  kt_tree_forget (fuse->tree, inode, lookups);
  fuse_reply_none (req);
}

static void
op_forget_multi (fuse_req_t req, size_t n_forgets, struct fuse_forget_data *forgets)
{
  KtFuse *fuse = count (req, KT_FUSE_OP_forget);

  for (size_t i = 0; i < n_forgets; i++)
    kt_tree_forget (fuse->tree, forgets[i].ino, forgets[i].nlookup);
  fuse_reply_none (req);
}

/* PAGES (transfer full), if any, go to the kernel first. */
static void
reply_attr (KtFuse *fuse, fuse_req_t req, fuse_ino_t inode, GPtrArray *pages)
{
  KtInode entry = { 0 };

  if (!kt_tree_getattr (fuse->tree, inode, &entry))
    fuse_reply_err (req, ENOENT);
  else if (pages == NULL)
    fuse_reply_attr (req, &entry.stat, seconds (entry.attr_timeout));
  else
    kt_notifier_store (fuse->notifier, pages, req, &entry.stat, seconds (entry.attr_timeout));
}

static void
op_getattr (fuse_req_t req, fuse_ino_t inode, struct fuse_file_info *file)
{
  KtFuse *fuse = count (req, KT_FUSE_OP_getattr);

  /* with a file it comes from read(2), which wants to know whether there is more */
  if (!kt_fuse_is_own (fuse, req))
    kt_tree_look (fuse->tree, inode, file != NULL);
  reply_attr (fuse, req, inode, kt_tree_preload (fuse->tree, inode));
}

static void
on_touched (const GError *error, gpointer data)
{
  KtParked *parked = data;
  KtFuse *fuse = parked->fuse;
  guint64 inode = parked->inode;
  fuse_req_t req = kt_parked_end (parked);

  if (error != NULL)
    fuse_reply_err (req, kt_error_to_errno (error));
  else
    reply_attr (fuse, req, inode, NULL);
}

/* "now" for a time is touch; anything else would be a write. */
static gboolean
is_touch (int to_set)
{
  const int times = FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_ATIME_NOW | FUSE_SET_ATTR_MTIME_NOW
                    | FUSE_SET_ATTR_CTIME;
  gboolean atime_given = (to_set & FUSE_SET_ATTR_ATIME) != 0 && (to_set & FUSE_SET_ATTR_ATIME_NOW) == 0;
  gboolean mtime_given = (to_set & FUSE_SET_ATTR_MTIME) != 0 && (to_set & FUSE_SET_ATTR_MTIME_NOW) == 0;

  return (to_set & ~times) == 0 && !atime_given && !mtime_given;
}

static gboolean
is_writable (KtFuse *fuse, fuse_ino_t inode)
{
  KtInode entry;
  return kt_tree_getattr (fuse->tree, inode, &entry) && (entry.stat.st_mode & S_IWUSR) != 0;
}

/* What `>` does to a file before it writes. */
static gboolean
is_emptying (KtFuse *fuse, fuse_ino_t inode, const struct stat *attr, int to_set)
{
  return (to_set & FUSE_SET_ATTR_SIZE) != 0 && attr->st_size == 0 && is_writable (fuse, inode);
}

static void
op_setattr (fuse_req_t req, fuse_ino_t inode, struct stat *attr, int to_set, struct fuse_file_info *file)
{
  KtFuse *fuse = count (req, KT_FUSE_OP_setattr);
  KtParked *parked;
  KtOperation *operation;

  if (kt_fuse_is_own (fuse, req) || is_emptying (fuse, inode, attr, to_set)) {
    reply_attr (fuse, req, inode, NULL);
    return;
  }
  if (!is_touch (to_set)) {
    fuse_reply_err (req, EROFS);
    return;
  }
  parked = kt_parked_new (fuse, req, inode);
  operation = kt_tree_touch (fuse->tree, inode, on_touched, parked);
  if (operation != NULL)
    kt_parked_wait (parked, operation);
}

static void
op_readlink (fuse_req_t req, fuse_ino_t inode)
{
  KtFuse *fuse = count (req, KT_FUSE_OP_readlink);
  g_autofree char *target = kt_tree_readlink (fuse->tree, inode);

  if (target != NULL)
    fuse_reply_readlink (req, target);
  else
    fuse_reply_err (req, EINVAL);
}

/* The kernel asks once and then opens, closes and keeps pages by itself. */
static void
op_open (fuse_req_t req, fuse_ino_t inode, struct fuse_file_info *file)
{
  count (req, KT_FUSE_OP_open);
  fuse_reply_err (req, ENOSYS);
}

static void
on_listed (KtListing *listing, const GError *error, gpointer data)
{
  struct fuse_file_info file = { .fh = (uintptr_t) listing };
  KtFuse *fuse = ((KtParked *) data)->fuse;
  fuse_req_t req = kt_parked_end (data);

  if (error != NULL)
    fuse_reply_err (req, kt_error_to_errno (error));
  else if (fuse_reply_open (req, &file) == 0)
    g_hash_table_add (fuse->listings, listing);
  else
    kt_listing_free (listing);
}

static void
op_opendir (fuse_req_t req, fuse_ino_t inode, struct fuse_file_info *file)
{
  KtFuse *fuse = count (req, KT_FUSE_OP_opendir);
  KtParked *parked = kt_parked_new (fuse, req, inode);
  KtOperation *operation = kt_tree_list (fuse->tree, inode, on_listed, parked);

  if (operation != NULL)
    kt_parked_wait (parked, operation);
}

static void
op_releasedir (fuse_req_t req, fuse_ino_t inode, struct fuse_file_info *file)
{
  g_hash_table_remove (count (req, KT_FUSE_OP_releasedir)->listings, (gpointer) (uintptr_t) file->fh);
  fuse_reply_err (req, 0);
}

/* Position OFFSET of a listing: "." and ".." come first. NULL at the end. */
static const char *
name_at (const KtListing *listing, off_t offset, mode_t *type)
{
  *type = S_IFDIR;
  if (offset == 0)
    return ".";
  if (offset == 1)
    return "..";
  return offset - 2 <= G_MAXUINT ? kt_listing_name (listing, (guint) (offset - 2), type) : NULL;
}

static void
op_readdir (fuse_req_t req, fuse_ino_t inode, size_t size, off_t offset, struct fuse_file_info *file)
{
  const KtListing *listing = (const KtListing *) (uintptr_t) file->fh;
  g_autofree char *buffer = g_malloc (size);
  struct stat stat = { .st_ino = UNKNOWN_INODE };
  const char *name;
  size_t used = 0;

  count (req, KT_FUSE_OP_readdir);
  for (; (name = name_at (listing, offset, &stat.st_mode)) != NULL; offset++) {
    size_t needed = fuse_add_direntry (req, buffer + used, size - used, name, &stat, offset + 1);
    if (needed > size - used)
      break;
    used += needed;
  }
  fuse_reply_buf (req, buffer, used);
}

/* What is cached of the entry at OFFSET; without it the kernel gets the name and type alone. */
static struct fuse_entry_param
entry_at (KtListing *listing, off_t offset, mode_t type)
{
  KtInode entry = { 0 };
  struct fuse_entry_param param = { .attr = { .st_ino = UNKNOWN_INODE, .st_mode = type } };

  if (offset >= 2 && kt_listing_look_up (listing, (guint) (offset - 2), &entry))
    param = entry_param (&entry);
  return param;
}

static void
op_readdirplus (fuse_req_t req, fuse_ino_t inode, size_t size, off_t offset, struct fuse_file_info *file)
{
  KtFuse *fuse = count (req, KT_FUSE_OP_readdirplus);
  KtListing *listing = (KtListing *) (uintptr_t) file->fh;
  g_autofree char *buffer = g_malloc (size);
  g_autoptr (GArray) counted = g_array_new (FALSE, FALSE, sizeof (fuse_ino_t));
  const char *name;
  mode_t type;
  size_t used = 0;

  for (; (name = name_at (listing, offset, &type)) != NULL; offset++) {
    struct fuse_entry_param param;
    if (fuse_add_direntry_plus (req, NULL, 0, name, NULL, 0) > size - used)
      break;
    param = entry_at (listing, offset, type);
    if (param.ino != 0)
      g_array_append_val (counted, param.ino);
    used += fuse_add_direntry_plus (req, buffer + used, size - used, name, &param, offset + 1);
  }
  if (fuse_reply_buf (req, buffer, used) != 0)
    for (guint i = 0; i < counted->len; i++)
      kt_tree_forget (fuse->tree, g_array_index (counted, fuse_ino_t, i), 1);
}

/* The protocol of both xattr operations: size 0 asks for the length. */
static void
reply_xattr (fuse_req_t req, const char *value, size_t length, size_t size)
{
  if (size == 0)
    fuse_reply_xattr (req, length);
  else if (length > size)
    fuse_reply_err (req, ERANGE);
  else
    fuse_reply_buf (req, value, length);
}

static void
op_getxattr (fuse_req_t req, fuse_ino_t inode, const char *name, size_t size)
{
  KtFuse *fuse = count (req, KT_FUSE_OP_getxattr);
  g_autofree char *value = kt_tree_getxattr (fuse->tree, inode, name);

  if (value != NULL)
    reply_xattr (req, value, strlen (value), size);
  else
    fuse_reply_err (req, ENODATA);
}

static void
op_listxattr (fuse_req_t req, fuse_ino_t inode, size_t size)
{
  KtFuse *fuse = count (req, KT_FUSE_OP_listxattr);
  g_auto (GStrv) names = kt_tree_listxattr (fuse->tree, inode);
  g_autoptr (GString) list = g_string_new (NULL);

  for (char **name = names; *name != NULL; name++)
    g_string_append_len (list, *name, (gssize) strlen (*name) + 1);
  reply_xattr (req, list->str, list->len, size);
}

static void
op_access (fuse_req_t req, fuse_ino_t inode, int mask)
{
  KtFuse *fuse = count (req, KT_FUSE_OP_access);
  KtInode entry = { 0 };

  if (!kt_tree_getattr (fuse->tree, inode, &entry))
    fuse_reply_err (req, ENOENT);
  else if ((mask & W_OK) != 0 && (entry.stat.st_mode & S_IWUSR) == 0)
    fuse_reply_err (req, EROFS);
  else
    fuse_reply_err (req, (mask & X_OK) != 0 && S_ISREG (entry.stat.st_mode) ? EACCES : 0);
}

static void
op_statfs (fuse_req_t req, fuse_ino_t inode)
{
  /* no blocks and no inodes, as of /proc: 0 of 0 in use alarms nobody */
  struct statvfs stat = { .f_bsize = 4096, .f_frsize = 4096, .f_namemax = NAME_MAX };

  count (req, KT_FUSE_OP_statfs);
  fuse_reply_statfs (req, &stat);
}

/* Everything that would write. */
static void
refuse (fuse_req_t req)
{
  count (req, KT_FUSE_OP_write);
  fuse_reply_err (req, EROFS);
}

static void
on_written (const GError *error, gpointer data)
{
  gsize size = ((KtParked *) data)->size;
  fuse_req_t req = kt_parked_end (data);

  if (error != NULL)
    fuse_reply_err (req, kt_error_to_errno (error));
  else
    fuse_reply_write (req, size);
}

static void
op_write (fuse_req_t req, fuse_ino_t inode, const char *bytes, size_t size, off_t offset, struct fuse_file_info *file)
{
  KtFuse *fuse = count (req, KT_FUSE_OP_write);
  KtParked *parked = kt_parked_new (fuse, req, inode);
  KtOperation *operation;

  parked->size = size;
  operation = kt_tree_write (fuse->tree, inode, bytes, size, offset, on_written, parked);
  if (operation != NULL)
    kt_parked_wait (parked, operation);
}

/* What else would change something. */
/* clang-format off */
#define REFUSE(operation, ...) static void op_##operation (fuse_req_t req, __VA_ARGS__) { refuse (req); }
REFUSE (mknod, fuse_ino_t parent, const char *name, mode_t mode, dev_t device)
REFUSE (mkdir, fuse_ino_t parent, const char *name, mode_t mode)
REFUSE (unlink, fuse_ino_t parent, const char *name)
REFUSE (symlink, const char *target, fuse_ino_t parent, const char *name)
REFUSE (rename, fuse_ino_t parent, const char *name, fuse_ino_t new_parent, const char *new_name, unsigned flags)
REFUSE (link, fuse_ino_t inode, fuse_ino_t new_parent, const char *new_name)
REFUSE (create, fuse_ino_t parent, const char *name, mode_t mode, struct fuse_file_info *file)
REFUSE (fallocate, fuse_ino_t inode, int mode, off_t offset, off_t length, struct fuse_file_info *file)
REFUSE (setxattr, fuse_ino_t inode, const char *name, const char *value, size_t size, int flags)
REFUSE (removexattr, fuse_ino_t inode, const char *name)
/* clang-format on */

const struct fuse_lowlevel_ops kt_fuse_ops = {
  .init = op_init,
  .lookup = op_lookup,
  .forget = op_forget,
  .forget_multi = op_forget_multi,
  .getattr = op_getattr,
  .setattr = op_setattr,
  .readlink = op_readlink,
  .open = op_open,
  .read = kt_fuse_read,
  .opendir = op_opendir,
  .readdir = op_readdir,
  .readdirplus = op_readdirplus,
  .releasedir = op_releasedir,
  .getxattr = op_getxattr,
  .listxattr = op_listxattr,
  .access = op_access,
  .statfs = op_statfs,
  .mknod = op_mknod,
  .mkdir = op_mkdir,
  .unlink = op_unlink,
  .rmdir = op_unlink,
  .symlink = op_symlink,
  .rename = op_rename,
  .link = op_link,
  .write = op_write,
  .poll = kt_fuse_poll,
  .create = op_create,
  .fallocate = op_fallocate,
  .setxattr = op_setxattr,
  .removexattr = op_removexattr,
};
