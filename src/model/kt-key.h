/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

/* The families of tasks (docs/semantics.md, "Families"). */
typedef enum {
  KT_FAMILY_SHARE,
  KT_FAMILY_BASIC,
  KT_FAMILY_JOB,
  KT_N_FAMILIES,
  KT_FAMILY_UNKNOWN = KT_N_FAMILIES, /* of a task that is asked for by its id alone: the answer's task tells */
} KtFamily;

/* Bits for tables that say which families a row is for. */
#define KT_FAMILY_BIT(family) (1u << (family))
#define KT_FAMILIES_ALL       (KT_FAMILY_BIT (KT_N_FAMILIES) - 1)

/* How one task is asked for: its family, its id and, for a share task, its share. Immutable, refcounted in any thread,
 * usable as a hash key. */
typedef struct {
  gatomicrefcount refs;
  KtFamily family;
  const char *task_id;
  const char *share_id; /* "" when the family has none */
} KtKey;

KtKey *kt_key_new_share (const char *share_id, const char *task_id);

/* Of a family whose tasks have an id and no more: any but KT_FAMILY_SHARE. */
KtKey *kt_key_new (KtFamily family, const char *task_id);
KtKey *kt_key_ref (KtKey *key);
void kt_key_unref (KtKey *key);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtKey, kt_key_unref)

guint kt_key_hash (gconstpointer key);
gboolean kt_key_equal (gconstpointer a, gconstpointer b);

/* "share", "basic", "job": the `kind` file, the first word of a watch list line, and of `families` in the
 * configuration. Static. */
const char *kt_family_word (KtFamily family);

/* The family called WORD; FALSE when there is none. */
gboolean kt_family_from_word (const char *word, KtFamily *family);

/* A set of families (bits) and its words, separated by commas or blanks; 0 when TEXT names none, or what is none. */
guint kt_families_from_text (const char *text);
char *kt_families_to_text (guint families); /* (transfer full) */
