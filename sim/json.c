/* SPDX-License-Identifier: MIT */
/* What cJSON lacks for us: strict parsing, hostile strings on output, printing to GBytes. */
#include "json.h"

#include <string.h>

cJSON *
sim_json_parse (const void *data, gsize size)
{
  /* refuses NUL bytes as well, which cJSON would take for the end */
  if (size == 0 || !g_utf8_validate_len (data, size, NULL))
    return NULL;
  g_autofree char *text = g_strndup (data, size);
  return cJSON_ParseWithOpts (text, NULL, TRUE);
}

void
sim_json_add_string (cJSON *object, const char *key, const char *value)
{
  if (value == NULL) {
    cJSON_AddNullToObject (object, key);
    return;
  }
  g_autofree char *valid = g_utf8_make_valid (value, -1);
  cJSON_AddStringToObject (object, key, valid);
}

GBytes *
sim_json_print (cJSON *json, gboolean newline)
{
  char *text = cJSON_PrintUnformatted (json);
  cJSON_Delete (json);
  g_assert (text != NULL); /* cJSON fails only when memory is out, and then glib aborts too */

  GString *out = g_string_new (text);
  cJSON_free (text);
  if (newline)
    g_string_append_c (out, '\n');
  return g_string_free_to_bytes (out);
}

const char *
sim_json_get_string (const cJSON *object, const char *key)
{
  return cJSON_GetStringValue (cJSON_GetObjectItemCaseSensitive (object, key));
}

void
sim_json_set (cJSON *object, const char *key, cJSON *value)
{
  if (cJSON_HasObjectItem (object, key))
    cJSON_ReplaceItemInObjectCaseSensitive (object, key, value);
  else
    cJSON_AddItemToObject (object, key, value);
}

void
sim_json_walk (cJSON *parent, void (*visit) (cJSON *parent, cJSON *member))
{
  for (cJSON *member = parent->child, *next; member != NULL; member = next) {
    next = member->next;
    sim_json_walk (member, visit);
    visit (parent, member);
  }
}
