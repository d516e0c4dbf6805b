/* SPDX-License-Identifier: MIT */
/* One HTTP response before it is sent. */
#include "response.h"

#include "request.h"

void
sim_response_clear (SimResponse *response)
{
  g_free (response->content_type);
  g_clear_pointer (&response->body, g_bytes_unref);
  sim_package_unref (response->package);
  g_clear_pointer (&response->headers, g_ptr_array_unref);
  *response = (SimResponse){ 0 };
}

char *
sim_response_make_date (gint64 time)
{
  /* not with %a and %b, which follow the locale */
  static const char *const days[] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };
  static const char *const months[] = {
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  };
  g_autoptr (GDateTime) date = g_date_time_new_from_unix_utc (time / G_USEC_PER_SEC);

  return g_strdup_printf ("%s, %02d %s %04d %02d:%02d:%02d GMT", days[g_date_time_get_day_of_week (date) - 1],
                          g_date_time_get_day_of_month (date), months[g_date_time_get_month (date) - 1],
                          g_date_time_get_year (date), g_date_time_get_hour (date), g_date_time_get_minute (date),
                          g_date_time_get_second (date));
}

void
sim_response_add_header (SimResponse *response, const char *name, const char *value)
{
  if (response->headers == NULL)
    response->headers = sim_pairs_new ();
  sim_request_add_pair (response->headers, name, value);
}

void
sim_response_set (SimResponse *response, guint status, const char *content_type, GBytes *body)
{
  sim_response_clear (response);
  response->status = status;
  response->content_type = g_strdup (content_type);
  response->body = body;
}

void
sim_response_set_package (SimResponse *response, guint status, SimPackage *package, guint64 from, guint64 length,
                          gboolean no_length)
{
  sim_response_set (response, status, "application/zip", NULL);
  response->package = sim_package_ref (package);
  response->from = from;
  response->length = length;
  response->no_length = no_length;
}

void
sim_response_set_error (SimResponse *response, guint status, int code, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *msg = g_strdup_vprintf (format, args);
  va_end (args);

  cJSON *body = cJSON_CreateObject ();
  cJSON_AddNumberToObject (body, "code", code);
  sim_json_add_string (body, "msg", msg);
  sim_response_set (response, status, SIM_JSON_TYPE, sim_json_print (body, FALSE));
}

void
sim_response_set_gateway_error (SimResponse *response, guint status, const char *code, const char *msg)
{
  cJSON *body = cJSON_CreateObject ();
  sim_json_add_string (body, "error_code", code);
  sim_json_add_string (body, "error_msg", msg);
  sim_response_set (response, status, SIM_JSON_TYPE, sim_json_print (body, FALSE));
}
