/* SPDX-License-Identifier: MIT */
/* Reads one body of the service's JSON. */
/* cJSON's numbers are doubles, so kt_json_mark() hands it every number as a marked string; after parsing, unmark()
 * makes those cJSON_Raw: they print digit for digit. Where the digits of a number's value are others, "2" of 2.0, they
 * stand behind the NUL of valuestring, else a second NUL does: kt_body_text() reads them. */
#include "kt-body.h"

#include "base/kt-error.h"
#include "base/kt-log.h"
#include "base/kt-names.h"
#include "base/kt-number.h"
#include "base/kt-units.h"
#include "kt-json.h"
#include "kt-status.h"
#include "kt-describe.h"

#include <string.h>

#define LONGEST_CODE    32 /* bytes */
#define LONGEST_MESSAGE 200

/* FALSE when a number stands where only a string may, as a field's name. */
static gboolean
unmark (cJSON *item)
{
  for (; item != NULL; item = item->next) {
    if (item->string != NULL) {
      if (item->string[0] != KT_JSON_STRING)
        return FALSE;
      memmove (item->string, item->string + 1, strlen (item->string));
    }
    if (cJSON_IsString (item)) {
      char *value = NULL;
      if (item->valuestring[0] == KT_JSON_NUMBER) {
        item->type = cJSON_Raw;
        value = strchr (item->valuestring, KT_JSON_VALUE);
      }
      memmove (item->valuestring, item->valuestring + 1, strlen (item->valuestring));
      if (value != NULL)
        value[-1] = '\0';
    }
    if (!unmark (item->child))
      return FALSE;
  }
  return TRUE;
}

static cJSON *
parse (GBytes *body, GError **error)
{
  gsize length;
  const char *text = g_bytes_get_data (body, &length);
  GString *marked = kt_json_mark (text != NULL ? text : "", length, error);
  g_autoptr (cJSON) root = NULL;

  if (marked == NULL)
    return NULL;
  root = cJSON_ParseWithLengthOpts (marked->str, marked->len + 1, NULL, TRUE);
  g_string_free (marked, TRUE);
  if (root != NULL && unmark (root))
    return g_steal_pointer (&root);
  g_set_error (error, KT_ERROR, KT_ERROR_BAD_ANSWER, "the answer is not JSON");
  return NULL;
}

const cJSON *
kt_body_get (const cJSON *object, const char *name)
{
  const cJSON *item = cJSON_GetObjectItemCaseSensitive (object, name);
  return cJSON_IsNull (item) ? NULL : item;
}

const char *
kt_body_text (const cJSON *object, const char *name)
{
  const cJSON *item = kt_body_get (object, name);
  const char *value;

  if (!cJSON_IsRaw (item))
    return cJSON_IsString (item) ? item->valuestring : NULL;
  value = item->valuestring + strlen (item->valuestring) + 1;
  return value[0] != '\0' ? value : item->valuestring;
}

const char *
kt_body_text_either (const cJSON *object, const char *name, const char *other)
{
  const char *value = kt_body_text (object, name);
  const char *second = value == NULL || value[0] == '\0' ? kt_body_text (object, other) : NULL;
  return second != NULL ? second : value;
}

char *
kt_body_copy (const cJSON *object, const char *name)
{
  const char *value = kt_body_text (object, name);
  return g_strdup (value != NULL ? value : "");
}

gint64
kt_body_number (const cJSON *object, const char *name, gint64 max)
{
  const char *value = kt_body_text (object, name);
  g_autofree char *whole = value != NULL ? kt_number_whole (value, strlen (value)) : NULL;
  guint64 result;

  if (whole == NULL || !g_ascii_string_to_unsigned (whole, 10, 0, (guint64) max, &result, NULL))
    return -1;
  return (gint64) result;
}

KtSec
kt_body_time (const cJSON *object, const char *name, const char *other, GTimeZone *zone)
{
  const char *value = kt_body_text (object, name);
  KtSec time = value != NULL ? kt_service_time_parse (value, zone) : KT_TIME_UNKNOWN;

  return time == KT_TIME_UNKNOWN && other != NULL ? kt_body_time (object, other, NULL, zone) : time;
}

gboolean
kt_body_bad (GError **error, const char *what)
{
  g_set_error (error, KT_ERROR, KT_ERROR_BAD_ANSWER, "the answer is JSON but not of the documented kind: %s", what);
  return FALSE;
}

/* TEXT on one line, cut at MOST bytes. Secrets are out before that: a part of one would not be found later.
 * (transfer full) */
static char *
tidy (const char *text, gsize most)
{
  g_autofree char *line = kt_line_encode (text);

  return kt_utf8_cut (kt_log_redact (line), most);
}

/* What goes into an error of CODE and MESSAGE, either of which may be NULL. (transfer full) */
static char *
words_of (const char *code, const char *message)
{
  g_autofree char *code_line = tidy (code != NULL ? code : "none", LONGEST_CODE);
  g_autofree char *line = tidy (message != NULL ? message : "no message", LONGEST_MESSAGE);

  return g_strconcat (", code ", code_line, ": ", line, NULL);
}

/* The code that ROOT has, a number by its value; NULL when it has none. (transfer full) */
static char *
code_of (const cJSON *root)
{
  const char *text = kt_body_text_either (root, "code", "error_code");
  char *number = text != NULL ? kt_number_whole (text, strlen (text)) : NULL;

  return number != NULL ? number : g_strdup (text);
}

/* FALSE and the error when BODY is one: ROOT is what it holds, NULL when that is not JSON. */
static gboolean
check (guint status, const cJSON *root, GBytes *body, GError **error)
{
  g_autofree char *code = code_of (root);
  g_autofree char *words = NULL;

  if (kt_status_is_success (status) && code == NULL && kt_body_get (root, "code") != NULL)
    return kt_body_bad (error, "code is neither number nor string");
  if (kt_status_is_success (status) && (code == NULL || g_str_equal (code, "0")))
    return TRUE;
  words = root != NULL ? words_of (code, kt_body_text_either (root, "msg", "error_msg")) : kt_describe_body (body);
  g_set_error (error, KT_ERROR, (int) kt_status_error (status, code), "HTTP %u%s", status, words);
  return FALSE;
}

cJSON *
kt_body_open (guint status, GBytes *body, GError **error)
{
  g_autoptr (GError) parse_error = NULL;
  g_autoptr (cJSON) root = parse (body, &parse_error);

  if (root == NULL && kt_status_is_success (status)) {
    g_autofree char *words = kt_describe_page (body);
    if (words != NULL)
      g_set_error (error, KT_ERROR, KT_ERROR_BAD_ANSWER, "HTTP %u%s", status, words);
    else
      g_propagate_error (error, g_steal_pointer (&parse_error));
    return NULL;
  }
  if (!check (status, root, body, error))
    return NULL;
  if (!cJSON_IsObject (root)) {
    g_set_error (error, KT_ERROR, KT_ERROR_BAD_ANSWER, "the answer is JSON but not an object");
    return NULL;
  }
  return g_steal_pointer (&root);
}

gboolean
kt_body_declines (guint status, GBytes *body)
{
  g_autoptr (cJSON) root = parse (body, NULL);
  g_autofree char *code = code_of (root);

  return kt_status_declines (status, code);
}

GBytes *
kt_body_print (const cJSON *item)
{
  char *printed = cJSON_Print (item);
  char *valid = kt_utf8_make_valid (printed, strlen (printed));
  GString *out = g_string_new (valid != NULL ? valid : printed);

  g_free (valid);
  cJSON_free (printed);
  g_string_append_c (out, '\n');
  return g_string_free_to_bytes (out);
}
