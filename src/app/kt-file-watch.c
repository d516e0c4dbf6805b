/* SPDX-License-Identifier: MIT */
/* Watches files, and the directories and links that lead to them. */
/* Each path is followed part by part, as the kernel does, from "/": a
 * directory on the way is watched for being moved or deleted, a link for that and for being replaced, which its inode
 * notices too. Only the directory where the way ends, at the file or where a part is missing, is watched for what
 * happens to its names: others, "/tmp" maybe, would wake us for nothing. After a change the ways are followed anew,
 * with an inotify of their own, and only then the file is read, so that no change goes unseen. */
#include "kt-file-watch.h"

#include "base/kt-error.h"

#include <errno.h>
#include <glib-unix.h>
#include <limits.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_LINKS 40  /* on a way, as in the kernel */
#define MOST_PARTS 256 /* of a way, those of its links included: each is a watch */
#define MOST_TRIES 8   /* when directories move while they are followed */

#define ON_THE_WAY   (IN_MOVE_SELF | IN_DELETE_SELF | IN_ONLYDIR | IN_DONT_FOLLOW)
#define AT_THE_END   (ON_THE_WAY | IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE | IN_ATTRIB)
#define LINK_OR_FILE (IN_MOVE_SELF | IN_DELETE_SELF | IN_ATTRIB | IN_CLOSE_WRITE | IN_DONT_FOLLOW)

/* Where a way ends: a name in a directory. */
typedef struct {
  int directory; /* its watch */
  char *path;
} End;

struct KtFileWatch {
  char **paths;
  int fd;
  guint source;
  GArray *ends; /* End */
  void (*changed) (gpointer data);
  gpointer data;
};

typedef enum { FURTHER, ENDED, MOVED } Step;

/* A way that is being followed. */
typedef struct {
  GString *at;   /* a directory, without links */
  int directory; /* the watch of the last one, -1 when it cannot be watched, as one that this user must not list */
  int error;     /* why neither that nor the file, where the way ends, can be watched, or 0 */
  char *rest;    /* the parts that are left */
  guint links;
} Way;

static void
end_clear (gpointer data)
{
  g_free (((End *) data)->path);
}

static gboolean
is_end (const KtFileWatch *watch, int directory)
{
  for (guint i = 0; i < watch->ends->len; i++)
    if (g_array_index (watch->ends, End, i).directory == directory)
      return TRUE;
  return FALSE;
}

/* Takes the first part off the rest; NULL when none is left. (transfer full) */
static char *
next_part (Way *way)
{
  char *start = way->rest + strspn (way->rest, "/");
  char *part = g_strndup (start, strcspn (start, "/"));
  char *rest = g_strdup (start + strlen (part));

  g_free (way->rest);
  way->rest = rest;
  if (part[0] == '\0')
    g_clear_pointer (&part, g_free);
  return part;
}

static void
go_up (Way *way)
{
  const char *slash = strrchr (way->at->str, '/');

  g_string_truncate (way->at, slash == way->at->str ? 1 : (gsize) (slash - way->at->str));
}

/* ENTRY, in way->at, is a link: its target goes before the rest. FALSE when there is no going on. */
static gboolean
take_link (Way *way, const char *entry)
{
  char target[PATH_MAX];
  ssize_t length = readlink (entry, target, sizeof (target) - 1);
  char *rest;

  if (length <= 0 || ++way->links > MOST_LINKS)
    return FALSE;
  target[length] = '\0';
  rest = g_strconcat (target, "/", way->rest, NULL);
  g_free (way->rest);
  way->rest = rest;
  if (target[0] == '/')
    g_string_assign (way->at, "/");
  return TRUE;
}

/* One part further. MOVED: what was a directory a moment ago is none any more. */
static Step
step (KtFileWatch *watch, Way *way, const char *part)
{
  g_autofree char *directory = g_strdup (way->at->str);
  g_autofree char *entry = g_build_filename (directory, part, NULL);
  struct stat status;
  gboolean there;

  way->directory = inotify_add_watch (watch->fd, directory, AT_THE_END);
  way->error = way->directory < 0 ? errno : 0;
  if (way->directory < 0 && (errno == ENOENT || errno == ENOTDIR))
    return MOVED;
  there = lstat (entry, &status) == 0;
  if (there && S_ISDIR (status.st_mode)) {
    g_string_assign (way->at, entry);
  } else {
    if (there && inotify_add_watch (watch->fd, entry, LINK_OR_FILE) >= 0) /* before a link is read */
      way->error = 0;
    if (!there || !S_ISLNK (status.st_mode) || !take_link (way, entry)) {
      End end = { .directory = way->directory, .path = g_steal_pointer (&entry) };
      g_array_append_val (watch->ends, end);
      return ENDED;
    }
  }
  if (way->directory >= 0 && !is_end (watch, way->directory))
    inotify_add_watch (watch->fd, directory, ON_THE_WAY);
  return FURTHER;
}

/* MOVED: to be tried again. Else ERROR says what cannot be watched, if anything. */
static Step
follow (KtFileWatch *watch, const char *path, GError **error)
{
  Way way = { .at = g_string_new ("/"), .rest = g_strdup (path) };
  Step result = FURTHER;
  guint parts = 0;
  char *part;

  while (result == FURTHER && parts < MOST_PARTS && (part = next_part (&way)) != NULL) {
    parts++;
    if (g_str_equal (part, ".."))
      go_up (&way);
    else if (!g_str_equal (part, "."))
      result = step (watch, &way, part);
    g_free (part);
  }
  if (parts == MOST_PARTS || (result == ENDED && way.error != 0))
    g_set_error (error, KT_ERROR, KT_ERROR_CONFIG, "%s: %s", way.at->str,
                 result == ENDED ? g_strerror (way.error) : "too many directories on the way");
  g_string_free (way.at, TRUE);
  g_free (way.rest);
  return result;
}

static gboolean on_event (int fd, GIOCondition condition, gpointer data);

/* Follows all ways, with a new inotify. What cannot be watched does not keep the rest. */
static gboolean
arm (KtFileWatch *watch, GError **error)
{
  g_autoptr (GError) why = NULL;

  g_array_set_size (watch->ends, 0);
  watch->fd = inotify_init1 (IN_NONBLOCK | IN_CLOEXEC);
  if (watch->fd < 0) {
    g_set_error (error, KT_ERROR, KT_ERROR_CONFIG, "inotify: %s", g_strerror (errno));
    return FALSE;
  }
  for (char **path = watch->paths; *path != NULL; path++)
    for (int i = 0; i < MOST_TRIES && follow (watch, *path, why == NULL ? &why : NULL) == MOVED; i++)
      ;
  watch->source = g_unix_fd_add (watch->fd, G_IO_IN, on_event, watch);
  if (why == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&why));
  return FALSE;
}

static void
disarm (KtFileWatch *watch)
{
  g_clear_handle_id (&watch->source, g_source_remove);
  if (watch->fd >= 0)
    close (watch->fd);
  watch->fd = -1;
}

/* A file that has just been created is no change until it is closed; its inode says when, whatever name it had then.
 * One with more names is whole. */
static gboolean
is_being_made (const KtFileWatch *watch, const char *path)
{
  struct stat status;

  if (lstat (path, &status) != 0 || !S_ISREG (status.st_mode) || status.st_nlink > 1)
    return FALSE;
  inotify_add_watch (watch->fd, path, LINK_OR_FILE);
  return TRUE;
}

static gboolean
is_change (const KtFileWatch *watch, const struct inotify_event *event)
{
  if (event->len == 0)
    return TRUE; /* of something on a way itself, or an overflow */
  for (guint i = 0; i < watch->ends->len; i++) {
    const End *end = &g_array_index (watch->ends, End, i);
    g_autofree char *name = g_path_get_basename (end->path);
    if (end->directory == event->wd && g_str_equal (name, event->name))
      return (event->mask & IN_CREATE) == 0 || !is_being_made (watch, end->path);
  }
  return FALSE;
}

static gboolean
is_any_there (const KtFileWatch *watch)
{
  for (char **path = watch->paths; *path != NULL; path++)
    if (g_file_test (*path, G_FILE_TEST_EXISTS))
      return TRUE;
  return FALSE;
}

static gboolean
on_event (int fd, GIOCondition condition, gpointer data)
{
  KtFileWatch *watch = data;
  char buffer[4096] __attribute__ ((aligned (__alignof__(struct inotify_event))));
  g_autoptr (GError) error = NULL;
  gboolean changed = FALSE;
  ssize_t size;

  while ((size = read (fd, buffer, sizeof (buffer))) > 0) {
    for (char *p = buffer; p < buffer + size;) {
      const struct inotify_event *event = (const struct inotify_event *) p;
      changed |= is_change (watch, event);
      p += sizeof (struct inotify_event) + event->len;
    }
  }
  if (!changed)
    return G_SOURCE_CONTINUE;
  disarm (watch);
  if (!arm (watch, &error))
    g_warning ("changes of %s may go unseen until SIGHUP: %s", watch->paths[0], error->message);
  if (is_any_there (watch))
    watch->changed (watch->data);
  return G_SOURCE_REMOVE; /* it has been */
}

KtFileWatch *
kt_file_watch_new (const char *const *paths, void (*changed) (gpointer data), gpointer data, GError **error)
{
  g_autoptr (KtFileWatch) watch = g_new0 (KtFileWatch, 1);

  watch->paths = g_strdupv ((char **) paths);
  watch->changed = changed;
  watch->data = data;
  watch->ends = g_array_new (FALSE, FALSE, sizeof (End));
  g_array_set_clear_func (watch->ends, end_clear);
  return arm (watch, error) ? g_steal_pointer (&watch) : NULL;
}

void
kt_file_watch_free (KtFileWatch *watch)
{
  if (watch == NULL)
    return;
  disarm (watch);
  g_array_unref (watch->ends);
  g_strfreev (watch->paths);
  g_free (watch);
}
