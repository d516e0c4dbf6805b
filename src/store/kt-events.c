/* SPDX-License-Identifier: MIT */
/* Turns changes into lines of event logs, and keeps what is needed to tell what has changed. */
#include "kt-events.h"

#include "base/kt-error.h"
#include "kt-event-log.h"

#include <stdio.h>
#include <string.h>

#define WORD_OTHER "unknown" /* for words beyond KT_EVENTS_WORDS_MAX */

/* What the last detail said; -1: nothing. */
typedef struct {
  KtUsec asked_at; /* monotonic */
  gint64 success_count;
  gint64 fail_count;
  gint progress;
  gboolean has_package;
} Detail;

/* The lines of a task, or of all, and what goes with them. */
typedef struct {
  KtEventLog *log;
  KtUsec mtime_wall;
  guint64 base;      /* see kt_event_file_base() */
  gsize memory;      /* as counted in KtEvents.memory_used */
  const char *error; /* errno's name, NULL: none; a constant */
  GList link;        /* KtEvents.logs, while lines are kept; its data is NULL when it is not in there */
} Log;

/* There may be a million of these, so they are small. */
struct KtEventFile {
  KtKey *key;         /* NULL: the log of all tasks */
  Log *log;           /* NULL: nothing has happened beyond that it was seen */
  Detail *detail;     /* NULL: there was none */
  const char *status; /* word of KtEvents.words, as is the next */
  const char *result;
  KtUsec asked_at; /* monotonic: when the response was asked for that STATUS is of */
  KtUsec seen_wall;
  guint refs;
  guint is_seen : 1;
  guint was_ended : 1;       /* when it was seen first */
  guint is_ended_detail : 1; /* a detail said that it has ended: nothing but a detail says otherwise */
  guint is_gone : 1;
};

struct KtEvents {
  KtClock *clock;
  KtChanges *changes;
  KtCatalog *catalog;
  KtWatch *watch;
  KtListener *listener;
  guint64 memory;
  GHashTable *files; /* set of KtEventFile, by task id */
  KtEventFile *all;
  GQueue logs; /* KtEventFile: the task whose log was last written to is the last */
  guint64 memory_used;
  GHashTable *words; /* set of strings */
  KtEventsAppended appended;
  gpointer appended_data;
  guint64 n_lines;
};

static guint
file_hash (gconstpointer file)
{
  return g_str_hash (((const KtEventFile *) file)->key->task_id);
}

static gboolean
file_equal (gconstpointer a, gconstpointer b)
{
  return g_str_equal (((const KtEventFile *) a)->key->task_id, ((const KtEventFile *) b)->key->task_id);
}

/* TEXT as a word that is one object as long as the events are. */
static const char *
intern (KtEvents *events, const char *text)
{
  g_autofree char *word = kt_event_word (text);
  const char *known = g_hash_table_lookup (events->words, word);

  if (known != NULL)
    return known;
  if (g_hash_table_size (events->words) >= KT_EVENTS_WORDS_MAX)
    return WORD_OTHER;
  known = word;
  g_hash_table_add (events->words, g_steal_pointer (&word));
  return known;
}

/* ---- logs */

static gsize
room_of (const KtEvents *events, const KtEventFile *file)
{
  return (gsize) (file->key != NULL ? events->memory / KT_EVENTS_TASK_SHARE : events->memory);
}

static void
count_memory (KtEvents *events, Log *log)
{
  const gsize memory = log->link.data != NULL ? kt_event_log_memory (log->log) : 0;

  events->memory_used += memory - log->memory;
  log->memory = memory;
}

/* The log of FILE keeps no line, or is the last that was written to. */
static void
move_log (KtEvents *events, KtEventFile *file, gboolean has_lines)
{
  Log *log = file->log;

  if (log->link.data != NULL)
    g_queue_unlink (&events->logs, &log->link);
  log->link.data = has_lines ? file : NULL;
  if (has_lines)
    g_queue_push_tail_link (&events->logs, &log->link);
  count_memory (events, log);
}

/* All logs together are too large: those that were written to longest ago lose their lines, but not the last one. */
static void
shrink (KtEvents *events)
{
  while (events->memory_used > events->memory * KT_EVENTS_ALL_TASKS && events->logs.length > 1) {
    KtEventFile *file = events->logs.head->data;
    kt_event_log_lose (file->log->log, kt_clock_monotonic (events->clock));
    move_log (events, file, FALSE);
  }
}

static void
append (KtEvents *events, KtEventFile *file, KtUsec at_wall, const char *line, gsize length)
{
  kt_event_log_set_room (file->log->log, room_of (events, file));
  kt_event_log_append (file->log->log, line, length, kt_clock_monotonic (events->clock));
  file->log->mtime_wall = at_wall;
  if (file->key != NULL)
    move_log (events, file, TRUE);
}

/* The one line that is there without a log; its length. */
static gsize
seen_line (const KtEventFile *file, char *line)
{
  return kt_event_line (line, file->seen_wall, file->key->task_id, "seen", KT_EVENT_NOTHING, file->status);
}

static void
make_log (KtEvents *events, KtEventFile *file)
{
  char line[KT_EVENT_LINE_MAX];

  if (file->log != NULL)
    return;
  file->log = g_new0 (Log, 1);
  file->log->log = kt_event_log_new (room_of (events, file));
  if (file->is_seen)
    append (events, file, file->seen_wall, line, seen_line (file, line));
}

/* A line in the log of FILE, and in that of all. */
static void
emit (KtEvents *events, KtEventFile *file, KtUsec at_wall, const char *what, const char *old_word, const char *new_word)
{
  char line[KT_EVENT_LINE_MAX];
  const gsize length = kt_event_line (line, at_wall, file->key->task_id, what, old_word, new_word);

  make_log (events, file);
  append (events, file, at_wall, line, length);
  append (events, events->all, at_wall, line, length);
  events->n_lines++;
}

/* ---- what is known of a task */

static KtEventFile *
find (KtEvents *events, const KtKey *key)
{
  const KtEventFile probe = { .key = (KtKey *) key };
  return g_hash_table_lookup (events->files, &probe);
}

/* KEY's, made when there is none. */
static KtEventFile *
get (KtEvents *events, KtKey *key)
{
  KtEventFile *file = find (events, key);
  KtKey *known;

  if (file != NULL)
    return file;
  known = kt_catalog_find (events->catalog, key->task_id); /* which is there anyway */
  file = g_new0 (KtEventFile, 1);
  file->refs = 1;
  file->key = kt_key_ref (known != NULL ? known : key);
  file->status = file->result = KT_EVENT_NOTHING;
  file->asked_at = KT_TIME_UNKNOWN;
  g_hash_table_add (events->files, file);
  return file;
}

KtEventFile *
kt_event_file_hold (KtEvents *events, KtKey *key)
{
  KtEventFile *file = key != NULL ? get (events, key) : events->all;

  file->refs++;
  return file;
}

void
kt_event_file_drop (KtEvents *events, KtEventFile *file)
{
  if (--file->refs > 0)
    return;
  kt_watch_look_away (events->watch, file);
  if (file->log != NULL) {
    if (file->key != NULL)
      move_log (events, file, FALSE);
    kt_event_log_free (file->log->log);
  }
  kt_key_unref (file->key);
  g_free (file->log);
  g_free (file->detail);
  g_free (file);
}

static void
see (KtEvents *events, KtEventFile *file, const KtChange *change)
{
  char line[KT_EVENT_LINE_MAX];
  gsize length;

  file->status = intern (events, change->after->status);
  file->result = intern (events, change->after->result);
  file->was_ended = kt_task_is_final (change->after);
  file->is_seen = TRUE;
  file->seen_wall = change->at_wall;
  length = seen_line (file, line);
  if (file->log != NULL)
    append (events, file, change->at_wall, line, length);
  append (events, events->all, change->at_wall, line, length);
  events->n_lines++;
}

static void
compare_word (KtEvents *events, KtEventFile *file, const KtChange *change, const char *what, const char **field,
              const char *text)
{
  const char *word = intern (events, text);

  if (g_str_equal (*field, word))
    return;
  emit (events, file, change->at_wall, what, *field, word);
  *field = word;
}

#define NUMBER_MAX 24

static const char *
number_word (char *buffer, gint64 number)
{
  if (number < 0)
    return KT_EVENT_NOTHING;
  (void) snprintf (buffer, NUMBER_MAX, "%" G_GINT64_FORMAT, number);
  return buffer;
}

static void
compare_number (KtEvents *events, KtEventFile *file, const KtChange *change, const char *what, gint64 before,
                gint64 after)
{
  char old_word[NUMBER_MAX], new_word[NUMBER_MAX];

  if (before != after)
    emit (events, file, change->at_wall, what, number_word (old_word, before), number_word (new_word, after));
}

static const char *
package_word (gboolean has_package)
{
  return has_package ? "present" : "absent";
}

/* Whether what the change says of status and result is newer than what is known: it was asked for later. An end that a
 * detail has is shown from then on, whatever an unended summary says (kt-held.c). */
static gboolean
is_newer (const KtEventFile *file, const KtChange *change)
{
  if (change->after->from_list)
    return change->asked_at > file->asked_at && !(file->is_ended_detail && !kt_task_is_final (change->after));
  return change->asked_at >= file->asked_at || kt_task_is_final (change->after);
}

/* Status and result. SILENT: what is known of the result now was not known before, and so has not changed. */
static void
compare_status (KtEvents *events, KtEventFile *file, const KtChange *change, gboolean silent)
{
  const KtTask *task = change->after;

  if (!is_newer (file, change))
    return;
  compare_word (events, file, change, "status", &file->status, task->status);
  if (silent && g_str_equal (file->result, KT_EVENT_NOTHING))
    file->result = intern (events, task->result);
  else if (!task->from_list || task->result[0] != '\0') /* a summary may lack it */
    compare_word (events, file, change, "result", &file->result, task->result);
  file->asked_at = MAX (file->asked_at, change->asked_at);
  if (!task->from_list)
    file->is_ended_detail = kt_task_is_final (task);
}

/* The first detail of a task says what was not known, and nothing else of what has changed; but when the task has ended
 * since it was seen, its last values have come about since then. */
static gboolean
is_silent (const KtEventFile *file, const KtTask *task)
{
  return file->detail == NULL && (file->was_ended || !kt_task_is_final (task));
}

static void
compare_detail (KtEvents *events, KtEventFile *file, const KtChange *change, gboolean silent)
{
  const KtTask *task = change->after;
  const Detail after = {
    .asked_at = change->asked_at,
    .success_count = task->success_count,
    .fail_count = task->fail_count,
    .progress = task->progress,
    .has_package = task->download_url[0] != '\0',
  };
  const Detail nothing = { .success_count = -1, .fail_count = -1, .progress = -1 };
  const Detail before = file->detail != NULL ? *file->detail : nothing;

  if (file->detail != NULL && after.asked_at < before.asked_at)
    return;
  if (file->detail == NULL)
    file->detail = g_new (Detail, 1);
  *file->detail = after;
  if (silent)
    return;
  compare_number (events, file, change, "progress", before.progress, after.progress);
  compare_number (events, file, change, "success-count", before.success_count, after.success_count);
  compare_number (events, file, change, "fail-count", before.fail_count, after.fail_count);
  if (before.has_package != after.has_package)
    emit (events, file, change->at_wall, "package", package_word (before.has_package),
          package_word (after.has_package));
}

/* ERROR is an errno's name, NULL: asking went well. */
static void
note_error (KtEvents *events, KtEventFile *file, const KtChange *change, const char *error)
{
  const char *before = file->log != NULL ? file->log->error : NULL;

  if (g_strcmp0 (before, error) == 0)
    return;
  emit (events, file, change->at_wall, "error", before != NULL ? before : KT_EVENT_NOTHING,
        error != NULL ? error : KT_EVENT_NOTHING);
  file->log->error = error;
}

/* A response about the task of the change. It may come when the task is gone. */
static KtEventFile *
on_response (KtEvents *events, const KtChange *change)
{
  const KtTask *task = change->after;
  KtEventFile *file;
  gboolean is_first, silent;

  if (kt_catalog_find (events->catalog, change->key->task_id) == NULL)
    return NULL;
  file = get (events, change->key);
  is_first = !file->is_seen;
  silent = is_first || (!task->from_list && is_silent (file, task));
  if (!task->from_list)
    note_error (events, file, change, NULL);
  if (is_first)
    see (events, file, change);
  compare_status (events, file, change, silent);
  if (!task->from_list)
    compare_detail (events, file, change, silent);
  return file;
}

/* The task could not be asked for. Of one that is not known nobody wants to know that. */
static KtEventFile *
on_failure (KtEvents *events, const KtChange *change)
{
  KtEventFile *file;

  if (g_error_matches (change->error, KT_ERROR, KT_ERROR_STOPPED)
      || kt_catalog_find (events->catalog, change->key->task_id) == NULL)
    return NULL;
  file = get (events, change->key);
  note_error (events, file, change, kt_errno_name (kt_error_to_errno (change->error)));
  return file;
}

/* The catalog does not have the key any more. */
static KtEventFile *
on_gone (KtEvents *events, const KtChange *change)
{
  KtEventFile *file = find (events, change->key);
  KtKey *key = kt_catalog_find (events->catalog, change->key->task_id);

  if (file == NULL)
    return NULL;
  kt_watch_look_away (events->watch, file); /* who looks on does so with the key there is then */
  if (key != NULL) {                        /* it is asked for in another way from now on */
    kt_key_ref (key);
    kt_key_unref (file->key);
    file->key = key;
    return NULL;
  }
  if (file->is_seen || file->log != NULL)
    emit (events, file, change->at_wall, "gone", file->status, KT_EVENT_NOTHING);
  file->is_gone = TRUE;
  return file;
}

static KtEventFile *
on_change (KtEvents *events, const KtChange *change)
{
  switch (change->kind) {
  case KT_CHANGE_FETCHED: return change->error != NULL ? on_failure (events, change) : on_response (events, change);
  case KT_CHANGE_LISTED: return on_response (events, change);
  case KT_CHANGE_GONE: return on_gone (events, change);
  case KT_CHANGE_EVICTED:
  case KT_CHANGE_OUTDATED:
  case KT_CHANGE_PACKAGE: break;
  }
  return NULL;
}

static void
on_changes (const KtChange *changes, guint n, gpointer data)
{
  KtEvents *events = data;
  const guint64 before = events->n_lines;

  for (guint i = 0; i < n; i++) {
    const guint64 n_lines = events->n_lines;
    KtEventFile *file = on_change (events, &changes[i]);
    if (events->n_lines != n_lines && events->appended != NULL)
      events->appended (file->key, events->appended_data);
    if (file != NULL && file->is_gone && g_hash_table_remove (events->files, file))
      kt_event_file_drop (events, file);
  }
  shrink (events);
  if (events->n_lines != before && events->appended != NULL)
    events->appended (NULL, events->appended_data);
}

/* ---- what is read */

guint64
kt_event_file_size (const KtEventFile *file)
{
  char line[KT_EVENT_LINE_MAX];

  if (file->log != NULL)
    return kt_event_log_size (file->log->log);
  return file->is_seen ? seen_line (file, line) : 0;
}

guint64
kt_event_file_start (const KtEventFile *file)
{
  return file->log != NULL ? kt_event_log_start (file->log->log) : 0;
}

guint64
kt_event_file_base (KtEventFile *file)
{
  const guint64 start = kt_event_file_start (file);

  if (file->log == NULL)
    return 0;
  if (start - file->log->base >= KT_EVENTS_LOST_MAX)
    file->log->base = start;
  return file->log->base;
}

KtUsec
kt_event_file_mtime (const KtEventFile *file)
{
  return file->log != NULL ? file->log->mtime_wall : file->seen_wall;
}

GBytes *
kt_event_file_read (KtEvents *events, KtEventFile *file, guint64 offset, gsize size)
{
  char line[KT_EVENT_LINE_MAX];
  gsize length;

  if (file->log != NULL)
    return kt_event_log_read (file->log->log, offset, size, kt_clock_monotonic (events->clock));
  length = file->is_seen ? seen_line (file, line) : 0;
  return offset < length ? g_bytes_new (line + offset, MIN (size, length - (gsize) offset)) : g_bytes_new (NULL, 0);
}

void
kt_event_file_look (KtEvents *events, KtEventFile *file)
{
  if (!file->is_gone)
    kt_watch_look (events->watch, file, file->key);
}

guint64
kt_events_memory (const KtEvents *events)
{
  return events->memory_used;
}

/* ---- construction and end */

void
kt_events_set_appended (KtEvents *events, KtEventsAppended appended, gpointer data)
{
  events->appended = appended;
  events->appended_data = data;
}

void
kt_events_set_memory (KtEvents *events, guint64 memory)
{
  events->memory = memory;
  shrink (events);
}

KtEvents *
kt_events_new (KtClock *clock, KtChanges *changes, KtCatalog *catalog, KtWatch *watch, guint64 memory)
{
  KtEvents *events = g_new0 (KtEvents, 1);

  events->clock = clock;
  events->changes = changes;
  events->catalog = catalog;
  events->watch = watch;
  events->memory = memory;
  events->files = g_hash_table_new (file_hash, file_equal);
  events->words = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_queue_init (&events->logs);
  events->all = g_new0 (KtEventFile, 1);
  events->all->refs = 1;
  make_log (events, events->all);
  events->listener = kt_changes_listen (changes, on_changes, events);
  return events;
}

void
kt_events_free (KtEvents *events)
{
  GHashTableIter iter;
  gpointer file;

  if (events == NULL)
    return;
  kt_changes_unlisten (events->changes, &events->listener);
  g_hash_table_iter_init (&iter, events->files);
  while (g_hash_table_iter_next (&iter, &file, NULL))
    kt_event_file_drop (events, file);
  g_hash_table_unref (events->files);
  kt_event_file_drop (events, events->all);
  g_hash_table_unref (events->words);
  g_free (events);
}
