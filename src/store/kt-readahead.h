/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-catalog.h"
#include "kt-store.h"

/* Scan-ahead: `cat` of every status is one process that asks for one task after another. When the tasks it asks for
 * follow each other in the order of the catalog, up or down, the next ones are fetched ahead, as a disk reads ahead:
 * from the third in a row on, with a window that doubles, up to MOST, as long as the reader has to wait. What memory
 * has is passed over: the kernel serves it without asking us, so a gap made of it is none. Several scans may go on at
 * the same time; one that breaks off costs at most its window. Many readers at once, each of a task of its own, are no
 * scan. */
typedef struct KtReadahead KtReadahead;

KtReadahead *kt_readahead_new (KtStore *store, KtCatalog *catalog, guint limit);
void kt_readahead_free (KtReadahead *readahead);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtReadahead, kt_readahead_free)

void kt_readahead_set_limit (KtReadahead *readahead, guint limit);

/* KEY, which is in the catalog, is being asked for in MODE, FRESH or LISTED; to be called before the store is asked.
 * DEADLINE is that of what is fetched ahead. */
void kt_readahead_note (KtReadahead *readahead, KtKey *key, KtStoreMode mode, KtUsec deadline);
