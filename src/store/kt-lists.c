/* SPDX-License-Identifier: MIT */
/* The lists of the families that have one: when they are read, and who waits for them. */
#include "kt-lists.h"

#include "base/kt-log.h"
#include "base/kt-units.h"
#include "kt-poller.h"

#define COMPLETE_EVERY KT_SECOND /* at the most a list is read for the sake of tasks that lack a time */

typedef struct {
  KtLists *lists;
  KtFamily family;
  KtUsec expires_at; /* or, after a failure, not read before; 0: never read */
  gboolean in_flight;
  KtUsec asked_at; /* when the last flight began: all its pages are taken to be of that moment */
  KtUsec tried_at; /* the same of the last one that has ended; KT_TIME_UNKNOWN: none has */
  GPtrArray *keys; /* KtKey: what the flight under way has brought so far */
  guint size;      /* of the last whole list */
  KtUsec read_at;  /* when that was asked for; KT_TIME_UNKNOWN: there is none */
  char *failure;   /* of the last flight, NULL when it went well */
} List;

struct KtListsWaiter {
  KtLists *lists;
  List *list; /* NULL: waits for all that are due */
  KtInterest *interest;
  KtKey *key;      /* LIST is to have this task, or to have been tried, by a flight that began */
  KtUsec since_at; /* then or later */
  KtListsDone done;
  gpointer data;
  KtTimer *expiry;
  GList link;
};

struct KtLists {
  KtClock *clock;
  KtStore *store;
  KtCatalog *catalog;
  KtListsPolicy policy;
  KtSource *source;
  KtPoller *poller; /* of List, for those who wait for one to have a task */
  List lists[KT_N_FAMILIES];
  GQueue waiters; /* KtListsWaiter */
};

/* Whether a list is being read that is not fresh any more. */
static gboolean
any_due (const KtLists *lists)
{
  const KtUsec now = kt_clock_monotonic (lists->clock);

  for (KtFamily i = 0; i < KT_N_FAMILIES; i++)
    if (lists->lists[i].in_flight && now >= lists->lists[i].expires_at)
      return TRUE;
  return FALSE;
}

/* Whether a reading that began at SINCE_AT or later has ended, or the list cannot be had for now. */
static gboolean
has_tried (const List *list, KtUsec since_at)
{
  return !list->in_flight
         && (list->tried_at >= since_at
             || (list->failure != NULL && kt_clock_monotonic (list->lists->clock) < list->expires_at));
}

static gboolean
is_content (const KtListsWaiter *waiter)
{
  KtSnapshot snapshot;

  if (waiter->list == NULL)
    return !any_due (waiter->lists);
  return has_tried (waiter->list, waiter->since_at)
         || !kt_store_peek (waiter->lists->store, waiter->key, KT_STORE_FRESH, &snapshot)
         || snapshot.incomplete_at == KT_TIME_UNKNOWN;
}

static void
waiter_end (KtListsWaiter *waiter)
{
  KtListsDone done = waiter->done;
  gpointer data = waiter->data;

  kt_lists_cancel (waiter);
  done (data);
}

/* Ends those who wait for no more, each of whom may come again at once. */
static void
end_content (KtLists *lists)
{
  for (guint left = lists->waiters.length; left > 0 && !g_queue_is_empty (&lists->waiters); left--) {
    GList *link = lists->waiters.head;
    if (is_content (link->data)) {
      waiter_end (link->data);
    } else {
      g_queue_unlink (&lists->waiters, link);
      g_queue_push_tail_link (&lists->waiters, link);
    }
  }
}

static void on_page (GPtrArray *tasks, KtUsec age, gpointer data);
static void on_listed (const GError *error, gpointer data);

static void
start (List *list)
{
  KtLists *lists = list->lists;

  list->in_flight = TRUE;
  list->asked_at = kt_clock_monotonic (lists->clock);
  list->keys = g_ptr_array_new_with_free_func ((GDestroyNotify) kt_key_unref);
  kt_source_list (lists->source, list->family, lists->policy.page_timeout, on_page, on_listed, list);
}

/* When a list is next read for those who wait for it to have a task. */
static KtUsec
due_at (gpointer subject, gpointer data)
{
  const List *list = subject;

  if (list->in_flight)
    return KT_TIME_NEVER;
  return list->tried_at == KT_TIME_UNKNOWN ? 0 : list->asked_at + COMPLETE_EVERY;
}

static void
poll (gpointer subject, gpointer data)
{
  start (subject);
}

static const KtPollerOps poller_ops = {
  .hash = g_direct_hash, .equal = g_direct_equal, .due_at = due_at, .poll = poll
};

static void
on_page (GPtrArray *tasks, KtUsec age, gpointer data)
{
  List *list = data;
  KtLists *lists = list->lists;

  for (guint i = 0; i < tasks->len; i++) {
    KtTask *task = g_ptr_array_index (tasks, i);
    kt_catalog_add (lists->catalog, KT_CATALOG_LIST (list->family), task->key);
    g_ptr_array_add (list->keys, kt_key_ref (task->key));
  }
  kt_store_offer (lists->store, tasks, list->asked_at, age, lists->policy.ttl);
  end_content (lists);
}

static void
on_listed (const GError *error, gpointer data)
{
  List *list = data;
  KtLists *lists = list->lists;
  g_autoptr (GPtrArray) keys = g_steal_pointer (&list->keys);
  KtUsec ttl = error != NULL ? lists->policy.negative_ttl : lists->policy.ttl;

  list->in_flight = FALSE;
  list->tried_at = list->asked_at;
  list->expires_at = kt_time_add (kt_clock_monotonic (lists->clock), ttl);
  g_clear_pointer (&list->failure, g_free);
  if (error == NULL) {
    list->size = keys->len;
    list->read_at = list->asked_at;
    kt_catalog_set (lists->catalog, KT_CATALOG_LIST (list->family), keys);
  } else {
    list->failure = kt_log_redact (error->message); /* the service may have said anything */
  }
  end_content (lists);
  kt_poller_update (lists->poller, list);
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
  return (lists->policy.families & KT_FAMILY_BIT (list->family)) != 0 && kt_family_has (list->family, KT_FACT_LISTED);
}

/* Has DONE called when PROBE, which is copied, is content; takes its interest. */
static KtListsWaiter *
wait_for (KtListsWaiter *probe, KtUsec deadline, KtListsDone done, gpointer data)
{
  KtLists *lists = probe->lists;
  KtListsWaiter *waiter;

  if (is_content (probe)) {
    kt_interest_drop (&probe->interest);
    done (data);
    return NULL;
  }
  waiter = g_memdup2 (probe, sizeof (*probe));
  if (waiter->key != NULL)
    kt_key_ref (waiter->key);
  waiter->done = done;
  waiter->data = data;
  waiter->link.data = waiter;
  waiter->expiry = kt_clock_start (lists->clock, deadline, on_expiry, waiter);
  g_queue_push_tail_link (&lists->waiters, &waiter->link);
  return waiter;
}

KtListsWaiter *
kt_lists_get (KtLists *lists, KtListsDone done, gpointer data)
{
  KtListsWaiter probe = { .lists = lists };
  KtUsec now = kt_clock_monotonic (lists->clock);

  for (KtFamily i = 0; i < KT_N_FAMILIES; i++) {
    List *list = &lists->lists[i];
    if (!list->in_flight && is_chosen (lists, list) && now >= list->expires_at)
      start (list);
  }
  return wait_for (&probe, kt_time_add (now, lists->policy.page_timeout), done, data);
}

gboolean
kt_lists_have_been_read (const KtLists *lists)
{
  for (KtFamily i = 0; i < KT_N_FAMILIES; i++)
    if (is_chosen (lists, &lists->lists[i]) && lists->lists[i].tried_at == KT_TIME_UNKNOWN)
      return FALSE;
  return TRUE;
}

KtUsec
kt_lists_due_at (const KtLists *lists)
{
  KtUsec due_at = KT_TIME_NEVER;

  for (KtFamily i = 0; i < KT_N_FAMILIES; i++) {
    const List *list = &lists->lists[i];
    if (list->in_flight)
      return KT_TIME_NEVER;
    if (is_chosen (lists, list))
      due_at = MIN (due_at, list->expires_at);
  }
  return due_at;
}

/* The list that may have what SNAPSHOT lacks, NULL when there is none. */
static List *
list_for (KtLists *lists, const KtSnapshot *snapshot)
{
  List *list = &lists->lists[snapshot->task->key->family];

  return snapshot->incomplete_at != KT_TIME_UNKNOWN && is_chosen (lists, list) ? list : NULL;
}

KtUsec
kt_lists_complete_at (KtLists *lists, const KtSnapshot *snapshot)
{
  const List *list = list_for (lists, snapshot);

  if (list == NULL)
    return KT_TIME_NEVER;
  if (!has_tried (list, snapshot->incomplete_at))
    return 0;
  if (list->failure != NULL)
    return list->expires_at;
  return kt_time_add (list->tried_at, MAX (lists->policy.ttl, lists->policy.negative_ttl));
}

KtListsWaiter *
kt_lists_complete (KtLists *lists, const KtSnapshot *snapshot, KtUsec deadline, KtListsDone done, gpointer data)
{
  List *list = list_for (lists, snapshot);
  KtListsWaiter probe = {
    .lists = lists, .list = list, .key = snapshot->task->key, .since_at = snapshot->incomplete_at
  };

  if (has_tried (list, probe.since_at))
    probe.since_at = kt_clock_monotonic (lists->clock); /* long ago */
  probe.interest = kt_poller_hold (lists->poller, list);
  return wait_for (&probe, deadline, done, data);
}

void
kt_lists_cancel (KtListsWaiter *waiter)
{
  kt_clock_stop (waiter->lists->clock, &waiter->expiry);
  kt_interest_drop (&waiter->interest);
  g_queue_unlink (&waiter->lists->waiters, &waiter->link);
  kt_key_unref (waiter->key);
  g_free (waiter);
}

static void
collect_age (KtSamples *samples, gpointer data)
{
  const KtLists *lists = data;

  for (KtFamily i = 0; i < KT_N_FAMILIES; i++) {
    const List *list = &lists->lists[i];
    if (is_chosen (lists, list) && list->read_at != KT_TIME_UNKNOWN)
      kt_samples_add (samples, (double) (kt_clock_monotonic (lists->clock) - list->read_at) / KT_SECOND,
                      &(KtLabel){ "kind", kt_family_word (i) }, 1);
  }
}

static void
collect_failing (KtSamples *samples, gpointer data)
{
  const KtLists *lists = data;

  for (KtFamily i = 0; i < KT_N_FAMILIES; i++)
    if (is_chosen (lists, &lists->lists[i]))
      kt_samples_add (samples, lists->lists[i].failure != NULL, &(KtLabel){ "kind", kt_family_word (i) }, 1);
}

void
kt_lists_add_metrics (KtLists *lists, KtMetrics *metrics)
{
  kt_metrics_collect (metrics, KT_METRIC_GAUGE, "kootaskfs_list_age_seconds",
                      "How long ago the last list that came whole was asked for, by kind", collect_age, lists);
  kt_metrics_collect (metrics, KT_METRIC_GAUGE, "kootaskfs_list_failing",
                      "Whether the last reading of the list failed, by kind", collect_failing, lists);
}

static void
append_good (GString *out, const List *list)
{
  g_autofree char *age = kt_age_format (kt_clock_monotonic (list->lists->clock) - list->read_at);
  g_string_append_printf (out, "ok, %u tasks; read %s ago\n", list->size, age);
}

char *
kt_lists_format (const KtLists *lists)
{
  GString *out = g_string_new (NULL);

  for (KtFamily i = 0; i < KT_N_FAMILIES; i++) {
    const List *list = &lists->lists[i];
    if (!is_chosen (lists, list))
      continue;
    g_string_append_printf (out, "list-%s: ", kt_family_word (list->family));
    if (list->in_flight)
      g_string_append_printf (out, "being read, %u so far\n", list->keys->len);
    else if (list->failure != NULL)
      g_string_append_printf (out, "failed: %s\n", list->failure);
    else if (list->expires_at == 0)
      g_string_append (out, "not read yet\n");
    else
      append_good (out, list);
  }
  return g_string_free (out, FALSE);
}

KtLists *
kt_lists_new (KtClock *clock, KtStore *store, KtCatalog *catalog, const KtListsPolicy *policy, KtSource *source)
{
  KtLists *lists = g_new0 (KtLists, 1);

  lists->clock = clock;
  lists->store = store;
  lists->catalog = catalog;
  lists->policy = *policy;
  lists->source = source;
  lists->poller = kt_poller_new (clock, &poller_ops, NULL);
  g_queue_init (&lists->waiters);
  for (KtFamily i = 0; i < KT_N_FAMILIES; i++)
    lists->lists[i] = (List){ .lists = lists, .family = i, .tried_at = KT_TIME_UNKNOWN, .read_at = KT_TIME_UNKNOWN };
  return lists;
}

void
kt_lists_free (KtLists *lists)
{
  if (lists == NULL)
    return;
  for (KtFamily i = 0; i < KT_N_FAMILIES; i++)
    g_free (lists->lists[i].failure);
  kt_poller_free (lists->poller);
  g_free (lists);
}

void
kt_lists_set_policy (KtLists *lists, const KtListsPolicy *policy)
{
  lists->policy = *policy;
}

void
kt_lists_forget_failures (KtLists *lists)
{
  for (KtFamily i = 0; i < KT_N_FAMILIES; i++)
    if (lists->lists[i].failure != NULL)
      lists->lists[i].expires_at = kt_clock_monotonic (lists->clock);
}
