/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

/* The families of tasks (docs/semantics.md, "Families") and the facts that the layers need about them, a row each.
 * The endpoints of each family are in service/kt-family-calls.c. */
typedef enum {
  KT_FAMILY_SHARE,
  KT_FAMILY_BASIC,
  KT_FAMILY_JOB,
  KT_N_FAMILIES,
  KT_FAMILY_UNKNOWN = KT_N_FAMILIES, /* of a task that is asked for by its id alone: the response has its family */
} KtFamily;

/* Bits for a set of families. */
#define KT_FAMILY_BIT(family) (1u << (family))
#define KT_FAMILIES_ALL       (KT_FAMILY_BIT (KT_N_FAMILIES) - 1)

/* What is true of a family, as bits: a row of the table of files says which of them it takes. */
typedef enum {
  KT_FACT_ANY = 1 << 0,           /* of every family */
  KT_FACT_LISTED = 1 << 1,        /* the service has a list of its tasks */
  KT_FACT_BY_ID = 1 << 2,         /* the id alone names a task */
  KT_FACT_OF_SHARE = 1 << 3,      /* a task is of a share, whose id it takes to ask for it */
  KT_FACT_FILES = 1 << 4,         /* a response has the files that the task works on */
  KT_FACT_PACKAGE = 1 << 5,       /* there may be a link to a package */
  KT_FACT_CANCEL = 1 << 6,        /* a task can be cancelled */
  KT_FACT_LISTED_RESULT = 1 << 7, /* a summary has all that `result` is made of */
} KtFact;
#define KT_FACTS_ALL 0xffu

/* The facts of FAMILY; those of KT_FAMILY_UNKNOWN are none. */
guint kt_family_facts (KtFamily family);

/* Whether FAMILY has FACT. */
gboolean kt_family_has (KtFamily family, KtFact fact);

/* The families, as bits, that have FACT. */
guint kt_families_with (KtFact fact);

/* "share", "basic", "job": the `kind` file, the first word of a watch list line, and of `families` in the
 * configuration. Static. */
const char *kt_family_word (KtFamily family);

/* The form of a line of the watch list that names a task: "share SHAREID TASKID". Static. */
const char *kt_family_line (KtFamily family);

/* The family called WORD; FALSE when there is none. */
gboolean kt_family_from_word (const char *word, KtFamily *family);

/* A set of families (bits) and its words, separated by commas or blanks; 0 when TEXT names none, or what is none. */
guint kt_families_from_text (const char *text);
char *kt_families_to_text (guint families); /* (transfer full) */
