/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-operation.h"

/* A LOOKUP: of one name in one directory, from the first try, with what is cached, to the one after the response
 * that it takes. Between the tries it keeps what it has found out: the row, the task and its facts. The first try is
 * made on the stack. A lookup that takes a snapshot is copied to the heap, once, because the store may have to ask
 * the service. */
struct KtLookup {
  KtOperation operation; /* NODE is the directory; KEY is the directory's task, or the one to ask for */
  const char *name;
  const KtEntry *row;         /* NULL: not looked for yet */
  guint facts;                /* KT_FACT_*, of the task */
  KtStoreMode mode;           /* KT_NEEDS_TASK: how to ask for it */
  const KtSnapshot *snapshot; /* of the task, during a try; NULL: it has not been asked for */
  gboolean has_list;          /* the list was waited for that may have the times that the snapshot lacks */
  gboolean has_lists;         /* the lists were waited for */
  gboolean has_view;          /* the content of many tasks was waited for */
  gboolean is_listing;        /* a listing asks, which does without what takes long */
  KtInode inode;              /* KT_FOUND, with one lookup more; KT_ABSENT: for how long */
  GError *error;              /* KT_FAILED */
  KtTreeFound found;
  gpointer data;
};

/* Begins the lookup of NAME in DIR; it ends with kt_lookup_clear(), unless it is copied before. */
void kt_lookup_init (KtLookup *lookup, KtTree *tree, KtNode *dir, const char *name);
void kt_lookup_clear (KtLookup *lookup);

/* A try, with the lookup's snapshot. */
KtOutcome kt_lookup_resolve (KtLookup *lookup);

/* A try when what the lookup takes cannot be had because of ERROR. A name of a known task is found all the same,
 * with timeout 0; reading it fails. */
KtOutcome kt_lookup_fail (KtLookup *lookup, const GError *error);

/* Tries, with what is cached alone. */
KtOutcome kt_lookup_from_cache (KtLookup *lookup);

/* The last good snapshot of a task that its names are still taken from after ERROR: FALSE when there is none, or the
 * service says that the task is gone. */
gboolean kt_lookup_last_names (KtTree *tree, KtKey *key, const GError *error, KtSnapshot *snapshot);

/* ---- for those who resolve a name: what they come to */

/* NODE, of the task of KEY (or NULL), has one lookup more; the name leads to it for TIMEOUT. */
KtOutcome kt_lookup_found (KtLookup *lookup, KtNode *node, KtKey *key, KtUsec timeout);

/* There is no such name, for TIMEOUT. */
KtOutcome kt_lookup_absent (KtLookup *lookup, KtUsec timeout);

/* The task of KEY has to be asked for first. */
KtOutcome kt_lookup_needs_task (KtLookup *lookup, KtKey *key, KtStoreMode mode);

/* A directory or link with the lookup's name, which is there whatever is cached. */
KtOutcome kt_lookup_constant (KtLookup *lookup);
