/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

/* Bytes are kept in blocks of this size, and no less is requested: the kernel's own readahead, so that one READ is one
 * request, of two blocks at most. */
#define KT_BLOCK 131072u

/* All packages together keep at most so many blocks, 32 MiB: twice the largest window of one sequential reader, so that
 * what is fetched ahead is not thrown out before it is read. */
#define KT_MOST_BLOCKS 256u

/* The memory that the blocks of all packages share. */
typedef struct KtBlockMemory KtBlockMemory;

/* The blocks of one package. */
typedef struct KtBlocks KtBlocks;

/* A block is incomplete until kt_block_complete(). A complete block without pins is idle: its memory is taken for
 * another one when there is no more, the least recently used first. */
typedef struct {
  KtBlocks *blocks;
  guint64 index; /* its bytes begin at index * KT_BLOCK */
  guchar *bytes;
  gboolean is_complete;
  guint pins;
  GList link; /* KtBlockMemory.idle */
} KtBlock;

/* Called when a block has become idle or its memory was freed. It must neither add nor drop blocks. */
typedef void (*KtBlockRoom) (gpointer data);
KtBlockMemory *kt_block_memory_new (KtBlockRoom room, gpointer data);

/* All blocks were freed before. */
void kt_block_memory_free (KtBlockMemory *memory);

/* The bytes that all blocks take. */
guint64 kt_block_memory_used (const KtBlockMemory *memory);

/* How many blocks can be added now. */
guint64 kt_block_memory_room (const KtBlockMemory *memory);

KtBlocks *kt_blocks_new (KtBlockMemory *memory);
void kt_blocks_free (KtBlocks *blocks);

/* The block INDEX, or NULL. (transfer none) */
KtBlock *kt_blocks_find (KtBlocks *blocks, guint64 index);

/* Adds the block INDEX, incomplete and without pins. There is room, and no such block yet. (transfer none) */
KtBlock *kt_blocks_add (KtBlocks *blocks, guint64 index);

/* Whether all bytes of [OFFSET, END) are in complete blocks. */
gboolean kt_blocks_have (KtBlocks *blocks, gint64 offset, gint64 end);

/* Drops the blocks of [FIRST, LAST] that are incomplete. None of them is pinned. */
void kt_blocks_drop (KtBlocks *blocks, guint64 first, guint64 last);

/* All bytes of the block are there. */
void kt_block_complete (KtBlock *block);

/* A pinned block stays. The last unpin makes the block the most recently used. */
void kt_block_pin (KtBlock *block);
void kt_block_unpin (KtBlock *block);

/* OFFSET, rounded up to the beginning of a block. */
static inline gint64
kt_block_end (gint64 offset)
{
  return (offset + KT_BLOCK - 1) / KT_BLOCK * KT_BLOCK;
}
