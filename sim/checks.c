/* SPDX-License-Identifier: MIT */
#include "checks.h"

#include <stdio.h>
#include <string.h>

enum { BAD_REQUEST = 13000101, BAD_PARAMETER = 13000102 };

#define DATE_MAX_AGE    (15 * 60) /* seconds */
#define TRACE_ID_LENGTH 58

static bool
token_is_right (const char *value, const char *token)
{
  static const char *const schemes[] = { "", "Bearer ", "Bearer+", "AT " };

  for (guint i = 0; i < G_N_ELEMENTS (schemes); i++)
    if (g_str_has_prefix (value, schemes[i]) && strcmp (value + strlen (schemes[i]), token) == 0)
      return true;
  return false;
}

static SimRefusal
check_authorization (const SimRequest *req, const char *token, SimAnswer *answer)
{
  const char *value = sim_request_header (req, "Authorization");
  const char *reason;

  if (value == NULL)
    reason = "Incorrect IAM authentication information: Authorization header is missing";
  else if (!token_is_right (value, token))
    reason = "Incorrect IAM authentication information: verify token failed";
  else
    return SIM_REFUSAL_NONE;
  sim_answer_set_gateway_error (answer, 401, "APIGW.0301", reason);
  return SIM_REFUSAL_AUTHORIZATION;
}

static SimRefusal
check_user_id (const SimRequest *req, const char *token, SimAnswer *answer)
{
  const char *value = sim_request_header (req, "X-User-Id");

  if (value != NULL && *value != '\0')
    return SIM_REFUSAL_NONE;
  sim_answer_set_error (answer, 400, BAD_PARAMETER, "X-User-Id: %s.",
                        value == NULL ? "the header is missing" : "must not be empty");
  return SIM_REFUSAL_USER_ID;
}

/* YYYYMMDDTHHMMSSZ to seconds since the epoch; -1 when it is not exactly of that form or no such time exists.
 */
static gint64
parse_date (const char *text)
{
  int year, month, day, hour, minute, second;

  if (strlen (text) != 16 || text[8] != 'T' || text[15] != 'Z')
    return -1;
  for (guint i = 0; i < 15; i++)
    if (i != 8 && !g_ascii_isdigit (text[i]))
      return -1;
  if (sscanf (text, "%4d%2d%2dT%2d%2d%2d", &year, &month, &day, &hour, &minute, &second) != 6 || second > 59)
    return -1;

  g_autoptr (GDateTime) date = g_date_time_new_utc (year, month, day, hour, minute, second);
  return date != NULL ? g_date_time_to_unix (date) : -1;
}

static SimRefusal
check_date (const SimRequest *req, const char *token, SimAnswer *answer)
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
  sim_answer_set_error (answer, 400, BAD_PARAMETER, "X-Date: %s.", reason);
  return SIM_REFUSAL_DATE;
}

static SimRefusal
check_trace_id (const SimRequest *req, const char *token, SimAnswer *answer)
{
  const char *value = sim_request_header (req, "X-Traceid");

  if (value == NULL || strlen (value) == TRACE_ID_LENGTH)
    return SIM_REFUSAL_NONE;
  sim_answer_set_error (answer, 400, BAD_PARAMETER, "X-Traceid: must have exactly %d characters, has %zu.",
                        TRACE_ID_LENGTH, strlen (value));
  return SIM_REFUSAL_TRACE_ID;
}

static SimRefusal
check_content_type (const SimRequest *req, const char *token, SimAnswer *answer)
{
  const char *value = sim_request_header (req, "Content-Type");

  if (req->call != SIM_CALL_SHARE_DETAIL)
    return SIM_REFUSAL_NONE;
  if (value != NULL) {
    /* a parameter such as charset may follow */
    g_autofree char *type = g_strndup (value, strcspn (value, ";"));
    if (g_ascii_strcasecmp (g_strstrip (type), "application/json") == 0)
      return SIM_REFUSAL_NONE;
  }
  sim_answer_set_error (answer, 400, BAD_REQUEST, "Content-Type: must be application/json.");
  return SIM_REFUSAL_CONTENT_TYPE;
}

static bool
member_is_good (const cJSON *object, const char *key, bool mandatory, SimAnswer *answer)
{
  const cJSON *member = cJSON_GetObjectItemCaseSensitive (object, key);
  const char *reason;

  if (member == NULL && !mandatory)
    return true;
  if (member == NULL)
    reason = "is missing";
  else if (!cJSON_IsString (member))
    reason = "must be a String";
  else if (*member->valuestring == '\0')
    reason = "must not be empty";
  else
    return true;
  sim_answer_set_error (answer, 400, BAD_PARAMETER, "%s: %s.", key, reason);
  return false;
}

static SimRefusal
check_body (const SimRequest *req, const char *token, SimAnswer *answer)
{
  if (req->call == SIM_CALL_TASK_RESULT) {
    if (req->task_id != NULL && *req->task_id != '\0')
      return SIM_REFUSAL_NONE;
    sim_answer_set_error (answer, 400, BAD_PARAMETER, "taskId: is missing.");
    return SIM_REFUSAL_BODY;
  }

  if (req->body_too_big)
    sim_answer_set_error (answer, 413, BAD_REQUEST, "The request body is larger than %u bytes.", SIM_SERVICE_BODY_MAX);
  else if (!cJSON_IsObject (req->json))
    sim_answer_set_error (answer, 400, BAD_REQUEST, "The request body is not a JSON object.");
  else if (member_is_good (req->json, "taskId", true, answer) && member_is_good (req->json, "shareId", true, answer)
           && member_is_good (req->json, "kdstoken", false, answer))
    return SIM_REFUSAL_NONE;
  return SIM_REFUSAL_BODY;
}

SimRefusal
sim_checks_run (const SimRequest *req, const char *token, SimAnswer *answer)
{
  static SimRefusal (*const checks[]) (const SimRequest *, const char *, SimAnswer *) = {
    check_authorization, check_user_id, check_date, check_trace_id, check_content_type, check_body,
  };

  for (guint i = 0; i < G_N_ELEMENTS (checks); i++) {
    SimRefusal refusal = checks[i](req, token, answer);
    if (refusal != SIM_REFUSAL_NONE)
      return refusal;
  }
  return SIM_REFUSAL_NONE;
}

const char *
sim_refusal_name (SimRefusal refusal)
{
  static const char *const names[SIM_N_REFUSALS] = {
    [SIM_REFUSAL_NONE] = "none",        [SIM_REFUSAL_AUTHORIZATION] = "authorization",
    [SIM_REFUSAL_USER_ID] = "userId",   [SIM_REFUSAL_DATE] = "date",
    [SIM_REFUSAL_TRACE_ID] = "traceId", [SIM_REFUSAL_CONTENT_TYPE] = "contentType",
    [SIM_REFUSAL_BODY] = "body",        [SIM_REFUSAL_NOT_FOUND] = "notFound",
  };
  return names[refusal];
}
