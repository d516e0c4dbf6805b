/* SPDX-License-Identifier: MIT */
/* The memory of packages. A block is incomplete while its request is under way; complete, it is pinned while somebody
 * needs it, and else idle, to be taken for another one when memory is full. */
#include "kt-package-private.h"

KtBlock *
kt_block_find (KtPackage *package, guint64 index)
{
  return g_hash_table_lookup (package->blocks, &index);
}

static void
block_rest (KtBlock *block)
{
  KtPackages *set = block->package->set;

  g_queue_push_head_link (&set->idle, &block->link);
  kt_reads_feed (set);
}

void
kt_block_pin (KtBlock *block)
{
  if (block->pins++ == 0 && block->is_complete)
    g_queue_unlink (&block->package->set->idle, &block->link);
}

void
kt_block_unpin (KtBlock *block)
{
  if (--block->pins == 0 && block->is_complete)
    block_rest (block);
}

void
kt_block_complete (KtBlock *block)
{
  block->is_complete = TRUE;
  if (block->pins == 0)
    block_rest (block);
}

/* Takes the block away and leaves its memory. */
static guchar *
block_strip (KtBlock *block)
{
  guchar *bytes = block->bytes;

  if (block->is_complete && block->pins == 0)
    g_queue_unlink (&block->package->set->idle, &block->link);
  g_hash_table_remove (block->package->blocks, &block->index);
  block->package->set->n_blocks--;
  g_free (block);
  return bytes;
}

/* Of memory that is there, or that the least recently used block has; there is one or the other: see
 * kt_blocks_have_room(). */
static KtBlock *
block_new (KtPackage *package, guint64 index)
{
  KtPackages *set = package->set;
  KtBlock *block = g_new0 (KtBlock, 1);

  block->bytes = set->n_blocks < KT_MOST_BLOCKS ? g_malloc (KT_BLOCK) : block_strip (set->idle.tail->data);
  block->package = package;
  block->index = index;
  block->link.data = block;
  g_hash_table_insert (package->blocks, &block->index, block);
  set->n_blocks++;
  return block;
}

void
kt_blocks_drop (KtPackage *package, guint64 first, guint64 last)
{
  for (guint64 index = first; index <= last; index++) {
    KtBlock *block = kt_block_find (package, index);
    if (block != NULL && !block->is_complete)
      g_free (block_strip (block));
  }
  kt_reads_feed (package->set);
}

void
kt_blocks_clear (KtPackage *package)
{
  GHashTableIter iter;
  KtBlock *block;

  g_hash_table_iter_init (&iter, package->blocks);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &block)) {
    g_hash_table_iter_steal (&iter);
    g_free (block_strip (block));
  }
  g_hash_table_unref (package->blocks);
  kt_reads_feed (package->set);
}

gboolean
kt_blocks_have_room (const KtPackages *set, guint64 n)
{
  return n <= KT_MOST_BLOCKS - set->n_blocks + set->idle.length;
}

void
kt_blocks_fetch (KtPackage *package, guint64 first, guint64 last, KtUsec stall_timeout)
{
  for (guint64 index = first; index <= last; index++) {
    guint64 gap = index;
    for (; index <= last && kt_block_find (package, index) == NULL; index++)
      block_new (package, index);
    if (index > gap)
      kt_fetch_blocks (package, gap, index - 1, stall_timeout);
  }
}
