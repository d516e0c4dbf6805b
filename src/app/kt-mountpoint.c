/* SPDX-License-Identifier: MIT */
/* Looks at what stands at the mount point, and clears dead mounts. */
/* The kernel serves stat(2) of a mount whose daemon is dead from memory; statfs(2) goes to the daemon. When the
 * daemon is frozen statfs(2) hangs, maybe where no signal reaches it. So a process of its own looks. */
#include "kt-mountpoint.h"

#include "base/kt-clock.h"
#include "base/kt-error.h"
#include "base/kt-units.h"
#include "kt-config-type.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixmounts.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOUNT_TYPE   "fuse.kootaskfs"
#define LOOK_TIMEOUT (5 * KT_SECOND) /* of a mount's statfs(2) */
#define MOST_DEAD    16              /* dead mounts over each other */

/* What a look has found. */
typedef struct {
  int error; /* errno, ETIMEDOUT when the look did not end */
  mode_t mode;
  char path[PATH_MAX]; /* absolute and without links, as far as it could be followed */
} Look;

/* The topmost mount counts, the last in the list. */
static gboolean
is_ours (const char *path)
{
  GList *mounts = g_unix_mounts_get (NULL);
  gboolean ours = FALSE;

  for (GList *l = mounts; l != NULL; l = l->next)
    if (g_str_equal (g_unix_mount_get_mount_path (l->data), path))
      ours = g_str_equal (g_unix_mount_get_fs_type (l->data), MOUNT_TYPE);
  g_list_free_full (mounts, (GDestroyNotify) g_unix_mount_free);
  return ours;
}

static gboolean
write_look (const Look *look, int out)
{
  return write (out, look, sizeof (*look)) == sizeof (*look);
}

/* In the child: LOOK to OUT, first what the path is, then, unless that was an error, what the mount's statfs(2)
 * says. realpath() asks the kernel alone: it reads links, and what is mounted is none. */
static void
look_and_write (Look *look, int out)
{
  char *real = realpath (look->path, NULL);
  struct statfs file_system;
  struct stat status;

  if (real != NULL)
    g_strlcpy (look->path, real, sizeof (look->path));
  look->error = real == NULL ? errno : 0;
  if (!write_look (look, out) || real == NULL)
    return;
  if (statfs (real, &file_system) == 0 && lstat (real, &status) == 0)
    look->mode = status.st_mode;
  else
    look->error = errno;
  write_look (look, out);
}

/* The next Look; FALSE, and LOOK is as before, when it does not come before UNTIL (monotonic). */
static gboolean
hear (int in, KtUsec until, Look *look)
{
  struct pollfd ready = { .fd = in, .events = POLLIN };
  Look heard;
  gsize used = 0;
  ssize_t n = 1;

  while (used < sizeof (heard) && n > 0) {
    int left = (int) MAX (0, (until - kt_clock_monotonic (kt_clock_system ())) / KT_MS);
    while ((n = poll (&ready, 1, left)) < 0 && errno == EINTR)
      ;
    if (n > 0)
      n = read (in, (char *) &heard + used, sizeof (heard) - used);
    used += n > 0 ? (gsize) n : 0;
  }
  if (used == sizeof (heard))
    *look = heard;
  return used == sizeof (heard);
}

static Look
look_at (const char *path)
{
  KtUsec until = kt_clock_monotonic (kt_clock_system ()) + LOOK_TIMEOUT;
  Look look = { .error = ETIMEDOUT };
  int ends[2], null;
  pid_t child;

  g_strlcpy (look.path, path, sizeof (look.path));
  if (pipe2 (ends, O_CLOEXEC) != 0 || (child = fork ()) < 0) {
    look.error = errno;
    return look;
  }
  if (child == 0) {
    null = open ("/dev/null", O_RDWR); /* who waits for our output must not wait for a child that hangs */
    for (int fd = 0; fd <= STDERR_FILENO; fd++)
      dup2 (null, fd);
    look_and_write (&look, ends[1]);
    _exit (0);
  }
  close (ends[1]);
  if (!hear (ends[0], until, &look) || (look.error == 0 && !hear (ends[0], until, &look)))
    look.error = ETIMEDOUT;
  close (ends[0]);
  kill (child, SIGKILL);
  /* not when it hangs: then it may be there for as long as the mount */
  waitpid (child, NULL, look.error == ETIMEDOUT ? WNOHANG : 0);
  return look;
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

static gboolean
is_dead (const Look *look)
{
  return look->error == ENOTCONN || look->error == ECONNABORTED;
}

/* LOOK as an error; PATH as it was given. */
static void
explain (const Look *look, const char *path, GError **error)
{
  gboolean ours = is_ours (look->path);

  if (is_dead (look))
    g_set_error (error, KT_ERROR, KT_ERROR_MOUNT, "%s: a dead mount of another file system is there", path);
  else if (look->error == ETIMEDOUT && ours)
    g_set_error (error, KT_ERROR, KT_ERROR_MOUNT,
                 "%s: kootaskfs is mounted there and does not answer: end that process, or try fusermount3 -u -z %s",
                 path, look->path);
  else if (look->error == ETIMEDOUT)
    g_set_error (error, KT_ERROR, KT_ERROR_MOUNT, "%s: the file system there does not answer", path);
  else if (look->error == EACCES && ours) /* root may not look either */
    g_set_error (error, KT_ERROR, KT_ERROR_MOUNT, "%s: kootaskfs is mounted there by another user", path);
  else if (look->error != 0)
    g_set_error (error, KT_ERROR, KT_ERROR_MOUNT, "%s: %s: expected a directory to mount on",
                 path[0] != '\0' ? path : "''", g_strerror (look->error));
  else if (!S_ISDIR (look->mode))
    g_set_error (error, KT_ERROR, KT_ERROR_MOUNT, "%s: is not a directory: expected one to mount on", path);
  else if (ours)
    g_set_error (error, KT_ERROR, KT_ERROR_MOUNT, "%s: kootaskfs is mounted there already", path);
}

char *
kt_mountpoint_prepare (const char *path, GError **error)
{
  g_autofree char *absolute = kt_path_under (path, NULL);
  Look look = path[0] != '\0' ? look_at (absolute) : (Look){ .error = ENOENT }; /* a variable that is not set */
  GError *why = NULL;

  for (int i = 0; i < MOST_DEAD && is_dead (&look) && is_ours (look.path); i++) {
    if (!clear_dead (look.path, error))
      return NULL;
    look = look_at (absolute);
  }
  explain (&look, path, &why);
  if (why == NULL)
    return g_strdup (look.path);
  g_propagate_error (error, why);
  return NULL;
}
