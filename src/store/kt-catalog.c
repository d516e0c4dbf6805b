/* SPDX-License-Identifier: MIT */
#include "kt-catalog.h"

typedef struct {
  KtKey *key;
  gboolean watched;
  GList link; /* KtCatalog.watched or .found */
} Known;

struct KtCatalog {
  GHashTable *by_id; /* task id → Known */
  GQueue watched;
  GQueue found;
};

static void
known_free (gpointer data)
{
  Known *known = data;
  kt_key_unref (known->key);
  g_free (known);
}

KtCatalog *
kt_catalog_new (void)
{
  KtCatalog *catalog = g_new0 (KtCatalog, 1);

  catalog->by_id = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, known_free);
  g_queue_init (&catalog->watched);
  g_queue_init (&catalog->found);
  return catalog;
}

void
kt_catalog_free (KtCatalog *catalog)
{
  if (catalog == NULL)
    return;
  g_hash_table_unref (catalog->by_id);
  g_free (catalog);
}

static void
put (KtCatalog *catalog, KtKey *key, gboolean watched)
{
  Known *known = g_new0 (Known, 1);

  known->key = kt_key_ref (key);
  known->watched = watched;
  known->link.data = known;
  g_hash_table_replace (catalog->by_id, (gpointer) known->key->task_id, known);
  g_queue_push_tail_link (watched ? &catalog->watched : &catalog->found, &known->link);
}

static void
take (KtCatalog *catalog, Known *known)
{
  g_queue_unlink (known->watched ? &catalog->watched : &catalog->found, &known->link);
  g_hash_table_remove (catalog->by_id, known->key->task_id);
}

void
kt_catalog_set_watched (KtCatalog *catalog, GPtrArray *keys)
{
  while (!g_queue_is_empty (&catalog->watched))
    take (catalog, catalog->watched.head->data);
  for (guint i = 0; i < keys->len; i++) {
    KtKey *key = g_ptr_array_index (keys, i);
    Known *known = g_hash_table_lookup (catalog->by_id, key->task_id);
    if (known != NULL)
      take (catalog, known);
    put (catalog, key, TRUE);
  }
}

void
kt_catalog_add_found (KtCatalog *catalog, KtKey *key)
{
  Known *known = g_hash_table_lookup (catalog->by_id, key->task_id);

  if (known == NULL) {
    put (catalog, key, FALSE);
  } else if (!kt_key_equal (known->key, key)) {
    gboolean watched = known->watched;
    take (catalog, known);
    put (catalog, key, watched);
  }
}

gboolean
kt_catalog_drop_found (KtCatalog *catalog, KtKey *key)
{
  Known *known = g_hash_table_lookup (catalog->by_id, key->task_id);

  if (known == NULL || known->watched || !kt_key_equal (known->key, key))
    return FALSE;
  take (catalog, known);
  return TRUE;
}

KtKey *
kt_catalog_find (KtCatalog *catalog, const char *task_id)
{
  Known *known = g_hash_table_lookup (catalog->by_id, task_id);
  return known != NULL ? known->key : NULL;
}

static void
append (GQueue *queue, const char *share_id, GPtrArray *list)
{
  for (GList *link = queue->head; link != NULL; link = link->next) {
    Known *known = link->data;
    if (share_id == NULL || (known->key->family == KT_FAMILY_SHARE && g_str_equal (known->key->share_id, share_id)))
      g_ptr_array_add (list, kt_key_ref (known->key));
  }
}

GPtrArray *
kt_catalog_list_share (KtCatalog *catalog, const char *share_id)
{
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) kt_key_unref);

  append (&catalog->watched, share_id, list);
  append (&catalog->found, share_id, list);
  return list;
}

GPtrArray *
kt_catalog_list (KtCatalog *catalog)
{
  return kt_catalog_list_share (catalog, NULL);
}

GPtrArray *
kt_catalog_list_shares (KtCatalog *catalog)
{
  g_autoptr (GPtrArray) tasks = kt_catalog_list (catalog);
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  GPtrArray *shares = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < tasks->len; i++) {
    const KtKey *key = g_ptr_array_index (tasks, i);
    if (key->family == KT_FAMILY_SHARE && g_hash_table_add (seen, (gpointer) key->share_id))
      g_ptr_array_add (shares, g_strdup (key->share_id));
  }
  return shares;
}

guint
kt_catalog_size (const KtCatalog *catalog)
{
  return g_hash_table_size (catalog->by_id);
}
