/* SPDX-License-Identifier: MIT */
/* Follows the changes of the watch list. */
#include "kt-watch-follow.h"

#include "kt-file-watch.h"
#include "kt-watch-list.h"

struct KtWatchFollow {
  char *path; /* NULL: no list */
  KtFileWatch *watch;
  KtWatchChanged changed;
  gpointer data;
};

static void
on_changed (gpointer data)
{
  KtWatchFollow *follow = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) keys = kt_watch_list_load (follow->path, &error);

  follow->changed (keys, error, follow->data);
}

KtWatchFollow *
kt_watch_follow_new (const char *path, KtWatchChanged changed, gpointer data, GPtrArray **keys, GError **error)
{
  g_autoptr (KtWatchFollow) follow = g_new0 (KtWatchFollow, 1);
  g_autoptr (GError) why = NULL;
  GPtrArray *read;

  follow->path = g_strdup (path);
  follow->changed = changed;
  follow->data = data;
  if (path != NULL)
    follow->watch = kt_file_watch_new ((const char *const[]){ path, NULL }, on_changed, follow, &why);
  read = path != NULL ? kt_watch_list_load (path, error) : g_ptr_array_new ();
  if (read == NULL)
    return NULL;
  if (why != NULL)
    g_warning ("changes of %s go unseen until SIGHUP: %s", path, why->message);
  *keys = read;
  return g_steal_pointer (&follow);
}

void
kt_watch_follow_free (KtWatchFollow *follow)
{
  if (follow == NULL)
    return;
  kt_file_watch_free (follow->watch);
  g_free (follow->path);
  g_free (follow);
}
