/* SPDX-License-Identifier: MIT */
/* Text in columns of a terminal. */
#include "kt-columns.h"

#include "kt-names.h"

#include <string.h>

static guint
width_of (gunichar c)
{
  if (g_unichar_ismark (c))
    return 0;
  return g_unichar_iswide (c) ? 2 : 1;
}

/* Most texts are this. */
static gboolean
is_plain (const char *text, gsize length)
{
  for (gsize i = 0; i < length; i++)
    if (text[i] < ' ' || text[i] > '~')
      return FALSE;
  return TRUE;
}

/* The same of characters that print and take columns of their own, or those of the one before. (transfer full) */
static char *
make_printable (const char *text)
{
  g_autofree char *made_valid = kt_utf8_make_valid (text, strlen (text));
  GString *out = g_string_new (NULL);

  for (const char *p = made_valid != NULL ? made_valid : text; *p != '\0'; p = g_utf8_next_char (p)) {
    const gunichar c = g_utf8_get_char (p);
    if (g_unichar_isprint (c) && c != 0xFFFD && g_unichar_type (c) != G_UNICODE_LINE_SEPARATOR
        && g_unichar_type (c) != G_UNICODE_PARAGRAPH_SEPARATOR && g_unichar_type (c) != G_UNICODE_PRIVATE_USE)
      g_string_append_unichar (out, c);
    else
      g_string_append_c (out, '?');
  }
  return g_string_free (out, FALSE);
}

guint
kt_columns_append (GString *out, const char *text, guint columns)
{
  const gsize length = strlen (text);
  g_autofree char *printable = NULL;
  const char *p, *cut = NULL; /* CUT: where to cut, should it not fit */
  guint used = 0, used_at_cut = 0;

  if (length <= columns && is_plain (text, length)) {
    g_string_append_len (out, text, (gssize) length);
    return (guint) length;
  }
  p = printable = make_printable (text);
  for (; *p != '\0'; p = g_utf8_next_char (p)) {
    const guint width = width_of (g_utf8_get_char (p));
    if (cut == NULL && width > 0 && used + width > columns - 1) {
      cut = p;
      used_at_cut = used;
    }
    if (used + width > columns)
      break;
    used += width;
  }
  if (*p == '\0') {
    g_string_append (out, printable);
    return used;
  }
  g_string_append_len (out, printable, cut - printable);
  g_string_append_c (out, KT_COLUMNS_CUT);
  return used_at_cut + 1;
}

void
kt_columns_append_cell (GString *out, const char *text, gint columns)
{
  const guint width = (guint) ABS (columns);
  const gsize start = out->len;
  const guint used = kt_columns_append (out, text, width);

  for (guint i = used; i < width; i++)
    g_string_insert_c (out, columns < 0 ? (gssize) start : -1, ' ');
}
