/* SPDX-License-Identifier: MIT */
/* cJSON's numbers are doubles, so kt_json_mark() hands it every number as a marked string; after parsing, unmark()
 * makes those cJSON_Raw: they print digit for digit, and kt_answer_text() reads numbers and strings alike. */
#include "kt-answer.h"

#include "base/kt-error.h"
#include "base/kt-names.h"
#include "base/kt-units.h"
#include "kt-json.h"

#include <string.h>

#define LONGEST_CODE    32
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
      if (item->valuestring[0] == KT_JSON_NUMBER)
        item->type = cJSON_Raw;
      memmove (item->valuestring, item->valuestring + 1, strlen (item->valuestring));
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
  g_set_error (error, KT_ERROR, KT_ERROR_BAD_ANSWER, length > 0 ? "the answer is not JSON" : "the answer is empty");
  return NULL;
}

const cJSON *
kt_answer_get (const cJSON *object, const char *name)
{
  const cJSON *item = cJSON_GetObjectItemCaseSensitive (object, name);
  return cJSON_IsNull (item) ? NULL : item;
}

const char *
kt_answer_text (const cJSON *object, const char *name)
{
  const cJSON *item = kt_answer_get (object, name);
  return cJSON_IsString (item) || cJSON_IsRaw (item) ? item->valuestring : NULL;
}

const char *
kt_answer_text_either (const cJSON *object, const char *name, const char *other)
{
  const char *value = kt_answer_text (object, name);
  return value != NULL ? value : kt_answer_text (object, other);
}

char *
kt_answer_copy (const cJSON *object, const char *name)
{
  const char *value = kt_answer_text (object, name);
  return g_strdup (value != NULL ? value : "");
}

gint64
kt_answer_number (const cJSON *object, const char *name, gint64 max)
{
  const char *value = kt_answer_text (object, name);
  guint64 result;

  if (value == NULL || !g_ascii_string_to_unsigned (value, 10, 0, (guint64) max, &result, NULL))
    return -1;
  return (gint64) result;
}

gint64
kt_answer_time (const cJSON *object, const char *name, const char *other, GTimeZone *zone)
{
  const char *value = kt_answer_text_either (object, name, other);
  return value != NULL ? kt_service_time_parse (value, zone) : KT_TIME_UNKNOWN;
}

/* The documented codes; what is not here is judged by its HTTP status. */
static const struct {
  const char *code;
  KtErrorCode error;
  gboolean declines; /* see kt_answer_declines() */
} service_codes[] = {
  { "13000101", KT_ERROR_SERVICE, TRUE },    /* bad request */
  { "13000102", KT_ERROR_SERVICE, TRUE },    /* parameter check failed */
  { "13000201", KT_ERROR_SERVICE, FALSE },   /* internal error */
  { "13000309", KT_ERROR_NOT_FOUND, FALSE }, /* resource not found */
  { "13000407", KT_ERROR_SERVICE, FALSE },   /* no download address */
  { "13000408", KT_ERROR_SERVICE, FALSE },   /* download failed */
  { "13000410", KT_ERROR_DENIED, FALSE },    /* no permission for the space */
  { "APIGW.0301", KT_ERROR_REFUSED, FALSE }, /* the gateway's word for it */
};

static KtErrorCode
status_error (guint status)
{
  switch (status) {
  case 400: /* documented for "authentication not passed" too */
  case 401:
  case 403: return KT_ERROR_REFUSED;
  case 404: return KT_ERROR_NOT_FOUND;
  case 429: return KT_ERROR_THROTTLED;
  default: return KT_ERROR_SERVICE;
  }
}

gboolean
kt_answer_bad (GError **error, const char *what)
{
  g_set_error (error, KT_ERROR, KT_ERROR_BAD_ANSWER, "the answer is JSON but not of the documented kind: %s", what);
  return FALSE;
}

/* FALSE and the error when the answer is one: ROOT is its body, NULL when that was not JSON. */
static gboolean
check (guint status, const cJSON *root, GError **error)
{
  const char *code = kt_answer_text_either (root, "code", "error_code");
  const char *message = kt_answer_text_either (root, "msg", "error_msg");
  KtErrorCode kind = status_error (status);
  g_autofree char *code_line = kt_line_encode (code != NULL ? code : "none");
  g_autofree char *line = kt_line_encode (message != NULL ? message : "no message");

  if (status == 200 && code == NULL && kt_answer_get (root, "code") != NULL)
    return kt_answer_bad (error, "code is neither number nor string");
  if (status == 200 && (code == NULL || g_str_equal (code, "0")))
    return TRUE;
  for (gsize i = 0; code != NULL && i < G_N_ELEMENTS (service_codes); i++)
    if (g_str_equal (service_codes[i].code, code))
      kind = service_codes[i].error;
  g_set_error (error, KT_ERROR, kind, "HTTP %u, code %.*s: %.*s", status, LONGEST_CODE, code_line, LONGEST_MESSAGE,
               line);
  return FALSE;
}

cJSON *
kt_answer_open (guint status, GBytes *body, GError **error)
{
  g_autoptr (GError) parse_error = NULL;
  g_autoptr (cJSON) root = parse (body, &parse_error);

  if (root == NULL && status == 200) {
    g_propagate_error (error, g_steal_pointer (&parse_error));
    return NULL;
  }
  if (!check (status, root, error))
    return NULL;
  if (!cJSON_IsObject (root)) {
    g_set_error (error, KT_ERROR, KT_ERROR_BAD_ANSWER, "the answer is JSON but not an object");
    return NULL;
  }
  return g_steal_pointer (&root);
}

gboolean
kt_answer_declines (guint status, GBytes *body)
{
  g_autoptr (cJSON) root = parse (body, NULL);
  const char *code = kt_answer_text_either (root, "code", "error_code");

  for (gsize i = 0; code != NULL && i < G_N_ELEMENTS (service_codes); i++)
    if (g_str_equal (service_codes[i].code, code) && !service_codes[i].declines)
      return FALSE;
  if (status == 200)
    return code != NULL;
  return status == 400 || (status > 400 && status < 500 && status_error (status) == KT_ERROR_SERVICE);
}

GBytes *
kt_answer_print (const cJSON *item)
{
  char *printed = cJSON_Print (item);
  GString *out = g_string_new (printed);

  cJSON_free (printed);
  g_string_append_c (out, '\n');
  return g_string_free_to_bytes (out);
}
