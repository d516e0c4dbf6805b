/* SPDX-License-Identifier: MIT */
/* Readahead of tasks: notices who reads one task after another, and fetches the next ones. */
#include "kt-readahead.h"

#include <string.h>

#define STREAMS      8 /* followed at the same time */
#define FIRST_WINDOW 8
#define CROWD        8    /* so many readers at once need no readahead */
#define FARTHEST     4096 /* tasks passed over to find the next one to fetch */

/* One sequence of tasks that is being read: where the reader is, and what was fetched ahead of that place. */
typedef struct {
  KtKey *at;    /* NULL: this stream is free */
  int step;     /* 1 up, -1 down: bash's globs look from the last to the first; 0 while one task was asked for */
  guint asked;  /* tasks asked for so far */
  guint window; /* most that AHEAD may hold */
  GQueue ahead; /* KtKey, in order */
  guint64 used; /* for replacing the least recently used */
} Stream;

struct KtReadahead {
  KtStore *store;
  KtCatalog *catalog;
  guint limit;
  guint64 uses;
  KtStoreMode mode; /* the reader's */
  Stream streams[STREAMS];
};

/* The next task from FROM on that is not cached, NULL when there is none near. */
static KtKey *
next_wanted (KtReadahead *readahead, const KtKey *from, int step)
{
  KtKey *next = kt_catalog_step (readahead->catalog, from->task_id, step);

  for (guint i = 0; i < FARTHEST && next != NULL && kt_store_has (readahead->store, next, readahead->mode); i++)
    next = kt_catalog_step (readahead->catalog, next->task_id, step);
  return next;
}

/* Above 0 when B comes after A in the direction of STEP, below 0 when it comes before, 0 when they are the same. */
static int
order (const KtKey *a, const KtKey *b, int step)
{
  const int after = strcmp (b->task_id, a->task_id);
  return step > 0 ? after : -after;
}

/* Whether STEP leads from the stream's place to TO with nothing between but what is cached. */
static gboolean
follows (KtReadahead *readahead, const Stream *stream, const KtKey *to, int step)
{
  const KtKey *next = stream->at;

  if (order (stream->at, to, step) <= 0)
    return FALSE;
  for (guint i = 0; i < FARTHEST; i++) {
    next = kt_catalog_step (readahead->catalog, next->task_id, step);
    if (next == NULL || order (to, next, step) == 0)
      return next != NULL;
    if (!kt_store_has (readahead->store, (KtKey *) next, readahead->mode))
      return FALSE;
  }
  return FALSE;
}

static void
place (KtReadahead *readahead, Stream *stream, KtKey *key)
{
  kt_key_ref (key);
  kt_key_unref (stream->at);
  stream->at = key;
  stream->asked++;
  stream->used = ++readahead->uses;
}

static void
forget_ahead (Stream *stream)
{
  g_queue_clear_full (&stream->ahead, (GDestroyNotify) kt_key_unref);
}

/* One step. A reader who has to wait for it gets a larger window; one who does not is not the faster for it. */
static void
advance (KtReadahead *readahead, Stream *stream, KtKey *key, KtUsec deadline)
{
  const KtKey *last = key;
  KtKey *next;

  if (!kt_store_has (readahead->store, key, readahead->mode))
    stream->window = stream->window == 0 ? FIRST_WINDOW : stream->window * 2;
  stream->window = MIN (stream->window, readahead->limit);
  place (readahead, stream, key);
  while ((next = g_queue_peek_head (&stream->ahead)) != NULL && order (key, next, stream->step) <= 0)
    kt_key_unref (g_queue_pop_head (&stream->ahead));
  if (!g_queue_is_empty (&stream->ahead))
    last = g_queue_peek_tail (&stream->ahead);
  while (g_queue_get_length (&stream->ahead) < stream->window
         && (next = next_wanted (readahead, last, stream->step)) != NULL) {
    kt_store_prefetch (readahead->store, next, deadline);
    g_queue_push_tail (&stream->ahead, kt_key_ref (next));
    last = next;
  }
}

/* Which way KEY continues the stream, 0 when it does not. */
static int
direction (KtReadahead *readahead, const Stream *stream, const KtKey *key)
{
  if (stream->step >= 0 && follows (readahead, stream, key, 1))
    return 1;
  return stream->step <= 0 && follows (readahead, stream, key, -1) ? -1 : 0;
}

/* Whether one reader, or a few, ask again once they have what they asked for. Many who ask at the same time are no
 * sequence: nobody may want what is beyond the last of them. */
static gboolean
is_sequence (KtReadahead *readahead, const Stream *stream)
{
  KtKey *behind = stream->at;
  guint waiting = 0;

  while (waiting < CROWD && behind != NULL && kt_store_is_asking (readahead->store, behind)) {
    behind = kt_catalog_step (readahead->catalog, behind->task_id, -stream->step);
    waiting++;
  }
  return waiting < MIN (stream->asked, CROWD);
}

void
kt_readahead_note (KtReadahead *readahead, KtKey *key, KtStoreMode mode, KtUsec deadline)
{
  Stream *oldest = &readahead->streams[0];

  readahead->mode = mode;
  for (guint i = 0; i < STREAMS; i++) {
    Stream *stream = &readahead->streams[i];
    int step;
    if (stream->at != NULL && strcmp (stream->at->task_id, key->task_id) == 0)
      return; /* another file of the same task */
    step = stream->at != NULL ? direction (readahead, stream, key) : 0;
    if (step != 0) {
      if (stream->step != 0
          && is_sequence (readahead, stream)) /* two that are neighbours may be chance; the third decides */
        advance (readahead, stream, key, deadline);
      else
        place (readahead, stream, key);
      stream->step = step;
      return;
    }
    if (stream->used < oldest->used)
      oldest = stream;
  }
  place (readahead, oldest, key);
  oldest->asked = 1;
  oldest->window = 0;
  oldest->step = 0;
  forget_ahead (oldest);
}

KtReadahead *
kt_readahead_new (KtStore *store, KtCatalog *catalog, guint limit)
{
  KtReadahead *readahead = g_new0 (KtReadahead, 1);

  readahead->store = store;
  readahead->catalog = catalog;
  readahead->limit = limit;
  for (guint i = 0; i < STREAMS; i++)
    g_queue_init (&readahead->streams[i].ahead);
  return readahead;
}

void
kt_readahead_free (KtReadahead *readahead)
{
  if (readahead == NULL)
    return;
  for (guint i = 0; i < STREAMS; i++) {
    kt_key_unref (readahead->streams[i].at);
    forget_ahead (&readahead->streams[i]);
  }
  g_free (readahead);
}

void
kt_readahead_set_limit (KtReadahead *readahead, guint limit)
{
  readahead->limit = limit;
}
