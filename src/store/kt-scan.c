/* SPDX-License-Identifier: MIT */
#include "kt-scan.h"

#include <string.h>

#define STREAMS      8 /* scans followed at the same time */
#define FIRST_WINDOW 8
#define CROWD        8    /* so many at once need nobody who asks ahead for them */
#define FARTHEST     4096 /* tasks passed over to find the next one to fetch */

/* One scan: where it is, and what was fetched ahead of that place. */
typedef struct {
  KtKey *at;    /* NULL: this stream is free */
  int step;     /* 1 up, -1 down: bash's globs look from the last to the first; 0 while one task was asked for */
  guint asked;  /* tasks asked for so far */
  guint window; /* most that AHEAD may hold */
  GQueue ahead; /* KtKey, in order */
  guint64 used; /* for replacing the least recently used */
} Stream;

struct KtScan {
  KtStore *store;
  KtCatalog *catalog;
  guint most;
  guint64 uses;
  KtStoreMode mode; /* of the one who is asking */
  Stream streams[STREAMS];
};

/* The next task from FROM on that memory does not have, NULL when there is none near. */
static KtKey *
next_wanted (KtScan *scan, const KtKey *from, int step)
{
  KtKey *next = kt_catalog_step (scan->catalog, from->task_id, step);

  for (guint i = 0; i < FARTHEST && next != NULL && kt_store_has (scan->store, next, scan->mode); i++)
    next = kt_catalog_step (scan->catalog, next->task_id, step);
  return next;
}

/* Above 0 when B comes after A for one who goes by STEP, below when before, 0 when they are the same. */
static int
order (const KtKey *a, const KtKey *b, int step)
{
  return strcmp (b->task_id, a->task_id) * step;
}

/* Whether one comes by STEP from the stream's place to TO with nothing between but what memory has. */
static gboolean
follows (KtScan *scan, const Stream *stream, const KtKey *to, int step)
{
  const KtKey *next = stream->at;

  if (order (stream->at, to, step) <= 0)
    return FALSE;
  for (guint i = 0; i < FARTHEST; i++) {
    next = kt_catalog_step (scan->catalog, next->task_id, step);
    if (next == NULL || order (to, next, step) == 0)
      return next != NULL;
    if (!kt_store_has (scan->store, (KtKey *) next, scan->mode))
      return FALSE;
  }
  return FALSE;
}

static void
place (KtScan *scan, Stream *stream, KtKey *key)
{
  kt_key_ref (key);
  kt_key_unref (stream->at);
  stream->at = key;
  stream->asked++;
  stream->used = ++scan->uses;
}

static void
forget_ahead (Stream *stream)
{
  g_queue_clear_full (&stream->ahead, (GDestroyNotify) kt_key_unref);
}

/* One step: whoever has to wait for it gets a larger window; who does not is not the faster for one. */
static void
advance (KtScan *scan, Stream *stream, KtKey *key, gint64 deadline)
{
  const KtKey *last = key;
  KtKey *next;

  if (!kt_store_has (scan->store, key, scan->mode))
    stream->window = stream->window == 0 ? FIRST_WINDOW : stream->window * 2;
  stream->window = MIN (stream->window, scan->most);
  place (scan, stream, key);
  while ((next = g_queue_peek_head (&stream->ahead)) != NULL && order (key, next, stream->step) <= 0)
    kt_key_unref (g_queue_pop_head (&stream->ahead));
  if (!g_queue_is_empty (&stream->ahead))
    last = g_queue_peek_tail (&stream->ahead);
  while (g_queue_get_length (&stream->ahead) < stream->window
         && (next = next_wanted (scan, last, stream->step)) != NULL) {
    kt_store_prefetch (scan->store, next, deadline);
    g_queue_push_tail (&stream->ahead, kt_key_ref (next));
    last = next;
  }
}

/* Which way KEY continues the stream, 0 when it does not. */
static int
direction (KtScan *scan, const Stream *stream, const KtKey *key)
{
  if (stream->step >= 0 && follows (scan, stream, key, 1))
    return 1;
  return stream->step <= 0 && follows (scan, stream, key, -1) ? -1 : 0;
}

/* Whether one reader, or a few, ask when they have been answered. Many who ask at the same time are no scan: what is
 * beyond the last of them nobody may want. */
static gboolean
is_scan (KtScan *scan, const Stream *stream)
{
  KtKey *behind = stream->at;
  guint waiting = 0;

  while (waiting < CROWD && behind != NULL && kt_store_is_asking (scan->store, behind)) {
    behind = kt_catalog_step (scan->catalog, behind->task_id, -stream->step);
    waiting++;
  }
  return waiting < MIN (stream->asked, CROWD);
}

void
kt_scan_note (KtScan *scan, KtKey *key, KtStoreMode mode, gint64 deadline)
{
  Stream *oldest = &scan->streams[0];

  scan->mode = mode;
  for (guint i = 0; i < STREAMS; i++) {
    Stream *stream = &scan->streams[i];
    int step;
    if (stream->at != NULL && strcmp (stream->at->task_id, key->task_id) == 0)
      return; /* another file of the same task */
    step = stream->at != NULL ? direction (scan, stream, key) : 0;
    if (step != 0) {
      if (stream->step != 0 && is_scan (scan, stream)) /* two that are neighbours may be chance; the third decides */
        advance (scan, stream, key, deadline);
      else
        place (scan, stream, key);
      stream->step = step;
      return;
    }
    if (stream->used < oldest->used)
      oldest = stream;
  }
  place (scan, oldest, key);
  oldest->asked = 1;
  oldest->window = 0;
  oldest->step = 0;
  forget_ahead (oldest);
}

KtScan *
kt_scan_new (KtStore *store, KtCatalog *catalog, guint most)
{
  KtScan *scan = g_new0 (KtScan, 1);

  scan->store = store;
  scan->catalog = catalog;
  scan->most = most;
  for (guint i = 0; i < STREAMS; i++)
    g_queue_init (&scan->streams[i].ahead);
  return scan;
}

void
kt_scan_free (KtScan *scan)
{
  if (scan == NULL)
    return;
  for (guint i = 0; i < STREAMS; i++) {
    kt_key_unref (scan->streams[i].at);
    forget_ahead (&scan->streams[i]);
  }
  g_free (scan);
}

void
kt_scan_set_most (KtScan *scan, guint most)
{
  scan->most = most;
}
