/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/kt-clock.h"

/* Gives the heap's memory back to the system, once what was released has stopped to become less: the kernel gives
 * inodes back bit by bit when their names were dropped, and what they held is in holes of the heap. */
typedef struct KtTrim KtTrim;

/* COUNT is how many there are of what is being released. CLOCK outlives it. */
KtTrim *kt_trim_new (KtClock *clock, guint (*count) (gpointer data), gpointer data);
void kt_trim_free (KtTrim *trim);

/* Much is being released from now on: counts each second. */
void kt_trim_start (KtTrim *trim);
