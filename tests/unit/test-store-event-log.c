/* SPDX-License-Identifier: MIT */
/* Lines of event logs, and logs that keep the last of them. */
#include "kt-test.h"

#include "base/kt-units.h"
#include "store/kt-event-log.h"

#include <string.h>

#define ROOM KT_EVENT_LOG_ROOM_MIN

static void
assert_word (const char *text, const char *expected)
{
  kt_assert_text (kt_event_word (text), expected);
}

/* "Blanks, control characters and `%` in a word are written as `%XX`, and a longer word is cut at 128 bytes". */
static void
test_word (void)
{
  g_autofree char *many = g_strnfill (10000, 'x');
  g_autofree char *wide = g_strdup_printf ("%.*s\xc3\xa9", KT_EVENT_WORD_MAX - 1, many);

  assert_word ("running", "running");
  assert_word ("", "-");
  assert_word ("-", "%2D");
  assert_word ("--", "--");
  assert_word ("a b\tc\nd\re", "a%20b%09c%0Ad%0De");
  assert_word ("100%", "100%25");
  assert_word ("\xc3\xa9\xe4\xb8\xad", "\xc3\xa9\xe4\xb8\xad");
  assert_word ("a\xc2\xa0"
               "b\xe3\x80\x80"
               "c\xc2\x85",
               "a%C2%A0b%E3%80%80c%C2%85");
  assert_word ("\xff\x7f\xc0\x80", "%FF%7F%C0%80");
  many[KT_EVENT_WORD_MAX + 1] = '\0';
  g_assert_cmpuint (strlen (many), ==, KT_EVENT_WORD_MAX + 1);
  {
    g_autofree char *word = kt_event_word (many);
    g_assert_cmpuint (strlen (word), ==, KT_EVENT_WORD_MAX);
  }
  {
    g_autofree char *word = kt_event_word (wide); /* not in the middle of a character */
    g_assert_cmpuint (strlen (word), ==, KT_EVENT_WORD_MAX - 1);
  }
}

static void
test_line (void)
{
  char line[KT_EVENT_LINE_MAX];
  gsize length = kt_event_line (line, 1795842000123456, "1521827471237047552", "status", "running", "completed");

  g_assert_cmpstr (line, ==, "2026-11-28T05:00:00.123Z 1521827471237047552 status running -> completed\n");
  g_assert_cmpuint (length, ==, strlen (line));
  kt_event_line (line, -1, "7", "gone", "-", "-");
  g_assert_cmpstr (line, ==, "1969-12-31T23:59:59.999Z 7 gone - -> -\n");
  {
    g_autofree char *id = g_strnfill (64, 'i');
    g_autofree char *word = g_strnfill (KT_EVENT_WORD_MAX, 'w');
    g_assert_cmpuint (kt_event_line (line, KT_TIME_NEVER / 100, id, "success-count", word, word), <, KT_EVENT_LINE_MAX);
  }
}

/* Line number N, at second N. */
static char *
line_of (guint n)
{
  char line[KT_EVENT_LINE_MAX];
  g_autofree char *number = g_strdup_printf ("%u", n);

  kt_event_line (line, n * KT_SECOND, "7", "progress", "-", number);
  return g_strdup (line);
}

static void
append (KtEventLog *log, guint n, KtUsec now)
{
  g_autofree char *line = line_of (n);
  kt_event_log_append (log, line, strlen (line), now);
}

static char *
read_text (KtEventLog *log, guint64 offset, gsize size, KtUsec now)
{
  g_autoptr (GBytes) bytes = kt_event_log_read (log, offset, size, now);
  gsize length;
  const char *data = g_bytes_get_data (bytes, &length);

  return g_strndup (data != NULL ? data : "", length);
}

static void
test_grows (void)
{
  g_autoptr (KtEventLog) log = kt_event_log_new (ROOM);
  g_autofree char *first = line_of (1);
  g_autofree char *both = NULL;

  kt_assert_text (read_text (log, 0, 4096, 0), "");
  append (log, 1, 0);
  g_assert_cmpuint (kt_event_log_size (log), ==, strlen (first));
  append (log, 2, 0);
  both = read_text (log, 0, 4096, 0);
  g_assert_true (g_str_has_prefix (both, first));
  g_assert_cmpuint (kt_event_log_size (log), ==, strlen (both));
  kt_assert_text (read_text (log, strlen (first), 4, 0), "1970");
  kt_assert_text (read_text (log, strlen (both), 10, 0), "");
  kt_assert_text (read_text (log, 1000000, 10, 0), "");
  g_assert_cmpuint (kt_event_log_start (log), ==, 0);
}

/* What an offset leads to in a log that has everything. */
typedef struct {
  GString *all; /* the lines that were appended */
  KtEventLog *log;
  guint n;
} Both;

static void
append_both (Both *both, KtUsec now)
{
  g_autofree char *line = line_of (++both->n);

  g_string_append (both->all, line);
  kt_event_log_append (both->log, line, strlen (line), now);
  g_assert_cmpuint (kt_event_log_size (both->log), ==, both->all->len);
}

/* "Offsets stay valid: what was lost reads as blanks", and "Right before the oldest line that is kept stands `TIME -
 * lost N -> -`, with the time of the last of the N lines lost so far". */
static void
test_ring (void)
{
  g_autoptr (KtEventLog) log = kt_event_log_new (ROOM);
  g_autoptr (GString) all = g_string_new (NULL);
  Both both = { all, log, 0 };
  guint64 start_before = 0;
  guint losses = 0;
  KtUsec now = 0;

  while (both.n < 5000) {
    guint64 start;
    append_both (&both, now);
    start = kt_event_log_start (log);
    g_assert_cmpuint (kt_event_log_memory (log), <=, ROOM);
    if (start == start_before)
      continue;
    losses++;
    g_assert_cmpuint (start - start_before, >=, KT_EVENT_LOG_CHUNK);
    g_assert_true (all->str[start - 1] == '\n');
    start_before = start;
    now += KT_EVENT_LOG_LINGER; /* whoever has read before has gone */
    {
      /* lost: all before the first line kept, whose number that is plus one; the time is that of the last of them */
      const guint lost = (guint) g_ascii_strtoull (strstr (all->str + start, "-> ") + 3, NULL, 10) - 1;
      g_autofree char *last = line_of (lost);
      g_autofree char *said = g_strdup_printf ("\n%.24s - lost %u -> -\n", last, lost);
      g_autofree char *text = read_text (log, 0, all->len, now);
      const gsize blanks = start - strlen (said);
      g_assert_cmpuint (strspn (text, " "), ==, blanks);
      g_assert_true (g_str_has_prefix (text + blanks, said));
      g_assert_cmpstr (text + start, ==, all->str + start);
      for (gsize offset = 0; offset < all->len; offset += 4096) { /* whichever way it is cut */
        g_autofree char *part = read_text (log, offset, 4096, now);
        g_assert_cmpuint (strlen (part), ==, MIN (4096, all->len - offset));
        g_assert_cmpint (memcmp (part, text + offset, strlen (part)), ==, 0);
      }
    }
  }
  g_assert_cmpuint (losses, >, 10);
}

/* "No line of blanks is longer than 1 MiB". */
static void
test_blanks (void)
{
  g_autoptr (KtEventLog) log = kt_event_log_new (ROOM);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  for (guint n = 0; kt_event_log_start (log) < 3 * KT_EVENT_LOG_BLANKS; n++)
    append (log, n, 0);
  text = read_text (log, 0, G_MAXSIZE, 0);
  lines = g_strsplit (text, "\n", 5);
  for (guint i = 0; i < 3; i++) {
    g_assert_cmpuint (strlen (lines[i]), ==, KT_EVENT_LOG_BLANKS - 1);
    g_assert_cmpuint (strspn (lines[i], " "), ==, KT_EVENT_LOG_BLANKS - 1);
  }
  g_assert_cmpuint (strspn (lines[3], " "), ==, strlen (lines[3]));
  g_assert_nonnull (strstr (lines[4], " lost "));
}

static void
test_room (void)
{
  g_autoptr (KtEventLog) log = kt_event_log_new (4 * ROOM);
  guint64 start;

  for (guint n = 0; kt_event_log_start (log) == 0; n++)
    append (log, n, 0);
  start = kt_event_log_start (log);
  kt_event_log_set_room (log, 1); /* less than the least */
  g_assert_cmpuint (kt_event_log_start (log), ==, start);
  append (log, 0, 0);
  g_assert_cmpuint (kt_event_log_size (log) - kt_event_log_start (log), <, ROOM);
  g_assert_cmpuint (kt_event_log_size (log) - kt_event_log_start (log), >, ROOM / 4);
}

static void
test_lose (void)
{
  g_autoptr (KtEventLog) log = kt_event_log_new (ROOM);
  g_autofree char *text = NULL;
  guint64 size;

  kt_event_log_lose (log, 0); /* nothing */
  g_assert_cmpuint (kt_event_log_size (log), ==, 0);
  append (log, 1, 0);
  size = kt_event_log_size (log);
  kt_event_log_lose (log, 0);
  g_assert_cmpuint (kt_event_log_size (log), ==, size);
  text = read_text (log, 0, 4096, 0);
  g_assert_cmpstr (g_strchug (text), ==, "1970-01-01T00:00:01.000Z - lost 1 -> -\n");
  append (log, 2, 0);
  g_assert_cmpuint (kt_event_log_start (log), ==, size);
}

/* Oldest lines that somebody is reading are lost last. */
static void
test_pause (void)
{
  g_autoptr (KtEventLog) log = kt_event_log_new (ROOM);
  g_autoptr (GString) all = g_string_new (NULL);
  Both both = { all, log, 0 };
  KtUsec now = 100 * KT_SECOND;

  while (all->len + 100 < ROOM - ROOM / 4)
    append_both (&both, now);
  g_free (read_text (log, 0, 1000, now));
  while (all->len + 100 < ROOM)
    append_both (&both, now + KT_EVENT_LOG_PAUSE - 1);
  g_assert_cmpuint (kt_event_log_start (log), ==, 0);
  append_both (&both, now + KT_EVENT_LOG_PAUSE); /* who was it */
  g_assert_cmpuint (kt_event_log_start (log), >, 0);
}

/* Every line of TEXT is six words, maybe behind blanks. */
static void
assert_whole_lines (const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  for (char **line = lines; *line != NULL; line++) {
    g_auto (GStrv) words = g_strsplit (g_strstrip (*line), " ", -1);
    if (g_strv_length (words) == 0 || (words[0][0] == '\0' && words[1] == NULL))
      continue;
    if (g_strv_length (words) != 6 || strlen (words[0]) != 24 || !g_str_equal (words[4], "->"))
      g_error ("torn: %s", *line);
  }
}

typedef struct {
  gsize size;     /* of a READ */
  guint appended; /* lines between two */
  guint readers;
  KtUsec step; /* between two READs */
} Lag;

/* "A reader that has fallen behind gets whole lines, but for the one that it stopped in if that one was lost": a READ
 * never stops in one that is lost, whatever is lost between two of them. */
static void
test_lagging (gconstpointer data)
{
  const Lag *lag = data;
  g_autoptr (KtEventLog) log = kt_event_log_new (ROOM);
  g_autoptr (GString) all = g_string_new (NULL);
  Both both = { all, log, 0 };
  GString *read[KT_EVENT_LOG_READERS];
  KtUsec now = 0;
  guint lost = 0;

  for (guint i = 0; i < lag->readers; i++)
    read[i] = g_string_new (NULL);
  for (guint turn = 0; turn < 1000; turn++) {
    const guint64 start = kt_event_log_start (log);
    for (guint i = 0; i < lag->appended; i++)
      append_both (&both, now);
    lost += kt_event_log_start (log) != start;
    for (guint i = 0; i < lag->readers; i++) {
      g_autofree char *part = read_text (log, read[i]->len, lag->size + i * 8, now);
      g_string_append (read[i], part);
    }
    now += lag->step;
  }
  g_assert_cmpuint (lost, >, 5);
  for (guint i = 0; i < lag->readers; i++) {
    g_autofree char *rest = NULL;
    while ((rest = read_text (log, read[i]->len, lag->size, now))[0] != '\0') {
      g_string_append (read[i], rest);
      g_clear_pointer (&rest, g_free);
    }
    g_assert_cmpuint (read[i]->len, ==, all->len);
    assert_whole_lines (read[i]->str);
    g_string_free (read[i], TRUE);
  }
}

/* The line that a READ ended in stays, wherever the next one stands that says how many were lost. */
static void
test_stays (void)
{
  for (gsize end = 1; end < KT_EVENT_LOG_CHUNK + 200; end += 7) {
    g_autoptr (KtEventLog) log = kt_event_log_new (ROOM);
    g_autoptr (GString) all = g_string_new (NULL);
    Both both = { all, log, 0 };
    g_autofree char *first = NULL, *rest = NULL;
    gsize length;
    while (all->len < ROOM / 2)
      append_both (&both, 0);
    first = read_text (log, 0, end, 0);
    length = (gsize) (strchr (all->str + end - 1, '\n') - (all->str + end - 1));
    while (kt_event_log_start (log) == 0)
      append_both (&both, KT_EVENT_LOG_PAUSE);
    rest = read_text (log, end, length, KT_EVENT_LOG_PAUSE);
    g_assert_cmpint (memcmp (rest, all->str + end, length), ==, 0);
  }
}

/* A line that stays is no longer there once nobody can come for it. */
static void
test_linger (void)
{
  g_autoptr (KtEventLog) log = kt_event_log_new (ROOM);
  g_autoptr (GString) all = g_string_new (NULL);
  Both both = { all, log, 0 };
  g_autofree char *second = line_of (2);
  g_autofree char *text = NULL;
  const KtUsec now = 7 * KT_SECOND;

  while (all->len < 1000)
    append_both (&both, now);
  g_free (read_text (log, 0, strlen (second) * 3 / 2, now));
  while (kt_event_log_start (log) == 0)
    append_both (&both, now + KT_EVENT_LOG_PAUSE);
  text = read_text (log, 0, 200, now + KT_EVENT_LOG_LINGER - 1);
  g_assert_true (g_str_has_prefix (g_strchug (text), second));
  g_free (text);
  text = read_text (log, 0, 200, now + KT_EVENT_LOG_LINGER);
  g_assert_cmpuint (strspn (text, " "), ==, 200);
}

int
main (int argc, char **argv)
{
  static const Lag page = { 4096, 100, 1, KT_MS }, small = { 100, 3, 1, KT_MS }, odd = { 777, 20, 3, KT_SECOND },
                   many = { 64, 3, KT_EVENT_LOG_READERS, KT_MS }, slow = { 128, 50, 2, 5 * KT_SECOND };

  kt_test_init (&argc, &argv);
  g_test_add_func ("/event-log/word", test_word);
  g_test_add_func ("/event-log/line", test_line);
  g_test_add_func ("/event-log/grows", test_grows);
  g_test_add_func ("/event-log/ring", test_ring);
  g_test_add_func ("/event-log/blanks", test_blanks);
  g_test_add_func ("/event-log/room", test_room);
  g_test_add_func ("/event-log/lose", test_lose);
  g_test_add_func ("/event-log/pause", test_pause);
  g_test_add_data_func ("/event-log/lagging/page", &page, test_lagging);
  g_test_add_data_func ("/event-log/lagging/small", &small, test_lagging);
  g_test_add_data_func ("/event-log/lagging/odd", &odd, test_lagging);
  g_test_add_data_func ("/event-log/lagging/many", &many, test_lagging);
  g_test_add_data_func ("/event-log/lagging/slow", &slow, test_lagging);
  g_test_add_func ("/event-log/linger", test_linger);
  g_test_add_func ("/event-log/stays", test_stays);
  return g_test_run ();
}
