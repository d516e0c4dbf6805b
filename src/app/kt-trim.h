/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/kt-clock.h"

/* Gives the heap's memory back to the system once a release has ended. The kernel gives inodes back bit by bit after
 * an invalidation, and what they held becomes holes in the heap. So the release has ended when their count stays the
 * same. */
typedef struct KtTrim KtTrim;

/* COUNT gives how many there are of what is being released. CLOCK outlives it. */
KtTrim *kt_trim_new (KtClock *clock, guint (*count) (gpointer data), gpointer data);
void kt_trim_free (KtTrim *trim);

/* Much is being released from now on: counts each second. */
void kt_trim_start (KtTrim *trim);
