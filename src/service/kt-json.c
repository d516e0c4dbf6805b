/* SPDX-License-Identifier: MIT */
#include "kt-json.h"

#include "base/kt-error.h"

#include <string.h>

#define MAX_DEPTH 64

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

static gboolean
scan_string (Scan *scan, GError **error)
{
  g_string_append_c (scan->out, '"');
  g_string_append_c (scan->out, KT_JSON_STRING);
  for (scan->p++; scan->p < scan->end && *scan->p != '"'; scan->p++) {
    if (*scan->p == '\0')
      return fail (scan, "a NUL byte", error);
    if (*scan->p == '\\' && scan->end - scan->p > 1) {
      if (scan->end - scan->p >= 6 && strncmp (scan->p, "\\u0000", 6) == 0)
        return fail (scan, "a string with a NUL character", error);
      g_string_append_c (scan->out, *scan->p++);
      if (*scan->p == '\0')
        return fail (scan, "a NUL byte", error);
    }
    g_string_append_c (scan->out, *scan->p);
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
  g_string_append_c (scan->out, '"');
  g_string_append_c (scan->out, KT_JSON_NUMBER);
  g_string_append_len (scan->out, first, scan->p - first);
  g_string_append_c (scan->out, '"');
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
    if (depth > MAX_DEPTH)
      return fail (scan, "nesting deeper than 64", error);
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
