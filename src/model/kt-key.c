/* SPDX-License-Identifier: MIT */
/* How one task is asked for, as a hash key. */
#include "kt-key.h"

#include <string.h>

static KtKey *
key_new (KtFamily family, const char *share_id, const char *task_id)
{
  /* one block, strings behind the struct: a million of these must stay small */
  gsize share_size = strlen (share_id) + 1;
  gsize task_size = strlen (task_id) + 1;
  KtKey *key = g_malloc (sizeof (KtKey) + task_size + share_size);
  char *strings = (char *) (key + 1);

  g_atomic_ref_count_init (&key->refs);
  key->family = family;
  key->task_id = memcpy (strings, task_id, task_size);
  key->share_id = memcpy (strings + task_size, share_id, share_size);
  return key;
}

KtKey *
kt_key_new_share (const char *share_id, const char *task_id)
{
  return key_new (KT_FAMILY_SHARE, share_id, task_id);
}

KtKey *
kt_key_new (KtFamily family, const char *task_id)
{
  g_assert (!kt_family_has (family, KT_FACT_OF_SHARE));
  return key_new (family, "", task_id);
}

KtKey *
kt_key_ref (KtKey *key)
{
  g_atomic_ref_count_inc (&key->refs);
  return key;
}

void
kt_key_unref (KtKey *key)
{
  if (key != NULL && g_atomic_ref_count_dec (&key->refs))
    g_free (key);
}

guint
kt_key_hash (gconstpointer key)
{
  const KtKey *k = key;
  return g_str_hash (k->task_id) ^ (g_str_hash (k->share_id) * 31) ^ (guint) k->family;
}

gboolean
kt_key_equal (gconstpointer a, gconstpointer b)
{
  const KtKey *x = a, *y = b;
  return x->family == y->family && strcmp (x->task_id, y->task_id) == 0 && strcmp (x->share_id, y->share_id) == 0;
}
