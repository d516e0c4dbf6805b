/* SPDX-License-Identifier: MIT */
/* Polls each subject that somebody holds an interest in, when it is due: one poll for all holders. */
#include "kt-poller.h"

typedef struct {
  KtPoller *poller;
  gpointer subject;
  guint interests;
  gboolean is_beginning; /* poll() runs */
  KtTimer *timer;        /* until the next poll is due */
} Polled;

struct KtPoller {
  KtClock *clock;
  const KtPollerOps *ops;
  gpointer data;
  GHashTable *polled; /* subject → Polled */
};

struct KtInterest {
  Polled *polled;
};

KtPoller *
kt_poller_new (KtClock *clock, const KtPollerOps *ops, gpointer data)
{
  KtPoller *poller = g_new0 (KtPoller, 1);

  poller->clock = clock;
  poller->ops = ops;
  poller->data = data;
  poller->polled = g_hash_table_new (ops->hash, ops->equal);
  return poller;
}

void
kt_poller_free (KtPoller *poller)
{
  if (poller == NULL)
    return;
  g_assert (g_hash_table_size (poller->polled) == 0);
  g_hash_table_unref (poller->polled);
  g_free (poller);
}

static void
leave (Polled *polled)
{
  KtPoller *poller = polled->poller;

  if (--polled->interests > 0)
    return;
  kt_clock_stop (poller->clock, &polled->timer);
  g_hash_table_remove (poller->polled, polled->subject);
  if (poller->ops->unref != NULL)
    poller->ops->unref (polled->subject);
  g_free (polled);
}

static void on_due (gpointer data);

/* Sets the timer to when the next poll is due. */
static void
schedule (Polled *polled)
{
  KtPoller *poller = polled->poller;
  const KtUsec due_at = poller->ops->due_at (polled->subject, poller->data);

  kt_clock_stop (poller->clock, &polled->timer);
  if (due_at != KT_TIME_NEVER)
    polled->timer = kt_clock_start (poller->clock, due_at, on_due, polled);
}

/* Begins a poll if it is due, then waits for the next. */
static void
poll_if_due (Polled *polled)
{
  const KtPoller *poller = polled->poller;

  if (polled->is_beginning)
    return;
  polled->interests++; /* poll() may drop all others */
  if (poller->ops->due_at (polled->subject, poller->data) <= kt_clock_monotonic (poller->clock)) {
    polled->is_beginning = TRUE;
    poller->ops->poll (polled->subject, poller->data);
    polled->is_beginning = FALSE;
  }
  schedule (polled);
  leave (polled);
}

static void
on_due (gpointer data)
{
  Polled *polled = data;

  polled->timer = NULL;
  poll_if_due (polled);
}

KtInterest *
kt_poller_hold (KtPoller *poller, gpointer subject)
{
  Polled *polled = g_hash_table_lookup (poller->polled, subject);
  KtInterest *interest = g_new0 (KtInterest, 1);

  if (polled == NULL) {
    polled = g_new0 (Polled, 1);
    polled->poller = poller;
    polled->subject = poller->ops->ref != NULL ? poller->ops->ref (subject) : subject;
    g_hash_table_insert (poller->polled, polled->subject, polled);
  }
  interest->polled = polled;
  if (polled->interests++ == 0)
    poll_if_due (polled);
  return interest;
}

void
kt_interest_drop (KtInterest **interest)
{
  KtInterest *dropped = g_steal_pointer (interest);

  if (dropped == NULL)
    return;
  leave (dropped->polled);
  g_free (dropped);
}

void
kt_poller_update (KtPoller *poller, gpointer subject)
{
  Polled *polled = g_hash_table_lookup (poller->polled, subject);

  if (polled != NULL)
    poll_if_due (polled);
}
