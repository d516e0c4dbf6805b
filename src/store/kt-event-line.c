/* SPDX-License-Identifier: MIT */
/* The lines of event logs, and the words in them. */
#include "kt-event-line.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* Whether the character C, of N bytes at TEXT, may stand in a word. */
static gboolean
is_plain (const char *text, gunichar c, gsize n)
{
  return n > 1 ? !g_unichar_isspace (c) && !g_unichar_iscntrl (c) : *text > ' ' && *text != 0x7f && *text != '%';
}

char *
kt_event_word (const char *text)
{
  GString *word = g_string_new (NULL);

  for (gsize left = strlen (text), n; left > 0; text += n, left -= n) {
    const gunichar c = g_utf8_get_char_validated (text, (gssize) left);
    const gsize before = word->len;
    const gboolean is_character = c != (gunichar) -1 && c != (gunichar) -2;
    n = is_character ? (gsize) g_unichar_to_utf8 (c, NULL) : 1;
    if (is_character && is_plain (text, c, n))
      g_string_append_len (word, text, (gssize) n);
    else
      for (gsize i = 0; i < n; i++)
        g_string_append_printf (word, "%%%02X", (guchar) text[i]);
    if (word->len > KT_EVENT_WORD_MAX) {
      g_string_truncate (word, before);
      break;
    }
  }
  if (word->len == 0)
    g_string_assign (word, KT_EVENT_NOTHING);
  else if (g_str_equal (word->str, KT_EVENT_NOTHING))
    g_string_assign (word, "%2D");
  return g_string_free (word, FALSE);
}

gsize
kt_event_line (char *line, KtUsec at_wall, const char *id, const char *what, const char *old_word, const char *new_word)
{
  const KtUsec part = at_wall % KT_SECOND;
  const KtUsec fraction = part < 0 ? part + KT_SECOND : part;
  const time_t seconds = (time_t) ((at_wall - fraction) / KT_SECOND);
  struct tm tm;
  int length;

  gmtime_r (&seconds, &tm);
  length = snprintf (line, KT_EVENT_LINE_MAX, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ %s %s %s -> %s\n", tm.tm_year + 1900,
                     tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int) (fraction / KT_MS), id, what,
                     old_word, new_word);
  g_assert (length > 0 && length < KT_EVENT_LINE_MAX); /* by the limits of ids and words */
  return (gsize) length;
}
