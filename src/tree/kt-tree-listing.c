/* SPDX-License-Identifier: MIT */
/* Directory listings: what stands in a directory at one moment. */
#include "base/kt-error.h"
#include "kt-lookup.h"
#include "kt-tree-private.h"

/* The rows of the table of files that stand there by name, then the names that are data. */
struct KtListing {
  KtTree *tree;
  KtNode *dir;
  guint64 generation;      /* of the catalog */
  GPtrArray *rows;         /* const KtEntry */
  const KtEntry *names_of; /* the row of the names that are data, NULL: there are none */
  KtNameList names;
};

static KtListing *
listing_new (KtTree *tree, KtNode *dir, const KtSnapshot *snapshot)
{
  KtListing *listing = g_new0 (KtListing, 1);
  KtPlace place = dir->entry->below;
  guint facts = kt_tree_facts_of (tree, dir);

  listing->tree = tree;
  listing->dir = kt_node_ref (dir);
  listing->generation = kt_catalog_generation (tree->catalog);
  listing->rows = g_ptr_array_new ();
  for (const KtEntry *row = tree->files; row->ops != NULL; row++)
    if (row->place == place && row->name != NULL && (row->facts & facts) != 0
        && (row->ops->is_listed == NULL || row->ops->is_listed (tree, kt_tree_key_of (tree, dir))))
      g_ptr_array_add (listing->rows, (gpointer) row);
  listing->names_of = kt_entry_find_names (tree->files, place, facts);
  if (listing->names_of != NULL)
    listing->names_of->names->list (tree, dir, snapshot, &listing->names);
  return listing;
}

void
kt_listing_free (KtListing *listing)
{
  if (listing == NULL)
    return;
  kt_node_unref (listing->tree->nodes, listing->dir);
  g_ptr_array_unref (listing->rows);
  if (listing->names.free != NULL)
    listing->names.free (listing->names.data);
  g_free (listing);
}

typedef struct {
  KtOperation operation;
  KtTreeListed listed;
  gpointer data;
} Opendir;

static void
end (Opendir *opendir, const KtSnapshot *snapshot, const GError *error)
{
  const KtOperation *operation = &opendir->operation;

  opendir->listed (error == NULL ? listing_new (operation->tree, operation->node, snapshot) : NULL, error,
                   opendir->data);
  kt_operation_free (&opendir->operation);
}

/* A task's names are there without its snapshot, which only has more; those of its files as long as there is one. */
static void
on_snapshot (const KtSnapshot *snapshot, const GError *error, gpointer data)
{
  Opendir *opendir = data;
  KtTree *tree = opendir->operation.tree;
  const KtNode *dir = opendir->operation.node;
  KtSnapshot last;

  opendir->operation.waiter = NULL;
  if (error != NULL && kt_lookup_last_names (tree, opendir->operation.key, error, &last)) {
    snapshot = &last;
    error = NULL;
  } else if (kt_entry_find_names (tree->files, dir->entry->below, kt_tree_facts_of (tree, dir)) == NULL) {
    error = NULL;
  }
  end (opendir, snapshot, error);
}

static void
on_lists (gpointer data)
{
  end (data, NULL, NULL);
}

static KtOperation *
wait_for_lists (Opendir *opendir)
{
  KtListsWaiter *waiter = kt_lists_get (opendir->operation.tree->lists, on_lists, opendir);

  if (waiter == NULL)
    return NULL; /* listed already: the operation is gone */
  opendir->operation.lists_waiter = waiter;
  return &opendir->operation;
}

KtOperation *
kt_tree_list (KtTree *tree, guint64 id, KtTreeListed listed, gpointer data)
{
  KtNode *dir = kt_nodes_get (tree->nodes, id);
  KtOutcome needs;
  Opendir *opendir;

  if (dir == NULL || !S_ISDIR (dir->entry->ops->mode)) {
    g_autoptr (GError) error = g_error_new_literal (KT_ERROR, KT_ERROR_NOT_FOUND, "there is no such directory");
    listed (NULL, error, data);
    return NULL;
  }
  needs = dir->entry->ops->list_needs != NULL ? dir->entry->ops->list_needs (tree, dir) : KT_FOUND;
  if (needs == KT_FOUND) {
    listed (listing_new (tree, dir, NULL), NULL, data);
    return NULL;
  }
  opendir = kt_operation_new (sizeof (Opendir), tree, dir, kt_tree_key_of (tree, dir));
  opendir->listed = listed;
  opendir->data = data;
  if (needs == KT_NEEDS_LISTS)
    return wait_for_lists (opendir);
  return kt_operation_ask (&opendir->operation, KT_STORE_FRESH, on_snapshot) ? &opendir->operation : NULL;
}

const char *
kt_listing_name (const KtListing *listing, guint index, mode_t *type)
{
  if (index < listing->rows->len) {
    const KtEntry *row = g_ptr_array_index (listing->rows, index);
    *type = row->ops->mode & S_IFMT;
    return row->name;
  }
  index -= listing->rows->len;
  if (index >= listing->names.n)
    return NULL;
  *type = listing->names_of->ops->mode & S_IFMT;
  return listing->names.name (listing->names.data, index);
}

/* The key at INDEX, if the catalog has it still: then the name is found as it would be by a lookup, and the catalog
 * is not asked once more. There may be a million of these. */
static KtKey *
key_at (const KtListing *listing, guint index)
{
  return listing->names.key != NULL && index >= listing->rows->len
                 && listing->generation == kt_catalog_generation (listing->tree->catalog)
             ? listing->names.key (listing->names.data, index - listing->rows->len)
             : NULL;
}

static void
look_up_key (const KtListing *listing, const char *name, KtKey *key, KtInode *inode)
{
  KtTree *tree = listing->tree;
  KtNode *node = kt_nodes_look_up (tree->nodes, listing->dir, listing->names_of, name, key);

  kt_tree_describe (tree, node, key, inode);
  if (inode->attr_timeout == 0) {
    kt_tree_settle_mtime (tree, key);
    kt_tree_describe (tree, node, key, inode);
  }
  inode->entry_timeout = KT_TIME_NEVER;
}

gboolean
kt_listing_look_up (KtListing *listing, guint index, KtInode *inode)
{
  mode_t type;
  const char *name = kt_listing_name (listing, index, &type);
  KtKey *key = key_at (listing, index);
  KtOutcome outcome;
  KtLookup lookup;
  KtNode *node;

  if (key != NULL) {
    look_up_key (listing, name, key, inode);
    return TRUE;
  }
  kt_lookup_init (&lookup, listing->tree, listing->dir, name);
  lookup.is_listing = TRUE;
  lookup.row = index < listing->rows->len ? g_ptr_array_index (listing->rows, index) : listing->names_of;
  outcome = kt_lookup_from_cache (&lookup);
  *inode = lookup.inode;
  kt_lookup_clear (&lookup);
  if (outcome != KT_FOUND)
    return FALSE;
  node = kt_nodes_get (listing->tree->nodes, inode->id);
  if (node->content != NULL) {
    node->lasting = TRUE;
    inode->attr_timeout = KT_TIME_NEVER;
  }
  return TRUE;
}
