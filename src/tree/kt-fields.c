/* SPDX-License-Identifier: MIT */
/* The values of a task by the names that task.json has for them. */
#include "kt-fields.h"

#include "base/kt-names.h"
#include "base/kt-units.h"

static const char *
number_text (gint64 number, char *buffer)
{
  if (number < 0)
    return "";
  g_snprintf (buffer, KT_FIELD_BUFFER, "%" G_GINT64_FORMAT, number);
  return buffer;
}

static const char *
time_text (KtSec seconds, char *buffer)
{
  g_autofree char *text = seconds != KT_TIME_UNKNOWN ? kt_time_format (seconds) : NULL;

  g_strlcpy (buffer, text != NULL ? text : "", KT_FIELD_BUFFER);
  return buffer;
}

static const char *
id_text (const KtShown *shown, char *buffer)
{
  return shown->key->task_id;
}

static const char *
kind_text (const KtShown *shown, char *buffer)
{
  return kt_family_word (shown->key->family);
}

static const char *
status_text (const KtShown *shown, char *buffer)
{
  if (shown->task != NULL)
    return shown->task->status;
  return shown->status != NULL ? shown->status : "";
}

/* NOLINTBEGIN(bugprone-macro-parentheses): names */
#define TEXT(field_)                                                                                                   \
  static const char *field_##_text (const KtShown *shown, char *buffer)                                                \
  {                                                                                                                    \
    return shown->task != NULL ? shown->task->field_ : "";                                                             \
  }
#define NUMBER(field_)                                                                                                 \
  static const char *field_##_text (const KtShown *shown, char *buffer)                                                \
  {                                                                                                                    \
    return number_text (shown->task != NULL ? shown->task->field_ : -1, buffer);                                       \
  }
#define TIME(field_)                                                                                                   \
  static const char *field_##_text (const KtShown *shown, char *buffer)                                                \
  {                                                                                                                    \
    return time_text (shown->task != NULL ? shown->task->field_ : KT_TIME_UNKNOWN, buffer);                            \
  }
/* NOLINTEND(bugprone-macro-parentheses) */

TEXT (type)
TEXT (result)
NUMBER (progress)
TIME (created)
TIME (started)
TIME (ended)
TEXT (user)
TEXT (name)
NUMBER (success_count)
NUMBER (fail_count)

const KtField kt_fields[] = {
  { "id", FALSE, id_text },
  { "kind", FALSE, kind_text },
  { "type", FALSE, type_text },
  { "status", FALSE, status_text },
  { "result", FALSE, result_text },
  { "progress", TRUE, progress_text },
  { "created", FALSE, created_text },
  { "started", FALSE, started_text },
  { "ended", FALSE, ended_text },
  { "user", FALSE, user_text },
  { "name", FALSE, name_text },
  { "successCount", TRUE, success_count_text },
  { "failCount", TRUE, fail_count_text },
  { NULL, FALSE, NULL },
};

/* Most strings are the same in JSON, and are copied once. */
static gboolean
is_plain (const char *text)
{
  for (; *text != '\0'; text++)
    if (*text < ' ' || *text > '~' || *text == '"' || *text == '\\')
      return FALSE;
  return TRUE;
}

void
kt_field_append_json (GString *out, const KtField *field, const KtShown *shown)
{
  char buffer[KT_FIELD_BUFFER];
  const char *text = field->text (shown, buffer);
  g_autofree char *quoted = NULL;

  if (text[0] == '\0') {
    g_string_append (out, "null");
  } else if (field->is_number) {
    g_string_append (out, text);
  } else if (is_plain (text)) {
    g_string_append_c (out, '"');
    g_string_append (out, text);
    g_string_append_c (out, '"');
  } else {
    quoted = kt_json_quote (text);
    g_string_append (out, quoted);
  }
}
