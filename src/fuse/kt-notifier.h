/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>
#include <sys/stat.h>

/* A thread for what we tell the kernel unasked. To forget a name takes the directory's lock, which a
 * lookup parked in that directory holds, and to store a page takes the page's, which a read holds: done from the loop,
 * which is to answer those, that would be a deadlock. The thread owns nothing but its queue. */
typedef struct KtNotifier KtNotifier;
struct fuse_req;
struct fuse_session;

KtNotifier *kt_notifier_new (struct fuse_session *session);

/* Forgets STALE (KtInvalidation, (transfer full)) in order; then DONE, if any, is called in the default main context. */
void kt_notifier_invalidate (KtNotifier *notifier, GPtrArray *stale, GSourceFunc done, gpointer data);

/* Stores PAGES (KtPages, (transfer full)), and then answers REQ, if any, a GETATTR, with STAT, which holds for LIFE
 * seconds: from the thread itself, a reader waits for it. When the thread is stopped, and while names are being
 * forgotten, which may take as long as a lookup waits, nothing is stored: pages are not worth that. */
void kt_notifier_store (KtNotifier *notifier, GPtrArray *pages, struct fuse_req *req, const struct stat *stat,
                        double timeout);

/* Stores CONTENT in the kernel's pages of INODE, from OFFSET on; then DONE. FALSE, and nothing is done, when
 * kt_notifier_store() would not. */
gboolean kt_notifier_store_part (KtNotifier *notifier, guint64 inode, gint64 offset, GBytes *content, GSourceFunc done,
                                 gpointer data);

/* Nothing is pushed any more. The thread ends when its queue is empty, which needs requests of the kernel to be
 * answered until it has ended: so stop, run the main context until it has ended (which wakes it), join. Join gives all
 * outstanding DONEs their call. */
void kt_notifier_stop (KtNotifier *notifier);
gboolean kt_notifier_has_ended (KtNotifier *notifier);
void kt_notifier_join (KtNotifier *notifier);
