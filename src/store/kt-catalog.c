/* SPDX-License-Identifier: MIT */
/* The catalog: which tasks there are, who says so, and in which order they stand. */
#include "kt-catalog.h"

#include "base/kt-error.h"
#include "model/kt-words.h"

#include <string.h>

#define BIT(source) (1u << (source))

/* The tasks with one status. */
typedef struct {
  char *word;
  guint size;
  KtUsec changed_wall; /* when one last came or went */
} Status;

typedef struct {
  KtKey *key;
  guint sources; /* BIT()s */
  guint round;   /* of the last kt_catalog_set() that named it */
  guint class;
  GSequenceIter *place; /* in KtCatalog.ordered */
  KtUsec mtime_wall;
  KtUsec came_wall; /* KtCatalog.changed_wall when it came */
  Status *status;   /* NULL: none */
} Known;

struct KtCatalog {
  KtClock *clock;
  KtChanges *changes;
  KtListener *listener;
  KtUsec started_wall;
  KtUsec changed_wall;
  guint read;           /* BIT()s of the sources that have said all they know, once: what else they say is a change */
  GHashTable *by_id;    /* task id → Known */
  GSequence *ordered;   /* Known, by task id */
  GHashTable *statuses; /* word → Status, of those that tasks have or have had */
  KtUsec statuses_wall;
  guint64 generation;
  guint round;
  guint counts[KT_N_FAMILIES][KT_CATALOG_CLASSES];
  KtCatalogClassify classify;
  gpointer classify_data;
};

static void
known_free (gpointer data)
{
  Known *known = data;
  kt_key_unref (known->key);
  g_free (known);
}

static int
compare (gconstpointer a, gconstpointer b, gpointer data)
{
  return strcmp (((const Known *) a)->key->task_id, ((const Known *) b)->key->task_id);
}

/* A task comes or goes, as SOURCE says. */
static void
note_change (KtCatalog *catalog, KtCatalogSource source)
{
  catalog->generation++;
  if ((catalog->read & BIT (source)) != 0)
    catalog->changed_wall = kt_clock_wall (catalog->clock);
}

static void
status_free (gpointer data)
{
  Status *status = data;
  g_free (status->word);
  g_free (status);
}

static void
status_move (KtCatalog *catalog, Status *status, KtUsec at_wall)
{
  status->changed_wall = MAX (status->changed_wall, at_wall);
  catalog->statuses_wall = MAX (catalog->statuses_wall, at_wall);
}

/* A status with a word of ours keeps its time; the service may make up any number of others. */
static void
lose_status (KtCatalog *catalog, Known *known)
{
  Status *status = g_steal_pointer (&known->status);

  if (status == NULL)
    return;
  status_move (catalog, status, kt_clock_wall (catalog->clock));
  if (--status->size == 0 && !kt_status_is_known (status->word))
    g_hash_table_remove (catalog->statuses, status->word);
}

static Status *
status_get (KtCatalog *catalog, const char *word)
{
  Status *status = g_hash_table_lookup (catalog->statuses, word);

  if (status == NULL) {
    status = g_new0 (Status, 1);
    status->word = g_strdup (word);
    status->changed_wall = catalog->started_wall;
    g_hash_table_insert (catalog->statuses, status->word, status);
  }
  return status;
}

/* KNOWN is not there any more, as SOURCE says. GONE is a batch of changes. */
static void
take (KtCatalog *catalog, KtCatalogSource source, Known *known, GArray **gone)
{
  kt_changes_add (gone, &(KtChange){ .kind = KT_CHANGE_GONE, .key = known->key });
  note_change (catalog, source);
  lose_status (catalog, known);
  catalog->counts[known->key->family][known->class]--;
  g_hash_table_remove (catalog->by_id, known->key->task_id);
  g_sequence_remove (known->place);
}

/* The task as it is known now. When it was known by another key, that goes to GONE. */
static Known *
put (KtCatalog *catalog, KtCatalogSource source, KtKey *key, GArray **gone)
{
  Known *known = g_hash_table_lookup (catalog->by_id, key->task_id);
  guint sources = known != NULL ? known->sources : 0;

  if (known != NULL && !kt_key_equal (known->key, key)) {
    take (catalog, source, known, gone);
    known = NULL;
  }
  if (known == NULL) {
    g_assert (key->family < KT_N_FAMILIES);
    note_change (catalog, source);
    known = g_new0 (Known, 1);
    known->key = kt_key_ref (key);
    known->came_wall = catalog->changed_wall;
    known->class = catalog->classify != NULL ? catalog->classify (key, catalog->classify_data) : 0;
    catalog->counts[key->family][known->class]++;
    known->place = g_sequence_insert_sorted (catalog->ordered, known, compare, NULL);
    g_hash_table_insert (catalog->by_id, (gpointer) known->key->task_id, known);
  }
  known->sources = sources | BIT (source);
  return known;
}

void
kt_catalog_add (KtCatalog *catalog, KtCatalogSource source, KtKey *key)
{
  GArray *gone = NULL;

  put (catalog, source, key, &gone);
  kt_changes_publish (catalog->changes, gone);
}

void
kt_catalog_set (KtCatalog *catalog, KtCatalogSource source, GPtrArray *keys)
{
  GArray *gone = NULL;
  GSequenceIter *next;

  catalog->round++;
  for (guint i = 0; i < keys->len; i++)
    put (catalog, source, g_ptr_array_index (keys, i), &gone)->round = catalog->round;
  for (GSequenceIter *i = g_sequence_get_begin_iter (catalog->ordered); !g_sequence_iter_is_end (i); i = next) {
    Known *known = g_sequence_get (i);
    next = g_sequence_iter_next (i);
    if (known->round == catalog->round || (known->sources & BIT (source)) == 0)
      continue;
    known->sources &= ~BIT (source);
    if (known->sources == 0)
      take (catalog, source, known, &gone);
  }
  catalog->read |= BIT (source);
  kt_changes_publish (catalog->changes, gone);
}

gboolean
kt_catalog_is_only_found (KtCatalog *catalog, const KtKey *key)
{
  const Known *known = g_hash_table_lookup (catalog->by_id, key->task_id);
  return known != NULL && known->sources == BIT (KT_CATALOG_FOUND) && kt_key_equal (known->key, key);
}

/* The service knows no such task: one that was found by its name alone is there no more. */
static void
on_changes (const KtChange *changes, guint n, gpointer data)
{
  KtCatalog *catalog = data;
  GArray *gone = NULL;

  for (guint i = 0; i < n; i++)
    if (changes[i].kind == KT_CHANGE_FETCHED && kt_error_is_answer (changes[i].error)
        && kt_catalog_is_only_found (catalog, changes[i].key))
      take (catalog, KT_CATALOG_FOUND, g_hash_table_lookup (catalog->by_id, changes[i].key->task_id), &gone);
  kt_changes_publish (catalog->changes, gone);
}

KtCatalog *
kt_catalog_new (KtClock *clock, KtChanges *changes)
{
  KtCatalog *catalog = g_new0 (KtCatalog, 1);

  catalog->clock = clock;
  catalog->changes = changes;
  catalog->started_wall = catalog->changed_wall = catalog->statuses_wall = kt_clock_wall (clock);
  catalog->read = BIT (KT_CATALOG_WATCHED) | BIT (KT_CATALOG_FOUND);
  catalog->by_id = g_hash_table_new (g_str_hash, g_str_equal);
  catalog->ordered = g_sequence_new (known_free);
  catalog->statuses = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, status_free);
  catalog->listener = kt_changes_listen (changes, on_changes, catalog);
  return catalog;
}

void
kt_catalog_free (KtCatalog *catalog)
{
  if (catalog == NULL)
    return;
  kt_changes_unlisten (catalog->changes, &catalog->listener);
  g_hash_table_unref (catalog->by_id);
  g_sequence_free (catalog->ordered);
  g_hash_table_unref (catalog->statuses);
  g_free (catalog);
}

KtKey *
kt_catalog_find (KtCatalog *catalog, const char *task_id)
{
  Known *known = g_hash_table_lookup (catalog->by_id, task_id);
  return known != NULL ? known->key : NULL;
}

KtUsec
kt_catalog_mtime (KtCatalog *catalog, const KtKey *key)
{
  const Known *known = g_hash_table_lookup (catalog->by_id, key->task_id);
  return known != NULL ? known->mtime_wall : 0;
}

void
kt_catalog_set_mtime (KtCatalog *catalog, const KtKey *key, KtUsec mtime_wall)
{
  Known *known = g_hash_table_lookup (catalog->by_id, key->task_id);

  if (known != NULL)
    known->mtime_wall = mtime_wall;
}

void
kt_catalog_set_status (KtCatalog *catalog, const KtKey *key, const char *word)
{
  Known *known = g_hash_table_lookup (catalog->by_id, key->task_id);
  gboolean is_first;

  if (known == NULL || !kt_key_equal (known->key, key) || g_strcmp0 (kt_catalog_status (catalog, key), word) == 0)
    return;
  is_first = known->status == NULL;
  lose_status (catalog, known);
  if (word == NULL)
    return;
  known->status = status_get (catalog, word);
  known->status->size++;
  status_move (catalog, known->status, is_first ? known->came_wall : kt_clock_wall (catalog->clock));
}

const char *
kt_catalog_status (KtCatalog *catalog, const KtKey *key)
{
  const Known *known = g_hash_table_lookup (catalog->by_id, key->task_id);
  return known != NULL && known->status != NULL ? known->status->word : NULL;
}

static int
compare_words (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

GPtrArray *
kt_catalog_list_statuses (KtCatalog *catalog)
{
  GPtrArray *words = g_ptr_array_new_with_free_func (g_free);
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, catalog->statuses);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (((const Status *) value)->size > 0)
      g_ptr_array_add (words, g_strdup (((const Status *) value)->word));
  g_ptr_array_sort (words, compare_words);
  return words;
}

KtUsec
kt_catalog_status_wall (const KtCatalog *catalog, const char *word)
{
  const Status *status = word != NULL ? g_hash_table_lookup (catalog->statuses, word) : NULL;

  if (word == NULL)
    return catalog->statuses_wall;
  return status != NULL ? status->changed_wall : catalog->started_wall;
}

void
kt_catalog_set_classify (KtCatalog *catalog, KtCatalogClassify classify, gpointer data)
{
  catalog->classify = classify;
  catalog->classify_data = data;
}

guint
kt_catalog_set_class (KtCatalog *catalog, const KtKey *key, guint class)
{
  Known *known = g_hash_table_lookup (catalog->by_id, key->task_id);
  guint before;

  if (known == NULL || !kt_key_equal (known->key, key))
    return class;
  before = known->class;
  catalog->counts[key->family][before]--;
  catalog->counts[key->family][class]++;
  known->class = class;
  return before;
}

KtKey *
kt_catalog_step (KtCatalog *catalog, const char *task_id, int step)
{
  const Known *known = g_hash_table_lookup (catalog->by_id, task_id);
  GSequenceIter *there = known != NULL ? g_sequence_iter_move (known->place, step) : NULL;

  /* moving back from the first one stays there */
  if (there == NULL || there == known->place || g_sequence_iter_is_end (there))
    return NULL;
  return ((const Known *) g_sequence_get (there))->key;
}

static gboolean
is_of_share (const KtKey *key, const char *share_id)
{
  return kt_family_has (key->family, KT_FACT_OF_SHARE) && g_str_equal (key->share_id, share_id);
}

GPtrArray *
kt_catalog_list_share (KtCatalog *catalog, const char *share_id)
{
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) kt_key_unref);

  for (GSequenceIter *i = g_sequence_get_begin_iter (catalog->ordered); !g_sequence_iter_is_end (i);
       i = g_sequence_iter_next (i)) {
    const Known *known = g_sequence_get (i);
    if (share_id == NULL || is_of_share (known->key, share_id))
      g_ptr_array_add (list, kt_key_ref (known->key));
  }
  return list;
}

GPtrArray *
kt_catalog_list_status (KtCatalog *catalog, const char *word)
{
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) kt_key_unref);
  const Status *status = g_hash_table_lookup (catalog->statuses, word);
  GSequenceIter *i = g_sequence_get_begin_iter (catalog->ordered);

  for (; status != NULL && list->len < status->size; i = g_sequence_iter_next (i)) {
    const Known *known = g_sequence_get (i);
    if (known->status == status)
      g_ptr_array_add (list, kt_key_ref (known->key));
  }
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
    if (kt_family_has (key->family, KT_FACT_OF_SHARE) && g_hash_table_add (seen, (gpointer) key->share_id))
      g_ptr_array_add (shares, g_strdup (key->share_id));
  }
  return shares;
}

KtUsec
kt_catalog_changed_wall (const KtCatalog *catalog)
{
  return catalog->changed_wall;
}

guint
kt_catalog_size (const KtCatalog *catalog)
{
  return g_hash_table_size (catalog->by_id);
}

guint64
kt_catalog_generation (const KtCatalog *catalog)
{
  return catalog->generation;
}

guint
kt_catalog_count (const KtCatalog *catalog, KtFamily family)
{
  guint sum = 0;

  for (guint i = 0; i < KT_CATALOG_CLASSES; i++)
    sum += catalog->counts[family][i];
  return sum;
}

guint
kt_catalog_count_class (const KtCatalog *catalog, KtFamily family, guint class)
{
  return catalog->counts[family][class];
}
