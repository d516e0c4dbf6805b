/* SPDX-License-Identifier: MIT */
/* The memory of packages: what is taken for new blocks, what stays, and when there is room. */
#include "kt-test.h"

#include "package/kt-package-blocks.h"

typedef struct {
  KtBlockMemory *memory;
  KtBlocks *blocks;
  guint rooms; /* calls of on_room() */
} Fixture;

static void
on_room (gpointer data)
{
  ((Fixture *) data)->rooms++;
}

static void
set_up (Fixture *f, gconstpointer data)
{
  f->memory = kt_block_memory_new (on_room, f);
  f->blocks = kt_blocks_new (f->memory);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  kt_blocks_free (f->blocks);
  g_assert_cmpuint (kt_block_memory_used (f->memory), ==, 0);
  kt_block_memory_free (f->memory);
}

/* Full memory: COUNT complete blocks. */
static void
fill (Fixture *f, guint count)
{
  for (guint i = 0; i < count; i++)
    kt_block_complete (kt_blocks_add (f->blocks, i));
}

/* The least recently used block goes; what is pinned or incomplete stays. */
static void
test_least_recently_used (Fixture *f, gconstpointer data)
{
  KtBlocks *others = kt_blocks_new (f->memory);
  KtBlock *block;

  fill (f, KT_MOST_BLOCKS - 1);
  kt_blocks_add (f->blocks, KT_MOST_BLOCKS - 1); /* incomplete */
  kt_block_pin (kt_blocks_find (f->blocks, 0));
  kt_block_pin (kt_blocks_find (f->blocks, 1));
  kt_block_unpin (kt_blocks_find (f->blocks, 1)); /* and so the most recently used */
  g_assert_cmpuint (kt_block_memory_room (f->memory), ==, KT_MOST_BLOCKS - 2);
  for (guint i = 0; i < KT_MOST_BLOCKS - 3; i++)
    kt_blocks_add (others, i);
  g_assert_null (kt_blocks_find (f->blocks, 2));
  g_assert_nonnull (kt_blocks_find (f->blocks, 0));
  g_assert_nonnull (kt_blocks_find (f->blocks, 1));
  g_assert_nonnull (kt_blocks_find (f->blocks, KT_MOST_BLOCKS - 1));
  block = kt_blocks_add (others, KT_MOST_BLOCKS);
  g_assert_false (block->is_complete);
  g_assert_null (kt_blocks_find (f->blocks, 1));
  g_assert_cmpuint (kt_block_memory_room (f->memory), ==, 0);
  g_assert_cmpuint (kt_block_memory_used (f->memory), ==, KT_MOST_BLOCKS * KT_BLOCK);
  kt_block_unpin (kt_blocks_find (f->blocks, 0));
  g_assert_cmpuint (kt_block_memory_room (f->memory), ==, 1);
  kt_blocks_free (others);
}

static void
test_have (Fixture *f, gconstpointer data)
{
  static const struct {
    gint64 offset, end;
    gboolean has;
  } table[] = {
    { 0, 1, TRUE },
    { 0, 3 * KT_BLOCK, TRUE },
    { KT_BLOCK - 1, KT_BLOCK + 1, TRUE },
    { 2 * KT_BLOCK, 3 * KT_BLOCK + 1, FALSE }, /* incomplete */
    { 2 * KT_BLOCK + 5, 3 * KT_BLOCK + 1, FALSE },
    { 4 * KT_BLOCK, 4 * KT_BLOCK + 1, FALSE }, /* none */
    { 5 * KT_BLOCK, 5 * KT_BLOCK, TRUE },
  };

  fill (f, 3);
  kt_blocks_add (f->blocks, 3);
  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    g_assert_cmpint (kt_blocks_have (f->blocks, table[i].offset, table[i].end), ==, table[i].has);
}

/* Room is reported when a block becomes idle and when memory is freed, and then it is there. */
static void
test_room (Fixture *f, gconstpointer data)
{
  KtBlock *block = kt_blocks_add (f->blocks, 0);

  kt_block_pin (block);
  kt_block_pin (block);
  kt_block_complete (block);
  kt_block_unpin (block);
  g_assert_cmpuint (f->rooms, ==, 0);
  g_assert_cmpuint (kt_block_memory_room (f->memory), ==, KT_MOST_BLOCKS - 1);
  kt_block_unpin (block);
  g_assert_cmpuint (f->rooms, ==, 1);
  g_assert_cmpuint (kt_block_memory_room (f->memory), ==, KT_MOST_BLOCKS);
  kt_blocks_add (f->blocks, 1);
  kt_blocks_drop (f->blocks, 0, 2);
  g_assert_cmpuint (f->rooms, ==, 2);
  g_assert_nonnull (kt_blocks_find (f->blocks, 0)); /* is complete */
  g_assert_null (kt_blocks_find (f->blocks, 1));
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
#define TEST(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)
  TEST ("/package/blocks/least-recently-used", test_least_recently_used);
  TEST ("/package/blocks/have", test_have);
  TEST ("/package/blocks/room", test_room);
  return g_test_run ();
}
