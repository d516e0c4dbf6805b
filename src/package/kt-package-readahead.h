/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/kt-time.h"

/* Decides what is fetched before it is read, and what the kernel's page cache is given before the kernel asks for it.
 * Nothing here fetches, or looks at a clock: the caller says what was read and when, and gets ranges of bytes.
 *
 * The kernel does not say which READs belong to one reader. So each reader is a cursor, recognised by the offsets of
 * its reads. A cursor is sequential when two reads in a row followed each other; only then it has a window. */

/* The bytes [OFFSET, END) of a package. */
typedef struct {
  gint64 offset;
  gint64 end;
} KtRange;

typedef struct {
  gint64 next;      /* where its next read begins if it is sequential */
  gint64 fetched;   /* up to where was fetched for it */
  gint64 preloaded; /* up to where the kernel's page cache has it, or left it out */
  gint64 window;    /* how far ahead is fetched; 0: it is not sequential */
  KtUsec used_at;
} KtCursor;

#define KT_CURSORS 8

/* The readers of one package. All zero: none yet. */
typedef struct {
  KtCursor cursors[KT_CURSORS];
} KtPackageReadahead;

/* Notes a read of [OFFSET, END) at NOW. The result is the cursor of its reader, good until the next read: a new cursor
 * takes the place of the least recently used one. (transfer none) */
KtCursor *kt_package_readahead_note (KtPackageReadahead *readahead, gint64 offset, gint64 end, KtUsec now);

/* A read up to END had to wait for TIMEOUT: after a long wait the window of its reader shrinks. */
void kt_package_readahead_note_wait (KtPackageReadahead *readahead, gint64 end, KtUsec timeout);

/* How many readers were sequential lately. */
guint kt_package_readahead_count (const KtPackageReadahead *readahead, KtUsec now);

/* Whether less than half of the window is left beyond END, where the cursor's read ended; never without a window. */
gboolean kt_cursor_is_due (const KtCursor *cursor, gint64 end);

/* Doubles the window, up to the cursor's share of the memory. READERS: all sequential readers of all packages. */
void kt_cursor_grow (KtCursor *cursor, guint readers);

/* The next range to fetch for a cursor whose read ended at END: whole blocks of a package of SIZE bytes, of which there
 * is memory for ROOM more. FALSE: nothing more is to be fetched now. */
gboolean kt_cursor_next_fetch (KtCursor *cursor, gint64 end, gint64 size, guint64 room, KtRange *range);

/* The next range, within one block, that belongs in the kernel's page cache. FALSE: none does now. The caller calls
 * kt_cursor_preloaded() when the range is on its way there, and else gets the same range again. */
gboolean kt_cursor_next_preload (KtCursor *cursor, gint64 size, KtRange *range);
void kt_cursor_preloaded (KtCursor *cursor, const KtRange *range);
