/* SPDX-License-Identifier: MIT */
#include "kt-fuse-private.h"

#include <string.h>

/* What to forget, or pages to store; neither: the end. */
typedef struct {
  GPtrArray *stale;
  gboolean slow; /* names are among it, whose directories may be locked */
  GSourceFunc done;
  gpointer data;
  GPtrArray *pages;
  fuse_req_t req;
  struct stat stat;
  double timeout;
} Push;

struct KtNotifier {
  struct fuse_session *session;
  GAsyncQueue *queue;
  GThread *thread;
  gint forgetting; /* atomic: slow pushes that are not through yet */
  gint ended;      /* atomic: the thread is through */
  gboolean stopped;
};

static void
forget (KtNotifier *notifier, const GPtrArray *list)
{
  for (guint i = 0; i < list->len; i++) {
    const KtInvalidation *stale = g_ptr_array_index (list, i);
    /* what the kernel does not hold is an error to it, and fine with us */
    if (stale->name != NULL)
      fuse_lowlevel_notify_inval_entry (notifier->session, stale->inode, stale->name, strlen (stale->name));
    else
      fuse_lowlevel_notify_inval_inode (notifier->session, stale->inode, -1, 0);
  }
}

static void
store (KtNotifier *notifier, const Push *push)
{
  for (guint i = 0; i < push->pages->len; i++) {
    const KtPages *pages = g_ptr_array_index (push->pages, i);
    gsize size;
    gconstpointer bytes = g_bytes_get_data (pages->content, &size);
    struct fuse_bufvec vector = FUSE_BUFVEC_INIT (size);

    vector.buf[0].mem = (gpointer) bytes;
    /* when it fails the kernel READs */
    fuse_lowlevel_notify_store (notifier->session, pages->inode, pages->offset, &vector, FUSE_BUF_NO_SPLICE);
  }
  if (push->req != NULL)
    fuse_reply_attr (push->req, &push->stat, push->timeout);
}

static gpointer
run (gpointer data)
{
  KtNotifier *notifier = data;

  for (;;) {
    g_autofree Push *push = g_async_queue_pop (notifier->queue);
    if (push->stale == NULL && push->pages == NULL)
      break;
    if (push->stale != NULL)
      forget (notifier, push->stale);
    else
      store (notifier, push);
    if (push->slow)
      g_atomic_int_add (&notifier->forgetting, -1);
    g_clear_pointer (&push->stale, g_ptr_array_unref);
    g_clear_pointer (&push->pages, g_ptr_array_unref);
    if (push->done != NULL)
      g_idle_add_full (G_PRIORITY_DEFAULT, push->done, push->data, NULL);
  }
  g_atomic_int_set (&notifier->ended, TRUE);
  g_main_context_wakeup (NULL);
  return NULL;
}

KtNotifier *
kt_notifier_new (struct fuse_session *session)
{
  KtNotifier *notifier = g_new0 (KtNotifier, 1);

  notifier->session = session;
  notifier->queue = g_async_queue_new ();
  notifier->thread = g_thread_new ("notifier", run, notifier);
  return notifier;
}

void
kt_notifier_invalidate (KtNotifier *notifier, GPtrArray *stale, GSourceFunc done, gpointer data)
{
  Push push = { .stale = stale, .done = done, .data = data };

  for (guint i = 0; i < stale->len; i++)
    push.slow |= ((const KtInvalidation *) g_ptr_array_index (stale, i))->name != NULL;
  g_atomic_int_add (&notifier->forgetting, push.slow);
  g_async_queue_push (notifier->queue, g_memdup2 (&push, sizeof (push)));
}

static gboolean
may_store (KtNotifier *notifier)
{
  return !notifier->stopped && g_atomic_int_get (&notifier->forgetting) == 0;
}

gboolean
kt_notifier_store_part (KtNotifier *notifier, guint64 inode, gint64 offset, GBytes *content, GSourceFunc done,
                        gpointer data)
{
  Push push = { .done = done, .data = data };

  if (!may_store (notifier))
    return FALSE;
  kt_pages_add (&push.pages, inode, offset, content);
  g_async_queue_push (notifier->queue, g_memdup2 (&push, sizeof (push)));
  return TRUE;
}

void
kt_notifier_store (KtNotifier *notifier, GPtrArray *pages, struct fuse_req *req, const struct stat *stat,
                   double timeout)
{
  Push push = { .pages = pages, .req = req, .timeout = timeout };

  if (!may_store (notifier)) {
    g_ptr_array_unref (pages);
    if (req != NULL)
      fuse_reply_attr (req, stat, timeout);
    return;
  }
  if (req != NULL)
    push.stat = *stat;
  g_async_queue_push (notifier->queue, g_memdup2 (&push, sizeof (push)));
}

void
kt_notifier_stop (KtNotifier *notifier)
{
  notifier->stopped = TRUE;
  g_async_queue_push (notifier->queue, g_new0 (Push, 1));
}

gboolean
kt_notifier_has_ended (KtNotifier *notifier)
{
  return g_atomic_int_get (&notifier->ended);
}

void
kt_notifier_join (KtNotifier *notifier)
{
  g_thread_join (notifier->thread);
  while (g_main_context_iteration (NULL, FALSE))
    ; /* the DONEs */
  g_async_queue_unref (notifier->queue);
  g_free (notifier);
}
