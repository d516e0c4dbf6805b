/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/kt-metrics.h"
#include "kt-catalog.h"
#include "kt-store.h"

/* How many tasks of the catalog there are of each kind, status and result, for `.kootaskfs/metrics`. It is kept up to date
 * by each change, so that reading it costs the same for a million tasks as for one. A task that was evicted counts as what
 * it was. The ends that this mount has seen, of tasks that it had seen before their end, are counted too. */
typedef struct KtCensus KtCensus;

/* All that is passed in outlives the census; METRICS is not written after its end. */
KtCensus *kt_census_new (KtChanges *changes, KtStore *store, KtCatalog *catalog, KtMetrics *metrics);
void kt_census_free (KtCensus *census);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtCensus, kt_census_free)
