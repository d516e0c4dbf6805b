/* SPDX-License-Identifier: MIT */
/* The families of tasks and the facts about them: a row each. */
#include "kt-family.h"

static const struct {
  const char *word;
  const char *line; /* of a watch list */
  guint facts;
} families[] = {
  [KT_FAMILY_SHARE] = { "share", "share SHAREID TASKID",
                        KT_FACT_ANY | KT_FACT_OF_SHARE | KT_FACT_FILES | KT_FACT_PACKAGE | KT_FACT_LISTED_RESULT },
  [KT_FAMILY_BASIC] = { "basic", "basic TASKID", KT_FACT_ANY | KT_FACT_LISTED | KT_FACT_BY_ID },
  [KT_FAMILY_JOB] = { "job", "job JOBID",
                      KT_FACT_ANY | KT_FACT_LISTED | KT_FACT_BY_ID | KT_FACT_FILES | KT_FACT_PACKAGE | KT_FACT_CANCEL
                          | KT_FACT_LISTED_RESULT },
  [KT_FAMILY_UNKNOWN] = { "unknown", "", 0 },
};

guint
kt_family_facts (KtFamily family)
{
  return families[family].facts;
}

gboolean
kt_family_has (KtFamily family, KtFact fact)
{
  return (families[family].facts & fact) != 0;
}

guint
kt_families_with (KtFact fact)
{
  guint set = 0;

  for (KtFamily i = 0; i < KT_N_FAMILIES; i++)
    if (kt_family_has (i, fact))
      set |= KT_FAMILY_BIT (i);
  return set;
}

const char *
kt_family_word (KtFamily family)
{
  return families[family].word;
}

const char *
kt_family_line (KtFamily family)
{
  return families[family].line;
}

gboolean
kt_family_from_word (const char *word, KtFamily *family)
{
  for (KtFamily i = 0; i < KT_N_FAMILIES; i++) {
    if (g_str_equal (families[i].word, word)) {
      *family = i;
      return TRUE;
    }
  }
  return FALSE;
}

guint
kt_families_from_text (const char *text)
{
  g_auto (GStrv) split = g_strsplit_set (text, ", ", -1);
  guint set = 0;

  for (char **word = split; *word != NULL; word++) {
    KtFamily family;
    if (**word == '\0')
      continue;
    if (!kt_family_from_word (*word, &family))
      return 0;
    set |= KT_FAMILY_BIT (family);
  }
  return set;
}

char *
kt_families_to_text (guint set)
{
  GString *out = g_string_new (NULL);

  for (KtFamily i = 0; i < KT_N_FAMILIES; i++)
    if ((set & KT_FAMILY_BIT (i)) != 0)
      g_string_append_printf (out, "%s%s", out->len > 0 ? ", " : "", families[i].word);
  return g_string_free (out, FALSE);
}
