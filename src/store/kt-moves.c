/* SPDX-License-Identifier: MIT */
/* Remembers when the snapshots of each task last differed from those before. */
#include "kt-moves.h"

struct KtMoves {
  KtChanges *changes;
  KtListener *listener;
  GHashTable *walls; /* KtKey → KtUsec; of tasks that have moved */
};

static void
on_changes (const KtChange *changes, guint n, gpointer data)
{
  KtMoves *moves = data;

  for (guint i = 0; i < n; i++) {
    const KtChange *change = &changes[i];
    if (change->kind == KT_CHANGE_EVICTED)
      g_hash_table_remove (moves->walls, change->key);
    else if ((change->kind == KT_CHANGE_FETCHED || change->kind == KT_CHANGE_LISTED) && change->before != NULL
             && change->after != NULL && change->after != change->before)
      g_hash_table_insert (moves->walls, kt_key_ref (change->key), g_memdup2 (&change->at_wall, sizeof (KtUsec)));
  }
}

KtMoves *
kt_moves_new (KtChanges *changes)
{
  KtMoves *moves = g_new0 (KtMoves, 1);

  moves->changes = changes;
  moves->walls = g_hash_table_new_full (kt_key_hash, kt_key_equal, (GDestroyNotify) kt_key_unref, g_free);
  moves->listener = kt_changes_listen (changes, on_changes, moves);
  return moves;
}

void
kt_moves_free (KtMoves *moves)
{
  if (moves == NULL)
    return;
  kt_changes_unlisten (moves->changes, &moves->listener);
  g_hash_table_unref (moves->walls);
  g_free (moves);
}

KtUsec
kt_moves_wall (KtMoves *moves, const KtKey *key)
{
  const KtUsec *wall = g_hash_table_lookup (moves->walls, key);

  return wall != NULL ? *wall : 0;
}
