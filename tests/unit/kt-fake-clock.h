/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/kt-clock.h"

/* A clock that stands still until the test moves it. */
typedef struct KtFakeClock KtFakeClock;

#define KT_FAKE_EPOCH 1727687972LL /* 2024-09-30T09:19:32Z, when the wall clock starts */

KtFakeClock *kt_fake_clock_new (void);

/* No timer may be left. */
void kt_fake_clock_free (KtFakeClock *fake);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtFakeClock, kt_fake_clock_free)

/* The vtable. (transfer none) */
KtClock *kt_fake_clock (KtFakeClock *fake);

gint64 kt_fake_clock_now (KtFakeClock *fake);

/* Moves both clocks on by MICROSECONDS; timers due are called in order, each at its own time. */
void kt_fake_clock_advance (KtFakeClock *fake, gint64 microseconds);

/* Sets the wall clock alone. */
void kt_fake_clock_jump (KtFakeClock *fake, gint64 microseconds);

/* Timers that have not fired. */
guint kt_fake_clock_timers (KtFakeClock *fake);
