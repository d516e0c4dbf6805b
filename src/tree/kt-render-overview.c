/* SPDX-License-Identifier: MIT */
/* Renders what shows all tasks: a table for people, CSV and JSON for scripts. In a thread when tasks are many. */
#include "base/kt-columns.h"
#include "kt-fields.h"
#include "kt-render.h"
#include "model/kt-csv.h"
#include "model/kt-words.h"

#include <string.h>

/* The columns, and a blank between two: a line has 79. Negative: what stands there is to the right. */
#define ID_COLUMNS       19
#define KIND_COLUMNS     5
#define TYPE_COLUMNS     8
#define STATUS_COLUMNS   9
#define PROGRESS_COLUMNS 15
#define BAR_CELLS        8
#define COUNT_COLUMNS    (-6)
#define AGE_COLUMNS      (-4)

#define MINUTE ((KtSec) 60)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define YEAR   (365 * DAY)

/* What a line is sorted by. */
typedef struct {
  const KtShown *shown;
  gboolean is_running;
  KtSec time; /* KT_TIME_UNKNOWN: none is known */
} Line;

static KtSec
time_of (const KtTask *task)
{
  if (task == NULL)
    return KT_TIME_UNKNOWN;
  if (task->created != KT_TIME_UNKNOWN)
    return task->created;
  return task->started != KT_TIME_UNKNOWN ? task->started : task->ended;
}

/* Running tasks, then the newest; those whose time is not known come last, and of two alike the greater id first. */
static int
compare (gconstpointer a, gconstpointer b)
{
  const Line *x = a, *y = b;

  if (x->is_running != y->is_running)
    return x->is_running ? -1 : 1;
  if ((x->time == KT_TIME_UNKNOWN) != (y->time == KT_TIME_UNKNOWN))
    return x->time == KT_TIME_UNKNOWN ? 1 : -1;
  if (x->time != y->time)
    return x->time > y->time ? -1 : 1;
  return strcmp (y->shown->key->task_id, x->shown->key->task_id);
}

static GArray *
sorted_lines (const KtAll *all)
{
  GArray *lines = g_array_sized_new (FALSE, FALSE, sizeof (Line), all->tasks->len);

  for (guint i = 0; i < all->tasks->len; i++) {
    const KtShown *shown = &g_array_index (all->tasks, KtShown, i);
    const char *status = shown->task != NULL ? shown->task->status : shown->status;
    const Line line = { shown, g_strcmp0 (status, KT_STATUS_RUNNING) == 0, time_of (shown->task) };
    g_array_append_val (lines, line);
  }
  g_array_sort (lines, compare);
  return lines;
}

static void
cell (GString *out, const char *text, gint columns)
{
  kt_columns_append_cell (out, text[0] != '\0' ? text : "-", columns);
  g_string_append_c (out, ' ');
}

/* A bar and percent; of a task that cannot be read, why: its progress may be another. */
static void
progress_cell (GString *out, const KtShown *shown)
{
  const gint progress = shown->task != NULL ? shown->task->progress : -1;
  char text[PROGRESS_COLUMNS + 1] = "";

  if (shown->error == NULL && progress >= 0) {
    memset (text, '.', BAR_CELLS + 2);
    memset (text + 1, '#', (gsize) progress * BAR_CELLS / 100);
    text[0] = '[';
    g_snprintf (text + 1 + BAR_CELLS, sizeof (text) - 1 - BAR_CELLS, "] %3d%%", progress);
  }
  cell (out, shown->error != NULL ? shown->error : text, PROGRESS_COLUMNS);
}

/* Large numbers in thousands, millions and so on, rounded down. */
static void
count_cell (GString *out, gint64 number)
{
  static const char units[] = " kMGTP";
  const char *unit = units;
  char text[KT_FIELD_BUFFER] = "";

  for (; number >= 1000000 || (unit != units && number >= 100000); number /= 1000)
    unit++;
  if (number >= 0)
    g_snprintf (text, sizeof (text), "%" G_GINT64_FORMAT "%.*s", number, unit != units, unit);
  cell (out, text, COUNT_COLUMNS);
}

/* How long ago the task was created; *LAST is how long that text holds at the most, as far as known until now. */
static void
age_cell (GString *out, KtSec created, KtSec now, KtUsec *last)
{
  static const struct {
    KtSec below, unit;
    char letter;
  } steps[] = { { 2 * MINUTE, 1, 's' },
                { 2 * HOUR, MINUTE, 'm' },
                { 2 * DAY, HOUR, 'h' },
                { 1000 * DAY, DAY, 'd' },
                { G_MAXINT64, YEAR, 'y' } };
  const KtSec age = created != KT_TIME_UNKNOWN ? MAX (now - created, 0) : 0;
  char text[KT_FIELD_BUFFER] = "";
  gsize i = 0;

  if (created != KT_TIME_UNKNOWN) {
    while (age >= steps[i].below)
      i++;
    g_snprintf (text, sizeof (text), "%" G_GINT64_FORMAT "%c", age / steps[i].unit, steps[i].letter);
    *last = MIN (*last, i == 0 ? KT_SECOND : MINUTE * KT_SECOND);
  }
  kt_columns_append_cell (out, text[0] != '\0' ? text : "-", AGE_COLUMNS);
}

static void
header (GString *out)
{
  cell (out, "ID", ID_COLUMNS);
  cell (out, "KIND", KIND_COLUMNS);
  cell (out, "TYPE", TYPE_COLUMNS);
  cell (out, "STATUS", STATUS_COLUMNS);
  cell (out, "PROGRESS", PROGRESS_COLUMNS);
  cell (out, "OK", COUNT_COLUMNS);
  cell (out, "FAIL", COUNT_COLUMNS);
  kt_columns_append_cell (out, "AGE", AGE_COLUMNS);
  g_string_append_c (out, '\n');
}

GBytes *
kt_render_overview (const KtSubject *subject)
{
  KtAll *all = subject->all;
  g_autoptr (GArray) lines = sorted_lines (all);
  GString *out = g_string_sized_new ((lines->len + 1) * 80);

  header (out);
  all->ages_last = MINUTE * KT_SECOND;
  for (guint i = 0; i < lines->len; i++) {
    const KtShown *shown = g_array_index (lines, Line, i).shown;
    const KtTask *task = shown->task;
    const char *status = task != NULL ? task->status : shown->status;
    cell (out, shown->key->task_id, ID_COLUMNS);
    cell (out, kt_family_word (shown->key->family), KIND_COLUMNS);
    cell (out, task != NULL ? task->type : "", TYPE_COLUMNS);
    cell (out, status != NULL ? status : "", STATUS_COLUMNS);
    progress_cell (out, shown);
    count_cell (out, task != NULL ? task->success_count : -1);
    count_cell (out, task != NULL ? task->fail_count : -1);
    age_cell (out, task != NULL ? task->created : KT_TIME_UNKNOWN, all->now, &all->ages_last);
    g_string_append_c (out, '\n');
  }
  return g_string_free_to_bytes (out);
}

GBytes *
kt_render_overview_csv (const KtSubject *subject)
{
  const GArray *tasks = subject->all->tasks;
  GString *out = g_string_new (NULL);

  subject->all->ages_last = KT_TIME_NEVER;
  for (const KtField *field = kt_fields; field->name != NULL; field++)
    kt_csv_append (out, field->name, ',');
  kt_csv_append (out, "error", '\n');
  for (guint i = 0; i < tasks->len; i++) {
    const KtShown *shown = &g_array_index (tasks, KtShown, i);
    char buffer[KT_FIELD_BUFFER];
    for (const KtField *field = kt_fields; field->name != NULL; field++)
      kt_csv_append (out, field->text (shown, buffer), ',');
    kt_csv_append (out, shown->error != NULL ? shown->error : "", '\n');
  }
  return g_string_free_to_bytes (out);
}

/* A line for each task, so that grep is of use too. */
GBytes *
kt_render_overview_json (const KtSubject *subject)
{
  const GArray *tasks = subject->all->tasks;
  GString *out = g_string_new ("[");

  subject->all->ages_last = KT_TIME_NEVER;
  for (guint i = 0; i < tasks->len; i++) {
    const KtShown *shown = &g_array_index (tasks, KtShown, i);
    g_string_append (out, i == 0 ? "\n{" : ",\n{");
    for (const KtField *field = kt_fields; field->name != NULL; field++) {
      g_string_append_c (out, '"');
      g_string_append (out, field->name);
      g_string_append (out, "\":");
      kt_field_append_json (out, field, shown);
      g_string_append_c (out, ',');
    }
    if (shown->error != NULL)
      g_string_append_printf (out, "\"error\":\"%s\"}", shown->error);
    else
      g_string_append (out, "\"error\":null}");
  }
  g_string_append (out, "\n]\n");
  return g_string_free_to_bytes (out);
}
