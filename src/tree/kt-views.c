/* SPDX-License-Identifier: MIT */
/* What the views of all tasks show of each: its snapshot, status and failure, and when one of these changes. */
#include "kt-views.h"

#include "base/kt-error.h"

/* A task whose summary waits to be shown: its detail is fresh still. */
typedef struct {
  KtKey *key;
  KtUsec at; /* monotonic */
} Due;

struct KtViews {
  KtClock *clock;
  KtChanges *changes;
  KtListener *listener;
  KtStore *store;
  KtCatalog *catalog;
  guint64 generation;
  KtUsec changed_wall;
  GHashTable *failing; /* KtKey → the name of the errno, static */
  GQueue due;          /* Due, in the order in which they were found */
  KtTimer *timer;      /* of the first */
  gboolean any_gone;   /* a task that comes back may be cached, and then there is no change to tell its status */
  guint64 settled;     /* generation of the catalog whose statuses are up to date */
};

static void
note_change (KtViews *views)
{
  views->generation++;
  views->changed_wall = kt_clock_wall (views->clock);
}

static gboolean
is_known (const KtViews *views, const KtKey *key)
{
  const KtKey *known = kt_catalog_find (views->catalog, key->task_id);
  return known != NULL && kt_key_equal (known, key);
}

static void
note_failure (KtViews *views, KtKey *key)
{
  const GError *error = kt_store_peek_error (views->store, key);
  const char *name = error != NULL ? kt_errno_name (kt_error_to_errno (error)) : NULL;

  if (name == g_hash_table_lookup (views->failing, key))
    return;
  note_change (views);
  if (name != NULL)
    g_hash_table_insert (views->failing, kt_key_ref (key), (gpointer) name);
  else
    g_hash_table_remove (views->failing, key);
}

/* Brings the status of KEY's task in the catalog up to date. */
static void
note_status (KtViews *views, KtKey *key)
{
  const char *before = kt_catalog_status (views->catalog, key);
  const char *status = before;
  KtSnapshot snapshot;

  if (kt_error_is_answer (kt_store_peek_error (views->store, key)))
    status = NULL;
  else if (kt_store_peek (views->store, key, KT_STORE_LISTED, &snapshot))
    status = snapshot.task->status[0] != '\0' ? snapshot.task->status : NULL;
  if (g_strcmp0 (before, status) == 0)
    return;
  kt_catalog_set_status (views->catalog, key, status);
  note_change (views);
}

static void
due_free (gpointer data)
{
  Due *due = data;
  kt_key_unref (due->key);
  g_free (due);
}

static void on_due (gpointer data);

static void
start_timer (KtViews *views)
{
  const Due *first = g_queue_peek_head (&views->due);

  if (first != NULL && views->timer == NULL)
    views->timer = kt_clock_start (views->clock, first->at, on_due, views);
}

static void
on_due (gpointer data)
{
  KtViews *views = data;
  const KtUsec now = kt_clock_monotonic (views->clock);
  const Due *first;

  views->timer = NULL;
  while ((first = g_queue_peek_head (&views->due)) != NULL && first->at <= now) {
    note_status (views, first->key);
    due_free (g_queue_pop_head (&views->due));
  }
  start_timer (views);
}

/* A list has another status than the detail, which goes first while it is fresh. */
static void
note_due (KtViews *views, const KtChange *change)
{
  KtSnapshot snapshot;
  Due *due;

  if (!kt_store_peek (views->store, change->key, KT_STORE_LISTED, &snapshot) || snapshot.task->from_list
      || g_str_equal (snapshot.task->status, change->after->status) || snapshot.expires_at == KT_TIME_NEVER)
    return;
  due = g_new (Due, 1);
  *due = (Due){ kt_key_ref (change->key), snapshot.expires_at };
  g_queue_push_tail (&views->due, due);
  start_timer (views);
}

static void
note (KtViews *views, const KtChange *change)
{
  switch (change->kind) {
  case KT_CHANGE_FETCHED:
  case KT_CHANGE_LISTED:
    if (!is_known (views, change->key))
      break;
    if (change->after != NULL && change->after != change->before)
      note_change (views);
    note_failure (views, change->key);
    note_status (views, change->key);
    if (change->kind == KT_CHANGE_LISTED && change->after != NULL)
      note_due (views, change);
    break;
  case KT_CHANGE_GONE: views->any_gone = TRUE; G_GNUC_FALLTHROUGH;
  case KT_CHANGE_EVICTED:
    g_hash_table_remove (views->failing, change->key);
    note_change (views);
    break;
  case KT_CHANGE_OUTDATED:
  case KT_CHANGE_PACKAGE: break;
  }
}

static void
on_changes (const KtChange *changes, guint n, gpointer data)
{
  for (guint i = 0; i < n; i++)
    note (data, &changes[i]);
}

guint64
kt_views_generation (const KtViews *views)
{
  return views->generation + kt_catalog_generation (views->catalog); /* both only grow */
}

KtUsec
kt_views_changed_wall (const KtViews *views)
{
  return MAX (views->changed_wall, kt_catalog_changed_wall (views->catalog));
}

void
kt_views_settle (KtViews *views)
{
  const guint64 generation = kt_catalog_generation (views->catalog);
  g_autoptr (GPtrArray) keys = NULL;

  if (!views->any_gone || views->settled == generation)
    return;
  views->settled = generation;
  keys = kt_catalog_list (views->catalog);
  for (guint i = 0; i < keys->len; i++)
    if (kt_catalog_status (views->catalog, g_ptr_array_index (keys, i)) == NULL)
      note_status (views, g_ptr_array_index (keys, i));
}

const char *
kt_views_status (KtViews *views, KtKey *key)
{
  if (kt_catalog_status (views->catalog, key) == NULL)
    note_status (views, key);
  return kt_catalog_status (views->catalog, key);
}

KtTask *
kt_views_task (KtViews *views, KtKey *key)
{
  KtSnapshot shown, detail;

  if (!kt_store_peek (views->store, key, KT_STORE_LISTED, &shown))
    return NULL;
  if (shown.task->from_list && kt_store_peek (views->store, key, KT_STORE_FRESH, &detail)
      && g_str_equal (detail.task->status, shown.task->status))
    return detail.task;
  return shown.task;
}

KtViews *
kt_views_new (KtClock *clock, KtChanges *changes, KtStore *store, KtCatalog *catalog)
{
  KtViews *views = g_new0 (KtViews, 1);

  views->clock = clock;
  views->changes = changes;
  views->store = store;
  views->catalog = catalog;
  views->failing = g_hash_table_new_full (kt_key_hash, kt_key_equal, (GDestroyNotify) kt_key_unref, NULL);
  views->listener = kt_changes_listen (changes, on_changes, views);
  return views;
}

void
kt_views_free (KtViews *views)
{
  if (views == NULL)
    return;
  kt_changes_unlisten (views->changes, &views->listener);
  kt_clock_stop (views->clock, &views->timer);
  g_queue_clear_full (&views->due, due_free);
  g_hash_table_unref (views->failing);
  g_free (views);
}
