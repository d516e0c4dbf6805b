/* SPDX-License-Identifier: MIT */
/* The temporary file of a package whose host serves no ranges. */
#include "kt-package-file.h"

#include "base/kt-error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* -1 and errno when there is none to be had. */
static int
open_unnamed (const char *directory)
{
  g_autofree char *template = g_build_filename (directory, "kootaskfs.XXXXXX", NULL);
  int fd = open (directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

  if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT))
    return fd;
  fd = mkostemp (template, O_CLOEXEC); /* a file system without O_TMPFILE */
  if (fd >= 0)
    unlink (template);
  return fd;
}

int
kt_package_file_open (const char *directory, GError **error)
{
  int fd = open_unnamed (directory);

  if (fd < 0)
    g_set_error (error, KT_ERROR, KT_ERROR_SERVICE, "there is no temporary file for the package: %s",
                 g_strerror (errno));
  return fd;
}

gboolean
kt_package_file_write (int fd, gint64 offset, gconstpointer bytes, gsize length, GError **error)
{
  const char *next = bytes;

  while (length > 0) {
    ssize_t n = pwrite (fd, next, length, offset);
    if (n < 0) {
      g_set_error (error, KT_ERROR, KT_ERROR_SERVICE, "no room for the package in a temporary file: %s",
                   g_strerror (errno));
      return FALSE;
    }
    next += n;
    offset += n;
    length -= (gsize) n;
  }
  return TRUE;
}

gpointer
kt_package_file_read (int fd, gint64 offset, gsize length, GError **error)
{
  g_autofree char *bytes = g_malloc (length);
  ssize_t n = pread (fd, bytes, length, offset);

  if (n == (ssize_t) length)
    return g_steal_pointer (&bytes);
  g_set_error (error, KT_ERROR, KT_ERROR_SERVICE, "the package's temporary file cannot be read: %s",
               n < 0 ? g_strerror (errno) : "it is too short");
  return NULL;
}
