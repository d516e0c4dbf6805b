/* SPDX-License-Identifier: MIT */
/* Renders the content of each file of the table of files: pure functions of the subject. */
#include "kt-render.h"

#include "base/kt-columns.h"
#include "base/kt-names.h"
#include "base/kt-units.h"
#include "kt-fields.h"
#include "model/kt-csv.h"

#define LINE_COLUMNS 80 /* of what is for people */

/* One line, or nothing. */
static GBytes *
line (const char *value)
{
  g_autofree char *encoded = kt_line_encode (value);
  char *text = encoded[0] != '\0' ? g_strconcat (encoded, "\n", NULL) : g_strdup ("");
  return g_bytes_new_take (text, strlen (text));
}

static GBytes *
take (char *text)
{
  return g_bytes_new_take (text, strlen (text));
}

/* A number, or nothing when it is negative: unknown. */
static GBytes *
number_line (gint64 number)
{
  return take (number >= 0 ? g_strdup_printf ("%" G_GINT64_FORMAT "\n", number) : g_strdup (""));
}

static char *
time_text (KtSec seconds)
{
  return seconds != KT_TIME_UNKNOWN ? kt_time_format (seconds) : g_strdup ("");
}

static GBytes *
time_line (KtSec seconds)
{
  g_autofree char *text = time_text (seconds);
  return line (text);
}

GBytes *
kt_render_kind (const KtSubject *subject)
{
  return line (kt_family_word (subject->task->key->family));
}

GBytes *
kt_render_type (const KtSubject *subject)
{
  return line (subject->task->type);
}

GBytes *
kt_render_status (const KtSubject *subject)
{
  return line (subject->task->status);
}

GBytes *
kt_render_result (const KtSubject *subject)
{
  return line (subject->task->result);
}

GBytes *
kt_render_progress (const KtSubject *subject)
{
  return number_line (subject->task->progress);
}

GBytes *
kt_render_created (const KtSubject *subject)
{
  return time_line (subject->task->created);
}

GBytes *
kt_render_started (const KtSubject *subject)
{
  return time_line (subject->task->started);
}

GBytes *
kt_render_ended (const KtSubject *subject)
{
  return time_line (subject->task->ended);
}

GBytes *
kt_render_user (const KtSubject *subject)
{
  return line (subject->task->user);
}

GBytes *
kt_render_name (const KtSubject *subject)
{
  return line (subject->task->name);
}

GBytes *
kt_render_success_count (const KtSubject *subject)
{
  return number_line (subject->task->success_count);
}

GBytes *
kt_render_fail_count (const KtSubject *subject)
{
  return number_line (subject->task->fail_count);
}

static void
summary_line (GString *out, const char *name, const char *value)
{
  g_autofree char *encoded = kt_line_encode (value);
  if (encoded[0] == '\0')
    return;
  g_string_append_printf (out, "%-10s", name);
  kt_columns_append (out, encoded, LINE_COLUMNS - 10);
  g_string_append_c (out, '\n');
}

static char *
progress_bar (gint progress)
{
  const gint width = 40;
  gint done = progress * width / 100;
  GString *bar = g_string_new ("[");

  for (gint i = 0; i < width; i++)
    g_string_append_c (bar, i < done ? '#' : '.');
  g_string_append_printf (bar, "] %d%%", progress);
  return g_string_free (bar, FALSE);
}

GBytes *
kt_render_summary (const KtSubject *subject)
{
  const KtTask *task = subject->task;
  GString *out = g_string_new (NULL);
  g_autofree char *kind =
      g_strdup_printf ("%s%s%s", kt_family_word (task->key->family), task->type[0] != '\0' ? ", " : "", task->type);
  g_autofree char *status = g_strdup_printf ("%s%s%s", task->status, task->result[0] != '\0' ? ", " : "", task->result);
  g_autofree char *bar = task->progress >= 0 ? progress_bar (task->progress) : g_strdup ("");
  g_autofree char *created = time_text (task->created);
  g_autofree char *started = time_text (task->started);
  g_autofree char *ended = time_text (task->ended);
  g_autoptr (GString) counts = g_string_new (NULL);

  if (task->success_count >= 0)
    g_string_append_printf (counts, "%" G_GINT64_FORMAT " succeeded", task->success_count);
  if (task->fail_count >= 0)
    g_string_append_printf (counts, "%s%" G_GINT64_FORMAT " failed", counts->len > 0 ? ", " : "", task->fail_count);
  summary_line (out, "task", task->key->task_id);
  summary_line (out, "share", task->key->share_id);
  summary_line (out, "name", task->name);
  summary_line (out, "kind", kind);
  summary_line (out, "status", status);
  summary_line (out, "progress", bar);
  summary_line (out, "created", created);
  summary_line (out, "started", started);
  summary_line (out, "ended", ended);
  summary_line (out, "user", task->user);
  summary_line (out, "counts", counts->str);
  return g_string_free_to_bytes (out);
}

/* Spaced like job.json. */
GBytes *
kt_render_task_json (const KtSubject *subject)
{
  const KtShown shown = { .key = subject->task->key, .task = (KtTask *) subject->task };
  GString *out = g_string_new ("{");

  for (const KtField *field = kt_fields; field->name != NULL; field++) {
    g_string_append_printf (out, "%s\n\t\"%s\":\t", field == kt_fields ? "" : ",", field->name);
    kt_field_append_json (out, field, &shown);
  }
  g_string_append (out, "\n}\n");
  return g_string_free_to_bytes (out);
}

GBytes *
kt_render_job_json (const KtSubject *subject)
{
  return g_bytes_ref (subject->task->job_json);
}

GBytes *
kt_render_response_json (const KtSubject *subject)
{
  return g_bytes_ref (subject->task->response);
}

GBytes *
kt_render_files_csv (const KtSubject *subject)
{
  return kt_csv_files (subject->task);
}

GBytes *
kt_render_failures_csv (const KtSubject *subject)
{
  return kt_csv_failures (subject->task);
}

GBytes *
kt_render_file_status (const KtSubject *subject)
{
  return line (subject->file->status);
}

GBytes *
kt_render_file_new_id (const KtSubject *subject)
{
  return line (subject->file->new_id);
}

GBytes *
kt_render_file_container_id (const KtSubject *subject)
{
  return line (subject->file->container_id);
}

GBytes *
kt_render_version (const KtSubject *subject)
{
  return line (KT_VERSION);
}

GBytes *
kt_render_config (const KtSubject *subject)
{
  return take (subject->about->config (subject->about->data));
}

GBytes *
kt_render_health (const KtSubject *subject)
{
  g_autofree char *health = kt_health_format (subject->about->health, kt_clock_wall (subject->about->clock));
  g_autofree char *tasks = subject->about->tasks (subject->about->data);
  return take (g_strconcat (health, tasks, NULL));
}

GBytes *
kt_render_metrics (const KtSubject *subject)
{
  return take (subject->about->metrics (subject->about->data));
}

GBytes *
kt_render_last_error (const KtSubject *subject)
{
  return line (kt_health_last_error (subject->about->health));
}
