/* SPDX-License-Identifier: MIT */
#include "kt-node.h"

#include "kt-tree.h"

struct KtNodes {
  GHashTable *by_id; /* id → KtNode */
  guint64 last_id;
  KtNode *root;
};

/* Ids as hash keys: pointers hold them whole. */
G_STATIC_ASSERT (sizeof (gpointer) >= sizeof (guint64));

static KtNode *
node_new (KtNodes *nodes, KtNode *parent, const KtEntry *entry, const char *name, KtKey *key)
{
  KtNode *node = g_new0 (KtNode, 1);

  node->id = ++nodes->last_id;
  node->entry = entry;
  node->own_name = entry->name == NULL ? g_strdup (name) : NULL;
  node->key = key != NULL ? kt_key_ref (key) : NULL;
  g_hash_table_insert (nodes->by_id, (gpointer) node->id, node);
  if (parent != NULL) {
    node->parent = kt_node_ref (parent);
    if (parent->children == NULL)
      parent->children = g_hash_table_new (g_str_hash, g_str_equal);
    g_hash_table_replace (parent->children, (gpointer) kt_node_name (node), node);
  }
  return node;
}

static void
node_free (KtNodes *nodes, KtNode *node)
{
  KtNode *parent = node->parent;

  if (parent != NULL && kt_node_child (parent, kt_node_name (node)) == node)
    g_hash_table_remove (parent->children, kt_node_name (node));
  g_hash_table_remove (nodes->by_id, (gpointer) node->id);
  g_clear_pointer (&node->children, g_hash_table_unref);
  g_clear_pointer (&node->content, g_bytes_unref);
  kt_key_unref (node->key);
  g_free (node->own_name);
  g_free (node);
  if (parent != NULL)
    kt_node_unref (nodes, parent);
}

KtNodes *
kt_nodes_new (void)
{
  KtNodes *nodes = g_new0 (KtNodes, 1);

  nodes->by_id = g_hash_table_new (NULL, NULL);
  nodes->last_id = KT_NODE_ROOT_ID - 1;
  nodes->root = kt_node_ref (node_new (nodes, NULL, kt_entry_root (), "", NULL));
  return nodes;
}

void
kt_nodes_free (KtNodes *nodes)
{
  GHashTableIter iter;
  KtNode *node;

  if (nodes == NULL)
    return;
  /* at unmount the kernel forgets nothing: everything goes at once, no counting */
  g_hash_table_iter_init (&iter, nodes->by_id);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &node)) {
    g_clear_pointer (&node->children, g_hash_table_unref);
    g_clear_pointer (&node->content, g_bytes_unref);
    kt_key_unref (node->key);
    g_free (node->own_name);
    g_free (node);
  }
  g_hash_table_unref (nodes->by_id);
  g_free (nodes);
}

guint
kt_nodes_size (const KtNodes *nodes)
{
  return g_hash_table_size (nodes->by_id);
}

KtNode *
kt_nodes_get (KtNodes *nodes, guint64 id)
{
  return g_hash_table_lookup (nodes->by_id, (gpointer) id);
}

KtNode *
kt_node_ref (KtNode *node)
{
  node->refs++;
  return node;
}

void
kt_node_unref (KtNodes *nodes, KtNode *node)
{
  if (--node->refs == 0)
    node_free (nodes, node);
}

/* All of the kernel's lookups together are one reference. */
static KtNode *
add_lookup (KtNode *node)
{
  if (node->lookups++ == 0)
    kt_node_ref (node);
  return node;
}

KtNode *
kt_nodes_look_up (KtNodes *nodes, KtNode *parent, const KtEntry *entry, const char *name, KtKey *key)
{
  KtNode *node = kt_node_child (parent, name);

  return add_lookup (node != NULL ? node : node_new (nodes, parent, entry, name, key));
}

KtNode *
kt_nodes_look_up_version (KtNodes *nodes, KtNode *parent, const KtEntry *entry, GBytes *content, gint64 first_mtime,
                          gint64 next_mtime)
{
  KtNode *current = kt_node_child (parent, entry->name);
  KtNode *node;

  if (current != NULL && g_bytes_equal (current->content, content))
    return add_lookup (current);
  node = node_new (nodes, parent, entry, entry->name, parent->key);
  node->content = g_bytes_ref (content);
  node->mtime = current == NULL ? first_mtime : next_mtime;
  /* nothing to gain: no pages, too many, or a file that is looked up anew each time */
  node->primed =
      g_bytes_get_size (content) == 0 || g_bytes_get_size (content) > KT_PRIME_MAX || entry->place == KT_PLACE_CONTROL;
  return add_lookup (node);
}

void
kt_nodes_forget (KtNodes *nodes, guint64 id, guint64 count)
{
  KtNode *node = kt_nodes_get (nodes, id);

  if (node == NULL || node == nodes->root || node->lookups == 0)
    return;
  node->lookups -= MIN (count, node->lookups);
  if (node->lookups == 0)
    kt_node_unref (nodes, node);
}

const char *
kt_node_name (const KtNode *node)
{
  return node->own_name != NULL ? node->own_name : node->entry->name;
}

KtNode *
kt_node_child (const KtNode *node, const char *name)
{
  return node->children != NULL ? g_hash_table_lookup (node->children, name) : NULL;
}
