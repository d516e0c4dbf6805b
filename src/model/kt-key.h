/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

/* The families of tasks this version asks for (docs/semantics.md, "Families"). */
typedef enum {
  KT_FAMILY_SHARE,
  KT_FAMILY_BASIC,
} KtFamily;

/* Bits for tables that say which families a row is for. */
#define KT_FAMILY_BIT(family) (1u << (family))
#define KT_FAMILIES_ALL       (KT_FAMILY_BIT (KT_FAMILY_SHARE) | KT_FAMILY_BIT (KT_FAMILY_BASIC))

/* How one task is asked for: its family, its id and, for a share task, its share. Immutable, refcounted in any thread,
 * usable as a hash key. */
typedef struct {
  gatomicrefcount refs;
  KtFamily family;
  const char *task_id;
  const char *share_id; /* "" when the family has none */
} KtKey;

KtKey *kt_key_new_share (const char *share_id, const char *task_id);
KtKey *kt_key_new_basic (const char *task_id);
KtKey *kt_key_ref (KtKey *key);
void kt_key_unref (KtKey *key);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtKey, kt_key_unref)

guint kt_key_hash (gconstpointer key);
gboolean kt_key_equal (gconstpointer a, gconstpointer b);

/* "share", "basic": the `kind` file and the first word of a watch list line. Static. */
const char *kt_family_word (KtFamily family);
