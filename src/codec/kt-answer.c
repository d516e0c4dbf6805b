/* SPDX-License-Identifier: MIT */
/* cJSON's numbers are doubles, so kt_json_mark() hands it every number as a marked string; after parsing, unmark()
 * makes those cJSON_Raw: they print digit for digit. Where the digits of a number's value are others, "2" of 2.0, they
 * stand behind the NUL of valuestring, else a second NUL does: kt_answer_text() reads them. */
#include "kt-answer.h"

#include "base/kt-error.h"
#include "base/kt-names.h"
#include "base/kt-number.h"
#include "base/kt-units.h"
#include "kt-json.h"
#include "kt-reply.h"

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
kt_answer_get (const cJSON *object, const char *name)
{
  const cJSON *item = cJSON_GetObjectItemCaseSensitive (object, name);
  return cJSON_IsNull (item) ? NULL : item;
}

const char *
kt_answer_text (const cJSON *object, const char *name)
{
  const cJSON *item = kt_answer_get (object, name);
  const char *value;

  if (!cJSON_IsRaw (item))
    return cJSON_IsString (item) ? item->valuestring : NULL;
  value = item->valuestring + strlen (item->valuestring) + 1;
  return value[0] != '\0' ? value : item->valuestring;
}

const char *
kt_answer_text_either (const cJSON *object, const char *name, const char *other)
{
  const char *value = kt_answer_text (object, name);
  const char *second = value == NULL || value[0] == '\0' ? kt_answer_text (object, other) : NULL;
  return second != NULL ? second : value;
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
  g_autofree char *whole = value != NULL ? kt_number_whole (value, strlen (value)) : NULL;
  guint64 result;

  if (whole == NULL || !g_ascii_string_to_unsigned (whole, 10, 0, (guint64) max, &result, NULL))
    return -1;
  return (gint64) result;
}

KtSec
kt_answer_time (const cJSON *object, const char *name, const char *other, GTimeZone *zone)
{
  const char *value = kt_answer_text (object, name);
  KtSec time = value != NULL ? kt_service_time_parse (value, zone) : KT_TIME_UNKNOWN;

  return time == KT_TIME_UNKNOWN && other != NULL ? kt_answer_time (object, other, NULL, zone) : time;
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

/* What goes into an error of CODE and MESSAGE, either of which may be NULL. (transfer full) */
static char *
words_of (const char *code, const char *message)
{
  g_autofree char *code_line = kt_line_encode (code != NULL ? code : "none");
  g_autofree char *line = kt_line_encode (message != NULL ? message : "no message");

  return g_strconcat (", code ", kt_utf8_cut (code_line, LONGEST_CODE), ": ", kt_utf8_cut (line, LONGEST_MESSAGE),
                      NULL);
}

/* The code that ROOT has, a number by its value; NULL when it has none. (transfer full) */
static char *
code_of (const cJSON *root)
{
  const char *text = kt_answer_text_either (root, "code", "error_code");
  char *number = text != NULL ? kt_number_whole (text, strlen (text)) : NULL;

  return number != NULL ? number : g_strdup (text);
}

/* FALSE and the error when the answer BODY is one: ROOT is what it holds, NULL when that is not JSON. */
static gboolean
check (guint status, const cJSON *root, GBytes *body, GError **error)
{
  g_autofree char *code = code_of (root);
  g_autofree char *words = NULL;
  KtErrorCode kind = status_error (status);

  if (kt_reply_is_good (status) && code == NULL && kt_answer_get (root, "code") != NULL)
    return kt_answer_bad (error, "code is neither number nor string");
  if (kt_reply_is_good (status) && (code == NULL || g_str_equal (code, "0")))
    return TRUE;
  for (gsize i = 0; code != NULL && kind != KT_ERROR_THROTTLED && i < G_N_ELEMENTS (service_codes); i++)
    if (g_str_equal (service_codes[i].code, code))
      kind = service_codes[i].error;
  words = root != NULL ? words_of (code, kt_answer_text_either (root, "msg", "error_msg")) : kt_reply_describe (body);
  g_set_error (error, KT_ERROR, kind, "HTTP %u%s", status, words);
  return FALSE;
}

cJSON *
kt_answer_open (guint status, GBytes *body, GError **error)
{
  g_autoptr (GError) parse_error = NULL;
  g_autoptr (cJSON) root = parse (body, &parse_error);

  if (root == NULL && kt_reply_is_good (status)) {
    g_autofree char *words = kt_reply_describe_page (body);
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
kt_answer_declines (guint status, GBytes *body)
{
  g_autoptr (cJSON) root = parse (body, NULL);
  g_autofree char *code = code_of (root);

  for (gsize i = 0; code != NULL && i < G_N_ELEMENTS (service_codes); i++)
    if (g_str_equal (service_codes[i].code, code) && !service_codes[i].declines)
      return FALSE;
  if (kt_reply_is_good (status))
    return code != NULL;
  return status == 400 || (status > 400 && status < 500 && status_error (status) == KT_ERROR_SERVICE);
}

GBytes *
kt_answer_print (const cJSON *item)
{
  char *printed = cJSON_Print (item);
  char *valid = kt_utf8_make_valid (printed, strlen (printed));
  GString *out = g_string_new (valid != NULL ? valid : printed);

  g_free (valid);
  cJSON_free (printed);
  g_string_append_c (out, '\n');
  return g_string_free_to_bytes (out);
}
