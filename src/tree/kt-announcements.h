/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-tree-private.h"

/* What has changed and is watched, on its way to the kernel: paths below the mount, each once until it is on its way. They
 * go when the kernel has forgotten the names that led to what was before, so that who hears of a change and reads finds
 * what is new. */
typedef struct KtAnnouncements KtAnnouncements;

KtAnnouncements *kt_announcements_new (KtTree *tree);
void kt_announcements_free (KtAnnouncements *announcements);

void kt_announcements_set_kernel (KtAnnouncements *announcements, KtTreeAnnounce announce, gpointer kernel);

/* Adds a path, (transfer full), as KtTreeAnnounce takes it. */
void kt_announcements_add (KtAnnouncements *announcements, char *path);

/* The same of an inode that may have no name any more, as an older version of a file. */
void kt_announcements_add_inode (KtAnnouncements *announcements, guint64 id);

/* Nobody watches any more. */
void kt_announcements_rest (KtAnnouncements *announcements);
