/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-tree-private.h"

/* The inodes that somebody watches with inotify: see kt_tree_set_watched(). */
typedef struct KtWatched KtWatched;

KtWatched *kt_watched_new (KtTree *tree);
void kt_watched_free (KtWatched *watched);
