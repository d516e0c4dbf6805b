/* SPDX-License-Identifier: MIT */
/* Faults that a test has ordered: parsing them, which requests they strike, what they do to a response. */
#include "faults.h"

#include <string.h>

#define MAX_FAULTS 10000
#define MAX_DELAY  (60 * 60 * 1000) /* milliseconds */

typedef enum {
  KIND_STATUS,
  KIND_DELAY,
  KIND_RESET,
  KIND_TRUNCATE,
  KIND_GARBAGE,
  KIND_CODE,
  KIND_EMPTY,
} Kind;
#define N_KINDS (KIND_EMPTY + 1)

static const char *const kind_names[N_KINDS] = {
  [KIND_STATUS] = "status",   [KIND_DELAY] = "delay", [KIND_RESET] = "reset", [KIND_TRUNCATE] = "truncate",
  [KIND_GARBAGE] = "garbage", [KIND_CODE] = "code",   [KIND_EMPTY] = "empty",
};

struct SimFault {
  gatomicrefcount refs;
  guint id;
  Kind kind;
  char *task_id; /* NULL = any */
  gboolean any_endpoint;
  SimEndpoint endpoint;
  gint64 skip; /* requests still to let pass */
  gint64 left; /* strokes left, -1 = no end */
  guint status;
  gint64 delay; /* milliseconds */
  char *retry_after, *content_type, *location, *content_encoding;
  cJSON *code; /* Number or String, or NULL */
};

struct SimFaults {
  GPtrArray *all; /* SimFault */
  guint last_id;
};

SimFaults *
sim_faults_new (void)
{
  SimFaults *faults = g_new0 (SimFaults, 1);
  faults->all = g_ptr_array_new_with_free_func ((GDestroyNotify) sim_fault_unref);
  return faults;
}

void
sim_faults_free (SimFaults *faults)
{
  if (faults == NULL)
    return;
  g_ptr_array_unref (faults->all);
  g_free (faults);
}

void
sim_fault_unref (SimFault *fault)
{
  if (fault == NULL || !g_atomic_ref_count_dec (&fault->refs))
    return;
  g_free (fault->task_id);
  g_free (fault->retry_after);
  g_free (fault->content_type);
  g_free (fault->location);
  g_free (fault->content_encoding);
  cJSON_Delete (fault->code);
  g_free (fault);
}

/* An optional Integer from MIN to MAX; *VALUE stays when it is absent. */
static gboolean
get_integer (const cJSON *object, const char *key, gint64 min, gint64 max, gint64 *value, GError **error)
{
  const cJSON *member = cJSON_GetObjectItemCaseSensitive (object, key);

  if (member == NULL)
    return TRUE;
  if (!cJSON_IsNumber (member) || member->valuedouble < (double) min || member->valuedouble > (double) max
      || member->valuedouble != (double) (gint64) member->valuedouble) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                 "%s: expected an Integer from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, key, min, max);
    return FALSE;
  }
  *value = (gint64) member->valuedouble;
  return TRUE;
}

/* An optional String, as header values can carry it; *VALUE stays when it is absent. */
static gboolean
get_string (const cJSON *object, const char *key, char **value, GError **error)
{
  const cJSON *member = cJSON_GetObjectItemCaseSensitive (object, key);

  if (member == NULL)
    return TRUE;
  if (!cJSON_IsString (member) || strpbrk (member->valuestring, "\r\n") != NULL) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "%s: expected a String of one line", key);
    return FALSE;
  }
  *value = g_strdup (member->valuestring);
  return TRUE;
}

static gboolean
get_kind (const cJSON *object, Kind *kind, GError **error)
{
  const char *name = sim_json_get_string (object, "kind");

  for (guint i = 0; i < N_KINDS; i++)
    if (g_strcmp0 (name, kind_names[i]) == 0) {
      *kind = (Kind) i;
      return TRUE;
    }
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                       "kind: expected one of status, delay, reset, truncate, garbage, code, empty");
  return FALSE;
}

static gboolean
get_endpoint (const cJSON *object, SimFault *fault, GError **error)
{
  const cJSON *member = cJSON_GetObjectItemCaseSensitive (object, "call");

  fault->any_endpoint = member == NULL;
  if (member == NULL || (cJSON_IsString (member) && sim_endpoint_from_name (member->valuestring, &fault->endpoint)))
    return TRUE;
  g_autofree char *names = sim_endpoint_names ();
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "call: expected one of %s", names);
  return FALSE;
}

static gboolean
get_code (const cJSON *object, SimFault *fault, GError **error)
{
  const cJSON *member = cJSON_GetObjectItemCaseSensitive (object, "code");

  if (member == NULL && fault->kind != KIND_CODE)
    return TRUE;
  if (cJSON_IsNumber (member) || cJSON_IsString (member)) {
    fault->code = cJSON_Duplicate (member, TRUE);
    return TRUE;
  }
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "code: expected an Integer or a String");
  return FALSE;
}

/* A misspelled field would be a fault that silently does something else. */
static gboolean
check_fields (const cJSON *object, GError **error)
{
  static const char *const known[] = { "kind", "taskId",     "call", "after",       "times",    "status",
                                       "ms",   "retryAfter", "code", "contentType", "location", "contentEncoding" };

  for (const cJSON *member = object->child; member != NULL; member = member->next) {
    guint i = 0;
    while (i < G_N_ELEMENTS (known) && strcmp (member->string, known[i]) != 0)
      i++;
    if (i == G_N_ELEMENTS (known)) {
      g_set_error (
          error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "%s: no such field, expected %s", member->string,
          "kind, taskId, call, after, times, status, ms, retryAfter, code, contentType, location, contentEncoding");
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
fill (SimFault *fault, const cJSON *object, GError **error)
{
  gint64 status;

  if (!get_kind (object, &fault->kind, error))
    return FALSE;
  status = fault->kind == KIND_STATUS ? 503 : 200;
  fault->left = 1;
  fault->delay = -1;
  if (!get_string (object, "taskId", &fault->task_id, error) || !get_endpoint (object, fault, error)
      || !get_integer (object, "after", 0, G_MAXINT32, &fault->skip, error)
      || !get_integer (object, "times", -1, G_MAXINT32, &fault->left, error)
      || !get_integer (object, "status", 200, 599, &status, error)
      || !get_integer (object, "ms", 0, MAX_DELAY, &fault->delay, error)
      || !get_string (object, "retryAfter", &fault->retry_after, error) || !get_code (object, fault, error)
      || !get_string (object, "contentType", &fault->content_type, error)
      || !get_string (object, "location", &fault->location, error)
      || !get_string (object, "contentEncoding", &fault->content_encoding, error) || !check_fields (object, error))
    return FALSE;
  fault->status = (guint) status;

  if (fault->left == 0)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "times: expected 1 or more, or -1 for no end");
  else if (fault->kind == KIND_DELAY && fault->delay < 0)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "ms: expected with the kind delay");
  else
    return TRUE;
  return FALSE;
}

SimFault *
sim_fault_parse (GBytes *text, GError **error)
{
  g_autoptr (cJSON) object = sim_json_parse (g_bytes_get_data (text, NULL), g_bytes_get_size (text));

  if (!cJSON_IsObject (object)) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "body: expected a JSON object");
    return NULL;
  }
  SimFault *fault = g_new0 (SimFault, 1);
  g_atomic_ref_count_init (&fault->refs);
  if (fill (fault, object, error))
    return fault;
  sim_fault_unref (fault);
  return NULL;
}

guint
sim_faults_add (SimFaults *faults, SimFault *fault)
{
  if (faults->all->len >= MAX_FAULTS) {
    sim_fault_unref (fault);
    return 0;
  }
  fault->id = ++faults->last_id;
  g_ptr_array_add (faults->all, fault);
  return fault->id;
}

void
sim_faults_clear (SimFaults *faults)
{
  g_ptr_array_set_size (faults->all, 0);
}

cJSON *
sim_faults_list (const SimFaults *faults)
{
  cJSON *response = cJSON_CreateObject ();
  cJSON *list = cJSON_AddArrayToObject (response, "faults");

  for (guint i = 0; i < faults->all->len; i++) {
    const SimFault *fault = faults->all->pdata[i];
    cJSON *item = cJSON_CreateObject ();
    cJSON_AddNumberToObject (item, "id", fault->id);
    sim_json_add_string (item, "kind", kind_names[fault->kind]);
    sim_json_add_string (item, "taskId", fault->task_id);
    sim_json_add_string (item, "call", fault->any_endpoint ? NULL : sim_endpoint_name (fault->endpoint));
    cJSON_AddNumberToObject (item, "after", (double) fault->skip);
    cJSON_AddNumberToObject (item, "remaining", (double) fault->left);
    cJSON_AddItemToArray (list, item);
  }
  return response;
}

static gboolean
fault_matches (const SimFault *fault, const SimRequest *req)
{
  if (!fault->any_endpoint && fault->endpoint != req->endpoint)
    return FALSE;
  return fault->task_id == NULL || g_strcmp0 (fault->task_id, req->task_id) == 0;
}

void
sim_faults_strike (SimFaults *faults, const SimRequest *req, SimStroke *stroke)
{
  for (guint i = 0; i < faults->all->len; i++) {
    SimFault *fault = faults->all->pdata[i];
    if (fault->left == 0 || !fault_matches (fault, req))
      continue;
    if (fault->skip > 0) {
      fault->skip--;
      continue;
    }
    if (fault->kind != KIND_DELAY && stroke->fault != NULL)
      continue; /* it keeps its strokes for later requests */

    if (fault->left > 0)
      fault->left--;
    if (fault->kind == KIND_DELAY) {
      stroke->delay = MAX (stroke->delay, 0) + fault->delay;
    } else {
      g_atomic_ref_count_inc (&fault->refs);
      stroke->fault = fault;
    }
  }
}

/* {"code":CODE,"msg":...} with the code as it was given. */
static GBytes *
build_code_body (const cJSON *code)
{
  cJSON *body = cJSON_CreateObject ();
  cJSON_AddItemToObject (body, "code", cJSON_Duplicate (code, TRUE));
  sim_json_add_string (body, "msg", "This is a fault that was ordered.");
  return sim_json_print (body, FALSE);
}

/* What a proxy in front of the service says. */
static GBytes *
build_proxy_page (guint status)
{
  char *page = g_strdup_printf ("<html>\r\n<head><title>%u</title></head>\r\n<body>\r\n<center><h1>%u</h1></center>\r\n"
                                "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n",
                                status, status);
  return g_bytes_new_take (page, strlen (page));
}

void
sim_fault_apply (const SimFault *fault, SimResponse *response)
{
  /* neither JSON nor UTF-8, nor a C string */
  static const char garbage[] = "{\"jobInfo\" : {\"taskId\" : \000\377\376 , }} <garbage>";
  const char *type = fault->content_type;

  switch (fault->kind) {
  case KIND_STATUS:
    if (fault->code != NULL)
      sim_response_set (response, fault->status, type != NULL ? type : SIM_JSON_TYPE, build_code_body (fault->code));
    else
      sim_response_set (response, fault->status, type != NULL ? type : "text/html", build_proxy_page (fault->status));
    break;
  case KIND_CODE:
    sim_response_set (response, fault->status, type != NULL ? type : SIM_JSON_TYPE, build_code_body (fault->code));
    break;
  case KIND_GARBAGE:
    sim_response_set (response, fault->status, type != NULL ? type : SIM_JSON_TYPE,
                      g_bytes_new_static (garbage, sizeof (garbage) - 1));
    break;
  case KIND_EMPTY:
    sim_response_set (response, fault->status, type != NULL ? type : SIM_JSON_TYPE, g_bytes_new_static ("", 0));
    break;
  case KIND_TRUNCATE: response->wire = SIM_WIRE_HALF; break;
  case KIND_RESET: response->wire = SIM_WIRE_RESET; break;
  case KIND_DELAY: /* never struck with; see sim_faults_strike() */ break;
  }
  if (fault->retry_after != NULL)
    sim_response_add_header (response, "Retry-After", fault->retry_after);
  if (fault->location != NULL)
    sim_response_add_header (response, "Location", fault->location);
  if (fault->content_encoding != NULL)
    sim_response_add_header (response, "Content-Encoding", fault->content_encoding);
}

const char *
sim_stroke_name (const SimStroke *stroke)
{
  if (stroke->fault != NULL)
    return kind_names[stroke->fault->kind];
  return stroke->delay >= 0 ? kind_names[KIND_DELAY] : NULL;
}
