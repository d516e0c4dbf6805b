/* SPDX-License-Identifier: MIT */
/* Checks ids, and encodes the service's strings as names, lines and JSON. */
#include "kt-names.h"

#include <string.h>

#define ID_MAX      64
#define HASH_DIGITS 16
#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

gboolean
kt_id_is_valid (const char *name)
{
  gsize length = strspn (name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-");
  return length >= 1 && length <= ID_MAX && name[length] == '\0';
}

gboolean
kt_is_printable (const char *text)
{
  while (g_ascii_isprint (*text))
    text++;
  return *text == '\0';
}

const char *
kt_skip_bom (const char *text)
{
  return g_str_has_prefix (text, "\xef\xbb\xbf") ? text + 3 : text;
}

/* The length in bytes of the UTF-8 character at TEXT, 0 when there is none. */
static gsize
utf8_length (const char *text, gsize left)
{
  gunichar c = g_utf8_get_char_validated (text, (gssize) left);
  return c == (gunichar) -1 || c == (gunichar) -2 ? 0 : (gsize) g_unichar_to_utf8 (c, NULL);
}

/* Whether a control character of two bytes is at TEXT, U+0080 to U+009F: some terminals obey these too. */
static gboolean
is_wide_control (const char *text)
{
  return (guchar) text[0] == 0xC2 && (guchar) text[1] >= 0x80 && (guchar) text[1] < 0xA0;
}

static gboolean
is_nul (const char *text)
{
  return text[0] == KT_NUL[0] && text[1] == KT_NUL[1];
}

/* Cuts NAME so that the suffix fits, at a boundary of characters and of %XX. */
static void
cut (GString *name, const char *text)
{
  g_autofree char *hash = g_compute_checksum_for_string (G_CHECKSUM_SHA256, text, -1);
  gsize end = KT_NAME_MAX - HASH_DIGITS - 1;

  while (end > 0 && ((guchar) name->str[end] & 0xC0) == 0x80)
    end--;
  if (name->str[end - 1] == '%')
    end -= 1;
  else if (name->str[end - 2] == '%')
    end -= 2;
  g_string_truncate (name, end);
  g_string_append_printf (name, "~%.*s", HASH_DIGITS, hash);
}

char *
kt_name_encode (const char *text)
{
  GString *name = g_string_new (NULL);
  gsize left = strlen (text);

  for (const char *p = text; left > 0;) {
    gsize n = utf8_length (p, left);
    if (n > 1 && !is_wide_control (p)) {
      g_string_append_len (name, p, (gssize) n);
    } else if (is_nul (p)) {
      g_string_append (name, "%00");
      n = strlen (KT_NUL);
    } else {
      guchar c = (guchar) *p;
      if (n != 1 || c < 0x20 || c == 0x7f || c == '/' || c == '%' || (c == '.' && p == text))
        g_string_append_printf (name, "%%%02X", c);
      else
        g_string_append_c (name, (char) c);
      n = 1;
    }
    p += n;
    left -= n;
  }
  if (name->len == 0)
    g_string_append (name, "unnamed");
  if (name->len > KT_NAME_MAX)
    cut (name, text);
  return g_string_free (name, FALSE);
}

/* Appends the character at TEXT, of which LEFT bytes are left, or what stands for it: FOR_NUL or U+FFFD. Returns how
 * many bytes that was. */
static gsize
append_valid (GString *out, const char *text, gsize left, const char *for_nul)
{
  gsize n = utf8_length (text, left);

  if (n > 0) {
    g_string_append_len (out, text, (gssize) n);
    return n;
  }
  if (left > 1 && is_nul (text)) {
    g_string_append (out, for_nul);
    return strlen (KT_NUL);
  }
  g_string_append (out, REPLACEMENT);
  return 1;
}

char *
kt_line_encode (const char *text)
{
  GString *line = g_string_new (NULL);
  gsize left = strlen (text);

  while (left > 0) {
    gsize n = 1;
    if (is_wide_control (text)) {
      g_string_append_printf (line, "%%C2%%%02X", (guchar) text[1]);
      n = 2;
    } else if ((guchar) *text < 0x20 || *text == 0x7f) {
      g_string_append_printf (line, "%%%02X", (guchar) *text);
    } else {
      n = append_valid (line, text, left, "%00");
    }
    text += n;
    left -= n;
  }
  return g_string_free (line, FALSE);
}

char *
kt_json_quote (const char *text)
{
  g_autofree char *valid = kt_utf8_make_valid (text, strlen (text));
  GString *quoted = g_string_new ("\"");

  for (const char *p = valid != NULL ? valid : text; *p != '\0'; p++) {
    if (is_wide_control (p)) {
      g_string_append_printf (quoted, "\\u%04x", (guchar) p[1]);
      p++;
    } else if ((guchar) *p < 0x20 || *p == 0x7f) {
      g_string_append_printf (quoted, "\\u%04x", (guchar) *p);
    } else {
      if (*p == '"' || *p == '\\')
        g_string_append_c (quoted, '\\');
      g_string_append_c (quoted, *p);
    }
  }
  g_string_append_c (quoted, '"');
  return g_string_free (quoted, FALSE);
}

char *
kt_utf8_make_valid (const char *text, gsize length)
{
  const char *invalid;
  GString *out = NULL;

  while (!g_utf8_validate_len (text, length, &invalid)) {
    gsize valid = (gsize) (invalid - text), n;
    if (out == NULL)
      out = g_string_sized_new (length + length / 8);
    g_string_append_len (out, text, (gssize) valid);
    n = valid + append_valid (out, invalid, length - valid, REPLACEMENT);
    text += n;
    length -= n;
  }
  if (out == NULL)
    return NULL;
  g_string_append_len (out, text, (gssize) length);
  return g_string_free (out, FALSE);
}

char *
kt_utf8_cut (char *text, gsize most)
{
  if (strlen (text) > most) {
    while (most > 0 && ((guchar) text[most] & 0xC0) == 0x80)
      most--;
    text[most] = '\0';
  }
  return text;
}
