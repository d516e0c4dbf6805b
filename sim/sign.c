/* SPDX-License-Identifier: MIT */
/* Verifies a request that an app has signed: HMAC-SHA256. */
#include "sign.h"

#include <string.h>

/* ESCAPED decoded and encoded again, so that only A-Za-z0-9-_.~ stay as they are; NULL when it is no good
 * percent-encoding. (transfer full) */
static char *
encode_again (const char *escaped, gssize length)
{
  g_autofree char *raw = g_uri_unescape_segment (escaped, length < 0 ? NULL : escaped + length, NULL);

  return raw != NULL ? g_uri_escape_string (raw, NULL, FALSE) : NULL;
}

/* The path's segments encoded, and a slash at the end. (transfer full) */
static char *
make_uri (const char *path)
{
  g_auto (GStrv) segments = g_strsplit (path, "/", -1);

  for (char **segment = segments; *segment != NULL; segment++) {
    char *encoded = encode_again (*segment, -1);
    if (encoded == NULL)
      return NULL;
    g_free (*segment);
    *segment = encoded;
  }
  g_autofree char *uri = g_strjoinv ("/", segments);
  return g_str_has_suffix (uri, "/") ? g_steal_pointer (&uri) : g_strconcat (uri, "/", NULL);
}

static int
compare_pairs (const void *a, const void *b)
{
  const SimPair *one = *(SimPair *const *) a, *two = *(SimPair *const *) b;
  int order = strcmp (one->name, two->name);

  return order != 0 ? order : strcmp (one->value, two->value);
}

/* The query's arguments encoded, and sorted by name, then by value. (transfer full) */
static char *
make_query (const char *query)
{
  g_auto (GStrv) pieces = g_strsplit (query, "&", -1);
  g_autoptr (GPtrArray) pairs = sim_pairs_new ();
  GString *out = g_string_new (NULL);

  for (char **piece = pieces; *piece != NULL; piece++) {
    gsize length = strcspn (*piece, "=");
    g_autofree char *name = encode_again (*piece, (gssize) length);
    g_autofree char *value = encode_again ((*piece)[length] == '=' ? *piece + length + 1 : "", -1);
    if (name != NULL && value != NULL && **piece != '\0')
      sim_request_add_pair (pairs, name, value);
  }
  g_ptr_array_sort (pairs, compare_pairs);
  for (guint i = 0; i < pairs->len; i++) {
    const SimPair *pair = pairs->pdata[i];
    g_string_append_printf (out, "%s%s=%s", i > 0 ? "&" : "", pair->name, pair->value);
  }
  return g_string_free (out, FALSE);
}

/* The lines of the headers that are signed; NULL when one was not sent, or when NAMES is not in lower case, sorted and
 * without repetition, or lacks what must be signed. (transfer full) */
static char *
make_headers (const SimRequest *req, const char *names)
{
  g_auto (GStrv) list = g_strsplit (names, ";", -1);
  g_autoptr (GString) out = g_string_new (NULL);

  if (!g_strv_contains ((const char *const *) list, "x-date")
      || !g_strv_contains ((const char *const *) list, "x-user-id"))
    return NULL;
  for (guint i = 0; list[i] != NULL; i++) {
    const char *sent = sim_request_header (req, list[i]);
    g_autofree char *lower = g_ascii_strdown (list[i], -1);
    if (sent == NULL || strcmp (lower, list[i]) != 0 || (i > 0 && strcmp (list[i - 1], list[i]) >= 0))
      return NULL;
    g_string_append_printf (out, "%s:%s\n", list[i], sent);
  }
  return g_strdup (out->str);
}

/* What the app has to put its secret to. NULL when the request cannot be signed so. (transfer full) */
static char *
make_string_to_sign (const SimRequest *req, const char *names)
{
  g_autofree char *uri = make_uri (req->raw_path);
  g_autofree char *query = make_query (req->query);
  g_autofree char *headers = make_headers (req, names);
  g_autofree char *body = g_compute_checksum_for_data (G_CHECKSUM_SHA256, req->body->data, req->body->len);

  if (uri == NULL || headers == NULL)
    return NULL;
  g_autofree char *canonical = g_strjoin ("\n", req->method, uri, query, headers, names, body, NULL);
  g_autofree char *hash = g_compute_checksum_for_string (G_CHECKSUM_SHA256, canonical, -1);
  return g_strconcat ("HMAC-SHA256\n", hash, NULL);
}

/* The value of PART, which must begin with KEY. (transfer none) */
static const char *
get_part (const char *part, const char *key)
{
  return part != NULL && g_str_has_prefix (part, key) ? part + strlen (key) : NULL;
}

const char *
sim_sign_verify (const SimRequest *req, const char *app_id, const char *secret)
{
  const char *value = sim_request_header (req, "Authorization");
  g_auto (GStrv) parts = g_strsplit (value + strlen (SIM_SIGN_SCHEME), ",", 3);
  const char *id = get_part (parts[0], "AppId=");
  const char *names = id != NULL ? get_part (parts[1], "SignedHeaders=") : NULL;
  const char *signature = names != NULL ? get_part (parts[2], "Signature=") : NULL;

  if (signature == NULL)
    return "the signature does not have the form AppId=ID,SignedHeaders=NAMES,Signature=HEX";
  if (g_strcmp0 (id, app_id) != 0)
    return "app not found";
  g_autofree char *text = make_string_to_sign (req, names);
  if (text == NULL)
    return "the signed headers are not sent, not sorted, or lack x-date or x-user-id";
  g_autofree char *right =
      g_compute_hmac_for_string (G_CHECKSUM_SHA256, (const guchar *) secret, strlen (secret), text, -1);
  return strcmp (signature, right) == 0 ? NULL : "verify aksk signature fail";
}
