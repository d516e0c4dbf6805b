/* SPDX-License-Identifier: MIT */
/* Parks operations until the tree calls back, and ends them when a signal interrupts them or the kernel waits no more. */
/* The kernel sends one FUSE_INTERRUPT when any signal reaches a waiting thread and says nothing of later ones. Signals
 * that do not end a read elsewhere must not end it here either: Go's runtime sends SIGURG all day. So on an interrupt
 * we look at what is pending, and as long as it does not matter look again every now and then, for a SIGKILL that
 * comes later. Looking is done from the loop, never inside libfuse's callback: a reply there frees what libfuse is
 * about to unlock. */
#include "kt-fuse-private.h"

#include "base/kt-units.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#define CHECK_EVERY (100 * KT_MS)

static guint64
signal_set (const char *status, const char *field)
{
  const char *line = g_strstr_len (status, -1, field);
  return line != NULL ? g_ascii_strtoull (line + strlen (field), NULL, 16) : 0;
}

#define SIGNAL_BIT(number) (G_GUINT64_CONSTANT (1) << ((number) -1))

gboolean
kt_signal_matters (const char *status)
{
  const guint64 harmless = SIGNAL_BIT (SIGURG) | SIGNAL_BIT (SIGCHLD) | SIGNAL_BIT (SIGWINCH) | SIGNAL_BIT (SIGCONT)
                           | SIGNAL_BIT (SIGPROF) | SIGNAL_BIT (SIGVTALRM);
  guint64 pending = signal_set (status, "\nSigPnd:") | signal_set (status, "\nShdPnd:");
  guint64 blocked = signal_set (status, "\nSigBlk:");

  if (strstr (status, "\nSigPnd:") == NULL)
    return TRUE; /* unknown */
  return (pending & SIGNAL_BIT (SIGKILL)) != 0 || (pending & ~blocked & ~harmless) != 0;
}

static gboolean
is_wanted_back (fuse_req_t req)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/status", fuse_req_ctx (req)->pid);
  g_autofree char *status = NULL;

  return !g_file_get_contents (path, &status, NULL, NULL) || kt_signal_matters (status);
}

static void
cancel (KtParked *parked, int error)
{
  kt_tree_cancel (parked->operation);
  fuse_reply_err (kt_parked_end (parked), error);
}

static void
on_check (gpointer data)
{
  KtParked *parked = data;

  parked->check = NULL;
  if (is_wanted_back (parked->req)) {
    cancel (parked, EINTR);
  } else {
    parked->check =
        kt_clock_start (parked->fuse->clock, kt_clock_monotonic (parked->fuse->clock) + CHECK_EVERY, on_check, parked);
  }
}

static void
on_interrupt (fuse_req_t req, void *data)
{
  KtParked *parked = data;

  if (parked->check == NULL)
    parked->check = kt_clock_start (parked->fuse->clock, 0, on_check, parked);
}

/* The first of those parked is to end by the limit. */
static void
begin_limiting (KtFuse *fuse, KtTimerFunc func)
{
  const KtParked *first = g_queue_peek_head (&fuse->parked);

  if (first != NULL && fuse->limit != KT_TIME_NEVER && fuse->limiting == NULL)
    fuse->limiting = kt_clock_start (fuse->clock, first->came_at + fuse->limit, func, fuse);
}

/* Most programs take EINTR for a reason to begin again. */
static void
on_limit (gpointer data)
{
  KtFuse *fuse = data;
  const KtUsec now = kt_clock_monotonic (fuse->clock);
  KtParked *first;

  fuse->limiting = NULL;
  while ((first = g_queue_peek_head (&fuse->parked)) != NULL && now >= first->came_at + fuse->limit)
    cancel (first, EINTR);
  begin_limiting (fuse, on_limit);
}

KtParked *
kt_parked_new (KtFuse *fuse, fuse_req_t req, guint64 inode)
{
  KtParked *parked = g_new0 (KtParked, 1);

  parked->fuse = fuse;
  parked->req = req;
  parked->inode = inode;
  parked->link.data = parked;
  return parked;
}

void
kt_parked_wait (KtParked *parked, KtOperation *operation)
{
  KtFuse *fuse = parked->fuse;

  parked->operation = operation;
  parked->kind = fuse->operation;
  parked->came_at = fuse->came_at;
  fuse->operation = KT_N_FUSE_OPS;
  g_queue_push_tail_link (&fuse->parked, &parked->link);
  begin_limiting (fuse, on_limit);
  fuse_req_interrupt_func (parked->req, on_interrupt, parked);
}

fuse_req_t
kt_parked_end (KtParked *parked)
{
  fuse_req_t req = parked->req;

  kt_clock_stop (parked->fuse->clock, &parked->check);
  if (parked->operation != NULL) {
    KtUsec now = kt_clock_monotonic (parked->fuse->clock);
    fuse_req_interrupt_func (req, NULL, NULL);
    g_queue_unlink (&parked->fuse->parked, &parked->link);
    kt_histogram_observe (parked->fuse->durations[parked->kind], now - parked->came_at);
  }
  g_free (parked);
  return req;
}

void
kt_parked_end_all (KtFuse *fuse, int error)
{
  while (!g_queue_is_empty (&fuse->parked))
    cancel (fuse->parked.head->data, error);
  kt_clock_stop (fuse->clock, &fuse->limiting);
}
