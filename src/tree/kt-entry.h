/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-tree.h"

/* The table of files (kt-files.c): a row says where a file stands and what can be done with it. Lookup, directory
 * listings, attributes, reads and writes, and the test that holds docs/semantics.md to it, all go by this table. A
 * new file is a row and a function that renders it; a new kind of file is a KtEntryOps; a new directory whose names
 * are data is a KtNames. */

/* A place is what stands directly below one kind of directory. */
typedef enum {
  KT_PLACE_NONE,      /* below files and links */
  KT_PLACE_ROOT,      /* MOUNT/ */
  KT_PLACE_TASKS,     /* tasks/ */
  KT_PLACE_TASK,      /* tasks/TASKID/ */
  KT_PLACE_FILES,     /* tasks/TASKID/files/ */
  KT_PLACE_FILE,      /* tasks/TASKID/files/FILEID/ */
  KT_PLACE_SHARES,    /* shares/ */
  KT_PLACE_SHARE,     /* shares/SHAREID/ */
  KT_PLACE_BY_STATUS, /* by-status/ */
  KT_PLACE_STATUS,    /* by-status/STATUS/ */
  KT_PLACE_CONTROL,   /* .kootaskfs/ */
} KtPlace;

typedef struct KtNode KtNode;
typedef struct KtEntry KtEntry;
typedef struct KtEntryOps KtEntryOps;
typedef struct KtNames KtNames;

/* A LOOKUP from the first try to its end: see kt-lookup.h. */
typedef struct KtLookup KtLookup;

/* What a try to find a name has come to. */
typedef enum {
  KT_FOUND,
  KT_ABSENT,        /* there is no such name */
  KT_NEEDS_TASK,    /* it takes a snapshot of a task */
  KT_NEEDS_LIST,    /* it takes a list, which may have times that the snapshot lacks */
  KT_NEEDS_LISTS,   /* it takes the lists of all tasks */
  KT_NEEDS_PACKAGE, /* it takes the host of the task's package */
  KT_NEEDS_VIEW,    /* it takes a content that is made of many tasks */
  KT_FAILED,        /* what it takes cannot be had */
} KtOutcome;

/* What is shown of one task among all. */
typedef struct {
  KtKey *key;
  KtTask *task;      /* NULL: nothing is cached */
  char *status;      /* then: the status that it had when something was, NULL: none */
  const char *error; /* the name of the errno that asking for it ends in, static; NULL: none */
} KtShown;

/* What is shown of all tasks. */
typedef struct {
  GArray *tasks;    /* KtShown, in the order of the catalog */
  KtSec now;        /* wall clock, to count ages from */
  KtUsec ages_last; /* what is rendered says how long the ages that it shows hold; KT_TIME_NEVER: it shows none */
} KtAll;

/* What a file is rendered from; what its place does not have is NULL. */
typedef struct {
  const KtTask *task;
  const KtTaskFile *file;
  KtAll *all;
  const KtAbout *about;
} KtSubject;

/* A text that is written to a file. */
typedef struct {
  const char *text;
  gsize size;
  gint64 offset;
} KtWrite;

/* What can be done with the files of a row. A function that is NULL: it cannot be done. */
struct KtEntryOps {
  mode_t mode; /* type and permissions */

  guint is_constant : 1; /* the name leads to the same inode whatever the service says */
  guint is_remade : 1;   /* each lookup makes another inode, all of which show one number */

  /* Finds what the name leads to, with LOOKUP's snapshot where it takes one. */
  KtOutcome (*resolve) (KtLookup *lookup);

  /* Whether a listing shows the name for the task of KEY; NULL: always. */
  gboolean (*is_listed) (KtTree *tree, KtKey *key);

  /* What a directory needs before it is listed: KT_FOUND, KT_NEEDS_TASK or KT_NEEDS_LISTS. NULL: nothing. */
  KtOutcome (*list_needs) (KtTree *tree, const KtNode *dir);

  /* Fills in the size, timeout and mtime (wall clock) of NODE, whose task has KEY. By default these are 0, for ever,
   * and the node's. */
  void (*describe) (KtTree *tree, KtNode *node, KtKey *key, KtInode *inode, KtUsec *mtime_wall);

  /* The content, from memory. (transfer full) */
  GBytes *(*read) (const KtNode *node);

  /* The same of a file that may have to be waited for: see kt_tree_read_part(). */
  KtOperation *(*read_part) (KtTree *tree, KtNode *node, const KtTreePart *part, KtTreeBytes bytes, gpointer data);

  /* What NODE is ready for: KT_POLL_DEFAULT, or 0 for nothing, until there is news for who polls it. SEEN is 0 at first.
   * A file that there may be news of ever again keeps in it, not 0, what this open file has been told. With SEEN 0 news
   * hold for good. NULL: there never are any. */
  guint (*poll) (KtTree *tree, const KtNode *node, guint64 *seen);
  KtWatchFor polled_for; /* what its task is watched for meanwhile */

  /* Of a file that grows: SIZE bytes from OFFSET on, less at its end. (transfer full) */
  GBytes *(*read_at) (const KtNode *node, guint64 offset, gsize size);

  /* See kt_tree_look(). */
  void (*look) (KtTree *tree, KtNode *node, gboolean is_read);

  /* See kt_tree_write(). */
  KtOperation *(*write) (KtTree *tree, KtNode *node, const KtWrite *text, KtTreeTouched written, gpointer data);

  /* The target of a link. (transfer full) */
  char *(*readlink) (const KtNode *node);
};

/* The names of a directory that are data, as they are in a listing. */
typedef struct {
  guint n;
  const char *(*name) (gconstpointer data, guint index);
  KtKey *(*key) (gconstpointer data, guint index); /* NULL, or what the catalog had under that name */
  gpointer data;
  GDestroyNotify free;
} KtNameList;

/* The names of a directory that are data: ids of tasks, of shares, of files. */
struct KtNames {
  /* Finds LOOKUP's name, whose row has these names. */
  KtOutcome (*find) (KtLookup *lookup);

  /* The names in DIR; SNAPSHOT is that of its task, NULL when it has none. LIST is empty before. */
  void (*list) (KtTree *tree, const KtNode *dir, const KtSnapshot *snapshot, KtNameList *list);
};

struct KtEntry {
  KtPlace place;
  const char *name;     /* NULL: the names are data */
  const KtNames *names; /* then: which */
  const KtEntryOps *ops;
  KtPlace below;                                /* directories: the place in them */
  guint facts;                                  /* KT_FACT_*: tasks whose family has one of them have the row */
  guint summary;                                /* KT_FACT_*: of these families a summary in a list has the value */
  const char *mime;                             /* NULL: it has none */
  GBytes *(*render) (const KtSubject *subject); /* what content is made of: pure (transfer full) */
  const char *what;                             /* one line for people */
  gboolean shows_times;                         /* then a lookup waits for a list that may have times it lacks */
};

/* The table of files; its first row is the root directory, which stands in no place, its last one has no OPS. */
extern const KtEntry kt_files[];

/* The number of a row of TABLE, less than KT_ENTRIES_MAX. */
guint kt_entry_index (const KtEntry *table, const KtEntry *entry);
#define KT_ENTRIES_MAX 200

/* The row of TABLE in PLACE called NAME for a task with FACTS, or NULL. */
const KtEntry *kt_entry_find (const KtEntry *table, KtPlace place, const char *name, guint facts);

/* The row of TABLE in PLACE whose names are data, for a task with FACTS, or NULL. */
const KtEntry *kt_entry_find_names (const KtEntry *table, KtPlace place, guint facts);
