/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-tree.h"

/* The open files that somebody polls (poll(2), epoll, select). The kernel asks what a file is ready for, and once more
 * after each wake-up; when nobody polls any more it does not say so. So now and then all are woken: of those that are
 * not asked about again nobody waits any more. Who waits never sees that. While somebody does, the task is watched. */
typedef struct KtPolls KtPolls;

/* TREE is complete but for this; listeners that change what a file is ready for have been added before. */
KtPolls *kt_polls_new (KtTree *tree);
void kt_polls_free (KtPolls *polls);

/* See kt_tree_set_wake(). */
void kt_polls_set_wake (KtPolls *polls, KtTreeWake wake, gpointer kernel);
