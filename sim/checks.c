/* SPDX-License-Identifier: MIT */
/* What the service insists on before it looks at the task: sign-in, headers, body, arguments. */
#include "checks.h"

#include <string.h>

#define DATE_MAX_AGE    (15 * 60) /* seconds */
#define TRACE_ID_LENGTH 58

static SimRefusal
check_authorization (const SimRequest *req, SimAuth *auth, guint status, SimResponse *response)
{
  const char *reason = sim_auth_check (auth, req);

  if (reason == NULL)
    return SIM_REFUSAL_NONE;
  g_autofree char *msg = g_strconcat ("Incorrect IAM authentication information: ", reason, NULL);
  sim_response_set_gateway_error (response, status, "APIGW.0301", msg);
  return SIM_REFUSAL_AUTHORIZATION;
}

static SimRefusal
check_user_id (const SimRequest *req, SimResponse *response)
{
  const char *value = sim_request_header (req, "X-User-Id");

  if (value != NULL && *value != '\0')
    return SIM_REFUSAL_NONE;
  sim_response_set_error (response, 400, SIM_CODE_BAD_PARAMETER, "X-User-Id: %s.",
                          value == NULL ? "the header is missing" : "must not be empty");
  return SIM_REFUSAL_USER_ID;
}

/* The number that the N digits at TEXT are. */
static int
read_digits (const char *text, guint n)
{
  int number = 0;

  for (guint i = 0; i < n; i++)
    number = 10 * number + g_ascii_digit_value (text[i]);
  return number;
}

/* YYYYMMDDTHHMMSSZ to seconds since the epoch; -1 when it is not exactly of that form or no such time exists. */
static gint64
parse_date (const char *text)
{
  if (strlen (text) != 16 || text[8] != 'T' || text[15] != 'Z')
    return -1;
  for (guint i = 0; i < 15; i++)
    if (i != 8 && !g_ascii_isdigit (text[i]))
      return -1;

  g_autoptr (GDateTime) date =
      g_date_time_new_utc (read_digits (text, 4), read_digits (text + 4, 2), read_digits (text + 6, 2),
                           read_digits (text + 9, 2), read_digits (text + 11, 2), read_digits (text + 13, 2));
  return date != NULL ? g_date_time_to_unix (date) : -1;
}

static SimRefusal
check_date (const SimRequest *req, SimResponse *response)
{
  const char *value = sim_request_header (req, "X-Date");
  const char *reason;
  /* the header has whole seconds: an honest clock is never ahead of ours cut to seconds */
  gint64 now = req->at / G_USEC_PER_SEC;
  gint64 date = value != NULL ? parse_date (value) : -1;

  if (value == NULL)
    reason = "the header is missing";
  else if (date < 0)
    reason = "must have the form YYYYMMDDTHHMMSSZ";
  else if (date > now)
    reason = "is later than the server's clock";
  else if (now - date > DATE_MAX_AGE)
    reason = "is more than 15 minutes old";
  else
    return SIM_REFUSAL_NONE;
  sim_response_set_error (response, 400, SIM_CODE_BAD_PARAMETER, "X-Date: %s.", reason);
  return SIM_REFUSAL_DATE;
}

static SimRefusal
check_trace_id (const SimRequest *req, SimResponse *response)
{
  const char *value = sim_request_header (req, "X-Traceid");

  if (value == NULL || strlen (value) == TRACE_ID_LENGTH)
    return SIM_REFUSAL_NONE;
  sim_response_set_error (response, 400, SIM_CODE_BAD_PARAMETER, "X-Traceid: must have exactly %d characters, has %zu.",
                          TRACE_ID_LENGTH, strlen (value));
  return SIM_REFUSAL_TRACE_ID;
}

static SimRefusal
check_content_type (const SimRequest *req, SimResponse *response)
{
  const char *value = sim_request_header (req, "Content-Type");

  if (req->endpoint != SIM_ENDPOINT_SHARE_DETAIL && req->endpoint != SIM_ENDPOINT_CANCEL)
    return SIM_REFUSAL_NONE;
  if (value != NULL) {
    /* a parameter such as charset may follow */
    g_autofree char *type = g_strndup (value, strcspn (value, ";"));
    if (g_ascii_strcasecmp (g_strstrip (type), "application/json") == 0)
      return SIM_REFUSAL_NONE;
  }
  sim_response_set_error (response, 400, SIM_CODE_BAD_REQUEST, "Content-Type: must be application/json.");
  return SIM_REFUSAL_CONTENT_TYPE;
}

/* Checks a String of the body; KEY with a "?" at its end may be absent. */
static gboolean
member_is_good (const cJSON *object, const char *key, SimResponse *response)
{
  gboolean mandatory = !g_str_has_suffix (key, "?");
  g_autofree char *name = g_strndup (key, strcspn (key, "?"));
  const cJSON *member = cJSON_GetObjectItemCaseSensitive (object, name);
  const char *reason;

  if (member == NULL && !mandatory)
    return TRUE;
  if (member == NULL)
    reason = "is missing";
  else if (!cJSON_IsString (member))
    reason = "must be a String";
  else if (*member->valuestring == '\0')
    reason = "must not be empty";
  else
    return TRUE;
  sim_response_set_error (response, 400, SIM_CODE_BAD_PARAMETER, "%s: %s.", name, reason);
  return FALSE;
}

static SimRefusal
check_body (const SimRequest *req, SimResponse *response)
{
  static const char *const members[SIM_N_ENDPOINTS][4] = {
    [SIM_ENDPOINT_SHARE_DETAIL] = { "taskId", "shareId", "kdstoken?" },
    [SIM_ENDPOINT_CANCEL] = { "jobId" },
  };
  const char *const *keys = members[req->endpoint];

  if (req->endpoint == SIM_ENDPOINT_TASK_RESULT && (req->task_id == NULL || *req->task_id == '\0')) {
    sim_response_set_error (response, 400, SIM_CODE_BAD_PARAMETER, "taskId: is missing.");
    return SIM_REFUSAL_BODY;
  }
  if (*keys == NULL)
    return SIM_REFUSAL_NONE;

  if (req->body_too_big) {
    sim_response_set_error (response, 413, SIM_CODE_BAD_REQUEST, "The request body is larger than %u bytes.",
                            SIM_SERVICE_BODY_MAX);
    return SIM_REFUSAL_BODY;
  }
  if (!cJSON_IsObject (req->json)) {
    sim_response_set_error (response, 400, SIM_CODE_BAD_REQUEST, "The request body is not a JSON object.");
    return SIM_REFUSAL_BODY;
  }
  for (; *keys != NULL; keys++)
    if (!member_is_good (req->json, *keys, response))
      return SIM_REFUSAL_BODY;
  return SIM_REFUSAL_NONE;
}

SimRefusal
sim_checks_run (const SimRequest *req, SimAuth *auth, guint auth_status, SimResponse *response)
{
  static SimRefusal (*const checks[]) (const SimRequest *, SimResponse *) = {
    check_user_id, check_date, check_trace_id, check_content_type, check_body,
  };
  SimRefusal refusal = check_authorization (req, auth, auth_status, response);

  for (guint i = 0; refusal == SIM_REFUSAL_NONE && i < G_N_ELEMENTS (checks); i++)
    refusal = checks[i](req, response);
  return refusal;
}

const char *
sim_refusal_name (SimRefusal refusal)
{
  static const char *const names[SIM_N_REFUSALS] = {
    [SIM_REFUSAL_NONE] = "none",        [SIM_REFUSAL_AUTHORIZATION] = "authorization",
    [SIM_REFUSAL_USER_ID] = "userId",   [SIM_REFUSAL_DATE] = "date",
    [SIM_REFUSAL_TRACE_ID] = "traceId", [SIM_REFUSAL_CONTENT_TYPE] = "contentType",
    [SIM_REFUSAL_BODY] = "body",        [SIM_REFUSAL_NOT_FOUND] = "notFound",
    [SIM_REFUSAL_LINK] = "link",
  };
  return names[refusal];
}
