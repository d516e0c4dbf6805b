/* SPDX-License-Identifier: MIT */
/* A log that only grows, of which the last lines are kept, and whose offsets stay valid. */
#include "kt-event-log.h"

#include "base/kt-clock.h"

#include <string.h>

#define TIME_MAX 40 /* bytes of a line's time that are repeated */
#define LOST_MAX 80 /* bytes of the line that says how many lines were lost */

/* Where a READ ended that may be followed by another. */
typedef struct {
  guint64 at;
  KtUsec read_at; /* monotonic; KT_TIME_UNKNOWN: there is none */
  guint64 from;   /* where LINE stands */
  char *line;     /* the line that it ended in, once that is lost; NULL: it is not, or it ended between two */
} Mark;

struct KtEventLog {
  gsize room;
  GString *text;         /* the lines kept */
  guint64 start;         /* offset of TEXT */
  guint64 n_lost;        /* lines */
  char *said;            /* the line that says so, behind a line break; NULL: nothing was lost */
  gsize said_size;       /* of SAID */
  KtUsec oldest_read_at; /* when the lines that are lost next were last READ; KT_TIME_UNKNOWN: not yet */
  Mark *marks;           /* KT_EVENT_LOG_READERS, NULL while no READ has ended in a line: most logs are short */
};

KtEventLog *
kt_event_log_new (gsize room)
{
  KtEventLog *log = g_new0 (KtEventLog, 1);

  log->text = g_string_new (NULL);
  log->oldest_read_at = KT_TIME_UNKNOWN;
  kt_event_log_set_room (log, room);
  return log;
}

static guint
n_marks (const KtEventLog *log)
{
  return log->marks != NULL ? KT_EVENT_LOG_READERS : 0;
}

void
kt_event_log_free (KtEventLog *log)
{
  if (log == NULL)
    return;
  for (guint i = 0; i < n_marks (log); i++)
    g_free (log->marks[i].line);
  g_free (log->marks);
  g_free (log->said);
  g_string_free (log->text, TRUE);
  g_free (log);
}

void
kt_event_log_set_room (KtEventLog *log, gsize room)
{
  log->room = MAX (room, KT_EVENT_LOG_ROOM_MIN);
}

guint64
kt_event_log_size (const KtEventLog *log)
{
  return log->start + log->text->len;
}

guint64
kt_event_log_start (const KtEventLog *log)
{
  return log->start;
}

gsize
kt_event_log_memory (const KtEventLog *log)
{
  return log->text->allocated_len;
}

/* Where the line that says how many were lost begins. */
static guint64
said_from (const KtEventLog *log)
{
  return log->start - log->said_size;
}

/* Position behind the line that has the byte at POSITION; both are of TEXT. */
static gsize
line_end (const KtEventLog *log, gsize position)
{
  const char *text = log->text->str;
  const char *end = memchr (text + position, '\n', log->text->len - position);
  return end != NULL ? (gsize) (end - text) + 1 : log->text->len;
}

static gsize
line_begin (const KtEventLog *log, gsize position)
{
  while (position > 0 && log->text->str[position - 1] != '\n')
    position--;
  return position;
}

/* Whether somebody may come back for the rest of the line that MARK is in. */
static gboolean
is_awaited (const Mark *mark, KtUsec now)
{
  return mark->read_at != KT_TIME_UNKNOWN && now < mark->read_at + KT_EVENT_LOG_LINGER;
}

/* The line of the first END bytes of TEXT that MARK is in, and that has to stay; FALSE when there is none. */
static gboolean
find_awaited (const KtEventLog *log, const Mark *mark, gsize end, KtUsec now, gsize *from, gsize *to)
{
  gsize position;

  if (!is_awaited (mark, now) || mark->at <= log->start || mark->at >= log->start + end)
    return FALSE;
  position = (gsize) (mark->at - log->start);
  *from = line_begin (log, position);
  *to = line_end (log, position);
  return *from < position;
}

/* Whether a line that has to stay stands where, without the first END bytes, the next one would that says how many were
 * lost. */
static gboolean
is_taken (const KtEventLog *log, gsize end, KtUsec now)
{
  gsize from, to;

  for (guint i = 0; i < n_marks (log); i++)
    if (find_awaited (log, &log->marks[i], end, now, &from, &to) && to + LOST_MAX > end)
      return TRUE;
  return FALSE;
}

/* The first END bytes of TEXT go, but for the lines that somebody has the first half of. */
static void
keep_awaited (KtEventLog *log, gsize end, KtUsec now)
{
  gsize from, to;

  for (guint i = 0; i < n_marks (log); i++) {
    Mark *mark = &log->marks[i];
    if (find_awaited (log, mark, end, now, &from, &to)) {
      mark->from = log->start + from;
      mark->line = g_strndup (log->text->str + from, to - from);
    } else if (is_awaited (mark, now) && mark->line == NULL && mark->at > said_from (log) && mark->at < log->start) {
      mark->from = said_from (log);
      mark->line = g_strdup (log->said);
    }
  }
}

static guint64
count_lines (const char *text, gsize size)
{
  guint64 n = 0;

  for (const char *p = text; (p = memchr (p, '\n', size - (gsize) (p - text))) != NULL; p++)
    n++;
  return n;
}

/* Loses whole lines of at least SIZE bytes, all of them when there are no more. */
static void
lose (KtEventLog *log, gsize size, KtUsec now)
{
  gsize end = MIN (size, log->text->len);
  const char *last;

  if (end == 0)
    return;
  end = line_end (log, end - 1);
  while (end < log->text->len && is_taken (log, end, now))
    end = line_end (log, end);
  keep_awaited (log, end, now);
  log->n_lost += count_lines (log->text->str, end);
  last = log->text->str + line_begin (log, end - 1);
  g_free (log->said);
  log->said = g_strdup_printf ("\n%.*s - lost %" G_GUINT64_FORMAT " -> -\n",
                               (int) MIN (strcspn (last, " \n"), TIME_MAX), last, log->n_lost);
  log->said_size = strlen (log->said);
  log->start += end;
  log->oldest_read_at = KT_TIME_UNKNOWN;
  g_string_erase (log->text, 0, (gssize) end);
}

static gsize
chunk (const KtEventLog *log)
{
  return MAX (log->room / 16, KT_EVENT_LOG_CHUNK);
}

void
kt_event_log_append (KtEventLog *log, const char *line, gsize length, KtUsec now)
{
  const gboolean is_read = log->oldest_read_at != KT_TIME_UNKNOWN && now < log->oldest_read_at + KT_EVENT_LOG_PAUSE;
  const gsize soft = is_read ? log->room : log->room - log->room / 4;

  g_assert (length > 0 && length <= KT_EVENT_LINE_MAX && line[length - 1] == '\n');
  while (log->text->len > 0 && log->text->len + length >= soft)
    lose (log, chunk (log), now);
  g_string_append_len (log->text, line, (gssize) length);
}

void
kt_event_log_lose (KtEventLog *log, KtUsec now)
{
  lose (log, log->text->len, now);
  g_string_free (log->text, TRUE);
  log->text = g_string_new (NULL);
}

/* The mark of AT: the one there is, or a new one, for which the one longest ago is forgotten. */
static Mark *
mark_of (KtEventLog *log, guint64 at, KtUsec now)
{
  Mark *oldest;

  if (log->marks == NULL) {
    log->marks = g_new0 (Mark, KT_EVENT_LOG_READERS);
    for (guint i = 0; i < KT_EVENT_LOG_READERS; i++)
      log->marks[i].read_at = KT_TIME_UNKNOWN;
  }
  oldest = &log->marks[0];
  for (guint i = 0; i < KT_EVENT_LOG_READERS; i++) {
    Mark *mark = &log->marks[i];
    if (mark->at == at && is_awaited (mark, now))
      return mark;
    if (mark->read_at < oldest->read_at)
      oldest = mark;
  }
  g_free (oldest->line);
  *oldest = (Mark){ .at = at };
  return oldest;
}

/* The line that stayed where one was lost, and has the byte at AT. */
static const Mark *
stayed_at (const KtEventLog *log, guint64 at, KtUsec now)
{
  for (guint i = 0; i < n_marks (log); i++) {
    const Mark *mark = &log->marks[i];
    if (mark->line != NULL && is_awaited (mark, now) && at > mark->from && at < mark->from + strlen (mark->line))
      return mark;
  }
  return NULL;
}

/* A READ has ended at AT, maybe in the middle of a line. */
static void
note_end (KtEventLog *log, guint64 at, KtUsec now)
{
  const Mark *stayed = at < said_from (log) ? stayed_at (log, at, now) : NULL;
  const guint64 from = stayed != NULL ? stayed->from : 0;
  g_autofree char *line = stayed != NULL ? g_strdup (stayed->line) : NULL;
  Mark *mark;

  if (line == NULL && (at <= said_from (log) || at >= kt_event_log_size (log)))
    return; /* among blanks, or at the end: between two lines */
  mark = mark_of (log, at, now);
  mark->read_at = now;
  if (mark->line == NULL && line != NULL) {
    mark->from = from;
    mark->line = g_steal_pointer (&line);
  }
}

/* Copies what of SOURCE, which stands at FROM, lies between OFFSET and OFFSET + SIZE, to TARGET, which is of OFFSET. */
static void
overlay (char *target, guint64 offset, gsize size, const char *source, guint64 from, gsize length)
{
  const guint64 begin = MAX (offset, from);
  const guint64 end = MIN (offset + size, from + length);

  if (begin < end)
    memcpy (target + (begin - offset), source + (begin - from), (gsize) (end - begin));
}

GBytes *
kt_event_log_read (KtEventLog *log, guint64 offset, gsize size, KtUsec now)
{
  const guint64 whole = kt_event_log_size (log);
  gsize length = offset < whole ? (gsize) MIN (size, whole - offset) : 0;
  char *bytes = g_malloc (MAX (length, 1));

  if (offset < log->start) {
    memset (bytes, ' ', length);
    for (guint64 i = offset - offset % KT_EVENT_LOG_BLANKS + KT_EVENT_LOG_BLANKS - 1;
         i < MIN (offset + length, log->start); i += KT_EVENT_LOG_BLANKS)
      bytes[i - offset] = '\n';
    for (guint i = 0; i < n_marks (log); i++)
      if (log->marks[i].line != NULL && is_awaited (&log->marks[i], now))
        overlay (bytes, offset, length, log->marks[i].line, log->marks[i].from, strlen (log->marks[i].line));
    if (log->said != NULL)
      overlay (bytes, offset, length, log->said, said_from (log), log->said_size);
  }
  overlay (bytes, offset, length, log->text->str, log->start, log->text->len);
  if (length > 0)
    note_end (log, offset + length, now);
  if (offset < log->start + chunk (log) && offset + length > log->start)
    log->oldest_read_at = now;
  return g_bytes_new_take (bytes, length);
}
