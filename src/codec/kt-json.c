/* SPDX-License-Identifier: MIT */
/* Marks the numbers and strings of a JSON text for the parser. */
#include "kt-json.h"

#include "base/kt-error.h"
#include "base/kt-names.h"
#include "base/kt-number.h"

#include <string.h>

#define ESCAPE 6 /* bytes of \uXXXX */

typedef struct {
  const char *start;
  const char *p;
  const char *end;
  GString *out;
} Scan;

static gboolean
fail (const Scan *scan, const char *what, GError **error)
{
  g_set_error (error, KT_ERROR, KT_ERROR_BAD_ANSWER, "the answer is not usable JSON: %s at byte %" G_GSIZE_FORMAT, what,
               (gsize) (scan->p - scan->start));
  return FALSE;
}

/* The code unit that \uXXXX at the position means; -1 when there is none. */
static gint
unit_at (const Scan *scan, const char *p)
{
  gint unit = 0;

  if (scan->end - p < ESCAPE || p[0] != '\\' || p[1] != 'u')
    return -1;
  for (gsize i = 2; i < ESCAPE; i++) {
    if (!g_ascii_isxdigit (p[i]))
      return -1;
    unit = unit * 16 + g_ascii_xdigit_value (p[i]);
  }
  return unit;
}

static gboolean
is_high (gint unit)
{
  return unit >= 0xD800 && unit <= 0xDBFF;
}

static gboolean
is_low (gint unit)
{
  return unit >= 0xDC00 && unit <= 0xDFFF;
}

/* What stands for \uXXXX, or for a pair of them. */
static gboolean
scan_unit (Scan *scan, GError **error)
{
  gint unit = unit_at (scan, scan->p);
  gsize length = ESCAPE;

  if (unit < 0)
    return fail (scan, "a malformed \\u", error);
  if (is_high (unit) && is_low (unit_at (scan, scan->p + ESCAPE)))
    length = 2 * ESCAPE;
  if (unit == 0)
    g_string_append (scan->out, KT_NUL);
  else if (is_low (unit) || (is_high (unit) && length == ESCAPE))
    g_string_append (scan->out, "\\ufffd");
  else
    g_string_append_len (scan->out, scan->p, (gssize) length);
  scan->p += length;
  return TRUE;
}

static gboolean
scan_string (Scan *scan, GError **error)
{
  g_string_append_c (scan->out, '"');
  g_string_append_c (scan->out, KT_JSON_STRING);
  scan->p++;
  while (scan->p < scan->end && *scan->p != '"') {
    gboolean escapes = *scan->p == '\\' && scan->end - scan->p > 1;

    if (escapes && scan->p[1] == 'u') {
      if (!scan_unit (scan, error))
        return FALSE;
      continue;
    }
    if (escapes)
      g_string_append_c (scan->out, *scan->p++);
    if (*scan->p == '\0')
      return fail (scan, "a NUL byte", error);
    g_string_append_c (scan->out, *scan->p++);
  }
  if (scan->p == scan->end)
    return fail (scan, "the text ends inside a string", error);
  scan->p++;
  g_string_append_c (scan->out, '"');
  return TRUE;
}

static gsize
digits (Scan *scan)
{
  const char *first = scan->p;

  while (scan->p < scan->end && g_ascii_isdigit (*scan->p))
    scan->p++;
  return (gsize) (scan->p - first);
}

static gboolean
at (const Scan *scan, const char *set)
{
  return scan->p < scan->end && *scan->p != '\0' && strchr (set, *scan->p) != NULL;
}

static void
append_number (Scan *scan, const char *first)
{
  gsize length = (gsize) (scan->p - first);
  g_autofree char *value = kt_number_whole (first, length);

  g_string_append_c (scan->out, '"');
  g_string_append_c (scan->out, KT_JSON_NUMBER);
  g_string_append_len (scan->out, first, (gssize) length);
  if (value != NULL && (strlen (value) != length || memcmp (value, first, length) != 0))
    g_string_append_printf (scan->out, "%c%s", KT_JSON_VALUE, value);
  g_string_append_c (scan->out, '"');
}

/* RFC 8259: [ minus ] int [ frac ] [ exp ] */
static gboolean
scan_number (Scan *scan, GError **error)
{
  const char *first = scan->p;
  gboolean valid;

  scan->p += *scan->p == '-';
  if (at (scan, "0")) {
    scan->p++;
    valid = !(scan->p < scan->end && g_ascii_isdigit (*scan->p));
  } else {
    valid = digits (scan) > 0;
  }
  if (valid && at (scan, ".")) {
    scan->p++;
    valid = digits (scan) > 0;
  }
  if (valid && at (scan, "eE")) {
    scan->p++;
    scan->p += at (scan, "+-");
    valid = digits (scan) > 0;
  }
  if (!valid)
    return fail (scan, "a malformed number", error);
  append_number (scan, first);
  return TRUE;
}

static gboolean
scan_text (Scan *scan, GError **error)
{
  guint depth = 0;

  while (scan->p < scan->end) {
    char c = *scan->p;

    if (c == '"') {
      if (!scan_string (scan, error))
        return FALSE;
      continue;
    }
    if (c == '-' || g_ascii_isdigit (c)) {
      if (!scan_number (scan, error))
        return FALSE;
      continue;
    }
    if (c == '\0')
      return fail (scan, "a NUL byte", error);
    if (c == '{' || c == '[')
      depth++;
    else if ((c == '}' || c == ']') && depth > 0)
      depth--;
    if (depth > KT_JSON_DEPTH)
      return fail (scan, "nesting deeper than " G_STRINGIFY (KT_JSON_DEPTH), error);
    g_string_append_c (scan->out, c);
    scan->p++;
  }
  return TRUE;
}

GString *
kt_json_mark (const char *text, gsize length, GError **error)
{
  Scan scan = {
    .start = text,
    .p = text,
    .end = text + length,
    .out = g_string_sized_new (length + length / 8 + 16),
  };

  if (scan_text (&scan, error))
    return scan.out;
  g_string_free (scan.out, TRUE);
  return NULL;
}
