/* SPDX-License-Identifier: MIT */
/* Extended attributes, from memory. */
#include "kt-tree-private.h"

#include "base/kt-error.h"
#include "base/kt-log.h"
#include "base/kt-units.h"

#define PREFIX "user.kootaskfs."

static char *
fetched_text (const KtSnapshot *snapshot, const GError *error, KtUsec now)
{
  return snapshot != NULL ? kt_time_format (snapshot->fetched_wall / KT_SECOND) : NULL;
}

static char *
age_text (const KtSnapshot *snapshot, const GError *error, KtUsec now)
{
  return snapshot != NULL ? g_strdup_printf ("%" G_GINT64_FORMAT, (gint64) ((now - snapshot->fetched_at) / KT_SECOND))
                          : NULL;
}

static char *
stale_text (const KtSnapshot *snapshot, const GError *error, KtUsec now)
{
  return snapshot != NULL ? g_strdup (snapshot->stale ? "1" : "0") : NULL;
}

static char *
trace_id_text (const KtSnapshot *snapshot, const GError *error, KtUsec now)
{
  return snapshot != NULL ? g_strdup (snapshot->trace_id) : NULL;
}

static char *
error_text (const KtSnapshot *snapshot, const GError *error, KtUsec now)
{
  g_autofree char *text = NULL;

  if (error == NULL)
    return NULL;
  text = g_strdup_printf ("%s: %s", kt_errno_name (kt_error_to_errno (error)), error->message);
  return kt_log_redact (text); /* the service may have said anything */
}

/* The attributes of everything that is of a task. A function gives NULL for what is not cached. */
static const struct {
  const char *name;
  char *(*text) (const KtSnapshot *snapshot, const GError *error, KtUsec now);
} attributes[] = {
  { PREFIX "fetched", fetched_text },   { PREFIX "age", age_text },     { PREFIX "stale", stale_text },
  { PREFIX "trace-id", trace_id_text }, { PREFIX "error", error_text },
};

static char *
attribute (KtTree *tree, const KtNode *node, gsize index)
{
  KtKey *key = kt_tree_key_of (tree, node);
  KtSnapshot snapshot;
  gboolean known = kt_store_peek (tree->store, key, KT_STORE_LISTED, &snapshot);

  return attributes[index].text (known ? &snapshot : NULL, kt_store_peek_error (tree->store, key),
                                 kt_clock_monotonic (tree->clock));
}

/* Whether NODE has what a task's files and directories have; the kernel gives nobody a link's. */
static gboolean
is_of_task (const KtNode *node)
{
  return node != NULL && node->key != NULL && !S_ISLNK (node->entry->ops->mode);
}

char **
kt_tree_listxattr (KtTree *tree, guint64 id)
{
  const KtNode *node = kt_nodes_get (tree->nodes, id);
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  if (node != NULL && node->entry->mime != NULL)
    g_ptr_array_add (names, g_strdup ("user.mime_type"));
  for (gsize i = 0; is_of_task (node) && i < G_N_ELEMENTS (attributes); i++) {
    g_autofree char *value = attribute (tree, node, i);
    if (value != NULL)
      g_ptr_array_add (names, g_strdup (attributes[i].name));
  }
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&names), FALSE);
}

char *
kt_tree_getxattr (KtTree *tree, guint64 id, const char *name)
{
  const KtNode *node = kt_nodes_get (tree->nodes, id);

  if (node != NULL && node->entry->mime != NULL && g_str_equal (name, "user.mime_type"))
    return g_strdup (node->entry->mime);
  for (gsize i = 0; is_of_task (node) && i < G_N_ELEMENTS (attributes); i++)
    if (g_str_equal (attributes[i].name, name))
      return attribute (tree, node, i);
  return NULL;
}
