/* SPDX-License-Identifier: MIT */
/* Reads of packages: from blocks in memory or the temporary file, at once or when the bytes are there. */
#include "kt-package-private.h"

#include "base/kt-error.h"
#include "kt-package-file.h"

/* Parts of a reply: the kernel asks for no more than 1 MiB at once. */
#define MOST_PARTS 16

struct KtPackageRead {
  KtPackage *package;
  gint64 offset;
  gint64 end;
  GQueue *queue; /* in which it is, by LINK: KtPackages.waiting_for_memory or KtPackage.reads */
  GList link;
  KtTimer *expiry;
  KtPackageBytes callback;
  gpointer data;
  KtUsec since_at;
  KtUsec stall_timeout; /* of requests made for it */
  gboolean is_pinned;   /* has all its blocks, if not their content */
};

static gboolean
has (KtPackage *package, gint64 offset, gint64 end)
{
  return package->is_whole ? end <= package->file_size : kt_blocks_have (package->blocks, offset, end);
}

static void
give_from_file (const KtPackage *package, gint64 offset, gint64 end, KtPackageBytes callback, gpointer data)
{
  gsize length = (gsize) (end - offset);
  g_autoptr (GError) error = NULL;
  g_autofree char *bytes = kt_package_file_read (package->fd, offset, length, &error);
  struct iovec part = { bytes, length };

  callback (error == NULL ? &part : NULL, error == NULL, error, data);
}

static void
give (KtPackage *package, gint64 offset, gint64 end, KtPackageBytes callback, gpointer data)
{
  struct iovec parts[MOST_PARTS];
  int n = 0;

  if (package->is_whole) {
    give_from_file (package, offset, end, callback, data);
    return;
  }
  for (gint64 at = offset; at < end; at += (gint64) parts[n++].iov_len) {
    KtBlock *block = kt_blocks_find (package->blocks, (guint64) at / KT_BLOCK);
    gint64 in_block = at % KT_BLOCK;
    parts[n].iov_base = block->bytes + in_block;
    parts[n].iov_len = (gsize) MIN (KT_BLOCK - in_block, end - at);
    kt_block_pin (block); /* and so it is the most recently used */
    kt_block_unpin (block);
  }
  callback (parts, n, NULL, data);
}

static void
read_unpin (KtPackageRead *read)
{
  if (!read->is_pinned)
    return;
  read->is_pinned = FALSE;
  for (gint64 at = read->offset; at < read->end; at = kt_block_end (at + 1))
    kt_block_unpin (kt_blocks_find (read->package->blocks, (guint64) at / KT_BLOCK));
}

void
kt_package_read_cancel (KtPackageRead *read)
{
  KtPackage *package = read->package;

  read_unpin (read);
  g_queue_unlink (read->queue, &read->link);
  kt_clock_stop (package->set->clock, &read->expiry);
  g_free (read);
  kt_package_unref (package);
}

static void
read_fail (KtPackageRead *read, const GError *error)
{
  KtPackageBytes callback = read->callback;
  gpointer data = read->data;

  kt_package_read_cancel (read);
  callback (NULL, 0, error, data);
}

static void
on_read_expiry (gpointer data)
{
  KtPackageRead *read = data;
  g_autoptr (GError) error = kt_package_timeout_error ();

  read->expiry = NULL;
  read_fail (read, error);
}

/* The end of READ, whose bytes are there. */
static void
read_reply (KtPackageRead *read)
{
  KtPackage *package = read->package;

  kt_package_readahead_note_wait (&package->readahead, read->end,
                                  kt_clock_monotonic (package->set->clock) - read->since_at);
  give (package, read->offset, read->end, read->callback, read->data);
  kt_package_read_cancel (read);
}

static void
wake (KtPackage *package)
{
  GList *next;

  for (GList *link = package->reads.head; link != NULL; link = next) {
    KtPackageRead *read = link->data;
    next = link->next;
    if (has (package, read->offset, read->end))
      read_reply (read);
  }
}

void
kt_reads_came (KtPackage *package)
{
  wake (package);
  if (!package->is_whole)
    kt_package_preload (package);
}

gboolean
kt_reads_failed (KtPackage *package, gint64 from, gint64 end, const GError *error)
{
  gboolean any = FALSE;
  GList *next;

  for (GList *link = package->reads.head; link != NULL; link = next) {
    KtPackageRead *read = link->data;
    next = link->next;
    if (read->offset < end && read->end > from) {
      read_fail (read, error);
      any = TRUE;
    }
  }
  return any;
}

void
kt_reads_no_ranges (KtPackage *package, KtUsec stall_timeout)
{
  package->is_whole = TRUE;
  for (GList *link = package->reads.head; link != NULL; link = link->next)
    read_unpin (link->data);
  kt_package_request_whole (package, stall_timeout, NULL, NULL);
}

/* Pins all blocks of READ and requests the missing ones. FALSE: there is no memory for them, and none is pinned. */
static gboolean
read_pin (KtPackageRead *read)
{
  KtPackage *package = read->package;
  guint64 first = (guint64) read->offset / KT_BLOCK, last = (guint64) (read->end - 1) / KT_BLOCK, missing = 0;
  KtBlock *block;

  for (guint64 index = first; index <= last; index++) {
    if ((block = kt_blocks_find (package->blocks, index)) != NULL)
      kt_block_pin (block); /* so that it is not taken for the missing ones */
    else
      missing++;
  }
  read->is_pinned = missing <= kt_block_memory_room (package->set->memory);
  if (read->is_pinned)
    kt_package_request_blocks (package, first, last, read->stall_timeout);
  for (guint64 index = first; index <= last; index++) {
    block = kt_blocks_find (package->blocks, index);
    if (read->is_pinned && block->pins == 0)
      kt_block_pin (block);
    else if (!read->is_pinned && block != NULL)
      kt_block_unpin (block);
  }
  return read->is_pinned;
}

static guint
count_readers (const KtPackages *set)
{
  KtUsec now = kt_clock_monotonic (set->clock);
  guint n = 0;

  for (const GList *link = set->all.head; link != NULL; link = link->next)
    n += kt_package_readahead_count (&((const KtPackage *) link->data)->readahead, now);
  return n;
}

/* Does what is to be done ahead of the reader that has read [OFFSET, END). */
static void
read_ahead (KtPackage *package, gint64 offset, gint64 end, KtUsec stall_timeout)
{
  KtPackages *set = package->set;
  KtCursor *cursor = kt_package_readahead_note (&package->readahead, offset, end, kt_clock_monotonic (set->clock));
  KtRange range;

  kt_package_preload_for (package, cursor);
  if (!kt_cursor_is_due (cursor, end))
    return;
  kt_cursor_grow (cursor, count_readers (set));
  while (kt_cursor_next_fetch (cursor, end, package->size, kt_block_memory_room (set->memory), &range))
    kt_package_request_blocks (package, (guint64) range.offset / KT_BLOCK, (guint64) range.end / KT_BLOCK - 1,
                               stall_timeout);
}

static void
read_move (KtPackageRead *read, GQueue *queue)
{
  g_queue_unlink (read->queue, &read->link);
  read->queue = queue;
  g_queue_push_tail_link (queue, &read->link);
}

/* Requests what READ needs, and some ahead of it. FALSE: it has to wait for memory. */
static gboolean
read_begin (KtPackageRead *read)
{
  KtPackage *package = read->package;

  if (!package->is_whole && !read_pin (read))
    return FALSE;
  read_move (read, &package->reads);
  if (package->is_whole)
    kt_package_request_whole (package, read->stall_timeout, NULL, NULL);
  else
    read_ahead (package, read->offset, read->end, read->stall_timeout);
  return TRUE;
}

static void
on_room_timer (gpointer data)
{
  KtPackages *set = data;

  set->room_timer = NULL;
  while (!g_queue_is_empty (&set->waiting_for_memory)) {
    KtPackageRead *read = set->waiting_for_memory.head->data;
    KtPackage *package = read->package;
    if (!read_begin (read)) {
      kt_clock_stop (set->clock, &set->room_timer); /* the room it has just made is that of its own bytes */
      break;
    }
    wake (package); /* what it needs may have come meanwhile */
  }
}

void
kt_reads_room (gpointer data)
{
  KtPackages *set = data;

  if (!g_queue_is_empty (&set->waiting_for_memory) && set->room_timer == NULL)
    set->room_timer = kt_clock_start (set->clock, kt_clock_monotonic (set->clock), on_room_timer, set);
}

static KtPackageRead *
read_new (KtPackage *package, gint64 offset, gint64 end, KtUsec deadline, KtPackageBytes callback, gpointer data)
{
  KtPackages *set = package->set;
  KtPackageRead *read = g_new0 (KtPackageRead, 1);

  read->package = kt_package_ref (package);
  read->offset = offset;
  read->end = end;
  read->callback = callback;
  read->data = data;
  read->since_at = kt_clock_monotonic (set->clock);
  read->stall_timeout = kt_package_stall_timeout (set, deadline);
  read->expiry = kt_clock_start (set->clock, deadline, on_read_expiry, read);
  read->queue = &set->waiting_for_memory;
  read->link.data = read;
  g_queue_push_tail_link (read->queue, &read->link);
  return read;
}

KtPackageRead *
kt_package_read (KtPackage *package, gint64 offset, gsize size, KtUsec deadline, KtPackageBytes callback, gpointer data)
{
  gint64 end = MIN (package->size, offset + (gint64) MIN (size, (MOST_PARTS - 1) * KT_BLOCK));
  KtPackageRead *read;

  if (package->has_changed) {
    g_autoptr (GError) error = g_error_new_literal (KT_ERROR, KT_ERROR_SERVICE, "the package has changed");
    callback (NULL, 0, error, data);
    return NULL;
  }
  if (offset >= end) {
    callback (NULL, 0, NULL, data);
    return NULL;
  }
  if (has (package, offset, end)) {
    kt_package_ref (package); /* CALLBACK may give back the last but this */
    give (package, offset, end, callback, data);
    if (!package->is_whole)
      read_ahead (package, offset, end, kt_package_stall_timeout (package->set, deadline));
    kt_package_unref (package);
    return NULL;
  }
  read = read_new (package, offset, end, deadline, callback, data);
  read_begin (read);
  return read;
}
