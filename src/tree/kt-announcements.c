/* SPDX-License-Identifier: MIT */
/* Announcements: paths of what has changed and is watched, collected until the kernel has forgotten what was before. */
#include "kt-announcements.h"

#include "kt-tree-own.h"

struct KtAnnouncements {
  KtTree *tree;
  GHashTable *paths; /* a set */
  gboolean is_waiting;
  KtTreeAnnounce announce;
  gpointer kernel;
};

KtAnnouncements *
kt_announcements_new (KtTree *tree)
{
  KtAnnouncements *announcements = g_new0 (KtAnnouncements, 1);

  announcements->tree = tree;
  announcements->paths = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return announcements;
}

void
kt_announcements_free (KtAnnouncements *announcements)
{
  g_hash_table_unref (announcements->paths);
  g_free (announcements);
}

void
kt_announcements_set_kernel (KtAnnouncements *announcements, KtTreeAnnounce announce, gpointer kernel)
{
  announcements->announce = announce;
  announcements->kernel = kernel;
}

static gboolean
on_forgotten (gpointer data)
{
  KtAnnouncements *announcements = data;
  GPtrArray *paths = g_ptr_array_new_with_free_func (g_free);
  GHashTableIter iter;
  char *path;

  announcements->is_waiting = FALSE;
  g_hash_table_iter_init (&iter, announcements->paths);
  while (g_hash_table_iter_next (&iter, (gpointer *) &path, NULL)) {
    g_hash_table_iter_steal (&iter);
    g_ptr_array_add (paths, path);
  }
  if (announcements->announce != NULL)
    announcements->announce (announcements->kernel, paths);
  else
    g_ptr_array_unref (paths);
  return G_SOURCE_REMOVE;
}

void
kt_announcements_add (KtAnnouncements *announcements, char *path)
{
  KtTree *tree = announcements->tree;

  if (announcements->announce == NULL || tree->invalidate == NULL) {
    g_free (path);
    return;
  }
  g_hash_table_add (announcements->paths, path);
  if (announcements->is_waiting)
    return;
  announcements->is_waiting = TRUE;
  /* nothing is to be forgotten, but this comes after what is */
  tree->invalidate (tree->kernel, g_ptr_array_new (), on_forgotten, announcements);
}

void
kt_announcements_add_inode (KtAnnouncements *announcements, guint64 id)
{
  kt_announcements_add (announcements, g_strdup_printf (KT_TREE_INODES "/%" G_GUINT64_FORMAT, id));
}

void
kt_announcements_rest (KtAnnouncements *announcements)
{
  if (announcements->announce != NULL)
    announcements->announce (announcements->kernel, g_ptr_array_new ());
}
