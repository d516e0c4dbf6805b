/* SPDX-License-Identifier: MIT */
/* Shapes that write the same values otherwise: times, numbers and strings. */
#include "writing.h"

#include <string.h>
#include <time.h>

/* Puts the time MEMBER, if it is one that FROM reads, into the form TO. Gives what it is then, or NULL. */
static cJSON *
change_time (cJSON *parent, cJSON *member, const char *from, const char *to)
{
  const char *text = cJSON_GetStringValue (member);
  struct tm time = { 0 };

  if (text == NULL || member->string == NULL || !g_str_has_suffix (member->string, "Time"))
    return NULL;
  g_autofree char *name = g_strdup (member->string);
  const char *end = strptime (text, from, &time);
  if (end == NULL || *end != '\0')
    return NULL;
  g_autoptr (GDateTime) date =
      g_date_time_new_utc (time.tm_year + 1900, time.tm_mon + 1, time.tm_mday, time.tm_hour, time.tm_min, time.tm_sec);
  g_autofree char *other = g_date_time_format (date, to);
  sim_json_set (parent, name, cJSON_CreateString (other));
  return cJSON_GetObjectItemCaseSensitive (parent, name);
}

#define TIME_ISO "%Y-%m-%dT%H:%M:%SZ"
#define TIME_14  "%Y%m%d%H%M%S"

static void
visit_time_iso (cJSON *parent, cJSON *member)
{
  change_time (parent, member, TIME_14, TIME_ISO);
}

static void
visit_time_14 (cJSON *parent, cJSON *member)
{
  change_time (parent, member, TIME_ISO, TIME_14);
}

void
sim_write_times_iso (cJSON *document, SimEndpoint endpoint)
{
  sim_json_walk (document, visit_time_iso);
}

void
sim_write_times_14 (cJSON *document, SimEndpoint endpoint)
{
  sim_json_walk (document, visit_time_14);
}

static void
visit_number (cJSON *parent, cJSON *member)
{
  if (!cJSON_IsNumber (member) || member->string == NULL)
    return;
  g_autofree char *text = g_strdup_printf ("%.0f", member->valuedouble); /* all of ours are Integers */
  sim_json_set (parent, member->string, cJSON_CreateString (text));
}

void
sim_write_numbers_string (cJSON *document, SimEndpoint endpoint)
{
  sim_json_walk (document, visit_number);
}

static void
visit_decimal (cJSON *parent, cJSON *member)
{
  if (!cJSON_IsNumber (member) || member->string == NULL)
    return;
  gint64 number = (gint64) member->valuedouble; /* all of ours are Integers */
  gboolean round = number != 0 && number % 10 == 0;
  g_autofree char *text =
      g_strdup_printf (round ? "%" G_GINT64_FORMAT ".0E+1" : "%" G_GINT64_FORMAT ".0", round ? number / 10 : number);
  sim_json_set (parent, member->string, cJSON_CreateRaw (text));
}

void
sim_write_numbers_decimal (cJSON *document, SimEndpoint endpoint)
{
  sim_json_walk (document, visit_decimal);
}

static void
visit_time_seconds (cJSON *parent, cJSON *member)
{
  cJSON *time = change_time (parent, member, TIME_14, "%s");

  if (time != NULL)
    sim_json_set (parent, time->string, cJSON_CreateRaw (time->valuestring));
}

static void
visit_time_milliseconds (cJSON *parent, cJSON *member)
{
  change_time (parent, member, TIME_14, "%s123");
}

void
sim_write_times_seconds (cJSON *document, SimEndpoint endpoint)
{
  sim_write_times_14 (document, endpoint);
  sim_json_walk (document, visit_time_seconds);
}

void
sim_write_times_milliseconds (cJSON *document, SimEndpoint endpoint)
{
  sim_write_times_14 (document, endpoint);
  sim_json_walk (document, visit_time_milliseconds);
}

/* Puts ESCAPE, which cJSON cannot hold, behind the words of people and behind ids other than a task's. */
static void
append_escape (cJSON *parent, const cJSON *member, const char *escape)
{
  static const char *const names[] = { "userId", "userName",  "desc",           "taskName",
                                       "fileId", "newFileId", "srcContainerId", NULL };

  if (!cJSON_IsString (member) || member->string == NULL || !g_strv_contains (names, member->string))
    return;
  char *text = cJSON_PrintUnformatted (member);
  g_autofree char *longer = g_strdup_printf ("%.*s%s\"", (int) strlen (text) - 1, text, escape);
  cJSON_free (text);
  sim_json_set (parent, member->string, cJSON_CreateRaw (longer));
}

static void
visit_cut (cJSON *parent, cJSON *member)
{
  append_escape (parent, member, "\\ud83d");
}

static void
visit_nul (cJSON *parent, cJSON *member)
{
  append_escape (parent, member, "\\u0000");
}

void
sim_write_strings_cut (cJSON *document, SimEndpoint endpoint)
{
  sim_json_walk (document, visit_cut);
}

void
sim_write_strings_nul (cJSON *document, SimEndpoint endpoint)
{
  sim_json_walk (document, visit_nul);
}
