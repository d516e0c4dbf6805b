/* SPDX-License-Identifier: MIT */
/* The change feed: delivers batches of changes to all listeners, in one order. */
#include "kt-changes.h"

struct KtListener {
  KtChangesFunc func; /* NULL: removed */
  gpointer data;
  guint64 since; /* the last batch that was published before it listened */
};

typedef struct {
  GArray *changes; /* KtChange */
  guint64 serial;
} Batch;

struct KtChanges {
  KtClock *clock;
  GPtrArray *listeners; /* KtListener */
  GQueue batches;       /* Batch: published and not delivered */
  guint64 serial;       /* of the last batch published */
  gboolean is_delivering;
};

KtChanges *
kt_changes_new (KtClock *clock)
{
  KtChanges *changes = g_new0 (KtChanges, 1);

  changes->clock = clock;
  changes->listeners = g_ptr_array_new_with_free_func (g_free);
  g_queue_init (&changes->batches);
  return changes;
}

void
kt_changes_free (KtChanges *changes)
{
  if (changes == NULL)
    return;
  g_assert (changes->listeners->len == 0 && !changes->is_delivering);
  g_ptr_array_unref (changes->listeners);
  g_free (changes);
}

KtListener *
kt_changes_listen (KtChanges *changes, KtChangesFunc func, gpointer data)
{
  KtListener *listener = g_new0 (KtListener, 1);

  *listener = (KtListener){ .func = func, .data = data, .since = changes->serial };
  g_ptr_array_add (changes->listeners, listener);
  return listener;
}

void
kt_changes_unlisten (KtChanges *changes, KtListener **listener)
{
  KtListener *removed = g_steal_pointer (listener);

  if (removed == NULL)
    return;
  removed->func = NULL;
  if (!changes->is_delivering) /* else the delivery removes it: its place must not move now */
    g_ptr_array_remove (changes->listeners, removed);
}

static void
change_clear (gpointer data)
{
  KtChange *change = data;

  kt_key_unref (change->key);
  kt_task_unref (change->before);
  kt_task_unref (change->after);
  g_clear_error (&change->error);
}

void
kt_changes_add (GArray **batch, const KtChange *change)
{
  KtChange copy = *change;

  if (*batch == NULL) {
    *batch = g_array_new (FALSE, FALSE, sizeof (KtChange));
    g_array_set_clear_func (*batch, change_clear);
  }
  kt_key_ref (copy.key);
  if (copy.before != NULL)
    kt_task_ref (copy.before);
  if (copy.after != NULL)
    kt_task_ref (copy.after);
  if (copy.error != NULL)
    copy.error = g_error_copy (copy.error);
  g_array_append_val (*batch, copy);
}

static void
deliver (KtChanges *changes, const Batch *batch)
{
  for (guint i = 0; i < changes->listeners->len; i++) {
    const KtListener *listener = g_ptr_array_index (changes->listeners, i);
    if (listener->func != NULL && listener->since < batch->serial)
      listener->func ((const KtChange *) batch->changes->data, batch->changes->len, listener->data);
  }
}

static void
sweep (KtChanges *changes)
{
  for (guint i = changes->listeners->len; i-- > 0;)
    if (((const KtListener *) g_ptr_array_index (changes->listeners, i))->func == NULL)
      g_ptr_array_remove_index (changes->listeners, i);
}

void
kt_changes_publish (KtChanges *changes, GArray *batch)
{
  KtUsec now_wall;
  Batch *published;

  if (batch == NULL) /* a million times while a list is read: nothing has changed */
    return;
  now_wall = kt_clock_wall (changes->clock);
  for (guint i = 0; i < batch->len; i++)
    if (g_array_index (batch, KtChange, i).at_wall == 0)
      g_array_index (batch, KtChange, i).at_wall = now_wall;
  published = g_new (Batch, 1);
  *published = (Batch){ batch, ++changes->serial };
  g_queue_push_tail (&changes->batches, published);
  if (changes->is_delivering)
    return;
  changes->is_delivering = TRUE;
  while ((published = g_queue_pop_head (&changes->batches)) != NULL) {
    deliver (changes, published);
    g_array_unref (published->changes);
    g_free (published);
  }
  changes->is_delivering = FALSE;
  sweep (changes);
}

void
kt_changes_publish_one (KtChanges *changes, const KtChange *change)
{
  GArray *batch = NULL;

  kt_changes_add (&batch, change);
  kt_changes_publish (changes, batch);
}
