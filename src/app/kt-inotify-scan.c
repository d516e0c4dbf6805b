/* SPDX-License-Identifier: MIT */
/* Finds the inodes that processes watch, in /proc. */
#include "kt-inotify-scan.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define FUSE_HANDLE  " fhandle-type:81 f_handle:" /* FILEID_INO64_GEN: the inode in two halves, then a generation */
#define HALF         8                            /* hexadecimal digits */
#define MINOR_BITS   20                           /* of a device as the kernel has it */
#define LONGEST_LINK 32                           /* longer ones are of no watch */

/* The number after NAME in LINE, hexadecimal; FALSE when there is none. */
static gboolean
parse_field (const char *line, const char *name, guint64 *number)
{
  const char *field = strstr (line, name);
  char *end;

  if (field == NULL)
    return FALSE;
  field += strlen (name);
  *number = g_ascii_strtoull (field, &end, 16);
  return end != field && (*end == ' ' || *end == '\n' || *end == '\0');
}

/* Half of an inode: four bytes as they are in memory. */
static gboolean
parse_half (const char *digits, guint64 *half)
{
  guint8 bytes[HALF / 2];
  guint32 word;

  for (gsize i = 0; i < sizeof (bytes); i++) {
    if (!g_ascii_isxdigit (digits[2 * i]) || !g_ascii_isxdigit (digits[2 * i + 1]))
      return FALSE;
    bytes[i] = (guint8) (g_ascii_xdigit_value (digits[2 * i]) << 4 | g_ascii_xdigit_value (digits[2 * i + 1]));
  }
  memcpy (&word, bytes, sizeof (word));
  *half = word;
  return TRUE;
}

gboolean
kt_inotify_parse (const char *line, dev_t *device, guint64 *inode)
{
  guint64 kernel_device, high, low;
  const char *handle;

  if (!g_str_has_prefix (line, "inotify ") && !g_str_has_prefix (line, "fanotify "))
    return FALSE;
  if (!parse_field (line, " ino:", inode) || !parse_field (line, " sdev:", &kernel_device))
    return FALSE;
  handle = strstr (line, FUSE_HANDLE);
  if (handle != NULL && parse_half (handle + strlen (FUSE_HANDLE), &high)
      && parse_half (handle + strlen (FUSE_HANDLE) + HALF, &low))
    *inode = high << 32 | low;
  *device = makedev (kernel_device >> MINOR_BITS, kernel_device & ((1U << MINOR_BITS) - 1));
  return TRUE;
}

/* Adds what the descriptor described in FD, which is closed, watches on DEVICE. */
static void
add_watches (GHashTable *found, int fd, dev_t device)
{
  FILE *file = fdopen (fd, "r");
  char *line = NULL;
  size_t size = 0;
  dev_t watched;
  guint64 inode;

  if (file == NULL) {
    close (fd);
    return;
  }
  while (getline (&line, &size, file) > 0 && g_hash_table_size (found) < KT_INOTIFY_MOST)
    if (kt_inotify_parse (line, &watched, &inode) && watched == device)
      g_hash_table_add (found, g_memdup2 (&inode, sizeof (inode)));
  free (line);
  fclose (file);
}

static DIR *
open_directory (int parent, const char *name)
{
  int fd = openat (parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *dir = fd >= 0 ? fdopendir (fd) : NULL;

  if (dir == NULL && fd >= 0)
    close (fd);
  return dir;
}

/* Adds what process PID watches. Most descriptors are of something else: these cost a readlink each and no more. */
static void
add_process (GHashTable *found, int proc, const char *pid, dev_t device)
{
  char path[64], link[LONGEST_LINK];
  const struct dirent *entry;
  DIR *fds;

  g_snprintf (path, sizeof (path), "%s/fd", pid);
  fds = open_directory (proc, path);
  while (fds != NULL && (entry = readdir (fds)) != NULL) {
    ssize_t length = readlinkat (dirfd (fds), entry->d_name, link, sizeof (link) - 1);
    int fd;
    if (length <= 0)
      continue;
    link[length] = '\0';
    if (strcmp (link, "anon_inode:inotify") != 0 && strcmp (link, "anon_inode:[fanotify]") != 0)
      continue;
    g_snprintf (path, sizeof (path), "%s/fdinfo/%.20s", pid, entry->d_name);
    fd = openat (proc, path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
      add_watches (found, fd, device);
  }
  if (fds != NULL)
    closedir (fds);
}

GArray *
kt_inotify_scan (const char *proc, dev_t device)
{
  g_autoptr (GHashTable) found = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  GArray *inodes = g_array_new (FALSE, FALSE, sizeof (guint64));
  DIR *dir = open_directory (AT_FDCWD, proc);
  const struct dirent *entry;
  GHashTableIter iter;
  guint64 *inode;

  while (dir != NULL && (entry = readdir (dir)) != NULL)
    if (g_ascii_isdigit (entry->d_name[0]) && strlen (entry->d_name) <= 20)
      add_process (found, dirfd (dir), entry->d_name, device);
  if (dir != NULL)
    closedir (dir);
  g_hash_table_iter_init (&iter, found);
  while (g_hash_table_iter_next (&iter, (gpointer *) &inode, NULL))
    g_array_append_val (inodes, *inode);
  return inodes;
}
