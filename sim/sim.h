/* SPDX-License-Identifier: MIT */
/* The simulator as a whole: what all requests share. */
#pragma once

#include "faults.h"
#include "journal.h"
#include "overrides.h"
#include "tasks.h"

typedef struct {
  /* set before the first request, never changed */
  char *token;
  gint64 latency; /* milliseconds */
  SimTasks *tasks;

  /* guards all below; never held while waiting for time or network */
  GMutex lock;
  GCond stop_cond; /* signalled once, when `stopping` is set */
  bool stopping;
  SimJournal *journal;
  SimFaults *faults;
  SimOverrides *overrides;
} Sim;
