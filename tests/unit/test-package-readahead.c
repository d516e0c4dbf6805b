/* SPDX-License-Identifier: MIT */
/* Readahead of packages: tables of reads and cursors, and of the ranges that follow from them. In blocks. */
#include "kt-test.h"

#include "package/kt-package-blocks.h"
#include "package/kt-package-readahead.h"

#include <stdlib.h>
#include <string.h>

#define B    ((gint64) KT_BLOCK)
#define MANY 1000 /* blocks of a package, and room: no limit */

/* " FIRST+COUNT", with halves of blocks where they matter. */
static void
add_range (GString *text, const KtRange *range)
{
  g_string_append_printf (text, " %g+%g", (double) range->offset / (double) B,
                          (double) (range->end - range->offset) / (double) B);
}

/* One read: what it makes the caller fetch. */
static void
read_blocks (KtPackageReadahead *readahead, double offset, double length, double size, guint room, guint readers,
             KtUsec now, GString *fetched)
{
  gint64 end = (gint64) ((offset + length) * (double) B);
  KtCursor *cursor = kt_package_readahead_note (readahead, (gint64) (offset * (double) B), end, now);
  KtRange range;

  if (!kt_cursor_is_due (cursor, end))
    return;
  kt_cursor_grow (cursor, readers);
  while (kt_cursor_next_fetch (cursor, end, (gint64) (size * (double) B), room, &range)) {
    room -= (guint) ((range.end - range.offset) / B);
    add_range (fetched, &range);
  }
}

static void
test_reads (void)
{
  static const struct {
    const char *what;
    const char *reads; /* OFFSET, of one block, or OFFSET+LENGTH */
    double size;
    guint room;
    guint readers;
    const char *fetched; /* after each read a semicolon */
  } table[] = {
    { "one read is no sequence", "0", MANY, MANY, 1, ";" },
    { "two in a row are", "0 1", MANY, MANY, 1, "; 2+1 3+1;" },
    { "half a block each", "0+0.5 0.5+0.5 1+0.5", MANY, MANY, 1, "; 1+1 2+1;;" },
    { "whole blocks are fetched", "0 1+0.75", MANY, MANY, 1, "; 2+1;" },
    { "the window doubles when half of it is read", "0 1 2 3 4 5 6", MANY, MANY, 1,
      "; 2+1 3+1;; 4+1 5+1 6+1 7+1;;; 8+2 10+2 12+2;" },
    { "reads of two blocks", "0+2 2+2 4+2", MANY, MANY, 1, "; 4+1 5+1; 6+1 7+1 8+1 9+1;" },
    { "reads that overlap", "0+2 1+2", MANY, MANY, 1, "; 3+1 4+1;" },
    { "one block is passed over", "0 2", MANY, MANY, 1, "; 3+1 4+1;" },
    { "two are passed over", "0 3", MANY, MANY, 1, ";;" },
    { "the same again", "0 0 0", MANY, MANY, 1, ";;;" },
    { "backwards", "9 8 7 6", MANY, MANY, 1, ";;;;" },
    { "here and there", "0 50 7 90 31", MANY, MANY, 1, ";;;;;" },
    { "a sequential reader that is reordered", "0 1 3 2", MANY, MANY, 1, "; 2+1 3+1; 4+1 5+1 6+1 7+1;;" },
    { "two readers in turn", "0 100 1 101", MANY, MANY, 1, ";; 2+1 3+1; 102+1 103+1;" },
    { "nine readers: the first is forgotten", "0 100 200 300 400 500 600 700 800 1 101", MANY, MANY, 1, ";;;;;;;;;;;" },
    { "eight readers are not", "0 100 200 300 400 500 600 700 1 101", MANY, MANY, 1, ";;;;;;;; 2+1 3+1; 102+1 103+1;" },
    { "the end of the package", "0 1 2", 3, MANY, 1, "; 2+1;;" },
    { "the end within a block", "0 1", 2.5, MANY, 1, "; 2+1;" },
    { "nothing beyond the end", "0 1", 2, MANY, 1, ";;" },
    { "no room", "0 1", MANY, 0, 1, ";;" },
    { "room for one", "0 1", MANY, 1, 1, "; 2+1;" },
    { "what had no room comes later", "0 1 2", MANY, 1, 1, "; 2+1; 3+1;" },
    { "a larger step needs more room", "0 1 2 3", MANY, 1, 1, "; 2+1; 3+1;;" },
    { "readers share the memory", "0 1 2 3 4 5 6", MANY, MANY, 64, "; 2+1 3+1;; 4+1 5+1;; 6+1 7+1;;" },
    { "even when they are many", "0 1 2", MANY, MANY, 1000, "; 2+1; 3+1;" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (table); i++) {
    KtPackageReadahead readahead = { 0 };
    g_auto (GStrv) reads = g_strsplit (table[i].reads, " ", -1);
    g_autoptr (GString) fetched = g_string_new (NULL);

    g_test_message ("%s", table[i].what);
    for (guint n = 0; reads[n] != NULL; n++) {
      const char *length = strchr (reads[n], '+');
      read_blocks (&readahead, g_ascii_strtod (reads[n], NULL), length != NULL ? g_ascii_strtod (length, NULL) : 1,
                   table[i].size, table[i].room, table[i].readers, KT_SECOND + n, fetched);
      g_string_append_c (fetched, ';');
    }
    g_assert_cmpstr (fetched->str, ==, table[i].fetched);
  }
}

/* A cursor of so many blocks. */
static KtCursor
cursor_of (double next, double fetched, double preloaded, double window)
{
  return (KtCursor){
    .next = (gint64) (next * (double) B),
    .fetched = (gint64) (fetched * (double) B),
    .preloaded = (gint64) (preloaded * (double) B),
    .window = (gint64) (window * (double) B),
    .used_at = 1,
  };
}

/* A quarter of the window at once, of 4 MiB at most. */
static void
test_steps (void)
{
  static const struct {
    double end, fetched, window, size;
    const char *ranges;
  } table[] = {
    { 10, 10, 1, MANY, " 10+1" },
    { 10, 10, 7, MANY, " 10+1 11+1 12+1 13+1 14+1 15+1 16+1" },
    { 10, 10, 16, MANY, " 10+4 14+4 18+4 22+4" },
    { 10, 13, 16, MANY, " 13+4 17+4 21+4" },
    { 10, 30, 16, MANY, "" },
    { 0, 0, 128, MANY, " 0+32 32+32 64+32 96+32" },
    { 0, 0, 256, MANY, " 0+32 32+32 64+32 96+32 128+32 160+32 192+32 224+32" },
    { 10, 10, 16, 20, " 10+4 14+4 18+2" },
    { 10, 10, 16, 18.5, " 10+4 14+4 18+1" },
    { 10, 20, 16, 20, "" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (table); i++) {
    KtCursor cursor = cursor_of (table[i].end, table[i].fetched, 0, table[i].window);
    g_autoptr (GString) ranges = g_string_new (NULL);
    KtRange range;

    while (kt_cursor_next_fetch (&cursor, cursor.next, (gint64) (table[i].size * (double) B), MANY, &range))
      add_range (ranges, &range);
    g_assert_cmpstr (ranges->str, ==, table[i].ranges);
  }
}

static void
test_due (void)
{
  static const struct {
    double end, fetched, window;
    gboolean is_due;
  } table[] = {
    { 10, 10, 0, FALSE }, { 10, 10, 1, TRUE }, { 10, 14, 8, FALSE }, { 10, 13.5, 8, TRUE }, { 10, 20, 8, FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (table); i++) {
    KtCursor cursor = cursor_of (table[i].end, table[i].fetched, 0, table[i].window);
    g_assert_cmpint (kt_cursor_is_due (&cursor, cursor.next), ==, table[i].is_due);
  }
}

static void
test_grow (void)
{
  static const struct {
    double before;
    guint readers;
    double after;
  } table[] = {
    { 1, 1, 2 }, { 64, 1, 128 }, { 128, 1, 128 }, { 128, 2, 64 }, { 2, 64, 2 }, { 1, 300, 1 }, { 1, 0, 2 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (table); i++) {
    KtCursor cursor = cursor_of (0, 0, 0, table[i].before);
    kt_cursor_grow (&cursor, table[i].readers);
    g_assert_cmpint (cursor.window, ==, (gint64) (table[i].after * (double) B));
  }
}

static void
test_preload (void)
{
  static const struct {
    const char *what;
    double next, fetched, preloaded, window, size;
    guint taken; /* so many ranges are on their way, then the kernel takes no more */
    const char *ranges;
  } table[] = {
    { "not for a small window", 1, 20, 1, 15, MANY, MANY, "" },
    { "half a window", 1, 20, 1, 16, MANY, MANY, " 1+1 2+1 3+1 4+1 5+1 6+1 7+1 8+1" },
    { "one block in 16 is left out", 14, 99, 14, 16, MANY, MANY, " 14+1 15+1 17+1 18+1 19+1 20+1 21+1" },
    { "also the first", 32, 99, 32, 16, MANY, MANY, " 33+1 34+1 35+1 36+1 37+1 38+1 39+1" },
    { "not what was not fetched", 1, 3, 1, 16, MANY, MANY, " 1+1 2+1" },
    { "not twice", 1, 20, 7, 16, MANY, MANY, " 7+1 8+1" },
    { "the rest of a block", 1.5, 20, 1.5, 16, MANY, 2, " 1.5+0.5 2+1 3+1" },
    { "up to the end", 1, 20, 1, 16, 3.5, MANY, " 1+1 2+1 3+0.5" },
    { "a range that was not taken comes again", 1, 20, 1, 16, MANY, 1, " 1+1 2+1" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (table); i++) {
    KtCursor cursor = cursor_of (table[i].next, table[i].fetched, table[i].preloaded, table[i].window);
    gint64 size = (gint64) (table[i].size * (double) B);
    g_autoptr (GString) ranges = g_string_new (NULL);
    KtRange range, again;

    g_test_message ("%s", table[i].what);
    for (guint n = 0; kt_cursor_next_preload (&cursor, size, &range); n++) {
      add_range (ranges, &range);
      if (n == table[i].taken)
        break;
      kt_cursor_preloaded (&cursor, &range);
    }
    g_assert_cmpstr (ranges->str, ==, table[i].ranges);
    if (table[i].taken < MANY) {
      g_assert_true (kt_cursor_next_preload (&cursor, size, &again));
      g_assert_cmpint (again.offset, ==, range.offset);
      g_assert_cmpint (again.end, ==, range.end);
    }
  }
}

/* Whose read it is that follows what the kernel was given: the kernel does not read that. */
static void
test_near (void)
{
  static const struct {
    double offset;
    gboolean is_same;
  } table[] = {
    { 20, TRUE }, { 16, TRUE }, { 3, FALSE }, { 4, TRUE }, { 30, TRUE }, { 34, TRUE }, { 34.5, FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (table); i++) {
    KtPackageReadahead readahead = { .cursors = { cursor_of (20, 40, 30, 16) } };
    gint64 offset = (gint64) (table[i].offset * (double) B);
    KtCursor *cursor = kt_package_readahead_note (&readahead, offset, offset + B, 2);

    g_assert_cmpint (cursor == &readahead.cursors[0], ==, table[i].is_same);
    g_assert_cmpint (cursor->next, ==, table[i].is_same ? MAX (20 * B, offset + B) : offset + B);
    g_assert_cmpint (cursor->preloaded, ==, table[i].is_same ? MAX (30 * B, offset + B) : offset + B);
  }
}

static void
test_wait (void)
{
  static const struct {
    double end;
    KtUsec timeout;
    double window;
  } table[] = {
    { 20, 2 * KT_SECOND - 1, 16 },
    { 20, 2 * KT_SECOND, 4 },
    { 20, 60 * KT_SECOND, 4 },
    { 21, 60 * KT_SECOND, 16 }, /* another reader */
  };

  for (guint i = 0; i < G_N_ELEMENTS (table); i++) {
    KtPackageReadahead readahead = { .cursors = { cursor_of (20, 40, 30, 16) } };
    kt_package_readahead_note_wait (&readahead, (gint64) (table[i].end * (double) B), table[i].timeout);
    g_assert_cmpint (readahead.cursors[0].window, ==, (gint64) (table[i].window * (double) B));
  }
}

/* Sequential readers count for a second. */
static void
test_count (void)
{
  KtPackageReadahead readahead = { 0 };
  g_autoptr (GString) fetched = g_string_new (NULL);

  read_blocks (&readahead, 0, 1, MANY, MANY, 1, 10 * KT_SECOND, fetched);
  read_blocks (&readahead, 100, 1, MANY, MANY, 1, 10 * KT_SECOND, fetched);
  g_assert_cmpuint (kt_package_readahead_count (&readahead, 10 * KT_SECOND), ==, 0);
  read_blocks (&readahead, 1, 1, MANY, MANY, 1, 10 * KT_SECOND, fetched);
  g_assert_cmpuint (kt_package_readahead_count (&readahead, 10 * KT_SECOND), ==, 1);
  read_blocks (&readahead, 101, 1, MANY, MANY, 1, 10 * KT_SECOND + 1, fetched);
  g_assert_cmpuint (kt_package_readahead_count (&readahead, 11 * KT_SECOND), ==, 2);
  g_assert_cmpuint (kt_package_readahead_count (&readahead, 11 * KT_SECOND + 1), ==, 1);
  g_assert_cmpuint (kt_package_readahead_count (&readahead, 11 * KT_SECOND + 2), ==, 0);
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
  g_test_add_func ("/package/readahead/reads", test_reads);
  g_test_add_func ("/package/readahead/steps", test_steps);
  g_test_add_func ("/package/readahead/due", test_due);
  g_test_add_func ("/package/readahead/grow", test_grow);
  g_test_add_func ("/package/readahead/preload", test_preload);
  g_test_add_func ("/package/readahead/near", test_near);
  g_test_add_func ("/package/readahead/wait", test_wait);
  g_test_add_func ("/package/readahead/count", test_count);
  return g_test_run ();
}
