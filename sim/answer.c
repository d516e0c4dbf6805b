/* SPDX-License-Identifier: MIT */
#include "answer.h"

#include "json.h"

void
sim_answer_clear (SimAnswer *answer)
{
  g_free (answer->content_type);
  g_clear_pointer (&answer->body, g_bytes_unref);
  g_free (answer->retry_after);
  g_free (answer->allow);
  *answer = (SimAnswer){ 0 };
}

void
sim_answer_set (SimAnswer *answer, unsigned status, const char *content_type, GBytes *body)
{
  sim_answer_clear (answer);
  answer->status = status;
  answer->content_type = g_strdup (content_type);
  answer->body = body;
}

void
sim_answer_set_error (SimAnswer *answer, unsigned status, int code, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *msg = g_strdup_vprintf (format, args);
  va_end (args);

  cJSON *body = cJSON_CreateObject ();
  cJSON_AddNumberToObject (body, "code", code);
  sim_json_add_string (body, "msg", msg);
  sim_answer_set (answer, status, SIM_JSON_TYPE, sim_json_print (body, FALSE));
}

void
sim_answer_set_gateway_error (SimAnswer *answer, unsigned status, const char *code, const char *msg)
{
  cJSON *body = cJSON_CreateObject ();
  sim_json_add_string (body, "error_code", code);
  sim_json_add_string (body, "error_msg", msg);
  sim_answer_set (answer, status, SIM_JSON_TYPE, sim_json_print (body, FALSE));
}
