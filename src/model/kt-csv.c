/* SPDX-License-Identifier: MIT */
/* Renders the files and the failures of a task as CSV. */
#include "kt-csv.h"

#include "base/kt-names.h"
#include "kt-words.h"

#include <string.h>

/* One field of RFC 4180: quoted where it holds a comma, a quote or a line end. Most hold none, and are valid UTF-8:
 * those are copied once and no more, there may be a hundred thousand of them. */
void
kt_csv_append (GString *out, const char *value, char end)
{
  gsize length = strlen (value);
  g_autofree char *made_valid = kt_utf8_make_valid (value, length);
  const char *text = made_valid != NULL ? made_valid : value;

  if (text[strcspn (text, ",\"\r\n")] == '\0') {
    g_string_append (out, text);
  } else {
    g_string_append_c (out, '"');
    for (const char *p = text; *p != '\0'; p++) {
      if (*p == '"')
        g_string_append_c (out, '"');
      g_string_append_c (out, *p);
    }
    g_string_append_c (out, '"');
  }
  g_string_append_c (out, end);
}

static GBytes *
files (const KtTask *task, gboolean only_failed)
{
  GString *out = g_string_new ("fileId,status,newFileId,srcContainerId\n");

  for (guint i = 0; i < task->files->len; i++) {
    const KtTaskFile *file = &g_array_index (task->files, KtTaskFile, i);
    if (only_failed && !g_str_equal (file->status, KT_RESULT_FAILED))
      continue;
    kt_csv_append (out, file->id, ',');
    kt_csv_append (out, file->status, ',');
    kt_csv_append (out, file->new_id, ',');
    kt_csv_append (out, file->container_id, '\n');
  }
  return g_string_free_to_bytes (out);
}

static GBytes *
import_failures (const KtTask *task)
{
  GString *out = g_string_new ("userName,desc\n");

  for (guint i = 0; i < task->failures->len; i++) {
    const KtTaskFailure *failure = &g_array_index (task->failures, KtTaskFailure, i);
    kt_csv_append (out, failure->user_name, ',');
    kt_csv_append (out, failure->desc, '\n');
  }
  return g_string_free_to_bytes (out);
}

GBytes *
kt_csv_files (const KtTask *task)
{
  return task->files_csv != NULL ? g_bytes_ref (task->files_csv) : files (task, FALSE);
}

GBytes *
kt_csv_failures (const KtTask *task)
{
  if (task->failures_csv != NULL)
    return g_bytes_ref (task->failures_csv);
  return kt_family_has (task->key->family, KT_FACT_FILES) ? files (task, TRUE) : import_failures (task);
}
