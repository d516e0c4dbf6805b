/* SPDX-License-Identifier: MIT */
/* The interface for tests below /_sim/: counters, log, faults, overrides, tasks, shapes, token. */
#include "admin.h"

#include <string.h>

/* A handler fills RESPONSE; REST is what follows the route's path, NULL for routes that end there. */
typedef void (*Handler) (Sim *sim, const SimRequest *req, const char *rest, SimResponse *response);

/* Takes JSON. */
static void
respond_json (SimResponse *response, guint status, cJSON *json)
{
  sim_response_set (response, status, SIM_JSON_TYPE, sim_json_print (json, TRUE));
}

static void G_GNUC_PRINTF (3, 4) respond_error (SimResponse *response, guint status, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);

  cJSON *json = cJSON_CreateObject ();
  sim_json_add_string (json, "error", text);
  respond_json (response, status, json);
}

static void
get_counters (Sim *sim, const SimRequest *req, const char *rest, SimResponse *response)
{
  g_mutex_lock (&sim->lock);
  cJSON *json = sim_journal_counters (sim->journal);
  g_mutex_unlock (&sim->lock);
  respond_json (response, 200, json);
}

static void
get_requests (Sim *sim, const SimRequest *req, const char *rest, SimResponse *response)
{
  g_mutex_lock (&sim->lock);
  cJSON *json = sim_journal_requests (sim->journal, sim_request_arg (req, "taskId"));
  g_mutex_unlock (&sim->lock);
  respond_json (response, 200, json);
}

static void
get_faults (Sim *sim, const SimRequest *req, const char *rest, SimResponse *response)
{
  g_mutex_lock (&sim->lock);
  cJSON *json = sim_faults_list (sim->faults);
  g_mutex_unlock (&sim->lock);
  respond_json (response, 200, json);
}

static void
post_faults (Sim *sim, const SimRequest *req, const char *rest, SimResponse *response)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) text = g_bytes_new_static (req->body->data, req->body->len);
  SimFault *fault = sim_fault_parse (text, &error);

  if (fault == NULL) {
    respond_error (response, 400, "%s", error->message);
    return;
  }
  g_mutex_lock (&sim->lock);
  guint id = sim_faults_add (sim->faults, fault);
  g_mutex_unlock (&sim->lock);
  if (id == 0) {
    respond_error (response, 400, "too many faults, DELETE /_sim/faults first");
    return;
  }
  cJSON *json = cJSON_CreateObject ();
  cJSON_AddNumberToObject (json, "id", id);
  respond_json (response, 200, json);
}

static void
delete_faults (Sim *sim, const SimRequest *req, const char *rest, SimResponse *response)
{
  g_mutex_lock (&sim->lock);
  sim_faults_clear (sim->faults);
  g_mutex_unlock (&sim->lock);
  respond_json (response, 200, cJSON_CreateObject ());
}

static void
put_override (Sim *sim, const SimRequest *req, const char *rest, SimResponse *response)
{
  const char *status_text = sim_request_arg (req, "status");
  const char *type = sim_request_arg (req, "contentType");
  guint64 status = 200;

  if (status_text != NULL && !g_ascii_string_to_unsigned (status_text, 10, 200, 599, &status, NULL)) {
    respond_error (response, 400, "status: expected an Integer from 200 to 599");
    return;
  }
  if (type != NULL && (*type == '\0' || strpbrk (type, "\r\n") != NULL)) {
    respond_error (response, 400, "contentType: expected one line that is not empty");
    return;
  }

  g_autoptr (GBytes) body = g_bytes_new (req->body->data, req->body->len);
  g_mutex_lock (&sim->lock);
  gboolean stored = sim_overrides_put (sim->overrides, rest, (guint) status, type != NULL ? type : SIM_JSON_TYPE, body);
  g_mutex_unlock (&sim->lock);
  if (!stored) {
    respond_error (response, 413, "the stored answers are together larger than %u bytes", SIM_OVERRIDES_MAX_BYTES);
    return;
  }
  cJSON *json = cJSON_CreateObject ();
  sim_json_add_string (json, "taskId", rest);
  cJSON_AddNumberToObject (json, "bytes", (double) g_bytes_get_size (body));
  respond_json (response, 200, json);
}

static void
delete_override (Sim *sim, const SimRequest *req, const char *rest, SimResponse *response)
{
  g_mutex_lock (&sim->lock);
  gboolean removed = sim_overrides_remove (sim->overrides, rest);
  g_mutex_unlock (&sim->lock);
  if (removed)
    respond_json (response, 200, cJSON_CreateObject ());
  else
    respond_error (response, 404, "no answer is stored for task %s", rest);
}

static void
get_tasks (Sim *sim, const SimRequest *req, const char *rest, SimResponse *response)
{
  respond_json (response, 200, sim_tasks_list (sim->tasks, req->at));
}

static void
get_token (Sim *sim, const SimRequest *req, const char *rest, SimResponse *response)
{
  respond_json (response, 200, sim_auth_describe (sim->auth, req->at));
}

static void
put_token (Sim *sim, const SimRequest *req, const char *rest, SimResponse *response)
{
  g_autofree char *token = g_strstrip (g_strndup (req->body->len > 0 ? (char *) req->body->data : "", req->body->len));

  if (*token == '\0' || strpbrk (token, "\r\n") != NULL) {
    respond_error (response, 400, "body: expected a token of one line");
    return;
  }
  sim_auth_set_token (sim->auth, token, req->at);
  respond_json (response, 200, cJSON_CreateObject ());
}

static void
post_expire (Sim *sim, const SimRequest *req, const char *rest, SimResponse *response)
{
  sim_auth_expire (sim->auth);
  respond_json (response, 200, cJSON_CreateObject ());
}

static void
get_shapes (Sim *sim, const SimRequest *req, const char *rest, SimResponse *response)
{
  g_mutex_lock (&sim->lock);
  SimShapes shapes = sim->shapes;
  g_mutex_unlock (&sim->lock);
  respond_json (response, 200, sim_shapes_list (shapes));
}

static void
put_shapes (Sim *sim, const SimRequest *req, const char *rest, SimResponse *response)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (cJSON) list = sim_json_parse (req->body->data, req->body->len);
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  gboolean good = cJSON_IsArray (list);
  const cJSON *item;
  SimShapes shapes;

  cJSON_ArrayForEach (item, list) {
    good = good && cJSON_IsString (item);
    g_ptr_array_add (names, item->valuestring);
  }
  g_ptr_array_add (names, NULL);
  if (!good) {
    respond_error (response, 400, "body: expected a JSON array of names");
    return;
  }
  if (!sim_shapes_parse ((const char *const *) names->pdata, &shapes, &error)) {
    respond_error (response, 400, "%s", error->message);
    return;
  }
  g_mutex_lock (&sim->lock);
  sim->shapes = shapes;
  g_mutex_unlock (&sim->lock);
  respond_json (response, 200, cJSON_CreateObject ());
}

static void
post_reset (Sim *sim, const SimRequest *req, const char *rest, SimResponse *response)
{
  g_mutex_lock (&sim->lock);
  sim_journal_reset (sim->journal);
  sim_faults_clear (sim->faults);
  sim_overrides_clear (sim->overrides);
  sim->shapes = sim->first_shapes;
  g_mutex_unlock (&sim->lock);
  respond_json (response, 200, cJSON_CreateObject ());
}

static const struct {
  const char *path; /* after SIM_ADMIN_PREFIX; one that ends in a slash wants something after it */
  const char *method;
  Handler handler;
} routes[] = {
  /* clang-format off */
  { "counters", "GET", get_counters },
  { "requests", "GET", get_requests },
  { "faults", "GET", get_faults },
  { "faults", "POST", post_faults },
  { "faults", "DELETE", delete_faults },
  { "answers/", "PUT", put_override },
  { "answers/", "DELETE", delete_override },
  { "tasks", "GET", get_tasks },
  { "shapes", "GET", get_shapes },
  { "shapes", "PUT", put_shapes },
  { "token", "GET", get_token },
  { "token", "PUT", put_token },
  { "expire", "POST", post_expire },
  { "reset", "POST", post_reset },
  /* clang-format on */
};

void
sim_admin_handle (Sim *sim, const SimRequest *req, SimResponse *response)
{
  const char *path = req->path + strlen (SIM_ADMIN_PREFIX);
  GString *methods = g_string_new (NULL); /* of a path that is known, for 405 */

  if (req->body_too_big) {
    respond_error (response, 413, "the body is larger than %" G_GSIZE_FORMAT " bytes", req->body_max);
    g_string_free (methods, TRUE);
    return;
  }
  for (guint i = 0; i < G_N_ELEMENTS (routes); i++) {
    gsize length = strlen (routes[i].path);
    gboolean open = g_str_has_suffix (routes[i].path, "/");
    if (open ? !g_str_has_prefix (path, routes[i].path) || path[length] == '\0' : strcmp (path, routes[i].path) != 0)
      continue;
    if (strcmp (req->method, routes[i].method) == 0) {
      routes[i].handler (sim, req, open ? path + length : NULL, response);
      g_string_free (methods, TRUE);
      return;
    }
    g_string_append_printf (methods, "%s%s", methods->len > 0 ? ", " : "", routes[i].method);
  }

  if (methods->len == 0)
    respond_error (response, 404, "no such path: %s", req->path);
  else
    respond_error (response, 405, "%s takes only %s", req->path, methods->str);
  if (methods->len > 0)
    sim_response_add_header (response, "Allow", methods->str);
  g_string_free (methods, TRUE);
}
