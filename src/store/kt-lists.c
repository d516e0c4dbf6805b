/* SPDX-License-Identifier: MIT */
#include "kt-lists.h"

#include "base/kt-log.h"

typedef struct {
  KtLists *lists;
  KtFamily family;
  KtCatalogSource source;
  gint64 fresh_until; /* or, after a failure, not asked before; 0: never asked */
  gboolean in_flight;
  gboolean was_read; /* whole, once */
  gint64 asked;      /* when the flight began, which all its pages are taken to tell of */
  GPtrArray *keys;   /* KtKey: what the flight under way has brought so far */
  guint size;        /* of the last whole list */
  char *failure;     /* of the last flight, NULL when it went well */
} List;

struct KtListsWaiter {
  KtLists *lists;
  KtListsDone done;
  gpointer data;
  KtTimer *expiry;
  GList link;
};

static const struct {
  KtFamily family;
  KtCatalogSource source;
} listed_families[] = {
  { KT_FAMILY_BASIC, KT_CATALOG_BASIC_LIST },
  { KT_FAMILY_JOB, KT_CATALOG_JOB_LIST },
};

struct KtLists {
  KtClock *clock;
  KtStore *store;
  KtCatalog *catalog;
  KtListsPolicy policy;
  KtListsFetch fetch;
  gpointer source;
  KtListsObserver observer;
  gpointer observer_data;
  List lists[G_N_ELEMENTS (listed_families)];
  GQueue waiters; /* KtListsWaiter */
};

static GPtrArray *
keys_new (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) kt_key_unref);
}

static void
tell (const List *list, GPtrArray *tasks, GPtrArray *gone, GPtrArray *superseded)
{
  const KtLists *lists = list->lists;

  if (lists->observer != NULL && tasks->len + gone->len + superseded->len > 0)
    lists->observer (tasks, gone, superseded, !list->was_read, lists->observer_data);
}

static void
on_page (GPtrArray *tasks, gpointer data)
{
  List *list = data;
  KtLists *lists = list->lists;
  g_autoptr (GPtrArray) superseded = keys_new ();
  g_autoptr (GPtrArray) gone = keys_new ();

  for (guint i = 0; i < tasks->len; i++) {
    KtTask *task = g_ptr_array_index (tasks, i);
    KtKey *known = kt_catalog_find (lists->catalog, task->key->task_id);
    if (known != NULL && !kt_key_equal (known, task->key))
      g_ptr_array_add (gone, kt_key_ref (known));
    kt_catalog_add (lists->catalog, list->source, task->key);
    g_ptr_array_add (list->keys, kt_key_ref (task->key));
    if (kt_store_offer (lists->store, task, list->asked, lists->policy.ttl))
      g_ptr_array_add (superseded, kt_key_ref (task->key));
  }
  tell (list, tasks, gone, superseded);
}

static gboolean
any_in_flight (const KtLists *lists)
{
  for (gsize i = 0; i < G_N_ELEMENTS (lists->lists); i++)
    if (lists->lists[i].in_flight)
      return TRUE;
  return FALSE;
}

static void
waiter_end (KtListsWaiter *waiter)
{
  KtListsDone done = waiter->done;
  gpointer data = waiter->data;

  kt_lists_cancel (waiter);
  done (data);
}

static void
on_listed (const GError *error, gpointer data)
{
  List *list = data;
  KtLists *lists = list->lists;
  g_autoptr (GPtrArray) keys = g_steal_pointer (&list->keys);
  gint64 life = error != NULL ? lists->policy.negative_ttl : lists->policy.ttl;

  list->in_flight = FALSE;
  list->fresh_until = kt_time_add (kt_clock_monotonic (lists->clock), life);
  g_clear_pointer (&list->failure, g_free);
  if (error == NULL) {
    g_autoptr (GPtrArray) gone = kt_catalog_set (lists->catalog, list->source, keys);
    g_autoptr (GPtrArray) none = keys_new ();
    list->size = keys->len;
    tell (list, none, gone, none);
    list->was_read = TRUE;
  } else {
    list->failure = kt_log_redact (error->message); /* the service may have said anything */
  }
  while (!any_in_flight (lists) && !g_queue_is_empty (&lists->waiters))
    waiter_end (g_queue_peek_head (&lists->waiters));
}

static void
on_expiry (gpointer data)
{
  KtListsWaiter *waiter = data;

  waiter->expiry = NULL;
  waiter_end (waiter);
}

static gboolean
is_chosen (const KtLists *lists, const List *list)
{
  return (lists->policy.families & KT_FAMILY_BIT (list->family)) != 0;
}

KtListsWaiter *
kt_lists_get (KtLists *lists, KtListsDone done, gpointer data)
{
  gint64 now = kt_clock_monotonic (lists->clock);
  KtListsWaiter *waiter;

  for (gsize i = 0; i < G_N_ELEMENTS (lists->lists); i++) {
    List *list = &lists->lists[i];
    if (list->in_flight || !is_chosen (lists, list) || now < list->fresh_until)
      continue;
    list->in_flight = TRUE;
    list->asked = now;
    list->keys = keys_new ();
    lists->fetch (lists->source, list->family, lists->policy.patience, on_page, on_listed, list);
  }
  if (!any_in_flight (lists)) {
    done (data);
    return NULL;
  }
  waiter = g_new0 (KtListsWaiter, 1);
  waiter->lists = lists;
  waiter->done = done;
  waiter->data = data;
  waiter->link.data = waiter;
  waiter->expiry = kt_clock_start (lists->clock, kt_time_add (now, lists->policy.patience), on_expiry, waiter);
  g_queue_push_tail_link (&lists->waiters, &waiter->link);
  return waiter;
}

void
kt_lists_cancel (KtListsWaiter *waiter)
{
  kt_clock_stop (waiter->lists->clock, &waiter->expiry);
  g_queue_unlink (&waiter->lists->waiters, &waiter->link);
  g_free (waiter);
}

char *
kt_lists_format (const KtLists *lists)
{
  GString *out = g_string_new (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (lists->lists); i++) {
    const List *list = &lists->lists[i];
    if (!is_chosen (lists, list))
      continue;
    g_string_append_printf (out, "list-%s: ", kt_family_word (list->family));
    if (list->in_flight)
      g_string_append_printf (out, "being read, %u so far\n", list->keys->len);
    else if (list->failure != NULL)
      g_string_append_printf (out, "failed: %s\n", list->failure);
    else if (list->fresh_until == 0)
      g_string_append (out, "not read yet\n");
    else
      g_string_append_printf (out, "ok, %u tasks\n", list->size);
  }
  return g_string_free (out, FALSE);
}

KtLists *
kt_lists_new (KtClock *clock, KtStore *store, KtCatalog *catalog, const KtListsPolicy *policy, KtListsFetch fetch,
              gpointer source)
{
  KtLists *lists = g_new0 (KtLists, 1);

  lists->clock = clock;
  lists->store = store;
  lists->catalog = catalog;
  lists->policy = *policy;
  lists->fetch = fetch;
  lists->source = source;
  g_queue_init (&lists->waiters);
  for (gsize i = 0; i < G_N_ELEMENTS (lists->lists); i++)
    lists->lists[i] =
        (List){ .lists = lists, .family = listed_families[i].family, .source = listed_families[i].source };
  return lists;
}

void
kt_lists_free (KtLists *lists)
{
  if (lists == NULL)
    return;
  for (gsize i = 0; i < G_N_ELEMENTS (lists->lists); i++)
    g_free (lists->lists[i].failure);
  g_free (lists);
}

void
kt_lists_set_policy (KtLists *lists, const KtListsPolicy *policy)
{
  lists->policy = *policy;
}

void
kt_lists_set_observer (KtLists *lists, KtListsObserver observer, gpointer data)
{
  lists->observer = observer;
  lists->observer_data = data;
}
