/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-changes.h"

/* The tasks that this mount knows, and how to ask for each: those of the watch list, those that the service lists, and
 * those found by their names. A task id belongs to one task, so it is in the catalog once; the last source that names
 * it decides how to ask for it. The order is that of the ids (bytes), which is the order of listings and of shell
 * globs.
 *
 * What leaves the catalog is published as KT_CHANGE_GONE. The catalog is a listener too: when the response is that
 * there is no such task, a task that was found by its name alone leaves the catalog. */
typedef struct KtCatalog KtCatalog;

/* Who says that a task is there. It stays in the catalog as long as somebody does. */
typedef enum {
  KT_CATALOG_WATCHED,
  KT_CATALOG_FOUND,
  KT_CATALOG_FIRST_LIST, /* then one for each family */
} KtCatalogSource;

/* The service's list of FAMILY. */
#define KT_CATALOG_LIST(family) ((KtCatalogSource) (KT_CATALOG_FIRST_LIST + (family)))

/* CLOCK and CHANGES outlive the catalog. */
KtCatalog *kt_catalog_new (KtClock *clock, KtChanges *changes);
void kt_catalog_free (KtCatalog *catalog);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtCatalog, kt_catalog_free)

/* SOURCE says that KEY is there. */
void kt_catalog_add (KtCatalog *catalog, KtCatalogSource source, KtKey *key);

/* SOURCE says that KEYS (KtKey) are there, and no others. What is gone is one batch of changes. */
void kt_catalog_set (KtCatalog *catalog, KtCatalogSource source, GPtrArray *keys);

/* Whether KEY was found by its name alone: no other source says that it is there. */
gboolean kt_catalog_is_only_found (KtCatalog *catalog, const KtKey *key);

/* How to ask for a task, NULL when it is not known. (transfer none) */
KtKey *kt_catalog_find (KtCatalog *catalog, const char *task_id);

/* When a task's directory last changed as its users have been shown: wall clock in microseconds, 0 while that is not
 * settled, and for a task that is not known. It is kept here because it outlives snapshots and inodes. */
KtUsec kt_catalog_mtime (KtCatalog *catalog, const KtKey *key);
void kt_catalog_set_mtime (KtCatalog *catalog, const KtKey *key, KtUsec mtime_wall);

/* The status word that the task of KEY was last seen with, kept here for the same reason; NULL: none. It is set by who
 * shows tasks by their status. (transfer none) */
const char *kt_catalog_status (KtCatalog *catalog, const KtKey *key);
void kt_catalog_set_status (KtCatalog *catalog, const KtKey *key, const char *word);

/* The words that tasks have, each once, in order: strings. (transfer full) */
GPtrArray *kt_catalog_list_statuses (KtCatalog *catalog);

/* The tasks with the status WORD, in order: KtKey. (transfer full) */
GPtrArray *kt_catalog_list_status (KtCatalog *catalog, const char *word);

/* When a task last came to have the status WORD, or ceased to have it, or, with NULL, when that was so of any word: wall
 * clock, at first that of kt_catalog_new(). The first status of a task comes when the task came. */
KtUsec kt_catalog_status_wall (const KtCatalog *catalog, const char *word);

/* Each task is of a class, a number below KT_CATALOG_CLASSES, and is counted so: what the classes mean is known above.
 * CLASSIFY gives the class of a task that comes, 0 without it. The result is the class that KEY had; of a task that is
 * not known it is CLASS, which is not set. */
#define KT_CATALOG_CLASSES 32
typedef guint (*KtCatalogClassify) (KtKey *key, gpointer data);
void kt_catalog_set_classify (KtCatalog *catalog, KtCatalogClassify classify, gpointer data);
guint kt_catalog_set_class (KtCatalog *catalog, const KtKey *key, guint class);

/* The tasks of FAMILY that are of CLASS. */
guint kt_catalog_count_class (const KtCatalog *catalog, KtFamily family, guint class);

/* The task after the one with TASK_ID (STEP 1) or before it (STEP -1); NULL at the end, and when TASK_ID is not
 * known. (transfer none) */
KtKey *kt_catalog_step (KtCatalog *catalog, const char *task_id, int step);

/* All tasks in order, or those of one share only. KtKey. (transfer full) */
GPtrArray *kt_catalog_list (KtCatalog *catalog);
GPtrArray *kt_catalog_list_share (KtCatalog *catalog, const char *share_id);

/* The shares that the tasks are of, each once, in order. Strings. (transfer full) */
GPtrArray *kt_catalog_list_shares (KtCatalog *catalog);

/* When a task last came or went: wall clock in microseconds, at first that of kt_catalog_new(). What the first
 * reading of a list brings was there before, so it does not count: a list has been read with its first
 * kt_catalog_set(). */
KtUsec kt_catalog_changed_wall (const KtCatalog *catalog);

/* Another number after each change. */
guint64 kt_catalog_generation (const KtCatalog *catalog);

guint kt_catalog_size (const KtCatalog *catalog);

/* The same of one family. */
guint kt_catalog_count (const KtCatalog *catalog, KtFamily family);
