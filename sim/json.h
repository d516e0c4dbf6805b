/* SPDX-License-Identifier: MIT */
#pragma once

#include <cJSON.h>
#include <glib.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC (cJSON, cJSON_Delete)

/* Parses SIZE bytes, all of them, as one JSON value. NULL when they are not JSON: bad UTF-8, a NUL byte, and anything
 * but white space after the value are errors too. (transfer full) */
cJSON *sim_json_parse (const void *data, gsize size);

/* Adds VALUE to OBJECT; NULL becomes JSON null, bytes that are not UTF-8 become U+FFFD. */
void sim_json_add_string (cJSON *object, const char *key, const char *value);

/* Prints JSON without white space, with a newline at the end when NEWLINE. Takes and frees JSON. (transfer full) */
GBytes *sim_json_print (cJSON *json, gboolean newline);

/* The member KEY of OBJECT when it is a String, else NULL. (transfer none) */
const char *sim_json_get_string (const cJSON *object, const char *key);

/* Replaces or adds the member KEY. Takes VALUE. */
void sim_json_set (cJSON *object, const char *key, cJSON *value);

/* Calls VISIT for every member of every object and array in PARENT, from the leaves up; it may replace or delete it. */
void sim_json_walk (cJSON *parent, void (*visit) (cJSON *parent, cJSON *member));
