/* SPDX-License-Identifier: MIT */
#include "kt-fuse-private.h"

#include <string.h>

/* Names to forget, or content to store; neither: the end. */
typedef struct {
  GPtrArray *names;
  guint64 inode;
  GBytes *content;
  GSourceFunc done;
  gpointer data;
} Push;

struct KtPusher {
  struct fuse_session *session;
  GAsyncQueue *queue;
  GThread *thread;
  gint pending; /* atomic: pushed and not through yet */
  gint ended;   /* atomic: the thread is through */
  gboolean stopped;
};

static void
forget_names (KtPusher *pusher, const GPtrArray *names)
{
  for (guint i = 0; i < names->len; i++) {
    const KtStaleName *stale = g_ptr_array_index (names, i);
    /* a name or directory the kernel does not hold is an error to it, and fine with us */
    fuse_lowlevel_notify_inval_entry (pusher->session, stale->parent, stale->name, strlen (stale->name));
  }
}

static void
store_content (KtPusher *pusher, guint64 inode, GBytes *content)
{
  gsize size;
  gconstpointer bytes = g_bytes_get_data (content, &size);
  struct fuse_bufvec vector = FUSE_BUFVEC_INIT (size);

  vector.buf[0].mem = (gpointer) bytes;
  /* when it fails the kernel READs */
  fuse_lowlevel_notify_store (pusher->session, inode, 0, &vector, FUSE_BUF_NO_SPLICE);
}

static gpointer
run (gpointer data)
{
  KtPusher *pusher = data;

  for (;;) {
    g_autofree Push *push = g_async_queue_pop (pusher->queue);
    if (push->names == NULL && push->content == NULL)
      break;
    if (push->names != NULL)
      forget_names (pusher, push->names);
    else
      store_content (pusher, push->inode, push->content);
    g_clear_pointer (&push->names, g_ptr_array_unref);
    g_clear_pointer (&push->content, g_bytes_unref);
    g_atomic_int_dec_and_test (&pusher->pending);
    if (push->done != NULL)
      g_idle_add_full (G_PRIORITY_DEFAULT, push->done, push->data, NULL);
  }
  g_atomic_int_set (&pusher->ended, TRUE);
  g_main_context_wakeup (NULL);
  return NULL;
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
  Push push = { .names = names, .done = done, .data = data };

  g_atomic_int_inc (&pusher->pending);
  g_async_queue_push (pusher->queue, g_memdup2 (&push, sizeof (push)));
}

gboolean
kt_pusher_store (KtPusher *pusher, guint64 inode, GBytes *content, GSourceFunc done, gpointer data)
{
  Push push = { .inode = inode, .content = content, .done = done, .data = data };

  if (pusher->stopped || !g_atomic_int_compare_and_exchange (&pusher->pending, 0, 1))
    return FALSE;
  g_bytes_ref (content);
  g_async_queue_push (pusher->queue, g_memdup2 (&push, sizeof (push)));
  return TRUE;
}

void
kt_pusher_stop (KtPusher *pusher)
{
  pusher->stopped = TRUE;
  g_async_queue_push (pusher->queue, g_new0 (Push, 1));
}

gboolean
kt_pusher_has_ended (KtPusher *pusher)
{
  return g_atomic_int_get (&pusher->ended);
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
