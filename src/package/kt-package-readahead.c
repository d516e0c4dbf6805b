/* SPDX-License-Identifier: MIT */
/* Readahead of packages, without side effects: from the reads so far to what is fetched and preloaded next. */
#include "kt-package-readahead.h"

#include "kt-package-blocks.h"

/* Fetching ahead alone leaves a reader waiting, as does preloading alone: READs come one at a time, and until the
 * reply to one has come nobody reads. */

/* The window doubles each time half of it has been read, from two blocks to half of the memory, which readers share. A
 * request is a quarter of the window, so that there is always one more under way, but no more than 4 MiB. */
#define FIRST_WINDOW KT_BLOCK
#define LAST_WINDOW  (KT_MOST_BLOCKS / 2 * KT_BLOCK)
#define LAST_STEP    (32 * KT_BLOCK)

/* From this window on, what has come is preloaded, half a window ahead: a reader that has read all that asks for more
 * just when the other half is there. */
#define PRELOAD_WINDOW (16 * KT_BLOCK)

/* One block of so many is not preloaded: the kernel READs it, which shows where the reader is. */
#define LEFT_OUT 16

/* What is fetched ahead takes bandwidth from what is waited for. A read that waits longer than this gets a smaller
 * window. */
#define SLOW_TIMEOUT (2 * KT_SECOND)

/* The kernel's own readahead passes over so much that its page cache has. */
#define NEAR (4 * KT_BLOCK)

/* A reader that has not read for so long takes no part of the memory. */
#define CURSOR_TIMEOUT KT_SECOND

/* Whether a read of [OFFSET, END) may be the cursor's next. Reads of the kernel's readahead may overlap. The kernel
 * does not READ what was preloaded, or READs it before it has come. */
static gboolean
is_near (const KtCursor *cursor, gint64 offset, gint64 end)
{
  if (cursor->window == 0)
    return cursor->used_at != 0 && end > cursor->next && offset <= cursor->next + KT_BLOCK;
  return offset >= cursor->next - cursor->window && offset <= MAX (cursor->next, cursor->preloaded) + NEAR;
}

static KtCursor *
find_cursor (KtPackageReadahead *readahead, gint64 offset, gint64 end, KtUsec now)
{
  KtCursor *oldest = &readahead->cursors[0];

  for (guint i = 0; i < KT_CURSORS; i++) {
    KtCursor *cursor = &readahead->cursors[i];
    if (is_near (cursor, offset, end)) {
      cursor->window = MAX (cursor->window, FIRST_WINDOW);
      cursor->next = MAX (cursor->next, end);
      cursor->used_at = now;
      return cursor;
    }
    if (cursor->used_at < oldest->used_at)
      oldest = cursor;
  }
  *oldest = (KtCursor){ .next = end, .used_at = now };
  return oldest;
}

KtCursor *
kt_package_readahead_note (KtPackageReadahead *readahead, gint64 offset, gint64 end, KtUsec now)
{
  KtCursor *cursor = find_cursor (readahead, offset, end, now);

  cursor->fetched = MAX (cursor->fetched, kt_block_end (end));
  cursor->preloaded = MAX (cursor->preloaded, end);
  return cursor;
}

void
kt_package_readahead_note_wait (KtPackageReadahead *readahead, gint64 end, KtUsec timeout)
{
  if (timeout < SLOW_TIMEOUT)
    return;
  for (guint i = 0; i < KT_CURSORS; i++)
    if (readahead->cursors[i].next == end)
      readahead->cursors[i].window /= 4;
}

guint
kt_package_readahead_count (const KtPackageReadahead *readahead, KtUsec now)
{
  guint n = 0;

  for (guint i = 0; i < KT_CURSORS; i++) {
    const KtCursor *cursor = &readahead->cursors[i];
    n += cursor->window > 0 && cursor->used_at >= now - CURSOR_TIMEOUT;
  }
  return n;
}

gboolean
kt_cursor_is_due (const KtCursor *cursor, gint64 end)
{
  return cursor->fetched - end < cursor->window / 2;
}

void
kt_cursor_grow (KtCursor *cursor, guint readers)
{
  cursor->window = MIN (2 * cursor->window, MAX (KT_BLOCK, LAST_WINDOW / MAX (readers, 1)));
}

gboolean
kt_cursor_next_fetch (KtCursor *cursor, gint64 end, gint64 size, guint64 room, KtRange *range)
{
  gint64 step = MAX (KT_BLOCK, MIN (cursor->window / 4, LAST_STEP) / KT_BLOCK * KT_BLOCK);

  if (cursor->fetched >= size || cursor->fetched + step > end + cursor->window)
    return FALSE;
  step = MIN (step, kt_block_end (size) - cursor->fetched);
  if ((guint64) step / KT_BLOCK > room)
    return FALSE;
  *range = (KtRange){ cursor->fetched, cursor->fetched + step };
  cursor->fetched += step;
  return TRUE;
}

gboolean
kt_cursor_next_preload (KtCursor *cursor, gint64 size, KtRange *range)
{
  gint64 end = MIN (MIN (cursor->fetched, size), cursor->next + cursor->window / 2);

  if (cursor->window < PRELOAD_WINDOW)
    return FALSE;
  while (cursor->preloaded < end) {
    *range = (KtRange){ cursor->preloaded, MIN (kt_block_end (cursor->preloaded + 1), size) };
    if ((range->offset / KT_BLOCK) % LEFT_OUT != 0)
      return TRUE;
    cursor->preloaded = range->end;
  }
  return FALSE;
}

void
kt_cursor_preloaded (KtCursor *cursor, const KtRange *range)
{
  cursor->preloaded = range->end;
}
