/* SPDX-License-Identifier: MIT */
/* The inodes that the kernel knows: made, found by name, counted and freed. */
#include "kt-node.h"

#include "kt-tree.h"

struct KtNodes {
  GHashTable *by_id;   /* id → KtNode */
  GHashTable *by_name; /* set of KtNode, by parent and name: one for all directories, most of which are small */
  guint64 last_id;
  KtNode *root;
};

/* Ids as hash keys: pointers hold them whole. */
G_STATIC_ASSERT (sizeof (gpointer) >= sizeof (guint64));

static guint
name_hash (gconstpointer node)
{
  const KtNode *n = node;
  return g_str_hash (kt_node_name (n)) * 31 + (guint) n->parent->id + (n->failure != NULL);
}

static gboolean
name_equal (gconstpointer a, gconstpointer b)
{
  const KtNode *x = a, *y = b;
  return x->parent == y->parent && (x->failure != NULL) == (y->failure != NULL)
         && g_str_equal (kt_node_name (x), kt_node_name (y));
}

static KtNode *
find (KtNodes *nodes, KtNode *dir, const char *name, const GError *failure)
{
  const KtNode probe = { .parent = dir, .own_name = (char *) name, .failure = (GError *) failure };
  return g_hash_table_lookup (nodes->by_name, &probe);
}

KtNode *
kt_nodes_find (KtNodes *nodes, KtNode *dir, const char *name)
{
  return find (nodes, dir, name, NULL);
}

static void
give_name (KtNodes *nodes, KtNode *node)
{
  node->named.data = node;
  g_queue_push_tail_link (&node->parent->children, &node->named);
  g_hash_table_add (nodes->by_name, node);
}

static void
take_name (KtNodes *nodes, KtNode *node)
{
  if (node->named.data == NULL)
    return;
  g_hash_table_remove (nodes->by_name, node);
  g_queue_unlink (&node->parent->children, &node->named);
  node->named.data = NULL;
}

/* The name is its own from now on; with FAILURE that of failures. */
static KtNode *
node_new (KtNodes *nodes, KtNode *parent, const KtEntry *entry, const char *name, KtKey *key, const GError *failure)
{
  KtNode *node = g_new0 (KtNode, 1);
  KtNode *before;

  node->id = ++nodes->last_id;
  node->entry = entry;
  node->own_name = entry->name == NULL ? g_strdup (name) : NULL;
  node->key = key != NULL ? kt_key_ref (key) : NULL;
  node->failure = failure != NULL ? g_error_copy (failure) : NULL;
  g_hash_table_insert (nodes->by_id, (gpointer) node->id, node);
  if (parent != NULL) {
    node->parent = kt_node_ref (parent);
    before = find (nodes, parent, name, failure);
    if (before != NULL)
      take_name (nodes, before);
    give_name (nodes, node);
  }
  return node;
}

static void
node_clear (KtNode *node)
{
  g_clear_pointer (&node->content, g_bytes_unref);
  g_clear_error (&node->failure);
  kt_package_unref (node->package);
  if (node->growing != NULL)
    kt_event_file_drop (node->growing->events, node->growing->file);
  g_free (node->growing);
  kt_key_unref (node->key);
  g_free (node->own_name);
  g_free (node);
}

static void
node_free (KtNodes *nodes, KtNode *node)
{
  KtNode *parent = node->parent;

  take_name (nodes, node);
  g_hash_table_remove (nodes->by_id, (gpointer) node->id);
  node_clear (node);
  if (parent != NULL)
    kt_node_unref (nodes, parent);
}

KtNodes *
kt_nodes_new (const KtEntry *root)
{
  KtNodes *nodes = g_new0 (KtNodes, 1);

  nodes->by_id = g_hash_table_new (NULL, NULL);
  nodes->by_name = g_hash_table_new (name_hash, name_equal);
  nodes->last_id = KT_NODE_ROOT_ID - 1;
  nodes->root = kt_node_ref (node_new (nodes, NULL, root, "", NULL, NULL));
  nodes->last_id = KT_NODE_FIRST_ID - 1;
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
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &node))
    node_clear (node);
  g_hash_table_unref (nodes->by_name);
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
kt_nodes_look_up_again (KtNodes *nodes, guint64 id)
{
  KtNode *node = kt_nodes_get (nodes, id);

  return node != NULL && node->lookups > 0 ? add_lookup (node) : NULL;
}

KtNode *
kt_nodes_look_up (KtNodes *nodes, KtNode *parent, const KtEntry *entry, const char *name, KtKey *key)
{
  KtNode *node = kt_nodes_find (nodes, parent, name);

  return add_lookup (node != NULL ? node : node_new (nodes, parent, entry, name, key, NULL));
}

/* Whether NODE has CONTENT. Large contents belong to a task, and are one object as long as that is: then they are
 * not compared byte by byte; nor are those of the next task that is equal, once it was compared, as the node takes
 * them for its own. */
static gboolean
has_content (KtNode *node, GBytes *content)
{
  if (node->content == content)
    return TRUE;
  if (!g_bytes_equal (node->content, content))
    return FALSE;
  g_bytes_unref (node->content);
  node->content = g_bytes_ref (content);
  return TRUE;
}

KtNode *
kt_nodes_look_up_version (KtNodes *nodes, KtNode *parent, const KtEntry *entry, GBytes *content,
                          KtUsec first_mtime_wall, KtUsec next_mtime_wall)
{
  KtNode *current = kt_nodes_find (nodes, parent, entry->name);
  KtNode *node;

  if (current != NULL && has_content (current, content))
    return add_lookup (current);
  node = node_new (nodes, parent, entry, entry->name, parent->key, NULL);
  node->content = g_bytes_ref (content);
  node->mtime_wall = current == NULL ? first_mtime_wall : next_mtime_wall;
  /* nothing to gain: no pages, too many, or a file that is looked up anew each time */
  node->lasting = node->stored =
      g_bytes_get_size (content) == 0 || g_bytes_get_size (content) > KT_PRELOAD_MAX || entry->ops->is_remade;
  return add_lookup (node);
}

KtNode *
kt_nodes_look_up_new (KtNodes *nodes, KtNode *parent, const KtEntry *entry, GBytes *content, KtUsec mtime_wall)
{
  KtNode *node = node_new (nodes, parent, entry, entry->name, parent->key, NULL);

  node->content = content != NULL ? g_bytes_ref (content) : NULL;
  node->mtime_wall = mtime_wall;
  node->lasting = node->stored = TRUE; /* its pages are nobody else's */
  return add_lookup (node);
}

void
kt_nodes_fail (KtNodes *nodes, KtNode *node, const GError *failure)
{
  take_name (nodes, node);
  g_clear_error (&node->failure);
  node->failure = g_error_copy (failure);
}

KtNode *
kt_nodes_look_up_package (KtNodes *nodes, KtNode *parent, const KtEntry *entry, KtPackage *package, KtUsec mtime_wall)
{
  KtNode *node = kt_nodes_find (nodes, parent, entry->name);

  if (node == NULL || node->package != package) {
    node = node_new (nodes, parent, entry, entry->name, parent->key, NULL);
    node->package = kt_package_ref (package);
    kt_package_set_inode (package, node->id);
    node->mtime_wall = mtime_wall;
  }
  return add_lookup (node);
}

KtNode *
kt_nodes_look_up_growing (KtNodes *nodes, KtNode *parent, const KtEntry *entry, KtEvents *events, KtEventFile *file)
{
  KtNode *node = kt_nodes_find (nodes, parent, entry->name);
  guint64 base;

  if (node != NULL && node->growing->file == file) {
    kt_event_file_drop (events, file);
    return add_lookup (node);
  }
  base = kt_event_file_base (file);
  node = node_new (nodes, parent, entry, entry->name, parent->key, NULL);
  node->growing = g_new (KtGrowing, 1);
  *node->growing = (KtGrowing){
    .events = events, .file = file, .base = base, .old_at = base + KT_EVENTS_LOST_MAX, .looked_at = KT_TIME_UNKNOWN
  };
  node->lasting = node->stored = TRUE; /* nothing is preloaded */
  return add_lookup (node);
}

gboolean
kt_node_grows_old (KtNode *node)
{
  KtGrowing *growing = node->growing;
  const guint64 start = growing != NULL ? kt_event_file_start (growing->file) : 0;

  if (growing == NULL || start < growing->old_at)
    return FALSE;
  growing->old_at = start + KT_GROWING_LOST_MORE;
  return TRUE;
}

KtNode *
kt_nodes_look_up_failure (KtNodes *nodes, KtNode *parent, const KtEntry *entry, const GError *failure,
                          KtUsec mtime_wall)
{
  KtNode *node = find (nodes, parent, entry->name, failure);

  if (node == NULL || !g_error_matches (node->failure, failure->domain, failure->code)) {
    node = node_new (nodes, parent, entry, entry->name, parent->key, failure);
    node->mtime_wall = mtime_wall;
    node->lasting = node->stored = TRUE; /* there are no pages */
  }
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

char *
kt_node_path (const KtNode *node)
{
  g_autofree char *above = NULL;

  if (node->parent == NULL)
    return g_strdup ("");
  above = kt_node_path (node->parent);
  return g_strconcat (above, kt_node_name (node), S_ISDIR (node->entry->ops->mode) ? "/" : "", NULL);
}
