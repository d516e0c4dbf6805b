/* SPDX-License-Identifier: MIT */
#pragma once

#include "auth.h"
#include "faults.h"
#include "journal.h"
#include "overrides.h"
#include "packages.h"
#include "shapes.h"
#include "tasks.h"

/* The simulator as a whole: what all requests share. */
typedef struct {
  /* set before the first request, never changed */
  gint64 latency;         /* milliseconds */
  gint64 clock_offset;    /* of the server's clock from the real one, microseconds */
  guint auth_status;      /* HTTP status of a refused authorization */
  SimShapes first_shapes; /* those of the command line */
  SimTasks *tasks;
  SimAuth *auth;
  SimPackages *packages;

  /* guards all below; never held while waiting for time or network */
  GMutex lock;
  GCond stop_cond; /* signalled once, when `stopping` is set */
  gboolean stopping;
  SimJournal *journal;
  SimFaults *faults;
  SimOverrides *overrides;
  SimShapes shapes;
} Sim;

/* The server's clock, microseconds since the epoch. */
static inline gint64
sim_now (const Sim *sim)
{
  return g_get_real_time () + sim->clock_offset;
}
