/* SPDX-License-Identifier: MIT */
/* Responses that a test has put in place of the service's own, by task. */
#include "overrides.h"

#include <string.h>

typedef struct {
  guint status;
  char *content_type;
  GBytes *body;
  guint64 taken;
} Override;

struct SimOverrides {
  GHashTable *by_task; /* id to Override */
  gsize bytes;         /* of all bodies */
};

static void
override_free (void *data)
{
  Override *override = data;
  g_free (override->content_type);
  g_bytes_unref (override->body);
  g_free (override);
}

SimOverrides *
sim_overrides_new (void)
{
  SimOverrides *overrides = g_new0 (SimOverrides, 1);
  overrides->by_task = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, override_free);
  return overrides;
}

void
sim_overrides_free (SimOverrides *overrides)
{
  if (overrides == NULL)
    return;
  g_hash_table_unref (overrides->by_task);
  g_free (overrides);
}

gboolean
sim_overrides_put (SimOverrides *overrides, const char *task_id, guint status, const char *content_type, GBytes *body)
{
  const Override *old = g_hash_table_lookup (overrides->by_task, task_id);
  gsize others = overrides->bytes - (old != NULL ? g_bytes_get_size (old->body) : 0);

  if (g_bytes_get_size (body) > SIM_OVERRIDES_MAX_BYTES - others)
    return FALSE;

  Override *override = g_new0 (Override, 1);
  override->status = status;
  override->content_type = g_strdup (content_type);
  override->body = g_bytes_ref (body);
  g_hash_table_replace (overrides->by_task, g_strdup (task_id), override);
  overrides->bytes = others + g_bytes_get_size (body);
  return TRUE;
}

gboolean
sim_overrides_remove (SimOverrides *overrides, const char *task_id)
{
  const Override *old = g_hash_table_lookup (overrides->by_task, task_id);

  if (old == NULL)
    return FALSE;
  overrides->bytes -= g_bytes_get_size (old->body);
  return g_hash_table_remove (overrides->by_task, task_id);
}

void
sim_overrides_clear (SimOverrides *overrides)
{
  g_hash_table_remove_all (overrides->by_task);
  overrides->bytes = 0;
}

guint64
sim_overrides_take (SimOverrides *overrides, const char *task_id, SimResponse *response)
{
  Override *override = g_hash_table_lookup (overrides->by_task, task_id);

  if (override == NULL)
    return 0;
  sim_response_set (response, override->status, override->content_type, g_bytes_ref (override->body));
  return ++override->taken;
}

GBytes *
sim_overrides_expand (GBytes *body, guint64 number)
{
  static const char mark[] = "@N@";
  gsize size;
  const char *data = g_bytes_get_data (body, &size);
  const char *hit = size > 0 ? memmem (data, size, mark, strlen (mark)) : NULL;

  if (hit == NULL)
    return body;

  char digits[24];
  g_snprintf (digits, sizeof (digits), "%" G_GUINT64_FORMAT, number);
  GByteArray *out = g_byte_array_sized_new ((guint) size);
  const char *rest = data, *end = data + size;
  for (; hit != NULL; hit = memmem (rest, (gsize) (end - rest), mark, strlen (mark))) {
    g_byte_array_append (out, (const guint8 *) rest, (guint) (hit - rest));
    g_byte_array_append (out, (const guint8 *) digits, (guint) strlen (digits));
    rest = hit + strlen (mark);
  }
  g_byte_array_append (out, (const guint8 *) rest, (guint) (end - rest));
  g_bytes_unref (body);
  return g_byte_array_free_to_bytes (out);
}
