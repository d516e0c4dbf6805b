/* SPDX-License-Identifier: MIT */
/* The memory of packages: blocks of one size, which packages share, least recently used first. */
#include "kt-package-blocks.h"

struct KtBlockMemory {
  guint n_blocks;
  GQueue idle; /* KtBlock, most recently used first */
  KtBlockRoom room;
  gpointer data;
};

struct KtBlocks {
  KtBlockMemory *memory;
  GHashTable *by_index; /* index → KtBlock */
};

KtBlockMemory *
kt_block_memory_new (KtBlockRoom room, gpointer data)
{
  KtBlockMemory *memory = g_new0 (KtBlockMemory, 1);

  memory->room = room;
  memory->data = data;
  return memory;
}

void
kt_block_memory_free (KtBlockMemory *memory)
{
  g_free (memory);
}

guint64
kt_block_memory_used (const KtBlockMemory *memory)
{
  return (guint64) memory->n_blocks * KT_BLOCK;
}

guint64
kt_block_memory_room (const KtBlockMemory *memory)
{
  return KT_MOST_BLOCKS - memory->n_blocks + memory->idle.length;
}

KtBlocks *
kt_blocks_new (KtBlockMemory *memory)
{
  KtBlocks *blocks = g_new0 (KtBlocks, 1);

  blocks->memory = memory;
  blocks->by_index = g_hash_table_new (g_int64_hash, g_int64_equal);
  return blocks;
}

KtBlock *
kt_blocks_find (KtBlocks *blocks, guint64 index)
{
  return g_hash_table_lookup (blocks->by_index, &index);
}

gboolean
kt_blocks_have (KtBlocks *blocks, gint64 offset, gint64 end)
{
  for (gint64 at = offset; at < end; at = kt_block_end (at + 1)) {
    const KtBlock *block = kt_blocks_find (blocks, (guint64) at / KT_BLOCK);
    if (block == NULL || !block->is_complete)
      return FALSE;
  }
  return TRUE;
}

static void
notify_room (KtBlockMemory *memory)
{
  memory->room (memory->data);
}

static void
make_idle (KtBlock *block)
{
  KtBlockMemory *memory = block->blocks->memory;

  g_queue_push_head_link (&memory->idle, &block->link);
  notify_room (memory);
}

void
kt_block_pin (KtBlock *block)
{
  if (block->pins++ == 0 && block->is_complete)
    g_queue_unlink (&block->blocks->memory->idle, &block->link);
}

void
kt_block_unpin (KtBlock *block)
{
  if (--block->pins == 0 && block->is_complete)
    make_idle (block);
}

void
kt_block_complete (KtBlock *block)
{
  block->is_complete = TRUE;
  if (block->pins == 0)
    make_idle (block);
}

/* Frees BLOCK, which leaves its bytes. (transfer full) */
static guchar *
block_strip (KtBlock *block)
{
  KtBlockMemory *memory = block->blocks->memory;
  guchar *bytes = block->bytes;

  if (block->is_complete && block->pins == 0)
    g_queue_unlink (&memory->idle, &block->link);
  g_hash_table_remove (block->blocks->by_index, &block->index);
  memory->n_blocks--;
  g_free (block);
  return bytes;
}

KtBlock *
kt_blocks_add (KtBlocks *blocks, guint64 index)
{
  KtBlockMemory *memory = blocks->memory;
  KtBlock *block = g_new0 (KtBlock, 1);

  block->bytes = memory->n_blocks < KT_MOST_BLOCKS ? g_malloc (KT_BLOCK) : block_strip (memory->idle.tail->data);
  block->blocks = blocks;
  block->index = index;
  block->link.data = block;
  g_hash_table_insert (blocks->by_index, &block->index, block);
  memory->n_blocks++;
  return block;
}

void
kt_blocks_drop (KtBlocks *blocks, guint64 first, guint64 last)
{
  for (guint64 index = first; index <= last; index++) {
    KtBlock *block = kt_blocks_find (blocks, index);
    if (block != NULL && !block->is_complete)
      g_free (block_strip (block));
  }
  notify_room (blocks->memory);
}

void
kt_blocks_free (KtBlocks *blocks)
{
  KtBlockMemory *memory = blocks->memory;
  GHashTableIter iter;
  KtBlock *block;

  g_hash_table_iter_init (&iter, blocks->by_index);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &block)) {
    g_hash_table_iter_steal (&iter);
    g_free (block_strip (block));
  }
  g_hash_table_unref (blocks->by_index);
  g_free (blocks);
  notify_room (memory);
}
