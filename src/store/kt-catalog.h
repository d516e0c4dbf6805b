/* SPDX-License-Identifier: MIT */
#pragma once

#include "model/kt-key.h"

/* The tasks this mount knows and how to ask for each: those of the watch list, and those found by their names. A
 * task id belongs to one task, so it stands in here once; what is said last of it holds. They stand in the order of
 * their ids (bytes), which is the order of listings and of shell globs: who reads one after another reads in it. */
typedef struct KtCatalog KtCatalog;

KtCatalog *kt_catalog_new (void);
void kt_catalog_free (KtCatalog *catalog);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtCatalog, kt_catalog_free)

/* Replaces the watched tasks by KEYS (KtKey); found ones stay. */
void kt_catalog_set_watched (KtCatalog *catalog, GPtrArray *keys);

/* A task was found by its name. */
void kt_catalog_add_found (KtCatalog *catalog, KtKey *key);

/* The service does not know KEY: TRUE when it was a found task and is forgotten now; watched ones stay. */
gboolean kt_catalog_drop_found (KtCatalog *catalog, KtKey *key);

/* How to ask for a task, NULL when it is not known. (transfer none) */
KtKey *kt_catalog_find (KtCatalog *catalog, const char *task_id);

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
