/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-family.h"

/* How one task is asked for: its family, its id and, for a share task, its share. Immutable, refcounted in any thread,
 * usable as a hash key. */
typedef struct {
  gatomicrefcount refs;
  KtFamily family;
  const char *task_id;
  const char *share_id; /* "" when the family has none */
} KtKey;

KtKey *kt_key_new_share (const char *share_id, const char *task_id);

/* Of a family whose tasks have an id and no more: one without KT_FACT_OF_SHARE. */
KtKey *kt_key_new (KtFamily family, const char *task_id);
KtKey *kt_key_ref (KtKey *key);
void kt_key_unref (KtKey *key);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtKey, kt_key_unref)

guint kt_key_hash (gconstpointer key);
gboolean kt_key_equal (gconstpointer a, gconstpointer b);
