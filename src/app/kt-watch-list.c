/* SPDX-License-Identifier: MIT */
#include "kt-watch-list.h"

#include "base/kt-error.h"
#include "base/kt-names.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define EXPECTED "expected 'share SHAREID TASKID', 'basic TASKID' or 'job JOBID'"

static gboolean
bad_line (const char *origin, guint number, const char *what, GError **error)
{
  g_set_error (error, KT_ERROR, KT_ERROR_CONFIG, "%s:%u: %s: " EXPECTED, origin, number, what);
  return FALSE;
}

/* A line's task; *KEY stays NULL for an empty line. */
static gboolean
parse_line (char *line, const char *origin, guint number, KtKey **key, GError **error)
{
  g_auto (GStrv) split = NULL;
  g_autoptr (GPtrArray) words = g_ptr_array_new ();
  KtFamily family;
  gboolean share;

  line[strcspn (line, "#")] = '\0';
  split = g_strsplit_set (line, " \t\r", -1);
  for (char **word = split; *word != NULL; word++)
    if (**word != '\0')
      g_ptr_array_add (words, *word);
  if (words->len == 0)
    return TRUE;
  if (!kt_family_from_word (words->pdata[0], &family))
    return bad_line (origin, number, "unknown kind of task", error);
  share = family == KT_FAMILY_SHARE;
  if (words->len != (share ? 3 : 2))
    return bad_line (origin, number, "wrong number of words", error);
  for (guint i = 1; i < words->len; i++)
    if (!kt_id_is_valid (words->pdata[i]))
      return bad_line (origin, number, "an id is 1 to 64 of A-Z a-z 0-9 _ -", error);
  *key = share ? kt_key_new_share (words->pdata[1], words->pdata[2]) : kt_key_new (family, words->pdata[1]);
  return TRUE;
}

GPtrArray *
kt_watch_list_parse (const char *text, const char *origin, GError **error)
{
  g_autoptr (GPtrArray) keys = g_ptr_array_new_with_free_func ((GDestroyNotify) kt_key_unref);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  for (guint i = 0; lines[i] != NULL; i++) {
    KtKey *key = NULL;
    if (!parse_line (lines[i], origin, i + 1, &key, error))
      return NULL;
    if (key != NULL)
      g_ptr_array_add (keys, key);
  }
  return g_steal_pointer (&keys);
}

GPtrArray *
kt_watch_list_load (const char *path, GError **error)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) why = NULL;
  gsize length;

  if (!g_file_get_contents (path, &text, &length, &why)) {
    g_set_error_literal (error, KT_ERROR, KT_ERROR_CONFIG, why->message);
    return NULL;
  }
  if (strlen (text) != length) {
    g_set_error (error, KT_ERROR, KT_ERROR_CONFIG, "%s: a NUL byte: expected text", path);
    return NULL;
  }
  return kt_watch_list_parse (text, path, error);
}

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
  if (watch->fd < 0 || inotify_add_watch (watch->fd, dir, IN_CLOSE_WRITE | IN_MOVED_TO) < 0) {
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
