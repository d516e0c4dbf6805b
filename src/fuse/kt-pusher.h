/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

/* The one other thread. Telling the kernel to forget a name takes the directory's lock, which a lookup parked in
 * that directory holds: done from the loop, that would be a deadlock. The thread owns nothing but its queue. */
typedef struct KtPusher KtPusher;
struct fuse_session;

KtPusher *kt_pusher_new (struct fuse_session *session);

/* Forgets NAMES (KtStaleName, (transfer full)) in order; then DONE, if any, is called in the default main context. */
void kt_pusher_push (KtPusher *pusher, GPtrArray *names, GSourceFunc done, gpointer data);

/* Nothing is pushed any more. The thread ends when its queue is empty, which may need the file system to be
 * unmounted: so stop, unmount, join. Join gives all outstanding DONEs their call. */
void kt_pusher_stop (KtPusher *pusher);
void kt_pusher_join (KtPusher *pusher);
