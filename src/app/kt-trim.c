/* SPDX-License-Identifier: MIT */
/* Gives memory back after much was released. */
#include "kt-trim.h"

#include <malloc.h>

#define TRIM_EVERY KT_SECOND

struct KtTrim {
  KtClock *clock;
  guint (*count) (gpointer data);
  gpointer data;
  KtTimer *timer; /* NULL: nothing is being released */
  guint before;   /* the count at its last turn */
};

static void
on_turn (gpointer data)
{
  KtTrim *trim = data;
  guint before = trim->before;

  trim->timer = NULL;
  trim->before = trim->count (trim->data);
  if (trim->before < before)
    trim->timer = kt_clock_start (trim->clock, kt_clock_monotonic (trim->clock) + TRIM_EVERY, on_turn, trim);
  else
    malloc_trim (0);
}

void
kt_trim_start (KtTrim *trim)
{
  kt_clock_stop (trim->clock, &trim->timer);
  trim->before = G_MAXUINT;
  trim->timer = kt_clock_start (trim->clock, kt_clock_monotonic (trim->clock) + TRIM_EVERY, on_turn, trim);
}

KtTrim *
kt_trim_new (KtClock *clock, guint (*count) (gpointer data), gpointer data)
{
  KtTrim *trim = g_new0 (KtTrim, 1);

  trim->clock = clock;
  trim->count = count;
  trim->data = data;
  return trim;
}

void
kt_trim_free (KtTrim *trim)
{
  if (trim == NULL)
    return;
  kt_clock_stop (trim->clock, &trim->timer);
  g_free (trim);
}
