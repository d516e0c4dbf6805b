/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/kt-health.h"
#include "model/kt-task.h"

/* What files there are: one table (kt-entry.c). Lookup, directory listings, file attributes, and the test that
 * holds docs/semantics.md to it, all walk this table. A new file is one row and one pure function. */

/* A place is what stands directly below one kind of directory. */
typedef enum {
  KT_PLACE_NONE,    /* below files and links */
  KT_PLACE_ROOT,    /* MOUNT/ */
  KT_PLACE_TASKS,   /* tasks/ */
  KT_PLACE_TASK,    /* tasks/TASKID/ */
  KT_PLACE_FILES,   /* tasks/TASKID/files/ */
  KT_PLACE_FILE,    /* tasks/TASKID/files/FILEID/ */
  KT_PLACE_SHARES,  /* shares/ */
  KT_PLACE_SHARE,   /* shares/SHAREID/ */
  KT_PLACE_CONTROL, /* .kootaskfs/ */
} KtPlace;

typedef enum {
  KT_ENTRY_DIR,
  KT_ENTRY_FILE,
  KT_ENTRY_PACKAGE, /* a file whose bytes are where the task's download link leads to; there while there is a link */
  KT_ENTRY_LINK,
  KT_ENTRY_CTL, /* a file that takes words and has no content */
} KtEntryKind;

/* What the files in .kootaskfs/ tell of. */
typedef struct {
  KtHealth *health;
  char *(*config) (gpointer data);  /* the effective configuration without secrets (transfer full) */
  char *(*metrics) (gpointer data); /* OpenMetrics text (transfer full) */
  char *(*tasks) (gpointer data);   /* lines on the tasks known and the lists read (transfer full) */
  gpointer data;
} KtAbout;

/* What a file is rendered from; what its place does not have is NULL. */
typedef struct {
  const KtTask *task;
  const KtTaskFile *file;
  const KtAbout *about;
} KtSubject;

typedef struct {
  KtPlace place;
  const char *name; /* NULL: the names of this place are ids, see kt-tree-resolve.c */
  KtEntryKind kind;
  KtPlace below;                                /* directories: the place in them */
  guint families;                               /* KT_FAMILY_BIT()s of the tasks that have it */
  guint listed;                                 /* of those whose lists, where they have one, tell it already */
  const char *mime;                             /* files and packages */
  GBytes *(*render) (const KtSubject *subject); /* files: pure (transfer full) */
  const char *what;                             /* one line for people */
  gboolean timed;                               /* it tells times, for which a list is waited for that may know them */
} KtEntry;

/* The root directory itself, which stands in no place. */
const KtEntry *kt_entry_root (void);

/* The table, its end marked by a row whose kind of place is KT_PLACE_NONE. */
const KtEntry *kt_entries (void);

/* The number of a row of the table, less than KT_ENTRIES_MAX. */
guint kt_entry_index (const KtEntry *entry);
#define KT_ENTRIES_MAX 200

/* The row of PLACE called NAME for tasks of FAMILIES (a set of bits), or NULL. */
const KtEntry *kt_entry_find (KtPlace place, const char *name, guint families);

/* The row of PLACE whose names are ids, for tasks of FAMILIES, or NULL. */
const KtEntry *kt_entry_of_ids (KtPlace place, guint families);
