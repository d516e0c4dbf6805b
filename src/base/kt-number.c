/* SPDX-License-Identifier: MIT */
/* Reads decimal numbers by their digits. */
#include "kt-number.h"

#include <string.h>

#define HUGE_EXPONENT (G_MAXINT64 / 16) /* no text is as long */

/* 12.50e-1 has the digits 1250, and its point stands behind the first of them. */
typedef struct {
  const char *whole;
  gint64 n_whole;
  const char *fraction;
  gint64 n_digits; /* both */
  gint64 point;
  gboolean is_negative;
} Number;

static gint64
count_digits (const char *p, const char *end)
{
  const char *first = p;

  while (p < end && g_ascii_isdigit (*p))
    p++;
  return p - first;
}

static char
digit (const Number *number, gint64 at)
{
  if (at >= number->n_digits)
    return '0';
  return at < number->n_whole ? number->whole[at] : number->fraction[at - number->n_whole];
}

/* The exponent at *P, saturated; *P is moved behind it. FALSE when there are no digits. */
static gboolean
parse_exponent (const char **p, const char *end, gint64 *exponent)
{
  gboolean is_negative = *p < end && **p == '-';
  const char *first;

  *p += *p < end && (**p == '-' || **p == '+');
  *exponent = 0;
  for (first = *p; *p < end && g_ascii_isdigit (**p); ++*p)
    *exponent = MIN (*exponent * 10 + (**p - '0'), HUGE_EXPONENT);
  if (is_negative)
    *exponent = -*exponent;
  return *p > first;
}

static gboolean
parse (const char *p, const char *end, Number *number)
{
  gint64 exponent = 0;

  *number = (Number){ .is_negative = p < end && *p == '-' };
  p += number->is_negative;
  number->whole = p;
  number->n_whole = count_digits (p, end);
  p += number->n_whole;
  number->n_digits = number->n_whole;
  if (number->n_whole == 0)
    return FALSE;
  if (p < end && *p == '.') {
    number->fraction = ++p;
    number->n_digits += count_digits (p, end);
    if (number->n_digits == number->n_whole)
      return FALSE;
    p += number->n_digits - number->n_whole;
  }
  if (p < end && (*p == 'e' || *p == 'E')) {
    p++;
    if (!parse_exponent (&p, end, &exponent))
      return FALSE;
  }
  number->point = number->n_whole + exponent;
  return p == end;
}

char *
kt_number_digits (const char *text, gsize length, gboolean *has_fraction)
{
  const char *end = text + length;
  gint64 first = 0, rest;
  Number number;
  GString *out;

  while (text < end && g_ascii_isspace (*text))
    text++;
  while (text < end && g_ascii_isspace (end[-1]))
    end--;
  if (!parse (text, end, &number))
    return NULL;
  while (first < number.n_digits && digit (&number, first) == '0')
    first++;
  if (first == number.n_digits) /* it is zero, whatever the exponent */
    number.point = first;
  if (number.point - first > KT_NUMBER_DIGITS)
    return NULL;
  rest = MAX (number.point, first);
  while (rest < number.n_digits && digit (&number, rest) == '0')
    rest++;
  if (has_fraction != NULL)
    *has_fraction = rest < number.n_digits;
  out = g_string_new (number.is_negative && number.point > first ? "-" : NULL);
  for (gint64 i = first; i < number.point; i++)
    g_string_append_c (out, digit (&number, i));
  if (out->len == 0)
    g_string_append_c (out, '0');
  return g_string_free (out, FALSE);
}

char *
kt_number_whole (const char *text, gsize length)
{
  gboolean has_fraction = FALSE;
  g_autofree char *digits = kt_number_digits (text, length, &has_fraction);

  return has_fraction ? NULL : g_steal_pointer (&digits);
}
