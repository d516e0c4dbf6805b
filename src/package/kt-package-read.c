/* SPDX-License-Identifier: MIT */
/* Reads of packages: answered from blocks or a file, or waiting for them. */
#include "kt-package-private.h"

#include "base/kt-error.h"
#include "base/kt-units.h"

#include <errno.h>
#include <unistd.h>

/* Parts of a reply: the kernel asks for no more than 1 MiB at once. */
#define MOST_PARTS 16

/* Whether [OFFSET, END) is all there. */
static gboolean
has (KtPackage *package, gint64 offset, gint64 end)
{
  if (package->is_whole)
    return end <= package->have;
  for (KtUsec at = offset; at < end; at = kt_block_end (at + 1)) {
    const KtBlock *block = kt_block_find (package, (guint64) at / KT_BLOCK);
    if (block == NULL || !block->is_complete)
      return FALSE;
  }
  return TRUE;
}

static void
give_from_file (const KtPackage *package, gint64 offset, gint64 end, KtPackageBytes read, gpointer data)
{
  gsize length = (gsize) (end - offset);
  g_autofree char *bytes = g_malloc (length);
  struct iovec part = { bytes, length };
  ssize_t n = pread (package->fd, bytes, length, offset);
  g_autoptr (GError) error = NULL;

  if (n != (ssize_t) length)
    error = g_error_new (KT_ERROR, KT_ERROR_SERVICE, "the package's temporary file cannot be read: %s",
                         n < 0 ? g_strerror (errno) : "it is too short");
  read (error == NULL ? &part : NULL, error == NULL, error, data);
}

static void
give (KtPackage *package, gint64 offset, gint64 end, KtPackageBytes read, gpointer data)
{
  struct iovec parts[MOST_PARTS];
  int n = 0;

  if (package->is_whole) {
    give_from_file (package, offset, end, read, data);
    return;
  }
  for (KtUsec at = offset; at < end; at += (gint64) parts[n++].iov_len) {
    KtBlock *block = kt_block_find (package, (guint64) at / KT_BLOCK);
    gint64 in_block = at % KT_BLOCK;
    parts[n].iov_base = block->bytes + in_block;
    parts[n].iov_len = (gsize) MIN (KT_BLOCK - in_block, end - at);
    kt_block_pin (block); /* and so it is the most recently used */
    kt_block_unpin (block);
  }
  read (parts, n, NULL, data);
}

static void
reply (KtPackageCall *call)
{
  kt_package_waited (call->package, call->end, call->since_at);
  give (call->package, call->offset, call->end, call->read, call->data);
  kt_package_cancel (call); /* which ends it */
}

void
kt_reads_wake (KtPackage *package)
{
  GList *next;

  for (GList *link = package->reads.head; link != NULL; link = next) {
    KtPackageCall *call = link->data;
    next = link->next;
    if (has (package, call->offset, call->end))
      reply (call);
  }
}

gboolean
kt_reads_fail (KtPackage *package, gint64 from, gint64 end, const GError *error)
{
  gboolean any = FALSE;
  GList *next;

  for (GList *link = package->reads.head; link != NULL; link = next) {
    KtPackageCall *call = link->data;
    next = link->next;
    if (call->offset < end && call->end > from) {
      kt_package_call_end (call, error);
      any = TRUE;
    }
  }
  return any;
}

void
kt_read_unpin (KtPackageCall *call)
{
  if (!call->is_pinned)
    return;
  call->is_pinned = FALSE;
  for (KtUsec at = call->offset; at < call->end; at = kt_block_end (at + 1))
    kt_block_unpin (kt_block_find (call->package, (guint64) at / KT_BLOCK));
}

void
kt_reads_go_whole (KtPackage *package, KtUsec stall_timeout)
{
  package->is_whole = TRUE;
  for (GList *link = package->reads.head; link != NULL; link = link->next)
    kt_read_unpin (link->data);
  kt_fetch_whole (package, stall_timeout);
}

/* Pins all blocks of a read and has the missing ones fetched; FALSE when there is no memory for them. */
static gboolean
pin_all (KtPackageCall *call)
{
  KtPackage *package = call->package;
  guint64 first = (guint64) call->offset / KT_BLOCK, last = (guint64) (call->end - 1) / KT_BLOCK, missing = 0;
  KtBlock *block;

  for (guint64 index = first; index <= last; index++) {
    if ((block = kt_block_find (package, index)) != NULL)
      kt_block_pin (block); /* so that it is not taken for the missing ones */
    else
      missing++;
  }
  call->is_pinned = kt_blocks_have_room (call->set, missing);
  if (call->is_pinned)
    kt_blocks_fetch (package, first, last, call->stall_timeout);
  for (guint64 index = first; index <= last; index++) {
    block = kt_block_find (package, index);
    if (call->is_pinned && block->pins == 0)
      kt_block_pin (block);
    else if (!call->is_pinned && block != NULL)
      kt_block_unpin (block);
  }
  return call->is_pinned;
}

/* Has what the read wants fetched, and some ahead of it; FALSE when it has to wait for memory. */
static gboolean
begin (KtPackageCall *call)
{
  KtPackage *package = call->package;

  if (!package->is_whole && !pin_all (call))
    return FALSE;
  g_queue_unlink (call->queue, &call->link);
  call->queue = &package->reads;
  g_queue_push_tail_link (call->queue, &call->link);
  if (package->is_whole)
    kt_fetch_whole (package, call->stall_timeout);
  else
    kt_package_ahead (package, call->offset, call->end, call->stall_timeout);
  return TRUE;
}

static void
on_feed (gpointer data)
{
  KtPackages *set = data;

  set->feeder = NULL;
  while (!g_queue_is_empty (&set->hungry)) {
    KtPackageCall *call = set->hungry.head->data;
    KtPackage *package = call->package;
    if (!begin (call))
      break;
    kt_reads_wake (package); /* what it wants may have come meanwhile */
  }
}

void
kt_reads_feed (KtPackages *set)
{
  if (!g_queue_is_empty (&set->hungry) && set->feeder == NULL)
    set->feeder = kt_clock_start (set->clock, kt_clock_monotonic (set->clock), on_feed, set);
}

KtPackageCall *
kt_package_read (KtPackage *package, gint64 offset, gsize size, KtUsec deadline, KtPackageBytes read, gpointer data)
{
  KtPackages *set = package->set;
  gint64 end = MIN (package->size, offset + (gint64) MIN (size, (MOST_PARTS - 1) * KT_BLOCK));
  KtPackageCall *call;

  if (package->has_changed) {
    g_autoptr (GError) error = g_error_new_literal (KT_ERROR, KT_ERROR_SERVICE, "the package has changed");
    read (NULL, 0, error, data);
    return NULL;
  }
  if (offset >= end) {
    read (NULL, 0, NULL, data);
    return NULL;
  }
  if (has (package, offset, end)) {
    kt_package_ref (package); /* READ may give back the last but this */
    give (package, offset, end, read, data);
    if (!package->is_whole)
      kt_package_ahead (package, offset, end, kt_package_stall (set, deadline));
    kt_package_unref (package);
    return NULL;
  }
  call = kt_package_call_new (set, &set->hungry, deadline, data);
  call->package = kt_package_ref (package);
  call->read = read;
  call->offset = offset;
  call->end = end;
  begin (call);
  return call;
}
