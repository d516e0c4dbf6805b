/* SPDX-License-Identifier: MIT */
/* The notifier: a thread that sends the kernel what it has not asked for, one notice after another. */
#include "kt-fuse-private.h"

#include <string.h>

/* What to invalidate, or pages to store; neither: the end of the thread. */
typedef struct {
  GPtrArray *invalidations;
  gboolean takes_locks; /* there are names among the invalidations, whose directories may be locked */
  GSourceFunc done;
  gpointer data;
  GPtrArray *pages;
  fuse_req_t req;
  struct stat stat;
  double timeout;
} Notice;

struct KtNotifier {
  struct fuse_session *session;
  GAsyncQueue *queue;
  GThread *thread;
  gint invalidating; /* atomic: notices that take locks and are not sent yet */
  gint ended;        /* atomic: the thread has ended */
  gboolean stopped;
};

static void
invalidate (KtNotifier *notifier, const GPtrArray *list)
{
  for (guint i = 0; i < list->len; i++) {
    const KtInvalidation *one = g_ptr_array_index (list, i);
    /* the kernel fails for what it does not hold, which does no harm */
    if (one->name != NULL)
      fuse_lowlevel_notify_inval_entry (notifier->session, one->inode, one->name, strlen (one->name));
    else
      fuse_lowlevel_notify_inval_inode (notifier->session, one->inode, -1, 0);
  }
}

static void
store (KtNotifier *notifier, const Notice *notice)
{
  for (guint i = 0; i < notice->pages->len; i++) {
    const KtPages *pages = g_ptr_array_index (notice->pages, i);
    gsize size;
    gconstpointer bytes = g_bytes_get_data (pages->content, &size);
    struct fuse_bufvec vector = FUSE_BUFVEC_INIT (size);

    vector.buf[0].mem = (gpointer) bytes;
    /* when this fails the kernel READs instead */
    fuse_lowlevel_notify_store (notifier->session, pages->inode, pages->offset, &vector, FUSE_BUF_NO_SPLICE);
  }
  if (notice->req != NULL)
    fuse_reply_attr (notice->req, &notice->stat, notice->timeout);
}

static gpointer
run (gpointer data)
{
  KtNotifier *notifier = data;

  for (;;) {
    g_autofree Notice *notice = g_async_queue_pop (notifier->queue);
    if (notice->invalidations == NULL && notice->pages == NULL)
      break;
    if (notice->invalidations != NULL)
      invalidate (notifier, notice->invalidations);
    else
      store (notifier, notice);
    if (notice->takes_locks)
      g_atomic_int_add (&notifier->invalidating, -1);
    g_clear_pointer (&notice->invalidations, g_ptr_array_unref);
    g_clear_pointer (&notice->pages, g_ptr_array_unref);
    if (notice->done != NULL)
      g_idle_add_full (G_PRIORITY_DEFAULT, notice->done, notice->data, NULL);
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
kt_notifier_invalidate (KtNotifier *notifier, GPtrArray *invalidations, GSourceFunc done, gpointer data)
{
  Notice notice = { .invalidations = invalidations, .done = done, .data = data };

  for (guint i = 0; i < invalidations->len; i++)
    notice.takes_locks |= ((const KtInvalidation *) g_ptr_array_index (invalidations, i))->name != NULL;
  g_atomic_int_add (&notifier->invalidating, notice.takes_locks);
  g_async_queue_push (notifier->queue, g_memdup2 (&notice, sizeof (notice)));
}

static gboolean
may_store (KtNotifier *notifier)
{
  return !notifier->stopped && g_atomic_int_get (&notifier->invalidating) == 0;
}

gboolean
kt_notifier_store_part (KtNotifier *notifier, guint64 inode, gint64 offset, GBytes *content, GSourceFunc done,
                        gpointer data)
{
  Notice notice = { .done = done, .data = data };

  if (!may_store (notifier))
    return FALSE;
  kt_pages_add (&notice.pages, inode, offset, content);
  g_async_queue_push (notifier->queue, g_memdup2 (&notice, sizeof (notice)));
  return TRUE;
}

void
kt_notifier_store (KtNotifier *notifier, GPtrArray *pages, struct fuse_req *req, const struct stat *stat,
                   double timeout)
{
  Notice notice = { .pages = pages, .req = req, .timeout = timeout };

  if (!may_store (notifier)) {
    g_ptr_array_unref (pages);
    if (req != NULL)
      fuse_reply_attr (req, stat, timeout);
    return;
  }
  if (req != NULL)
    notice.stat = *stat;
  g_async_queue_push (notifier->queue, g_memdup2 (&notice, sizeof (notice)));
}

void
kt_notifier_stop (KtNotifier *notifier)
{
  notifier->stopped = TRUE;
  g_async_queue_push (notifier->queue, g_new0 (Notice, 1));
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
    ; /* calls the outstanding DONEs */
  g_async_queue_unref (notifier->queue);
  g_free (notifier);
}
