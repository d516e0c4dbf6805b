/* SPDX-License-Identifier: MIT */
/* The content of files, and what of it is put into the kernel's page cache. */
#include "base/kt-error.h"
#include "kt-tree-private.h"

static void
pages_free (gpointer data)
{
  KtPages *pages = data;
  g_bytes_unref (pages->content);
  g_free (pages);
}

void
kt_pages_add (GPtrArray **list, guint64 inode, gint64 offset, GBytes *content)
{
  KtPages *pages = g_new (KtPages, 1);

  *pages = (KtPages){ .inode = inode, .offset = offset, .content = g_bytes_ref (content) };
  if (*list == NULL)
    *list = g_ptr_array_new_with_free_func (pages_free);
  g_ptr_array_add (*list, pages);
}

/* Adds the file NODE to LIST, unless the kernel has it. */
static void
add_pages (GPtrArray **list, KtNode *node)
{
  if (node->content == NULL || node->stored)
    return;
  node->stored = TRUE;
  kt_pages_add (list, node->id, 0, node->content);
}

GPtrArray *
kt_tree_preload (KtTree *tree, guint64 id)
{
  KtNode *node = kt_nodes_get (tree->nodes, id);
  GPtrArray *list = NULL;

  if (node == NULL || node->lasting)
    return NULL;
  node->lasting = TRUE;
  add_pages (&list, node);
  return list;
}

GPtrArray *
kt_tree_preload_others (KtTree *tree, guint64 id)
{
  KtNode *node = kt_nodes_get (tree->nodes, id);
  GPtrArray *list = NULL;

  if (node == NULL || node->stored)
    return NULL;
  node->stored = TRUE;
  if (node->parent->readers < 2 && ++node->parent->readers < 2)
    return NULL;
  for (const GList *link = node->parent->children.head; link != NULL; link = link->next)
    add_pages (&list, link->data);
  return list;
}

GBytes *
kt_tree_read_content (const KtNode *node)
{
  return g_bytes_ref (node->content);
}

GBytes *
kt_tree_read_at (KtTree *tree, guint64 id, gint64 offset, gsize size)
{
  const KtNode *node = kt_nodes_get (tree->nodes, id);
  return node != NULL && node->entry->ops->read_at != NULL ? node->entry->ops->read_at (node, (guint64) offset, size)
                                                           : NULL;
}

void
kt_tree_look (KtTree *tree, guint64 id, gboolean is_read)
{
  KtNode *node = kt_nodes_get (tree->nodes, id);

  if (node != NULL && node->entry->ops->look != NULL)
    node->entry->ops->look (tree, node, is_read);
}

GBytes *
kt_tree_read (KtTree *tree, guint64 id, GError **error)
{
  const KtNode *node = kt_nodes_get (tree->nodes, id);

  if (node != NULL && node->failure != NULL) {
    g_propagate_error (error, g_error_copy (node->failure));
    return NULL;
  }
  return node != NULL && node->entry->ops->read != NULL ? node->entry->ops->read (node) : NULL;
}

KtOperation *
kt_tree_read_part (KtTree *tree, guint64 id, const KtTreePart *part, KtTreeBytes bytes, gpointer data)
{
  KtNode *node = kt_nodes_get (tree->nodes, id);

  if (node == NULL || node->entry->ops->read_part == NULL) {
    g_autoptr (GError) error = g_error_new_literal (KT_ERROR, KT_ERROR_NOT_FOUND, "there is no such file");
    bytes (NULL, 0, error, data);
    return NULL;
  }
  return node->entry->ops->read_part (tree, node, part, bytes, data);
}
