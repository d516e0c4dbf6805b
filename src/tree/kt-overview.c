/* SPDX-License-Identifier: MIT */
/* The content of the files that show all tasks: when it is made, of what, and who waits for it. */
#include "kt-overview.h"

#include "base/kt-error.h"

#define COLLECTED_PER_TURN 2048 /* tasks; then the loop's other sources have their turn */

/* One making: the loop collects, the thread renders. */
typedef struct {
  KtOverview *overview;
  const KtEntry *row;
  guint64 generation; /* of the views, when it began */
  KtUsec began_wall;
  GPtrArray *keys; /* KtKey */
  guint n;         /* of them are in TASKS */
  KtAll all;
  KtTimer *timer;
  GBytes *content;
} Making;

/* What is made of a row. */
typedef struct {
  KtOverview *overview;
  const KtEntry *row;
  GBytes *content; /* NULL: none yet, or dropped */
  guint64 generation;
  KtUsec made_wall;
  KtUsec until_at; /* monotonic: it shows ages, which are others from then on */
  Making *making;  /* NULL: none is under way */
  GQueue waiters;  /* KtOverviewWaiter */
  KtTimer *drop;
} Made;

struct KtOverviewWaiter {
  Made *made;
  guint64 generation; /* at least */
  KtOverviewDone done;
  gpointer data;
  GList link;
};

struct KtOverview {
  KtClock *clock;
  KtViews *views;
  KtStore *store;
  KtCatalog *catalog;
  KtOverviewDropped dropped;
  gpointer data;
  GHashTable *made; /* KtEntry → Made */
  GThreadPool *thread;
  guint pending; /* makings that the thread has */
};

static void
shown_clear (gpointer data)
{
  KtShown *shown = data;
  kt_key_unref (shown->key);
  kt_task_unref (shown->task);
  g_free (shown->status);
}

static Making *
making_new (KtOverview *overview, const KtEntry *row)
{
  Making *making = g_new0 (Making, 1);

  making->overview = overview;
  making->row = row;
  making->generation = kt_views_generation (overview->views);
  making->began_wall = kt_clock_wall (overview->clock);
  making->keys = kt_catalog_list (overview->catalog);
  making->all.tasks = g_array_sized_new (FALSE, FALSE, sizeof (KtShown), making->keys->len);
  making->all.now = making->began_wall / KT_SECOND;
  g_array_set_clear_func (making->all.tasks, shown_clear);
  return making;
}

/* What the collecting takes is released here, in whatever thread. */
static void
making_render (Making *making)
{
  const KtSubject subject = { .all = &making->all };

  making->content = making->row->render (&subject);
  g_array_unref (making->all.tasks);
  g_ptr_array_unref (making->keys);
  making->all.tasks = NULL;
  making->keys = NULL;
}

static void
collect (Making *making, guint most)
{
  KtOverview *overview = making->overview;
  const guint end = MIN (making->n + MIN (most, making->keys->len), making->keys->len);

  for (; making->n < end; making->n++) {
    KtKey *key = g_ptr_array_index (making->keys, making->n);
    KtTask *task = kt_views_task (overview->views, key);
    const GError *error = kt_store_peek_error (overview->store, key);
    const KtShown shown = {
      .key = kt_key_ref (key),
      .task = task != NULL ? kt_task_ref (task) : NULL,
      .status = task == NULL ? g_strdup (kt_views_status (overview->views, key)) : NULL,
      .error = error != NULL ? kt_errno_name (kt_error_to_errno (error)) : NULL,
    };
    g_array_append_val (making->all.tasks, shown);
  }
}

static void
on_drop (gpointer data)
{
  Made *made = data;

  made->drop = NULL;
  g_clear_pointer (&made->content, g_bytes_unref);
  made->overview->dropped (made->row, made->overview->data);
}

/* Somebody looks. */
static void
keep (Made *made)
{
  KtClock *clock = made->overview->clock;

  kt_clock_stop (clock, &made->drop);
  if (made->content != NULL && g_bytes_get_size (made->content) > KT_OVERVIEW_LARGE)
    made->drop = kt_clock_start (clock, kt_clock_monotonic (clock) + KT_OVERVIEW_KEPT, on_drop, made);
}

/* MAKING, which ends here, has made the content. */
static void
take (Made *made, Making *making)
{
  KtOverview *overview = made->overview;
  const KtUsec ages = making->all.ages_last;

  g_clear_pointer (&made->content, g_bytes_unref);
  made->content = making->content;
  made->generation = making->generation;
  made->made_wall = ages != KT_TIME_NEVER ? making->began_wall : kt_views_changed_wall (overview->views);
  made->until_at = kt_time_add (kt_clock_monotonic (overview->clock), ages);
  g_free (making);
  keep (made);
}

static void
making_free (Making *making)
{
  kt_clock_stop (making->overview->clock, &making->timer);
  g_array_unref (making->all.tasks);
  g_ptr_array_unref (making->keys);
  g_free (making);
}

static void
made_free (gpointer data)
{
  Made *made = data;

  kt_clock_stop (made->overview->clock, &made->drop);
  if (made->making != NULL)
    making_free (made->making);
  g_clear_pointer (&made->content, g_bytes_unref);
  g_free (made);
}

static Made *
made_get (KtOverview *overview, const KtEntry *row)
{
  Made *made = g_hash_table_lookup (overview->made, row);

  if (made == NULL) {
    made = g_new0 (Made, 1);
    made->overview = overview;
    made->row = row;
    g_queue_init (&made->waiters);
    g_hash_table_insert (overview->made, (gpointer) row, made);
  }
  return made;
}

static void on_collect (gpointer data);

static void
start (Made *made)
{
  KtClock *clock = made->overview->clock;

  made->making = making_new (made->overview, made->row);
  made->making->timer = kt_clock_start (clock, kt_clock_monotonic (clock), on_collect, made);
}

static gboolean
on_rendered (gpointer data)
{
  Making *making = data;
  KtOverview *overview = making->overview;
  Made *made = made_get (overview, making->row);

  overview->pending--;
  made->making = NULL;
  take (made, making);
  for (guint left = made->waiters.length; left > 0 && !g_queue_is_empty (&made->waiters); left--) {
    GList *link = g_queue_pop_head_link (&made->waiters);
    KtOverviewWaiter *waiter = link->data;
    if (waiter->generation > made->generation) {
      g_queue_push_tail_link (&made->waiters, link);
      continue;
    }
    waiter->done (waiter->data);
    g_free (waiter);
  }
  if (made->waiters.length > 0 && made->making == NULL)
    start (made);
  return G_SOURCE_REMOVE;
}

static void
render (gpointer data, gpointer overview)
{
  making_render (data);
  g_idle_add_full (G_PRIORITY_DEFAULT, on_rendered, data, NULL);
}

static void
on_collect (gpointer data)
{
  Made *made = data;
  Making *making = made->making;
  KtOverview *overview = made->overview;

  making->timer = NULL;
  collect (making, COLLECTED_PER_TURN);
  if (making->n < making->keys->len) {
    making->timer = kt_clock_start (overview->clock, kt_clock_monotonic (overview->clock), on_collect, made);
    return;
  }
  overview->pending++;
  g_thread_pool_push (overview->thread, making, NULL);
}

static gboolean
is_current (const Made *made)
{
  return made->content != NULL && made->generation == kt_views_generation (made->overview->views)
         && kt_clock_monotonic (made->overview->clock) < made->until_at;
}

GBytes *
kt_overview_get (KtOverview *overview, const KtEntry *row, KtUsec *made_wall)
{
  Made *made = made_get (overview, row);

  if (!is_current (made) && kt_catalog_size (overview->catalog) > KT_OVERVIEW_FEW)
    return NULL;
  if (!is_current (made)) {
    Making *making = making_new (overview, row);
    collect (making, G_MAXUINT);
    making_render (making);
    take (made, making);
  }
  return kt_overview_last (overview, row, made_wall);
}

GBytes *
kt_overview_last (KtOverview *overview, const KtEntry *row, KtUsec *made_wall)
{
  Made *made = made_get (overview, row);

  keep (made);
  *made_wall = made->made_wall;
  return made->content;
}

KtOverviewWaiter *
kt_overview_wait (KtOverview *overview, const KtEntry *row, KtOverviewDone done, gpointer data)
{
  Made *made = made_get (overview, row);
  KtOverviewWaiter *waiter = g_new0 (KtOverviewWaiter, 1);

  waiter->made = made;
  waiter->generation = kt_views_generation (overview->views);
  waiter->done = done;
  waiter->data = data;
  waiter->link.data = waiter;
  g_queue_push_tail_link (&made->waiters, &waiter->link);
  if (made->making == NULL)
    start (made);
  return waiter;
}

void
kt_overview_cancel (KtOverviewWaiter *waiter)
{
  g_queue_unlink (&waiter->made->waiters, &waiter->link);
  g_free (waiter);
}

KtOverview *
kt_overview_new (KtClock *clock, KtViews *views, KtStore *store, KtCatalog *catalog, KtOverviewDropped dropped,
                 gpointer data)
{
  KtOverview *overview = g_new0 (KtOverview, 1);

  overview->clock = clock;
  overview->views = views;
  overview->store = store;
  overview->catalog = catalog;
  overview->dropped = dropped;
  overview->data = data;
  overview->made = g_hash_table_new_full (NULL, NULL, NULL, made_free);
  overview->thread = g_thread_pool_new (render, overview, 1, FALSE, NULL);
  return overview;
}

void
kt_overview_free (KtOverview *overview)
{
  if (overview == NULL)
    return;
  while (overview->pending > 0)
    g_main_context_iteration (NULL, TRUE);
  g_thread_pool_free (overview->thread, FALSE, TRUE);
  g_hash_table_unref (overview->made);
  g_free (overview);
}
