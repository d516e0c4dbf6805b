/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-entry.h"

/* The kinds of files, for the table of files. */

/* kt-entry-directory.c */
extern const KtEntryOps kt_entry_directory; /* what stands in it never changes */
extern const KtEntryOps kt_entry_tasks;     /* of all tasks in the catalog */
extern const KtEntryOps kt_entry_shares;    /* of some of them */
extern const KtEntryOps kt_entry_statuses;  /* of the words of statuses */
extern const KtEntryOps kt_entry_status;    /* of the tasks with one status */
extern const KtEntryOps kt_entry_task;      /* of a task, or of all its files */
extern const KtEntryOps kt_entry_task_file; /* of one file of a task */

/* kt-entry-value.c */
extern const KtEntryOps kt_entry_value;      /* a file that is rendered from a snapshot */
extern const KtEntryOps kt_entry_file_value; /* the same of one of the task's files */

extern const KtEntryOps kt_entry_live;     /* a file that shows this mount as it is now: kt-entry-live.c */
extern const KtEntryOps kt_entry_overview; /* a file that shows all tasks: kt-entry-overview.c */
extern const KtEntryOps kt_entry_package;  /* what a task's download link leads to: kt-entry-package.c */
extern const KtEntryOps kt_entry_ctl;      /* a file that takes words and has no content: kt-entry-ctl.c */
extern const KtEntryOps kt_entry_link;     /* to a task in tasks/: kt-entry-link.c */
extern const KtEntryOps kt_entry_growing;  /* a log, which grows: kt-entry-growing.c */
extern const KtEntryOps kt_entry_wait;     /* a file that can be read once the task has ended: kt-entry-wait.c */

/* The names that are data. */
extern const KtNames kt_names_tasks;        /* kt-names-tasks.c */
extern const KtNames kt_names_files;        /* kt-names-files.c */
extern const KtNames kt_names_shares;       /* kt-names-shares.c */
extern const KtNames kt_names_share_tasks;  /* kt-names-shares.c */
extern const KtNames kt_names_statuses;     /* kt-names-statuses.c */
extern const KtNames kt_names_status_tasks; /* kt-names-statuses.c */

/* The status word whose directory is called NAME, NULL when no task has it and it is none of kt_statuses. (transfer
 * full) */
char *kt_status_word (KtTree *tree, const char *name);
