/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-changes.h"

/* When tasks last moved: when a snapshot last differed from the one of the same origin before it. A listener of the
 * change feed; what is evicted is forgotten. */
typedef struct KtMoves KtMoves;

/* CHANGES outlives it. Listeners that are added later find what a batch has moved. */
KtMoves *kt_moves_new (KtChanges *changes);
void kt_moves_free (KtMoves *moves);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtMoves, kt_moves_free)

/* Wall clock in microseconds, 0 when no cached snapshot of KEY differed from one before it. */
KtUsec kt_moves_wall (KtMoves *moves, const KtKey *key);
