/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/kt-clock.h"
#include "model/kt-task.h"

/* The change feed. Whoever replaces or drops what is known of tasks publishes that to any number of listeners.
 * Changes come in batches: a page of a list replaces a hundred snapshots, another watch list may drop a hundred
 * thousand tasks. All listeners get the batches in the same order. */
typedef struct KtChanges KtChanges;
typedef struct KtListener KtListener;

typedef enum {
  KT_CHANGE_FETCHED,  /* a request for the detail has ended: AFTER is the detail, or ERROR is why there is none */
  KT_CHANGE_LISTED,   /* a list had the task: AFTER is the summary */
  KT_CHANGE_GONE,     /* the catalog does not have KEY any more: the task left it, or has another key now */
  KT_CHANGE_EVICTED,  /* BEFORE is cached no more: memory was short */
  KT_CHANGE_OUTDATED, /* the task's snapshot, which is not fresh, does not stand in for a failure any more */
  KT_CHANGE_PACKAGE,  /* the version of the task's package that was known is not what its host has now */
} KtChangeKind;

/* BEFORE and AFTER are both details, or both summaries. They are the same object when both say the same. */
typedef struct {
  KtChangeKind kind;
  KtKey *key;
  KtTask *before;      /* NULL: there was none */
  KtTask *after;       /* NULL: there is none */
  GError *error;       /* NULL: none */
  gboolean supersedes; /* FETCHED, LISTED: a detail that was fresh is another now; the kernel may hold its names */
  KtUsec asked_at;     /* FETCHED, LISTED: monotonic; of two responses the newer is the one that was asked for later */
  KtUsec at_wall;      /* when the source said so; 0 when it is published is the time of that */
} KtChange;

KtChanges *kt_changes_new (KtClock *clock);

/* All listeners have been removed. */
void kt_changes_free (KtChanges *changes);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtChanges, kt_changes_free)

/* CHANGES are N changes, at least one, valid during the call. A listener may publish, and may add and remove listeners,
 * itself included. */
typedef void (*KtChangesFunc) (const KtChange *changes, guint n, gpointer data);

/* Calls FUNC with each batch that is published from now on. (transfer none) */
KtListener *kt_changes_listen (KtChanges *changes, KtChangesFunc func, gpointer data);

/* FUNC is not called any more. Clears *LISTENER, which may be NULL. */
void kt_changes_unlisten (KtChanges *changes, KtListener **listener);

/* Adds CHANGE to *BATCH (GArray of KtChange), which is made when it is NULL, and takes references and copies of its
 * own. */
void kt_changes_add (GArray **batch, const KtChange *change);

/* Delivers BATCH (transfer full) to all listeners, before this returns unless a listener publishes: then once all have
 * got the batch under way. NULL is no batch. */
void kt_changes_publish (KtChanges *changes, GArray *batch);

/* The same for one change. */
void kt_changes_publish_one (KtChanges *changes, const KtChange *change);
