/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-node.h"
#include "kt-overview.h"
#include "kt-polls.h"
#include "kt-waits.h"
#include "store/kt-readahead.h"

struct KtTree {
  const KtEntry *files; /* the table of files */
  KtClock *clock;
  KtStore *store;
  KtCatalog *catalog;
  KtAbout about;
  KtTreeOptions options;
  KtNodes *nodes;
  KtLists *lists;
  KtWatch *watch;
  KtViews *views;
  KtOverview *overview;
  KtReadahead *readahead;
  KtPackages *packages; /* NULL: there are none */
  KtEvents *events;     /* NULL: there are none */
  KtUsec started_wall;  /* wall clock */
  KtChanges *changes;
  KtListener *listener; /* kt_tree_on_changes() */
  KtSource *cancel;     /* NULL: it is not allowed */
  KtWaits *waits;       /* who reads wait */
  KtPolls *polls;       /* who polls files */
  KtTreeInvalidate invalidate;
  gpointer kernel;
  struct KtAnnouncements *announcements;
  struct KtWatched *watched;
};

/* How the task of a node is asked for now; NULL outside of tasks. (transfer none) */
KtKey *kt_tree_key_of (KtTree *tree, const KtNode *node);

/* The facts (KT_FACT_*) of the task that a directory is of; outside of tasks all of them. */
guint kt_tree_facts_of (KtTree *tree, const KtNode *node);

/* What is left until then, as a timeout for the kernel: a little less, because it rounds up. */
KtUsec kt_tree_timeout_until (KtTree *tree, KtUsec until);

/* ID and attributes of a node; KEY is that of its task, NULL outside of tasks. */
void kt_tree_describe (KtTree *tree, KtNode *node, KtKey *key, KtInode *inode);

/* The mtime of a task's directory, wall clock in microseconds; 0: not settled. It is settled by the first response,
 * or when somebody looks at it before (GETATTR, a listing with attributes), and must not move because the task was
 * asked about: tar and rsync would take that for a change. From then on it moves when a response differs from the
 * one before. */
KtUsec kt_tree_task_mtime (KtTree *tree, KtKey *key);

/* The same after a response: as it is now. */
KtUsec kt_tree_move_mtime (KtTree *tree, KtKey *key);

/* Somebody looks: what the directory of KEY, if any, shows now is what it goes on showing. */
void kt_tree_settle_mtime (KtTree *tree, KtKey *key);

/* For KtEntryOps of files with content: its size, and itself. One that cannot be had has KT_FAILURE_SIZE, so that it
 * is read, which reports why. */
#define KT_FAILURE_SIZE 1
void kt_tree_describe_content (KtTree *tree, KtNode *node, KtKey *key, KtInode *inode, KtUsec *mtime_wall);
GBytes *kt_tree_read_content (const KtNode *node);

/* Makes the kernel forget the names of KEY's task that may lead elsewhere with another snapshot; then DONE, if any. With
 * KEY NULL none: DONE is called when what was to be forgotten before is. */
void kt_tree_forget_names (KtTree *tree, const KtKey *key, GSourceFunc done, gpointer data);

/* Makes the kernel forget the file of ROW in the root directory, and so give its inode back: DATA is the tree. */
void kt_tree_forget_view (const KtEntry *row, gpointer data);

/* The tree's listener of the change feed: makes the kernel forget what has changed. */
void kt_tree_on_changes (const KtChange *changes, guint n, gpointer data);
