/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

/* A task that is waited for, seen through the files of its directory and nothing else. */

/* What waiting for it has come to: exit codes, too. */
typedef enum {
  TASK_SUCCEEDED = 0,
  TASK_FAILED = 1, /* or in part */
  TASK_CANCELED = 2,
  TASK_TROUBLE = 75, /* EX_TEMPFAIL: it cannot be said */
  TASK_RUNNING = -1,
} TaskOutcome;

/* For so long a task may not be readable for a reason that may pass. */
#define TASK_PATIENCE (30 * G_USEC_PER_SEC)

#define TASK_FILES 2 /* status and progress */

typedef struct {
  char *path; /* without links: one in by-status/ does not stay */
  char *id;   /* its directory's name, safe to print */
  TaskOutcome outcome;
  char *status; /* as last read, safe to print, as is the next; NULL: not yet */
  char *result;
  int progress;          /* 0..100, -1: unknown */
  int files[TASK_FILES]; /* open descriptors, -1: none; each goes on showing what it showed when it was opened */
  int error;             /* errno of the last look, 0: it went well */
  gint64 failing_since;  /* monotonic, 0: the last look went well */
} Task;

/* (transfer full) */
Task *task_new (const char *path);
void task_free (Task *task);

/* Reads the task anew at NOW (monotonic), its progress too when WITH_PROGRESS; its descriptors are others then. */
void task_look (Task *task, gboolean with_progress, gint64 now);

/* Which of two outcomes, neither of them TASK_RUNNING, decides about several tasks: trouble, then failed, then canceled. */
TaskOutcome task_worse (TaskOutcome a, TaskOutcome b);

/* TEXT with a ? for all that does not belong on a terminal. (transfer full) */
char *task_printable (const char *text);
