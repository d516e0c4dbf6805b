/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-tree-private.h"

/* A task of which somebody watches an inode with inotify: it is polled, and what changes in it is announced. */
typedef struct KtWatchedTask KtWatchedTask;

/* TREE outlives it. */
KtWatchedTask *kt_watched_task_new (KtTree *tree, KtKey *key);
void kt_watched_task_free (KtWatchedTask *task);

const KtKey *kt_watched_task_key (const KtWatchedTask *task);

/* The inodes of it that are watched: first none, then those that are added. */
void kt_watched_task_begin (KtWatchedTask *task);
void kt_watched_task_add (KtWatchedTask *task, guint64 inode);
guint kt_watched_task_size (const KtWatchedTask *task);

/* CHANGE is of it. */
void kt_watched_task_on_change (KtWatchedTask *task, const KtChange *change);
