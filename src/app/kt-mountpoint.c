/* SPDX-License-Identifier: MIT */
#include "kt-mountpoint.h"

#include "base/kt-error.h"

#include <errno.h>
#include <gio/gunixmounts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOUNT_TYPE "fuse.kootaskfs"

static gboolean
is_ours (const char *path)
{
  GUnixMountEntry *mount = g_unix_mount_at (path, NULL);
  gboolean ours = mount != NULL && g_str_equal (g_unix_mount_get_fs_type (mount), MOUNT_TYPE);

  g_clear_pointer (&mount, g_unix_mount_free);
  return ours;
}

static gboolean
clear_dead (const char *path, GError **error)
{
  const char *const command[] = { "fusermount3", "-u", "-z", "--", path, NULL };
  int status = 0;

  g_message ("clearing a dead mount on %s", path);
  if (umount2 (path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
    return TRUE;
  /* not root: fusermount may where we may not */
  if (g_spawn_sync (NULL, (char **) command, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, NULL,
                    NULL, &status, NULL)
      && g_spawn_check_wait_status (status, NULL))
    return TRUE;
  g_set_error (error, KT_ERROR, KT_ERROR_MOUNT,
               "%s: a dead mount is there and cannot be cleared; try fusermount3 -u -z %s", path, path);
  return FALSE;
}

char *
kt_mountpoint_prepare (const char *path, GError **error)
{
  g_autofree char *absolute = g_canonicalize_filename (path, NULL);
  g_autofree char *resolved = NULL;
  struct stat stat;
  char *real;

  if (lstat (absolute, &stat) != 0 && errno == ENOTCONN) {
    if (!is_ours (absolute)) {
      g_set_error (error, KT_ERROR, KT_ERROR_MOUNT, "%s: a dead mount of another file system is there", absolute);
      return NULL;
    }
    if (!clear_dead (absolute, error))
      return NULL;
  }
  real = realpath (absolute, NULL);
  if (real == NULL || lstat (real, &stat) != 0) {
    g_set_error (error, KT_ERROR, KT_ERROR_MOUNT, "%s: %s: expected a directory to mount on", path, g_strerror (errno));
    free (real);
    return NULL;
  }
  resolved = g_strdup (real);
  free (real);
  if (!S_ISDIR (stat.st_mode)) {
    g_set_error (error, KT_ERROR, KT_ERROR_MOUNT, "%s: is not a directory: expected one to mount on", path);
    return NULL;
  }
  if (is_ours (resolved)) {
    g_set_error (error, KT_ERROR, KT_ERROR_MOUNT, "%s: kootaskfs is mounted there already", path);
    return NULL;
  }
  return g_steal_pointer (&resolved);
}
