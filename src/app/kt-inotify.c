/* SPDX-License-Identifier: MIT */
/* Looks again and again who watches the mount with inotify. */
#include "kt-inotify.h"

#include "kt-inotify-scan.h"

#include <time.h>

#define SHARE 100 /* a scan takes one part in so many of the time */

struct KtInotify {
  KtClock *clock;
  KtTree *tree;
  dev_t device;
  GThreadPool *thread;
  KtTimer *timer;
  gboolean is_scanning;
};

/* Belongs to the thread until on_scanned(). */
typedef struct {
  KtInotify *inotify;
  dev_t device;
  GArray *inodes;
  KtUsec cost;
} Scan;

KtUsec
kt_inotify_interval (KtUsec cost)
{
  return CLAMP (cost * SHARE, KT_INOTIFY_SHORTEST, KT_INOTIFY_LONGEST);
}

static KtUsec
thread_time (void)
{
  struct timespec now;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * KT_SECOND + now.tv_nsec / 1000;
}

static void on_due (gpointer data);

static void
schedule (KtInotify *inotify, KtUsec interval)
{
  inotify->timer = kt_clock_start (inotify->clock, kt_clock_monotonic (inotify->clock) + interval, on_due, inotify);
}

static gboolean
on_scanned (gpointer data)
{
  Scan *scan = data;
  KtInotify *inotify = scan->inotify;

  inotify->is_scanning = FALSE;
  kt_tree_set_watched (inotify->tree, (const guint64 *) (gpointer) scan->inodes->data, scan->inodes->len);
  schedule (inotify, kt_inotify_interval (scan->cost));
  g_array_unref (scan->inodes);
  g_free (scan);
  return G_SOURCE_REMOVE;
}

static void
run (gpointer data, gpointer unused)
{
  Scan *scan = data;
  const KtUsec start = thread_time ();

  scan->inodes = kt_inotify_scan ("/proc", scan->device);
  scan->cost = thread_time () - start;
  g_idle_add_full (G_PRIORITY_DEFAULT, on_scanned, scan, NULL);
}

static void
on_due (gpointer data)
{
  KtInotify *inotify = data;
  Scan *scan;

  inotify->timer = NULL;
  if (kt_tree_nodes (inotify->tree) <= 1) {
    schedule (inotify, KT_INOTIFY_SHORTEST);
    return;
  }
  inotify->is_scanning = TRUE;
  scan = g_new0 (Scan, 1);
  scan->inotify = inotify;
  scan->device = inotify->device;
  g_thread_pool_push (inotify->thread, scan, NULL);
}

KtInotify *
kt_inotify_new (KtClock *clock, KtTree *tree, dev_t device)
{
  KtInotify *inotify = g_new0 (KtInotify, 1);

  inotify->clock = clock;
  inotify->tree = tree;
  inotify->device = device;
  inotify->thread = g_thread_pool_new (run, NULL, 1, FALSE, NULL);
  schedule (inotify, KT_INOTIFY_SHORTEST);
  return inotify;
}

void
kt_inotify_free (KtInotify *inotify)
{
  if (inotify == NULL)
    return;
  while (inotify->is_scanning)
    g_main_context_iteration (NULL, TRUE);
  kt_clock_stop (inotify->clock, &inotify->timer);
  kt_tree_set_watched (inotify->tree, NULL, 0);
  g_thread_pool_free (inotify->thread, FALSE, TRUE);
  g_free (inotify);
}
