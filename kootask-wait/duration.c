/* SPDX-License-Identifier: MIT */
/* Durations as coreutils' timeout takes them. */
#include "duration.h"

#include <math.h>
#include <string.h>

#define MOST_SECONDS (1000.0 * 366 * 86400)

gboolean
duration_parse (const char *text, gint64 *duration)
{
  static const struct {
    const char *unit;
    double seconds;
  } units[] = { { "", 1 }, { "s", 1 }, { "m", 60 }, { "h", 3600 }, { "d", 86400 } };
  char *end;
  double number;

  if (strspn (text, "0123456789.") == 0) /* no sign, no space, no "inf", no "0x" below */
    return FALSE;
  number = g_ascii_strtod (text, &end);
  if (end == text || (gsize) (end - text) > strspn (text, "0123456789.") || !isfinite (number))
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (units); i++)
    if (g_str_equal (end, units[i].unit)) {
      *duration = (gint64) (MIN (number * units[i].seconds, MOST_SECONDS) * G_USEC_PER_SEC);
      return TRUE;
    }
  return FALSE;
}
