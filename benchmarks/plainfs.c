/* SPDX-License-Identifier: MIT */
/* What a first FUSE file system looks like: the high-level API, a table of small files in memory. With --direct each file
 * is direct_io, else keep_cache. It stands for the usual ways in the benchmarks. */
#define FUSE_USE_VERSION 31
#include <errno.h>
#include <fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int direct;
static const char content[] = "completed\n";

static int
plain_getattr (const char *path, struct stat *st, struct fuse_file_info *file)
{
  memset (st, 0, sizeof (*st));
  if (strcmp (path, "/") == 0) {
    st->st_mode = S_IFDIR | 0555;
    st->st_nlink = 2;
  } else if (strlen (path) > 1 && strspn (path + 1, "0123456789") == strlen (path + 1)) {
    st->st_mode = S_IFREG | 0444;
    st->st_nlink = 1;
    st->st_size = sizeof (content) - 1;
  } else {
    return -ENOENT;
  }
  return 0;
}

static int
plain_open (const char *path, struct fuse_file_info *file)
{
  file->direct_io = direct;
  file->keep_cache = !direct;
  return 0;
}

static int
plain_read (const char *path, char *buffer, size_t size, off_t offset, struct fuse_file_info *file)
{
  size_t left = offset < (off_t) sizeof (content) - 1 ? sizeof (content) - 1 - (size_t) offset : 0;

  if (size > left)
    size = left;
  memcpy (buffer, content + offset, size);
  return (int) size;
}

static const struct fuse_operations operations = {
  .getattr = plain_getattr,
  .open = plain_open,
  .read = plain_read,
};

int
main (int argc, char **argv)
{
  if (argc > 1 && strcmp (argv[1], "--direct") == 0) {
    direct = 1;
    argv[1] = argv[0];
    argv++;
    argc--;
  }
  return fuse_main (argc, argv, &operations, NULL);
}
