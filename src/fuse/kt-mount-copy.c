/* SPDX-License-Identifier: MIT */
/* Copies of a mount, by which the daemon uses it without keeping it busy. */
#include "kt-mount-copy.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define HELPER_SECONDS 10 /* a path that leads through a file system that hangs */

/* What is sent with a descriptor, which takes at least a byte. */
typedef union {
  char bytes[CMSG_SPACE (sizeof (int))];
  struct cmsghdr aligned;
} Control;

static int
copy_here (const char *mountpoint)
{
  return (int) syscall (SYS_open_tree, AT_FDCWD, mountpoint, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
}

/* In a process that came from one with threads: nothing but system calls. Sends the copy, or errno alone. */
static G_GNUC_NORETURN void
run_helper (const char *mountpoint, int socket)
{
  Control control = { 0 };
  int error = 0, copy = -1;
  struct iovec part = { &error, sizeof (error) };
  struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
  struct cmsghdr *header = &control.aligned;

  alarm (HELPER_SECONDS);
  if (unshare (CLONE_NEWUSER | CLONE_NEWNS) == 0)
    copy = copy_here (mountpoint);
  error = copy < 0 ? errno : 0;
  if (copy >= 0) {
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof (control.bytes);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN (sizeof (int));
    memcpy (CMSG_DATA (header), &copy, sizeof (copy));
  }
  _exit (sendmsg (socket, &message, MSG_NOSIGNAL) < 0);
}

/* The descriptor that the helper sends; -1 and errno when it cannot. */
static int
receive (int socket)
{
  Control control = { 0 };
  int error = ECHILD, copy = -1;
  struct iovec part = { &error, sizeof (error) };
  struct msghdr message = {
    .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof (control.bytes)
  };
  const struct cmsghdr *header;
  ssize_t got = TEMP_FAILURE_RETRY (recvmsg (socket, &message, MSG_CMSG_CLOEXEC));

  header = got > 0 ? CMSG_FIRSTHDR (&message) : NULL;
  if (header != NULL && header->cmsg_type == SCM_RIGHTS)
    memcpy (&copy, CMSG_DATA (header), sizeof (copy));
  errno = error;
  return copy;
}

/* In a user namespace of its own any process may copy the mounts that it sees. The namespace, with its copies of all
 * mounts, ends with the process; the copy that it sends stays. */
static int
copy_by_helper (const char *mountpoint)
{
  int sockets[2], copy, error;
  pid_t helper;

  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0)
    return -1;
  helper = fork ();
  if (helper == 0)
    run_helper (mountpoint, sockets[1]);
  error = errno;
  close (sockets[1]);
  copy = helper > 0 ? receive (sockets[0]) : -1;
  if (helper > 0) {
    error = errno;
    (void) TEMP_FAILURE_RETRY (waitpid (helper, NULL, 0));
  }
  close (sockets[0]);
  errno = error;
  return copy;
}

int
kt_mount_copy (const char *mountpoint, dev_t device, char **why)
{
  int copy = copy_here (mountpoint);
  struct statx status;

  if (copy < 0 && errno == EPERM)
    copy = copy_by_helper (mountpoint);
  if (copy < 0) {
    *why = g_strdup_printf ("the mount cannot be copied: %s", g_strerror (errno));
    return -1;
  }
  /* from the kernel's memory: no operation of ours */
  if (statx (copy, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &status) == 0
      && makedev (status.stx_dev_major, status.stx_dev_minor) == device)
    return copy;
  *why = g_strdup ("something else is mounted there");
  close (copy);
  return -1;
}

gboolean
kt_mount_is_there (const char *mountinfo, dev_t device)
{
  g_autofree char *field = g_strdup_printf ("%u:%u", major (device), minor (device));
  const gsize length = strlen (field);

  /* 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw */
  for (const char *line = mountinfo; *line != '\0';) {
    const char *third = line + strcspn (line, " \n");
    third += strspn (third, " ");
    third += strcspn (third, " \n");
    third += strspn (third, " ");
    if (strncmp (third, field, length) == 0 && third[length] == ' ')
      return TRUE;
    line += strcspn (line, "\n");
    line += *line == '\n';
  }
  return FALSE;
}
