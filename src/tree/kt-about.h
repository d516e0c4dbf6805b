/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/kt-clock.h"
#include "base/kt-health.h"

/* What the files in .kootaskfs/ show. */
typedef struct {
  KtHealth *health;
  KtClock *clock;
  char *(*config) (gpointer data);  /* the effective configuration without secrets (transfer full) */
  char *(*metrics) (gpointer data); /* in the Prometheus text format (transfer full) */
  char *(*tasks) (gpointer data);   /* lines on the tasks known and the lists read (transfer full) */
  gpointer data;
} KtAbout;
