/* SPDX-License-Identifier: MIT */
/* The shapes that a finished document can have: their table, and how each changes it. */
#include "shapes.h"

#include "writing.h"

#include <gio/gio.h>
#include <string.h>

/* Gives a member another name; it moves to the end. */
static void
rename_member (cJSON *object, const char *from, const char *to)
{
  cJSON *value = cJSON_DetachItemFromObjectCaseSensitive (object, from);

  if (value != NULL)
    cJSON_AddItemToObject (object, to, value);
}

/* What has jobInfo and taskInfos in it. */
static cJSON *
get_holder (cJSON *document, SimEndpoint endpoint)
{
  return endpoint == SIM_ENDPOINT_JOB ? cJSON_GetObjectItemCaseSensitive (document, "data") : document;
}

/* The object of a share task or job, or NULL. */
static cJSON *
get_job (cJSON *document, SimEndpoint endpoint)
{
  return cJSON_GetObjectItemCaseSensitive (get_holder (document, endpoint), "jobInfo");
}

static void
make_code_string (cJSON *document, SimEndpoint endpoint)
{
  if (cJSON_HasObjectItem (document, "code"))
    sim_json_set (document, "code", cJSON_CreateString ("0"));
}

static void
make_code_number (cJSON *document, SimEndpoint endpoint)
{
  if (cJSON_HasObjectItem (document, "code"))
    sim_json_set (document, "code", cJSON_CreateNumber (0));
}

static void
remove_code (cJSON *document, SimEndpoint endpoint)
{
  cJSON_DeleteItemFromObjectCaseSensitive (document, "code");
}

static void
make_infos_object (cJSON *document, SimEndpoint endpoint)
{
  cJSON *holder = get_holder (document, endpoint);
  cJSON *first = cJSON_DetachItemFromArray (cJSON_GetObjectItemCaseSensitive (holder, "taskInfos"), 0);

  if (first != NULL)
    sim_json_set (holder, "taskInfos", first);
}

static void
make_infos_null (cJSON *document, SimEndpoint endpoint)
{
  if (cJSON_HasObjectItem (get_holder (document, endpoint), "taskInfos"))
    sim_json_set (get_holder (document, endpoint), "taskInfos", cJSON_CreateNull ());
}

static void
remove_infos (cJSON *document, SimEndpoint endpoint)
{
  cJSON_DeleteItemFromObjectCaseSensitive (get_holder (document, endpoint), "taskInfos");
}

static void
make_wrapper (cJSON *document, SimEndpoint endpoint)
{
  if (endpoint != SIM_ENDPOINT_SHARE_DETAIL)
    return;
  make_code_string (document, endpoint);
  remove_infos (document, endpoint);
  rename_member (document, "jobInfo", "taskInfo");
  cJSON *wrapper = cJSON_GetObjectItemCaseSensitive (document, "taskInfo");
  sim_json_add_string (wrapper, "resultCode", "0");
}

static void
swap_names (cJSON *document, SimEndpoint endpoint)
{
  cJSON *job = cJSON_GetObjectItemCaseSensitive (get_holder (document, endpoint), "jobInfo");

  if (endpoint == SIM_ENDPOINT_SHARE_DETAIL) {
    rename_member (job, "taskStatus", "status");
    rename_member (job, "startTime", "beginTime");
  } else if (endpoint == SIM_ENDPOINT_JOB) {
    rename_member (job, "status", "taskStatus");
    rename_member (job, "beginTime", "startTime");
  }
}

static void
name_list_dtos (cJSON *document, SimEndpoint endpoint)
{
  rename_member (document, "taskList", "taskListDtos");
}

static void
make_cursor_number (cJSON *document, SimEndpoint endpoint)
{
  const char *cursor = sim_json_get_string (document, "nextCursor");

  if (cursor != NULL)
    sim_json_set (document, "nextCursor", cJSON_CreateNumber (g_ascii_strtod (cursor, NULL)));
}

static void
strip_result (cJSON *document, SimEndpoint endpoint)
{
  if (endpoint != SIM_ENDPOINT_TASK_RESULT)
    return;
  remove_code (document, endpoint);
  cJSON_DeleteItemFromObjectCaseSensitive (document, "msg");
}

static void
visit_desc (cJSON *parent, cJSON *member)
{
  if (g_strcmp0 (member->string, "desc") == 0)
    cJSON_DeleteItemFromObjectCaseSensitive (parent, "desc");
}

static void
remove_desc (cJSON *document, SimEndpoint endpoint)
{
  if (endpoint == SIM_ENDPOINT_TASK_RESULT)
    sim_json_walk (document, visit_desc);
}

static void
remove_url (cJSON *document, SimEndpoint endpoint)
{
  cJSON_DeleteItemFromObjectCaseSensitive (get_job (document, endpoint), "downloadUrl");
}

static void
empty_url (cJSON *document, SimEndpoint endpoint)
{
  if (cJSON_HasObjectItem (get_job (document, endpoint), "downloadUrl"))
    sim_json_set (get_job (document, endpoint), "downloadUrl", cJSON_CreateString (""));
}

static void
remove_progress (cJSON *document, SimEndpoint endpoint)
{
  cJSON_DeleteItemFromObjectCaseSensitive (get_job (document, endpoint), "progress");
}

static void
make_progress_negative (cJSON *document, SimEndpoint endpoint)
{
  if (get_job (document, endpoint) != NULL)
    sim_json_set (get_job (document, endpoint), "progress", cJSON_CreateNumber (-1));
}

static void
make_progress_over (cJSON *document, SimEndpoint endpoint)
{
  if (get_job (document, endpoint) != NULL)
    sim_json_set (get_job (document, endpoint), "progress", cJSON_CreateNumber (250));
}

static void
visit_enum (cJSON *parent, cJSON *member)
{
  static const char *const names[] = { "taskStatus", "status", "taskType", "taskResultCode", NULL };

  if (member->string != NULL && g_strv_contains (names, member->string))
    sim_json_set (parent, member->string,
                  cJSON_IsString (member) ? cJSON_CreateString ("99") : cJSON_CreateNumber (99));
}

static void
make_enums_unknown (cJSON *document, SimEndpoint endpoint)
{
  sim_json_walk (document, visit_enum);
}

static void
visit_object (cJSON *parent, cJSON *member)
{
  if (!cJSON_IsObject (member))
    return;
  cJSON_AddStringToObject (member, "newField", "nobody knows");
  cJSON *object = cJSON_AddObjectToObject (member, "newObject");
  cJSON_AddRawToObject (object, "id", "1521827471237047552"); /* beyond 2^53 */
  cJSON_AddNullToObject (object, "nothing");
}

static void
add_fields (cJSON *document, SimEndpoint endpoint)
{
  sim_json_walk (document, visit_object);
  visit_object (NULL, document);
}

/* In the order in which they are applied. Without a function: asked for elsewhere. */
static const struct {
  const char *name;
  const char *what;
  void (*apply) (cJSON *document, SimEndpoint endpoint);
} table[SIM_N_SHAPES] = {
  /* clang-format off */
  [SIM_SHAPE_CODE_STRING] = { "code-string", "a good answer has \"code\":\"0\"", make_code_string },
  [SIM_SHAPE_CODE_NUMBER] = { "code-number", "a good answer has \"code\":0", make_code_number },
  [SIM_SHAPE_CODE_ABSENT] = { "code-absent", "a good answer has no code", remove_code },
  [SIM_SHAPE_INFOS_OBJECT] = { "infos-object", "taskInfos is the first file instead of an array", make_infos_object },
  [SIM_SHAPE_INFOS_NULL] = { "infos-null", "taskInfos is null", make_infos_null },
  [SIM_SHAPE_INFOS_ABSENT] = { "infos-absent", "there is no taskInfos", remove_infos },
  [SIM_SHAPE_WRAPPER_2024] = { "wrapper-2024",
    "share/taskDetail as in 2024: taskInfo with resultCode instead of jobInfo and taskInfos, code a String", make_wrapper },
  [SIM_SHAPE_NAMES_SWAPPED] = { "names-swapped",
    "share tasks with the job's names (status, beginTime), jobs with the share task's (taskStatus, startTime)", swap_names },
  [SIM_SHAPE_LIST_DTOS] = { "list-dtos", "task/list has taskListDtos instead of taskList", name_list_dtos },
  [SIM_SHAPE_CURSOR_NUMBER] = { "cursor-number", "nextCursor is a Number", make_cursor_number },
  [SIM_SHAPE_CURSOR_ENDLESS] = { "cursor-endless", "task/list always gives its first page and another nextCursor", NULL },
  [SIM_SHAPE_CURSOR_SAME] = { "cursor-same", "task/list always gives its first page and the same nextCursor", NULL },
  [SIM_SHAPE_PAGE_EMPTY] = { "page-empty", "before each page of task/list comes an empty one with a nextCursor", NULL },
  [SIM_SHAPE_PAGE_REPEATS] = { "page-repeats", "jobs gives the same full page for every offset", NULL },
  [SIM_SHAPE_RESULT_BARE] = { "result-bare", "task/result has neither code nor msg", strip_result },
  [SIM_SHAPE_RESULT_NO_DESC] = { "result-no-desc", "no desc in failInfoList", remove_desc },
  [SIM_SHAPE_RESULT_BROKEN] = { "result-broken", "task/result is not JSON: the documents' sample as printed", NULL },
  [SIM_SHAPE_URL_ABSENT] = { "url-absent", "there is no downloadUrl", remove_url },
  [SIM_SHAPE_URL_EMPTY] = { "url-empty", "downloadUrl is empty", empty_url },
  [SIM_SHAPE_URL_EXPIRED] = { "url-expired", "downloadUrl has expired already", NULL },
  [SIM_SHAPE_TIMES_ISO] = { "times-iso", "14-digit times are in ISO 8601", sim_write_times_iso },
  [SIM_SHAPE_TIMES_14] = { "times-14", "ISO 8601 times have 14 digits", sim_write_times_14 },
  [SIM_SHAPE_PROGRESS_ABSENT] = { "progress-absent", "there is no progress", remove_progress },
  [SIM_SHAPE_PROGRESS_NEGATIVE] = { "progress-negative", "progress is -1", make_progress_negative },
  [SIM_SHAPE_PROGRESS_OVER] = { "progress-over", "progress is 250", make_progress_over },
  [SIM_SHAPE_ENUM_UNKNOWN] = { "enum-unknown", "types, statuses and taskResultCode are 99", make_enums_unknown },
  [SIM_SHAPE_NUMBERS_STRING] = { "numbers-string", "all Numbers are Strings", sim_write_numbers_string },
  [SIM_SHAPE_FIELDS_EXTRA] = { "fields-extra", "every object has newField and newObject too", add_fields },
  [SIM_SHAPE_NUMBERS_DECIMAL] = { "numbers-decimal", "all Numbers are written as 2.0 and 10.0E+1", sim_write_numbers_decimal },
  [SIM_SHAPE_TIMES_SECONDS] = { "times-seconds", "times are Numbers of 10 digits, seconds since 1970", sim_write_times_seconds },
  [SIM_SHAPE_TIMES_MILLISECONDS] = { "times-milliseconds", "times are Strings of 13 digits, milliseconds since 1970",
    sim_write_times_milliseconds },
  [SIM_SHAPE_STRINGS_CUT] = { "strings-cut",
    "names, descriptions and ids, but a task's, end in the middle of a character: \"\\ud83d\"", sim_write_strings_cut },
  [SIM_SHAPE_STRINGS_NUL] = { "strings-nul", "the same strings end with a NUL character: \"\\u0000\"", sim_write_strings_nul },
  [SIM_SHAPE_STATUS_203] = { "status-203", "a good answer comes with HTTP 203", NULL },
  [SIM_SHAPE_ERROR_CODE] = { "error-code", "errors have error_code, a String, and error_msg", NULL },
  [SIM_SHAPE_ERROR_200] = { "error-200", "errors come with HTTP 200", NULL },
  [SIM_SHAPE_PACKAGE_NO_RANGE] = { "package-no-range", "a package is always sent whole", NULL },
  [SIM_SHAPE_PACKAGE_NO_LENGTH] = { "package-no-length", "the same, and chunked, without a Content-Length", NULL },
  [SIM_SHAPE_PACKAGE_REDIRECT] = { "package-redirect",
    "a downloadUrl leads to another by HTTP 302, from 127.0.0.1 to localhost or back", NULL },
  /* clang-format on */
};

gboolean
sim_shapes_parse (const char *const *names, SimShapes *shapes, GError **error)
{
  SimShapes set = 0;

  for (; *names != NULL; names++) {
    guint i = 0;
    while (i < SIM_N_SHAPES && strcmp (*names, table[i].name) != 0)
      i++;
    if (i == SIM_N_SHAPES) {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "%s: no such shape, expected one of --help", *names);
      return FALSE;
    }
    set |= (SimShapes) 1 << i;
  }
  *shapes = set;
  return TRUE;
}

cJSON *
sim_shapes_list (SimShapes shapes)
{
  cJSON *response = cJSON_CreateObject ();
  cJSON *list = cJSON_AddArrayToObject (response, "shapes");

  for (guint i = 0; i < SIM_N_SHAPES; i++) {
    cJSON *item = cJSON_CreateObject ();
    cJSON_AddStringToObject (item, "name", table[i].name);
    cJSON_AddStringToObject (item, "what", table[i].what);
    cJSON_AddBoolToObject (item, "on", sim_shapes_has (shapes, i));
    cJSON_AddItemToArray (list, item);
  }
  return response;
}

char *
sim_shapes_help (void)
{
  GString *text = g_string_new ("Shapes:\n");

  for (guint i = 0; i < SIM_N_SHAPES; i++)
    g_string_append_printf (text, "  %-18s %s\n", table[i].name, table[i].what);
  return g_string_free (text, FALSE);
}

void
sim_shapes_apply (SimShapes shapes, SimEndpoint endpoint, cJSON *document)
{
  for (guint i = 0; i < SIM_N_SHAPES; i++)
    if (sim_shapes_has (shapes, i) && table[i].apply != NULL)
      table[i].apply (document, endpoint);
}

void
sim_shapes_apply_error (SimShapes shapes, SimResponse *response)
{
  guint status = sim_shapes_has (shapes, SIM_SHAPE_ERROR_200) ? 200 : response->status;
  gsize size;

  if (response->status < 400)
    return;
  const char *text = g_bytes_get_data (response->body, &size);
  g_autoptr (cJSON) body = sim_json_parse (text, size);
  const cJSON *code = cJSON_GetObjectItemCaseSensitive (body, "code");
  if (sim_shapes_has (shapes, SIM_SHAPE_ERROR_CODE) && code != NULL) {
    g_autofree char *code_text = g_strdup_printf ("%.0f", code->valuedouble);
    sim_response_set_gateway_error (response, status, code_text, sim_json_get_string (body, "msg"));
  }
  response->status = status;
}
