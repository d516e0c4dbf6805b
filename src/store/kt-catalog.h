/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/kt-time.h"
#include "model/kt-key.h"

/* The tasks this mount knows and how to ask for each: those of the watch list, those the service lists, and those
 * found by their names. A task id belongs to one task, so it stands in here once; what is said last of it holds. They
 * stand in the order of their ids (bytes), which is the order of listings and of shell globs: who reads one after
 * another reads in it. */
typedef struct KtCatalog KtCatalog;

/* Who says that a task is there. It stays in the catalog as long as somebody does. */
typedef enum {
  KT_CATALOG_WATCHED,
  KT_CATALOG_FOUND,
  KT_CATALOG_BASIC_LIST,
  KT_CATALOG_JOB_LIST,
} KtCatalogSource;

KtCatalog *kt_catalog_new (void);
void kt_catalog_free (KtCatalog *catalog);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtCatalog, kt_catalog_free)

/* SOURCE says that KEY is there. */
void kt_catalog_add (KtCatalog *catalog, KtCatalogSource source, KtKey *key);

/* SOURCE says that KEYS (KtKey) are there, and no others. Those that are gone, or are asked for differently now, come
 * back as they were: KtKey. (transfer full) */
GPtrArray *kt_catalog_set (KtCatalog *catalog, KtCatalogSource source, GPtrArray *keys);

/* Whether KEY was found by name alone: nobody else says that it is there. */
gboolean kt_catalog_is_only_found (KtCatalog *catalog, const KtKey *key);

/* The service does not know KEY: TRUE when it was found by name alone and is forgotten now; others stay. */
gboolean kt_catalog_drop_found (KtCatalog *catalog, KtKey *key);

/* How to ask for a task, NULL when it is not known. (transfer none) */
KtKey *kt_catalog_find (KtCatalog *catalog, const char *task_id);

/* When a task's directory last changed as its users have been shown: wall clock in microseconds, 0 while that is not
 * settled, and for a task that is not known. It stands here because it outlives answers and inodes. */
KtUsec kt_catalog_mtime (KtCatalog *catalog, const KtKey *key);
void kt_catalog_set_mtime (KtCatalog *catalog, const KtKey *key, KtUsec mtime_wall);

/* The task after the one with TASK_ID (STEP 1) or before it (STEP -1); NULL at the end, and when TASK_ID is not
 * known. (transfer none) */
KtKey *kt_catalog_step (KtCatalog *catalog, const char *task_id, int step);

/* All tasks in order, or those of one share only. KtKey. (transfer full) */
GPtrArray *kt_catalog_list (KtCatalog *catalog);
GPtrArray *kt_catalog_list_share (KtCatalog *catalog, const char *share_id);

/* The shares that the tasks are of, each once, in order. Strings. (transfer full) */
GPtrArray *kt_catalog_list_shares (KtCatalog *catalog);

/* Another number after each change. */
guint64 kt_catalog_generation (const KtCatalog *catalog);

guint kt_catalog_size (const KtCatalog *catalog);

/* The same of one family. */
guint kt_catalog_count (const KtCatalog *catalog, KtFamily family);
