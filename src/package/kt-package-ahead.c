/* SPDX-License-Identifier: MIT */
/* What is done ahead of a sequential reader: bytes are fetched before they are read, and pushed into the kernel before
 * they are asked for. Each alone would leave it waiting: READs come one at a time, and while one is answered nobody
 * reads. */
#include "kt-package-private.h"

#include "base/kt-units.h"

/* The window, how far ahead of a reader is fetched, doubles each time half of it has been read, from two blocks to
 * half of the memory, which readers share. A request is a quarter of the window, so that there is always one more
 * under way, but no more than 4 MiB. */
#define FIRST_WINDOW KT_BLOCK
#define LAST_WINDOW  (KT_MOST_BLOCKS / 2 * KT_BLOCK)
#define LAST_STEP    (32 * KT_BLOCK)

/* From this window on, what comes is pushed, half a window ahead: who has read all that asks for more just when the
 * other half is there. */
#define PUSH_WINDOW (16 * KT_BLOCK)

/* One block of so many is left out: who comes to it asks for it, which tells where the reader is. */
#define LEFT_OUT 16

/* What is fetched ahead takes its share of the line from what is waited for. Who waits longer than this gets a smaller
 * window. */
#define SLOW (2 * KT_SECOND)

/* The kernel's own read-ahead passes over so much that it has. */
#define NEAR (4 * KT_BLOCK)

#define CURSOR_LIFE KT_SECOND /* a reader that has not read for so long takes no part of the memory */

/* Readers of all packages that have lately read one block after another. */
static guint
count_readers (const KtPackages *set)
{
  KtUsec since_at = kt_clock_monotonic (set->clock) - CURSOR_LIFE;
  guint n = 0;

  for (const GList *link = set->all.head; link != NULL; link = link->next)
    for (guint i = 0; i < KT_CURSORS; i++) {
      const KtCursor *cursor = &((const KtPackage *) link->data)->cursors[i];
      n += cursor->window > 0 && cursor->used_at >= since_at;
    }
  return n;
}

/* The kernel's read-ahead may overlap. It does not ask for what was pushed, or asks for it before it has come. */
static gboolean
is_near (const KtCursor *cursor, gint64 offset, gint64 end)
{
  if (cursor->window == 0)
    return cursor->used_at != 0 && end > cursor->next && offset <= cursor->next + KT_BLOCK;
  return offset >= cursor->next - cursor->window && offset <= MAX (cursor->next, cursor->pushed) + NEAR;
}

/* Whose read of [OFFSET, END) this is. */
static KtCursor *
find_cursor (KtPackage *package, gint64 offset, gint64 end)
{
  KtUsec now = kt_clock_monotonic (package->set->clock);
  KtCursor *oldest = &package->cursors[0];

  for (guint i = 0; i < KT_CURSORS; i++) {
    KtCursor *cursor = &package->cursors[i];
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

static gboolean
on_pushed (gpointer data)
{
  KtBlock *block = data;
  KtPackage *package = block->package;

  kt_block_unpin (block);
  kt_package_unref (package);
  return G_SOURCE_REMOVE;
}

static void
push (KtPackage *package, KtCursor *cursor)
{
  KtPackages *set = package->set;
  gint64 end = MIN (MIN (cursor->ahead, package->size), cursor->next + cursor->window / 2);

  while (set->push != NULL && cursor->window >= PUSH_WINDOW && cursor->pushed < end) {
    KtBlock *block = kt_block_find (package, (guint64) cursor->pushed / KT_BLOCK);
    gint64 length = MIN (kt_block_end (cursor->pushed + 1), package->size) - cursor->pushed;

    if ((cursor->pushed / KT_BLOCK) % LEFT_OUT == 0) {
      cursor->pushed += length;
      continue;
    }
    if (block == NULL || !block->is_complete
        || !set->push (set->push_data, package->inode, cursor->pushed, block->bytes + cursor->pushed % KT_BLOCK,
                       (gsize) length, on_pushed, block))
      return;
    kt_block_pin (block);
    kt_package_ref (package);
    cursor->pushed += length;
  }
}

void
kt_package_push (KtPackage *package)
{
  for (guint i = 0; i < KT_CURSORS; i++)
    if (package->cursors[i].window > 0)
      push (package, &package->cursors[i]);
}

void
kt_package_ahead (KtPackage *package, gint64 offset, gint64 end, KtUsec stall_timeout)
{
  KtCursor *cursor = find_cursor (package, offset, end);
  gint64 step;

  cursor->ahead = MAX (cursor->ahead, kt_block_end (end));
  cursor->pushed = MAX (cursor->pushed, end);
  if (cursor->window == 0)
    return;
  push (package, cursor);
  if (cursor->ahead - end >= cursor->window / 2)
    return;
  cursor->window = MIN (2 * cursor->window, MAX (KT_BLOCK, LAST_WINDOW / count_readers (package->set)));
  step = MAX (KT_BLOCK, MIN (cursor->window / 4, LAST_STEP) / KT_BLOCK * KT_BLOCK);
  while (cursor->ahead < package->size && cursor->ahead + step <= end + cursor->window) {
    step = MIN (step, kt_block_end (package->size) - cursor->ahead);
    if (!kt_blocks_have_room (package->set, (guint64) step / KT_BLOCK))
      return;
    kt_blocks_fetch (package, (guint64) cursor->ahead / KT_BLOCK, (guint64) (cursor->ahead + step) / KT_BLOCK - 1,
                     stall_timeout);
    cursor->ahead += step;
  }
}

void
kt_package_waited (KtPackage *package, gint64 end, KtUsec since_at)
{
  if (kt_clock_monotonic (package->set->clock) - since_at < SLOW)
    return;
  for (guint i = 0; i < KT_CURSORS; i++)
    if (package->cursors[i].next == end)
      package->cursors[i].window /= 4;
}

void
kt_packages_set_push (KtPackages *set, KtPackagePush taker, gpointer kernel)
{
  set->push = taker;
  set->push_data = kernel;
}
