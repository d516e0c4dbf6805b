/* SPDX-License-Identifier: MIT */
#include "kt-fuse-private.h"

#include <string.h>

typedef struct {
  GPtrArray *names; /* NULL: the end */
  GSourceFunc done;
  gpointer data;
} Push;

struct KtPusher {
  struct fuse_session *session;
  GAsyncQueue *queue;
  GThread *thread;
};

static gpointer
run (gpointer data)
{
  KtPusher *pusher = data;

  for (;;) {
    g_autofree Push *push = g_async_queue_pop (pusher->queue);
    if (push->names == NULL)
      return NULL;
    for (guint i = 0; i < push->names->len; i++) {
      const KtStaleName *stale = g_ptr_array_index (push->names, i);
      /* a name or directory the kernel does not hold is an error to it, and fine with us */
      fuse_lowlevel_notify_inval_entry (pusher->session, stale->parent, stale->name, strlen (stale->name));
    }
    g_ptr_array_unref (push->names);
    if (push->done != NULL)
      g_idle_add_full (G_PRIORITY_DEFAULT, push->done, push->data, NULL);
  }
}

KtPusher *
kt_pusher_new (struct fuse_session *session)
{
  KtPusher *pusher = g_new0 (KtPusher, 1);

  pusher->session = session;
  pusher->queue = g_async_queue_new ();
  pusher->thread = g_thread_new ("pusher", run, pusher);
  return pusher;
}

void
kt_pusher_push (KtPusher *pusher, GPtrArray *names, GSourceFunc done, gpointer data)
{
  Push *push = g_new0 (Push, 1);

  push->names = names;
  push->done = done;
  push->data = data;
  g_async_queue_push (pusher->queue, push);
}

void
kt_pusher_stop (KtPusher *pusher)
{
  g_async_queue_push (pusher->queue, g_new0 (Push, 1));
}

void
kt_pusher_join (KtPusher *pusher)
{
  g_thread_join (pusher->thread);
  while (g_main_context_iteration (NULL, FALSE))
    ; /* the DONEs */
  g_async_queue_unref (pusher->queue);
  g_free (pusher);
}
