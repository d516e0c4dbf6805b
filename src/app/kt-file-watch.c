/* SPDX-License-Identifier: MIT */
#include "kt-file-watch.h"

#include "base/kt-error.h"

#include <errno.h>
#include <glib-unix.h>
#include <sys/inotify.h>
#include <unistd.h>

/* The directory is watched, not the file: editors replace files. */
struct KtFileWatch {
  int fd;
  guint source;
  char *name;
  void (*changed) (gpointer data);
  gpointer data;
};

static gboolean
on_event (int fd, GIOCondition condition, gpointer data)
{
  KtFileWatch *watch = data;
  char buffer[4096] __attribute__ ((aligned (__alignof__(struct inotify_event))));
  gboolean changed = FALSE;
  ssize_t size;

  while ((size = read (fd, buffer, sizeof (buffer))) > 0) {
    for (char *p = buffer; p < buffer + size;) {
      const struct inotify_event *event = (const struct inotify_event *) p;
      changed |= (event->mask & IN_Q_OVERFLOW) != 0 || (event->len > 0 && g_str_equal (event->name, watch->name));
      p += sizeof (struct inotify_event) + event->len;
    }
  }
  if (changed)
    watch->changed (watch->data);
  return G_SOURCE_CONTINUE;
}

KtFileWatch *
kt_file_watch_new (const char *path, void (*changed) (gpointer data), gpointer data, GError **error)
{
  KtFileWatch *watch = g_new0 (KtFileWatch, 1);
  g_autofree char *dir = g_path_get_dirname (path);

  watch->name = g_path_get_basename (path);
  watch->changed = changed;
  watch->data = data;
  watch->fd = inotify_init1 (IN_NONBLOCK | IN_CLOEXEC);
  if (watch->fd < 0 || inotify_add_watch (watch->fd, dir, IN_CLOSE_WRITE | IN_MOVED_TO | IN_ATTRIB) < 0) {
    g_set_error (error, KT_ERROR, KT_ERROR_CONFIG, "%s: %s", dir, g_strerror (errno));
    kt_file_watch_free (watch);
    return NULL;
  }
  watch->source = g_unix_fd_add (watch->fd, G_IO_IN, on_event, watch);
  return watch;
}

void
kt_file_watch_free (KtFileWatch *watch)
{
  if (watch == NULL)
    return;
  if (watch->source != 0)
    g_source_remove (watch->source);
  if (watch->fd >= 0)
    close (watch->fd);
  g_free (watch->name);
  g_free (watch);
}
