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
typedef struct KtScan KtScan;

KtScan *kt_scan_new (KtStore *store, KtCatalog *catalog, guint most);
void kt_scan_free (KtScan *scan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtScan, kt_scan_free)

void kt_scan_set_most (KtScan *scan, guint most);

/* KEY, which is in the catalog, is being asked for in MODE, FRESH or LISTED; to be called before the store is asked.
 * DEADLINE is that of what is fetched ahead. */
void kt_scan_note (KtScan *scan, KtKey *key, KtStoreMode mode, gint64 deadline);
