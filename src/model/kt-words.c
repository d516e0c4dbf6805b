/* SPDX-License-Identifier: MIT */
/* The words for the service's numbers. */
#include "kt-words.h"

#include "base/kt-names.h"
#include "base/kt-number.h"

#include <string.h>

typedef struct {
  guint families;
  KtWordKind kind;
  const char *code;
  const char *word;
} Word;

#define SHARE KT_FAMILY_BIT (KT_FAMILY_SHARE)
#define BASIC KT_FAMILY_BIT (KT_FAMILY_BASIC)
#define JOB   KT_FAMILY_BIT (KT_FAMILY_JOB)

static const Word words[] = {
  { SHARE, KT_WORD_TYPE, "1", "download" },
  { SHARE, KT_WORD_TYPE, "2", "save" },
  { BASIC, KT_WORD_TYPE, "0", "transfer" },
  { BASIC, KT_WORD_TYPE, "1", KT_TYPE_IMPORT },
  { JOB, KT_WORD_TYPE, "1", "copy" },
  { JOB, KT_WORD_TYPE, "2", "delete" },
  { JOB, KT_WORD_TYPE, "3", "move" },
  { JOB, KT_WORD_TYPE, "4", "restore" },
  { JOB, KT_WORD_TYPE, "5", "unzip" },
  { JOB, KT_WORD_TYPE, "6", "package" },
  { JOB, KT_WORD_TYPE, "7", "empty-recycle-bin" },
  { SHARE | JOB, KT_WORD_STATUS, "0", KT_STATUS_PENDING },
  { SHARE | JOB, KT_WORD_STATUS, "1", KT_STATUS_RUNNING },
  { SHARE | JOB, KT_WORD_STATUS, "2", KT_STATUS_COMPLETED },
  { SHARE | JOB, KT_WORD_STATUS, "3", KT_STATUS_CANCELED },
  { BASIC, KT_WORD_STATUS, "0", KT_STATUS_PENDING },
  { BASIC, KT_WORD_STATUS, "1", KT_STATUS_RUNNING },
  { BASIC, KT_WORD_STATUS, "2", KT_STATUS_COMPLETED },
  { BASIC, KT_WORD_STATUS, "3", KT_STATUS_FAILED },
  { SHARE | JOB, KT_WORD_RESULT, "1", KT_RESULT_SUCCEEDED },
  { SHARE | JOB, KT_WORD_RESULT, "2", KT_RESULT_PARTLY_FAILED },
  { SHARE | JOB, KT_WORD_RESULT, "3", KT_RESULT_FAILED },
  { SHARE | JOB, KT_WORD_FILE_STATUS, "0", KT_STATUS_PENDING },
  { SHARE | JOB, KT_WORD_FILE_STATUS, "1", KT_RESULT_SUCCEEDED },
  { SHARE | JOB, KT_WORD_FILE_STATUS, "2", KT_RESULT_FAILED },
};

char *
kt_word (KtFamily family, KtWordKind kind, const char *code)
{
  g_autofree char *whole = kt_number_whole (code, strlen (code));
  g_autofree char *line = NULL;

  code = whole != NULL ? whole : code;
  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    if ((words[i].families & KT_FAMILY_BIT (family)) != 0 && words[i].kind == kind && g_str_equal (words[i].code, code))
      return g_strdup (words[i].word);
  line = kt_line_encode (code);
  return g_strdup_printf ("unknown-%s", line);
}

const char *const kt_statuses[] = { KT_STATUS_PENDING,  KT_STATUS_RUNNING, KT_STATUS_COMPLETED,
                                    KT_STATUS_CANCELED, KT_STATUS_FAILED,  NULL };

gboolean
kt_status_is_known (const char *word)
{
  return g_strv_contains (kt_statuses, word);
}

gboolean
kt_status_is_final (const char *status)
{
  return g_str_equal (status, KT_STATUS_COMPLETED) || g_str_equal (status, KT_STATUS_CANCELED)
         || g_str_equal (status, KT_STATUS_FAILED);
}
