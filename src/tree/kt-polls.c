/* SPDX-License-Identifier: MIT */
/* Who polls which file, and when they are woken. */
#include "kt-polls.h"

#include "base/kt-units.h"
#include "kt-tree-private.h"

#define PROBES_PER_TURN 512 /* then the other sources of the loop have theirs */
#define PROBE_LEAST     KT_SECOND
#define PROBE_MOST      (3600 * KT_SECOND)

/* Open files of one task, or of none. */
typedef struct {
  KtPolls *polls;
  char *id; /* of the task; "": of none */
  GQueue polled;
} Group;

/* An open file that somebody polls. */
typedef struct {
  KtPolls *polls;
  guint64 handle; /* the kernel's number of it */
  guint64 inode;
  guint64 seen; /* the row operation's own */
  KtInterest *interest;
  Group *group;
  GList link;  /* in GROUP */
  GList probe; /* in KtPolls.probes */
  KtUsec probe_at;
  gboolean is_probed; /* and has not been asked about since */
} Polled;

struct KtPolls {
  KtTree *tree;
  GHashTable *polled; /* handle → Polled */
  GHashTable *groups; /* id → Group */
  GQueue probes;      /* Polled, in the order of PROBE_AT */
  KtTimer *timer;     /* the next probe */
  KtListener *listener;
  KtTreeWake wake;
  gpointer kernel;
};

G_STATIC_ASSERT (sizeof (gpointer) >= sizeof (guint64));

/* Whether a file is ready for what it has not been ready for before. */
static gboolean
is_news (guint ready)
{
  return ready != 0 && ready != KT_POLL_DEFAULT;
}

static void
group_free (gpointer data)
{
  Group *group = data;

  g_free (group->id);
  g_free (group);
}

/* That of NODE's task, made when there is none yet. */
static Group *
group_of (KtPolls *polls, const KtNode *node)
{
  const char *id = node->key != NULL ? node->key->task_id : "";
  Group *group = g_hash_table_lookup (polls->groups, id);

  if (group == NULL) {
    group = g_new0 (Group, 1);
    group->polls = polls;
    group->id = g_strdup (id);
    g_hash_table_insert (polls->groups, group->id, group);
  }
  return group;
}

static void
polled_free (gpointer data)
{
  Polled *polled = data;
  Group *group = polled->group;

  kt_interest_drop (&polled->interest);
  g_queue_unlink (&group->polled, &polled->link);
  g_queue_unlink (&polled->polls->probes, &polled->probe);
  if (g_queue_is_empty (&group->polled))
    g_hash_table_remove (group->polls->groups, group->id);
  g_free (polled);
}

static void
hold (Polled *polled, const KtNode *node)
{
  KtTree *tree = polled->polls->tree;
  KtKey *key = kt_tree_key_of (tree, node);

  kt_interest_drop (&polled->interest);
  polled->interest =
      key != NULL ? kt_watch_task (tree->watch, key, node->entry->ops->polled_for) : kt_watch_all (tree->watch);
}

/* A few ttl, the time after which a change is seen. */
static KtUsec
probe_interval (const KtTree *tree)
{
  return CLAMP (MIN (kt_store_ttl (tree->store), PROBE_MOST) * KT_POLL_PROBE, PROBE_LEAST, PROBE_MOST);
}

static void on_probe (gpointer data);

static void
begin_probing (KtPolls *polls)
{
  const GList *first = polls->probes.head;

  if (first != NULL && polls->timer == NULL)
    polls->timer = kt_clock_start (polls->tree->clock, ((Polled *) first->data)->probe_at, on_probe, polls);
}

static void
wake (const KtPolls *polls, const GArray *handles)
{
  if (polls->wake != NULL && handles->len > 0)
    polls->wake (polls->kernel, (const guint64 *) (gconstpointer) handles->data, handles->len);
}

static void
on_probe (gpointer data)
{
  KtPolls *polls = data;
  const KtUsec now = kt_clock_monotonic (polls->tree->clock);
  g_autoptr (GArray) handles = g_array_new (FALSE, FALSE, sizeof (guint64));

  polls->timer = NULL;
  for (guint n = 0; n < PROBES_PER_TURN && polls->probes.head != NULL; n++) {
    Polled *polled = polls->probes.head->data;
    if (polled->probe_at > now)
      break;
    if (polled->is_probed || kt_nodes_get (polls->tree->nodes, polled->inode) == NULL) {
      g_hash_table_remove (polls->polled, (gpointer) polled->handle);
      continue;
    }
    polled->is_probed = TRUE;
    polled->probe_at = now + probe_interval (polls->tree);
    g_queue_unlink (&polls->probes, &polled->probe);
    g_queue_push_tail_link (&polls->probes, &polled->probe);
    g_array_append_val (handles, polled->handle);
  }
  begin_probing (polls);
  wake (polls, handles);
}

static void
add (KtPolls *polls, guint64 handle, const KtNode *node, guint64 seen)
{
  Polled *polled = g_new0 (Polled, 1);

  polled->polls = polls;
  polled->handle = handle;
  polled->inode = node->id;
  polled->seen = seen;
  polled->group = group_of (polls, node);
  polled->link.data = polled->probe.data = polled;
  polled->probe_at = kt_clock_monotonic (polls->tree->clock) + probe_interval (polls->tree);
  g_queue_push_tail_link (&polled->group->polled, &polled->link);
  g_queue_push_tail_link (&polls->probes, &polled->probe);
  g_hash_table_insert (polls->polled, (gpointer) handle, polled);
  begin_probing (polls);
  hold (polled, node);
}

guint
kt_tree_poll (KtTree *tree, guint64 id, guint64 handle, guint events)
{
  KtPolls *polls = tree->polls;
  const KtNode *node = kt_nodes_get (tree->nodes, id);
  Polled *polled = g_hash_table_lookup (polls->polled, (gpointer) handle);
  guint64 first = 0, *seen = polled != NULL ? &polled->seen : &first;
  guint ready;

  if (node == NULL || node->entry->ops->poll == NULL)
    return KT_POLL_DEFAULT;
  if ((events & POLLPRI) == 0 && node->entry->ops->polled_for == KT_WATCH_CHANGES)
    return KT_POLL_DEFAULT; /* less, for one, takes POLLERR for an error */
  ready = node->entry->ops->poll (tree, node, seen);
  if (is_news (ready) && *seen == 0) /* that is so for good */
    g_hash_table_remove (polls->polled, (gpointer) handle);
  else if (polled != NULL)
    polled->is_probed = FALSE;
  else if (g_hash_table_size (polls->polled) == KT_POLL_MAX)
    return KT_POLL_CHANGED;
  else
    add (polls, handle, node, *seen);
  return ready;
}

/* Handles that are to be woken once the kernel has forgotten names. */
typedef struct {
  KtPolls *polls;
  GArray *handles;
} Wake;

static gboolean
on_forgotten (gpointer data)
{
  Wake *woken = data;

  wake (woken->polls, woken->handles);
  g_array_unref (woken->handles);
  g_free (woken);
  return G_SOURCE_REMOVE;
}

/* Adds to HANDLES, which is made when it is NULL, what of the group ID is ready now. FALSE: nothing is. */
static gboolean
find_ready (const KtPolls *polls, const char *id, gboolean has_other_key, GArray **handles)
{
  const Group *group = g_hash_table_lookup (polls->groups, id);
  const guint before = *handles != NULL ? (*handles)->len : 0;

  for (const GList *link = group != NULL ? group->polled.head : NULL; link != NULL; link = link->next) {
    Polled *polled = link->data;
    const KtNode *node = kt_nodes_get (polls->tree->nodes, polled->inode);
    guint64 seen = polled->seen;
    if (node == NULL)
      continue; /* closed: the next probe finds it */
    if (has_other_key)
      hold (polled, node);
    if (!is_news (node->entry->ops->poll (polls->tree, node, &seen)))
      continue;
    if (*handles == NULL)
      *handles = g_array_new (FALSE, FALSE, sizeof (guint64));
    g_array_append_val (*handles, polled->handle);
  }
  return *handles != NULL && (*handles)->len > before;
}

/* Has the kernel forget the old names first: who is woken looks again. */
static void
on_changes (const KtChange *changes, guint n, gpointer data)
{
  KtPolls *polls = data;
  GArray *handles = NULL;
  gboolean all_look;
  Wake *woken;

  if (g_hash_table_size (polls->polled) == 0)
    return;
  all_look = find_ready (polls, "", FALSE, &handles);
  for (guint i = 0; i < n; i++)
    if (find_ready (polls, changes[i].key->task_id, changes[i].kind == KT_CHANGE_GONE, &handles)
        || (all_look && changes[i].before != changes[i].after))
      kt_tree_forget_names (polls->tree, changes[i].key, NULL, NULL);
  if (handles == NULL)
    return;
  woken = g_new (Wake, 1);
  *woken = (Wake){ .polls = polls, .handles = handles };
  kt_tree_forget_names (polls->tree, NULL, on_forgotten, woken);
}

void
kt_polls_set_wake (KtPolls *polls, KtTreeWake func, gpointer kernel)
{
  polls->wake = func;
  polls->kernel = kernel;
}

void
kt_tree_set_wake (KtTree *tree, KtTreeWake func, gpointer kernel)
{
  kt_polls_set_wake (tree->polls, func, kernel);
}

KtPolls *
kt_polls_new (KtTree *tree)
{
  KtPolls *polls = g_new0 (KtPolls, 1);

  polls->tree = tree;
  polls->polled = g_hash_table_new_full (NULL, NULL, NULL, polled_free);
  polls->groups = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, group_free);
  polls->listener = kt_changes_listen (tree->changes, on_changes, polls);
  return polls;
}

void
kt_polls_free (KtPolls *polls)
{
  if (polls == NULL)
    return;
  kt_clock_stop (polls->tree->clock, &polls->timer);
  kt_changes_unlisten (polls->tree->changes, &polls->listener);
  g_hash_table_unref (polls->polled);
  g_hash_table_unref (polls->groups);
  g_free (polls);
}
