/* SPDX-License-Identifier: MIT */
/* Links to packages, and the host that serves what they lead to, by range. */
#include "packages.h"

#include "reply.h"

#include <string.h>

struct SimPackages {
  guint64 size;
  gint64 link_ttl;
  char *host; /* of the links; with its port once the server's URL is known */

  GMutex lock;
  GHashTable *made; /* task's id to SimPackage */
};

SimPackages *
sim_packages_new (guint64 size, gint64 link_ttl, const char *host)
{
  SimPackages *packages = g_new0 (SimPackages, 1);

  packages->size = size;
  packages->link_ttl = link_ttl;
  packages->host = g_strdup (host);
  packages->made = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) sim_package_unref);
  g_mutex_init (&packages->lock);
  return packages;
}

void
sim_packages_free (SimPackages *packages)
{
  if (packages == NULL)
    return;
  g_hash_table_unref (packages->made);
  g_free (packages->host);
  g_mutex_clear (&packages->lock);
  g_free (packages);
}

/* The port of HOST:PORT with its colon, "" when there is none; colons within brackets belong to the host. */
static const char *
find_port (const char *host)
{
  const char *bracket = strrchr (host, ']');
  const char *colon = strchr (bracket != NULL ? bracket : host, ':');

  return colon != NULL ? colon : "";
}

void
sim_packages_set_url (SimPackages *packages, const char *url)
{
  const char *own = url + strlen ("http://");

  if (packages->host == NULL) {
    packages->host = g_strdup (own);
  } else if (*find_port (packages->host) == '\0') {
    char *host = g_strconcat (packages->host, find_port (own), NULL);
    g_free (packages->host);
    packages->host = host;
  }
}

/* What proves that a link is ours. (transfer full) */
static char *
make_signature (const char *task_id, const char *expires)
{
  static const guint8 key[] = "koodrive-sim packages";
  g_autofree char *text = g_strdup_printf ("%s %s", task_id, expires);
  return g_compute_hmac_for_string (G_CHECKSUM_SHA256, key, sizeof (key), text, -1);
}

char *
sim_packages_make_link (const SimPackages *packages, const SimTask *task, gint64 now, gboolean expired)
{
  gint64 expires = expired ? 1 : packages->link_ttl > 0 ? (now + packages->link_ttl) / 1000 : 0;
  g_autofree char *expires_text = g_strdup_printf ("%" G_GINT64_FORMAT, expires);
  g_autofree char *signature = make_signature (task->task_id, expires_text);

  return g_strdup_printf ("http://%s/packages/%s.zip?expires=%s&sig=%s", packages->host, task->task_id, expires_text,
                          signature);
}

/* An error as object stores word it. */
static void
respond_error (SimResponse *response, guint status, const char *code, const char *message)
{
  char *text = g_strdup_printf ("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                                "<Error><Code>%s</Code><Message>%s</Message></Error>\n",
                                code, message);
  sim_response_set (response, status, "application/xml", g_bytes_new_take (text, strlen (text)));
}

SimRefusal
sim_packages_check (const SimPackages *packages, const SimTasks *tasks, const SimRequest *req, SimResponse *response)
{
  const SimTask *task = req->task_id != NULL ? sim_tasks_lookup (tasks, req->task_id) : NULL;
  const char *expires = sim_request_arg (req, "expires");
  const char *signature = sim_request_arg (req, "sig");
  SimState state = { 0 };
  guint64 due = 0;

  if (task != NULL)
    state = sim_task_state (task, req->at);
  if (task == NULL || !sim_reply_has_package (task, &state)) {
    respond_error (response, 404, "NoSuchKey", "The specified key does not exist.");
    return SIM_REFUSAL_NOT_FOUND;
  }
  g_autofree char *right = make_signature (task->task_id, expires != NULL ? expires : "");
  if (g_strcmp0 (signature, right) != 0) {
    respond_error (response, 403, "SignatureDoesNotMatch", "The signature does not match.");
    return SIM_REFUSAL_LINK;
  }
  g_ascii_string_to_unsigned (expires, 10, 0, G_MAXINT64, &due, NULL); /* good, as it is signed */
  if (due != 0 && (guint64) req->at / 1000 >= due) {
    respond_error (response, 403, "AccessDenied", "Request has expired.");
    return SIM_REFUSAL_LINK;
  }
  return SIM_REFUSAL_NONE;
}

/* (transfer full) */
static SimPackage *
get_package (SimPackages *packages, const SimTask *task)
{
  g_mutex_lock (&packages->lock);
  SimPackage *package = g_hash_table_lookup (packages->made, task->task_id);
  if (package == NULL) {
    package = sim_package_new (task, packages->size);
    g_hash_table_insert (packages->made, g_strdup (task->task_id), package);
  }
  sim_package_ref (package);
  g_mutex_unlock (&packages->lock);
  return package;
}

/* Sends the client on to the other name of the host it has come to. */
static void
redirect (const SimRequest *req, SimResponse *response)
{
  const char *host = sim_request_header (req, "Host");
  const char *other = g_str_has_prefix (host, "localhost") ? "127.0.0.1" : "localhost";
  g_autofree char *location =
      g_strdup_printf ("http://%s%s%s?%s&moved=1", other, find_port (host), req->raw_path, req->query);

  sim_response_set (response, 302, NULL, g_bytes_new_static ("", 0));
  sim_response_add_header (response, "Location", location);
}

typedef enum {
  RANGE_NONE, /* or none that a server has to heed */
  RANGE_GOOD,
  RANGE_OUTSIDE,
} RangeKind;

/* Reads "bytes=A-B", "bytes=A-" or "bytes=-N" for something of SIZE bytes; *FROM and *LENGTH are only set for GOOD.
 * Several ranges are not heeded, as RFC 9110 allows. */
static RangeKind
parse_range (const char *text, guint64 size, guint64 *from, guint64 *length)
{
  const char *dash = text != NULL && g_str_has_prefix (text, "bytes=") ? strchr (text, '-') : NULL;
  guint64 first = 0, last = G_MAXUINT64;

  if (dash == NULL)
    return RANGE_NONE;
  g_autofree char *start = g_strndup (text + strlen ("bytes="), (gsize) (dash - text) - strlen ("bytes="));
  gboolean has_start = *start != '\0', has_end = dash[1] != '\0';
  if ((!has_start && !has_end) || (has_start && !g_ascii_string_to_unsigned (start, 10, 0, G_MAXINT64, &first, NULL))
      || (has_end && !g_ascii_string_to_unsigned (dash + 1, 10, 0, G_MAXINT64, &last, NULL)) || last < first)
    return RANGE_NONE;
  if (!has_start) { /* the last bytes, so many */
    first = size - MIN (size, last);
    last = last > 0 ? G_MAXUINT64 : 0;
  }
  if (first >= size || last < first)
    return RANGE_OUTSIDE;
  *from = first;
  *length = MIN (last, size - 1) - first + 1;
  return RANGE_GOOD;
}

void
sim_packages_respond (SimPackages *packages, const SimTasks *tasks, const SimRequest *req, SimShapes shapes,
                      SimResponse *response)
{
  gboolean no_length = sim_shapes_has (shapes, SIM_SHAPE_PACKAGE_NO_LENGTH);
  gboolean no_range = no_length || sim_shapes_has (shapes, SIM_SHAPE_PACKAGE_NO_RANGE);
  const SimTask *task = sim_tasks_lookup (tasks, req->task_id);
  const char *if_match = sim_request_header (req, "If-Match");
  const char *if_range = sim_request_header (req, "If-Range");

  if (sim_shapes_has (shapes, SIM_SHAPE_PACKAGE_REDIRECT) && sim_request_arg (req, "moved") == NULL) {
    redirect (req, response);
    return;
  }

  g_autoptr (SimPackage) package = get_package (packages, task);
  guint64 size = sim_package_get_size (package);
  guint64 from = 0, length = size;
  g_autofree char *etag = g_strdup_printf ("\"%016" G_GINT64_MODIFIER "x\"", sim_task_mix (task->seed, size));
  g_autofree char *modified = sim_response_make_date (task->ends);
  RangeKind range = RANGE_NONE;

  if (if_match != NULL && strcmp (if_match, "*") != 0 && strcmp (if_match, etag) != 0) {
    respond_error (response, 412, "PreconditionFailed", "At least one of the preconditions did not hold.");
    return;
  }
  if (!no_range && (if_range == NULL || strcmp (if_range, etag) == 0 || strcmp (if_range, modified) == 0))
    range = parse_range (sim_request_header (req, "Range"), size, &from, &length);

  g_autofree char *content_range = NULL;
  if (range == RANGE_OUTSIDE) {
    respond_error (response, 416, "InvalidRange", "The requested range cannot be satisfied.");
    content_range = g_strdup_printf ("bytes */%" G_GUINT64_FORMAT, size);
  } else {
    sim_response_set_package (response, range == RANGE_GOOD ? 206 : 200, package, from, length, no_length);
    if (range == RANGE_GOOD)
      content_range = g_strdup_printf ("bytes %" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT, from,
                                       from + length - 1, size);
  }
  if (content_range != NULL)
    sim_response_add_header (response, "Content-Range", content_range);
  if (!no_range)
    sim_response_add_header (response, "Accept-Ranges", "bytes");
  sim_response_add_header (response, "ETag", etag);
  sim_response_add_header (response, "Last-Modified", modified);
}
