/* SPDX-License-Identifier: MIT */
/* Reads and writes durations, sizes and times. */
#include "kt-units.h"

#include "kt-clock.h"
#include "kt-error.h"
#include "kt-number.h"

#include <string.h>
#include <time.h>

#define LONGEST_TIME 128 /* bytes */

typedef struct {
  const char *name;
  gint64 factor;
} Unit;

/* Largest first: formatting takes the first that divides. */
static const Unit time_units[] = {
  { "d", 86400 * KT_SECOND }, { "h", 3600 * KT_SECOND }, { "min", 60 * KT_SECOND }, { "s", KT_SECOND }, { "ms", KT_MS },
};
static const Unit size_units[] = {
  { "G", 1 << 30 },
  { "M", 1 << 20 },
  { "K", 1 << 10 },
  { "", 1 },
};

static gboolean
parse (const char *text, const Unit *units, gsize n_units, gint64 *out)
{
  char *end;
  guint64 number;

  if (!g_ascii_isdigit (*text))
    return FALSE;
  number = g_ascii_strtoull (text, &end, 10);
  for (gsize i = 0; i < n_units; i++) {
    if (strcmp (end, units[i].name) != 0)
      continue;
    if (number > (guint64) (G_MAXINT64 / 2 / units[i].factor))
      return FALSE;
    *out = (gint64) number * units[i].factor;
    return TRUE;
  }
  return FALSE;
}

static char *
format (gint64 value, const Unit *units, gsize n_units)
{
  for (gsize i = 0; i < n_units; i++)
    if (value != 0 && value % units[i].factor == 0)
      return g_strdup_printf ("%" G_GINT64_FORMAT "%s", value / units[i].factor, units[i].name);
  return g_strdup_printf ("%" G_GINT64_FORMAT, value);
}

gboolean
kt_duration_parse (const char *text, KtUsec *out, GError **error)
{
  if (strcmp (text, "forever") == 0) {
    *out = KT_TIME_NEVER;
    return TRUE;
  }
  if (strcmp (text, "0") == 0) {
    *out = 0;
    return TRUE;
  }
  if (parse (text, time_units, G_N_ELEMENTS (time_units), out))
    return TRUE;
  g_set_error (error, KT_ERROR, KT_ERROR_CONFIG,
               "'%s' is not a time: expected a whole number with ms, s, min, h or d, or 'forever'", text);
  return FALSE;
}

char *
kt_duration_format (KtUsec duration)
{
  if (duration == KT_TIME_NEVER)
    return g_strdup ("forever");
  return format (duration, time_units, G_N_ELEMENTS (time_units));
}

char *
kt_age_format (KtUsec age)
{
  gsize i = 0;

  age = MAX (age, 0);
  while (time_units[i].factor > MAX (age, KT_SECOND))
    i++;
  return g_strdup_printf ("%" G_GINT64_FORMAT " %s", age / time_units[i].factor, time_units[i].name);
}

gboolean
kt_size_parse (const char *text, guint64 *out, GError **error)
{
  gint64 size;

  if (!parse (text, size_units, G_N_ELEMENTS (size_units), &size)) {
    g_set_error (error, KT_ERROR, KT_ERROR_CONFIG,
                 "'%s' is not a size: expected a whole number of bytes, or one with K, M or G", text);
    return FALSE;
  }
  *out = (guint64) size;
  return TRUE;
}

char *
kt_size_format (guint64 size)
{
  return format ((gint64) size, size_units, G_N_ELEMENTS (size_units));
}

/* TEXT as GLib reads ISO 8601: in capitals, with seconds, without the name in brackets that Java puts behind an offset.
 * (transfer full) */
static char *
iso_of (const char *text)
{
  GString *iso = g_string_new (NULL);
  const gsize minutes = strlen ("2024-09-30T09:19");

  text += strspn (text, " \t\r\n");
  g_string_append_len (iso, text, (gssize) strcspn (text, "["));
  g_strchomp (iso->str);
  g_string_set_size (iso, strlen (iso->str));
  g_string_ascii_up (iso);
  if (iso->len >= minutes && iso->str[4] == '-' && iso->str[minutes - 3] == ':' && iso->str[minutes] != ':')
    g_string_insert (iso, (gssize) minutes, ":00");
  return g_string_free (iso, FALSE);
}

static GDateTime *
parse_iso (const char *text, GTimeZone *zone)
{
  g_autofree char *iso = strlen (text) <= LONGEST_TIME ? iso_of (text) : NULL;

  return iso != NULL ? g_date_time_new_from_iso8601 (iso, zone) : NULL;
}

static GDateTime *
parse_digits (const char *digits, GTimeZone *zone)
{
  g_autofree char *basic = NULL;

  switch (strlen (digits)) {
  case 10: return g_date_time_new_from_unix_utc (g_ascii_strtoll (digits, NULL, 10));
  case 13: return g_date_time_new_from_unix_utc (g_ascii_strtoll (digits, NULL, 10) / 1000);
  case 14: /* GLib wants a T between date and time */
    basic = g_strdup_printf ("%.8sT%s", digits, digits + 8);
    return g_date_time_new_from_iso8601 (basic, zone);
  default: return NULL;
  }
}

KtSec
kt_service_time_parse (const char *text, GTimeZone *zone)
{
  g_autofree char *digits = kt_number_digits (text, strlen (text), NULL);
  g_autoptr (GDateTime) time = digits != NULL ? parse_digits (digits, zone) : parse_iso (text, zone);
  KtSec seconds = time != NULL ? g_date_time_to_unix (time) : 0;

  return seconds > 0 ? seconds : KT_TIME_UNKNOWN;
}

char *
kt_time_format (KtSec seconds)
{
  const time_t time = (time_t) seconds;
  char text[sizeof "2024-09-30T09:19:32Z"];
  struct tm tm;

  /* there may be a million of these, and GDateTime takes ten times as long; 0: the year has more digits */
  if (gmtime_r (&time, &tm) == NULL || strftime (text, sizeof (text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
    return g_strdup ("");
  return g_strdup (text);
}
