/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>
#include <sys/stat.h>

/* A thread that sends the kernel what it has not asked for: invalidations, and pages to store. An invalidation of a
 * name takes the lock of the directory, which a lookup that is parked in that directory holds. Storing a page takes
 * the lock of the page, which a read holds. Sent from the loop, which is to reply to these requests, both would be a
 * deadlock. The thread owns nothing but its queue. */
typedef struct KtNotifier KtNotifier;
struct fuse_req;
struct fuse_session;

KtNotifier *kt_notifier_new (struct fuse_session *session);

/* Sends INVALIDATIONS (KtInvalidation, (transfer full)) in order, then calls DONE, if any, in the default main
 * context. */
void kt_notifier_invalidate (KtNotifier *notifier, GPtrArray *invalidations, GSourceFunc done, gpointer data);

/* Stores PAGES (KtPages, (transfer full)). Then it replies to REQ, if any, a GETATTR, with STAT and the attribute
 * timeout TIMEOUT (seconds): from the thread, because a reader waits for it. Nothing is stored when the notifier is
 * stopped, nor while names are being invalidated, which may last as long as a lookup waits; REQ gets its reply all
 * the same. */
void kt_notifier_store (KtNotifier *notifier, GPtrArray *pages, struct fuse_req *req, const struct stat *stat,
                        double timeout);

/* Stores CONTENT in the pages of INODE, from OFFSET on, then calls DONE. FALSE, without DONE, when
 * kt_notifier_store() would store nothing. */
gboolean kt_notifier_store_part (KtNotifier *notifier, guint64 inode, gint64 offset, GBytes *content, GSourceFunc done,
                                 gpointer data);

/* The end has three steps. Stop: nothing is stored from now on, and the thread ends when its queue is empty. For
 * that, requests of the kernel must still get replies, so the caller runs the main context until the thread has
 * ended, which wakes it. Join: calls all outstanding DONEs and frees the notifier. */
void kt_notifier_stop (KtNotifier *notifier);
gboolean kt_notifier_has_ended (KtNotifier *notifier);
void kt_notifier_join (KtNotifier *notifier);
