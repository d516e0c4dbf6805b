/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-catalog.h"
#include "kt-store.h"

/* Readahead of tasks, as a disk has it: `cat` of every status is one process that asks for one task after another.
 * When these tasks follow each other in the order of the catalog, up or down, the next ones are fetched ahead. It
 * begins with the third task in a row. The window doubles, up to the limit, as long as the reader has to wait.
 * Cached tasks are passed over: the kernel serves them without us, so a gap that is made of them is none. Several
 * sequences may be followed at the same time; one that breaks off costs at most its window. Many readers at once,
 * each of a task of its own, are no sequence. */
typedef struct KtReadahead KtReadahead;

/* STORE and CATALOG outlive it. LIMIT is the largest window, in tasks. */
KtReadahead *kt_readahead_new (KtStore *store, KtCatalog *catalog, guint limit);
void kt_readahead_free (KtReadahead *readahead);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtReadahead, kt_readahead_free)

/* From the next task on. */
void kt_readahead_set_limit (KtReadahead *readahead, guint limit);

/* Somebody asks for KEY, which is in the catalog, in MODE, FRESH or LISTED. It is called before kt_store_get().
 * DEADLINE (monotonic) is that of the requests that are made ahead. */
void kt_readahead_note (KtReadahead *readahead, KtKey *key, KtStoreMode mode, KtUsec deadline);
