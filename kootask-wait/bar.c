/* SPDX-License-Identifier: MIT */
/* What progress bars look like. */
#include "bar.h"

#include <string.h>

#define ID_MAX     40 /* columns; longer ones are cut */
#define STATUS_MAX 9  /* columns: "completed" */
#define BAR_MIN    10

/* TEXT in WIDTH columns: with blanks behind it, or cut with a ~ at the end. */
static void
append_column (GString *line, const char *text, guint width)
{
  guint column = 0;

  for (; *text != '\0'; text = g_utf8_next_char (text)) {
    const gunichar letter = g_utf8_get_char (text);
    const guint columns = g_unichar_iswide (letter) ? 2 : 1;
    const gboolean is_last = *g_utf8_next_char (text) == '\0';
    if (column + columns > (is_last ? width : width - 1)) {
      g_string_append_c (line, '~');
      column++;
      break;
    }
    g_string_append_unichar (line, letter);
    column += columns;
  }
  while (column++ < width)
    g_string_append_c (line, ' ');
}

static guint
columns_of (const char *text)
{
  guint columns = 0;

  for (; *text != '\0'; text = g_utf8_next_char (text))
    columns += g_unichar_iswide (g_utf8_get_char (text)) ? 2 : 1;
  return columns;
}

static void
append_bar (GString *line, int progress, guint width)
{
  const guint full = (guint) progress * width / 100;

  g_string_append_c (line, '[');
  for (guint i = 0; i < width; i++)
    g_string_append_c (line, i < full ? '=' : i == full ? '>' : ' ');
  g_string_append_printf (line, "] %3d%%", progress);
}

char *
bar_line (const Task *task, guint width)
{
  const char *status = task->error != 0 ? g_strerror (task->error) : task->status != NULL ? task->status : "...";
  GString *line = g_string_new (NULL);
  const guint id = MIN (columns_of (task->id), ID_MAX);
  const guint frame = (guint) strlen ("  [] 100%");

  width = MIN (width, BAR_WIDTH_MAX);
  if (width < id + 2) {
    append_column (line, task->id, MAX (width, 1));
  } else if (task->error != 0 || task->progress < 0 || width < id + 1 + STATUS_MAX + frame + BAR_MIN) {
    append_column (line, task->id, id);
    g_string_append_c (line, ' ');
    append_column (line, status, width - id - 1);
  } else {
    append_column (line, task->id, id);
    g_string_append_c (line, ' ');
    append_column (line, status, STATUS_MAX);
    g_string_append_c (line, ' ');
    append_bar (line, task->progress, width - id - 1 - STATUS_MAX - frame + 1);
  }
  g_strchomp (line->str);
  return g_string_free (line, FALSE);
}

GPtrArray *
bar_lines (const GPtrArray *tasks, guint width, guint height)
{
  GPtrArray *lines = g_ptr_array_new_with_free_func (g_free);
  guint running = 0, shown;

  for (guint i = 0; i < tasks->len; i++)
    running += ((const Task *) tasks->pdata[i])->outcome == TASK_RUNNING;
  height = MAX (height, 1);
  shown = running <= height ? running : height - 1;
  for (guint i = 0; i < tasks->len && lines->len < shown; i++) {
    const Task *task = tasks->pdata[i];
    if (task->outcome == TASK_RUNNING)
      g_ptr_array_add (lines, bar_line (task, width));
  }
  if (shown < running) {
    g_autofree char *rest = shown > 0 ? g_strdup_printf ("and %u more", running - shown)
                                      : g_strdup_printf ("%u of %u tasks run", running, tasks->len);
    GString *line = g_string_new (NULL);
    append_column (line, rest, MAX (width, 1));
    g_strchomp (line->str);
    g_ptr_array_add (lines, g_string_free (line, FALSE));
  }
  return lines;
}
