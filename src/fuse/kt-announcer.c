/* SPDX-License-Identifier: MIT */
/* The announcer: a thread that makes the inotify events of what has changed. */
#include "kt-announcer.h"

#include "kt-mount-copy.h"
#include "tree/kt-tree-own.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOUNTINFO   "/proc/self/mountinfo"
#define RETRY_AFTER KT_SECOND /* when no copy could be made */

struct KtAnnouncer {
  KtClock *clock; /* of which the thread asks the time and nothing else */
  char *mountpoint;
  dev_t device;
  GThread *thread;
  int wake;    /* eventfd: the queue, or one of the next three, has changed */
  gint tid;    /* atomic: the thread's id; 0 until it runs */
  gint stop;   /* atomic */
  gint rest;   /* atomic: close the copy */
  gint ended;  /* atomic */
  GMutex lock; /* of the queue */
  GQueue queue;
  GHashTable *queued; /* the paths in it */

  /* the thread's own */
  int mounts;         /* MOUNTINFO, readable by POLLPRI when a mount comes or goes */
  int copy;           /* -1: none */
  KtUsec retry_at;    /* when to try next to make one */
  gboolean is_warned; /* that none can be made */
};

static void
close_copy (KtAnnouncer *announcer)
{
  if (announcer->copy < 0)
    return;
  close (announcer->copy);
  announcer->copy = -1;
}

/* The directory of inodes is found by nobody else: another process id namespace, for one, hides who we are. */
static gboolean
is_known (const KtAnnouncer *announcer)
{
  int fd = openat (announcer->copy, KT_TREE_INODES, O_PATH | O_DIRECTORY | O_CLOEXEC);

  if (fd >= 0)
    close (fd);
  return fd >= 0;
}

/* Makes the copy, unless there is one. Our operations in it are to be known as ours. */
static gboolean
open_copy (KtAnnouncer *announcer)
{
  g_autofree char *why = NULL;

  if (announcer->copy >= 0 || kt_clock_monotonic (announcer->clock) < announcer->retry_at)
    return announcer->copy >= 0;
  announcer->copy = kt_mount_copy (announcer->mountpoint, announcer->device, &why);
  if (announcer->copy >= 0 && !is_known (announcer)) {
    why = g_strdup ("the daemon does not know its own operations");
    close_copy (announcer);
  }
  if (announcer->copy < 0 && !announcer->is_warned)
    g_message ("inotify watchers of the mount see no change: %s", why);
  announcer->is_warned = announcer->copy < 0;
  announcer->retry_at = announcer->copy < 0 ? kt_clock_monotonic (announcer->clock) + RETRY_AFTER : 0;
  return announcer->copy >= 0;
}

/* Makes the events for one path. What fails has gone meanwhile. */
static void
announce (const KtAnnouncer *announcer, const char *path)
{
  const struct timespec modified[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_nsec = UTIME_NOW } };
  int fd;

  if (g_str_has_suffix (path, "/")) {
    utimensat (announcer->copy, path, NULL, 0);
    return;
  }
  if (utimensat (announcer->copy, path, modified, AT_SYMLINK_NOFOLLOW) != 0)
    return;
  fd = openat (announcer->copy, path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd >= 0)
    close (fd);
  else
    utimensat (announcer->copy, path, NULL, AT_SYMLINK_NOFOLLOW);
}

/* The next path in the queue. (transfer full), NULL at its end. */
static char *
next (KtAnnouncer *announcer)
{
  char *path;

  g_mutex_lock (&announcer->lock);
  path = g_queue_pop_head (&announcer->queue);
  if (path != NULL)
    g_hash_table_steal (announcer->queued, path);
  g_mutex_unlock (&announcer->lock);
  return path;
}

/* The mount that the copy is of may have been unmounted. */
static void
check_mount (KtAnnouncer *announcer)
{
  g_autofree char *mountinfo = NULL;

  if (announcer->copy >= 0 && g_file_get_contents (MOUNTINFO, &mountinfo, NULL, NULL)
      && !kt_mount_is_there (mountinfo, announcer->device))
    close_copy (announcer);
}

/* Announces what is queued, until it is told to stop. */
static void
announce_all (KtAnnouncer *announcer)
{
  while (!g_atomic_int_get (&announcer->stop)) {
    struct pollfd mounts = { announcer->mounts, POLLPRI, 0 };
    g_autofree char *path = next (announcer);
    if (path == NULL)
      break;
    if (poll (&mounts, 1, 0) > 0)
      check_mount (announcer);
    if (open_copy (announcer))
      announce (announcer, path);
  }
}

static gpointer
run (gpointer data)
{
  KtAnnouncer *announcer = data;
  guint64 count;

  g_atomic_int_set (&announcer->tid, gettid ());
  while (!g_atomic_int_get (&announcer->stop)) {
    struct pollfd fds[2] = { { announcer->wake, POLLIN, 0 }, { announcer->mounts, POLLPRI, 0 } };
    if (poll (fds, announcer->copy >= 0 ? 2 : 1, -1) < 0)
      continue;
    if (fds[1].revents != 0)
      check_mount (announcer);
    if (fds[0].revents != 0 && read (announcer->wake, &count, sizeof (count)) < 0)
      continue;
    if (g_atomic_int_compare_and_exchange (&announcer->rest, TRUE, FALSE))
      close_copy (announcer);
    announce_all (announcer);
  }
  close_copy (announcer);
  g_atomic_int_set (&announcer->ended, TRUE);
  g_main_context_wakeup (NULL);
  return NULL;
}

static void
wake (const KtAnnouncer *announcer)
{
  const guint64 one = 1;

  if (write (announcer->wake, &one, sizeof (one)) < 0)
    g_warning ("cannot wake the announcer: %s", g_strerror (errno));
}

KtAnnouncer *
kt_announcer_new (KtClock *clock, const char *mountpoint, dev_t device)
{
  KtAnnouncer *announcer = g_new0 (KtAnnouncer, 1);

  announcer->clock = clock;
  announcer->mountpoint = g_strdup (mountpoint);
  announcer->device = device;
  announcer->wake = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  announcer->mounts = open (MOUNTINFO, O_RDONLY | O_CLOEXEC);
  announcer->copy = -1;
  g_mutex_init (&announcer->lock);
  g_queue_init (&announcer->queue);
  announcer->queued = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  announcer->thread = g_thread_new ("announcer", run, announcer);
  return announcer;
}

void
kt_announcer_announce (KtAnnouncer *announcer, GPtrArray *paths)
{
  if (paths->len == 0)
    g_atomic_int_set (&announcer->rest, TRUE);
  g_mutex_lock (&announcer->lock);
  for (guint i = 0; i < paths->len; i++) {
    char *path = g_ptr_array_index (paths, i);
    if (g_hash_table_contains (announcer->queued, path))
      continue;
    path = g_strdup (path);
    g_hash_table_add (announcer->queued, path);
    g_queue_push_tail (&announcer->queue, path);
  }
  g_mutex_unlock (&announcer->lock);
  g_ptr_array_unref (paths);
  wake (announcer);
}

gboolean
kt_announcer_is_own (KtAnnouncer *announcer, pid_t pid)
{
  return pid != 0 && pid == g_atomic_int_get (&announcer->tid);
}

void
kt_announcer_stop (KtAnnouncer *announcer)
{
  g_atomic_int_set (&announcer->stop, TRUE);
  wake (announcer);
}

gboolean
kt_announcer_has_ended (KtAnnouncer *announcer)
{
  return g_atomic_int_get (&announcer->ended);
}

void
kt_announcer_join (KtAnnouncer *announcer)
{
  g_thread_join (announcer->thread);
  g_queue_clear (&announcer->queue);
  g_hash_table_unref (announcer->queued);
  g_mutex_clear (&announcer->lock);
  close (announcer->wake);
  if (announcer->mounts >= 0)
    close (announcer->mounts);
  g_free (announcer->mountpoint);
  g_free (announcer);
}
