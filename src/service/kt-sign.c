/* SPDX-License-Identifier: MIT */
/* Signs a request with an AppId and its secret. */
#include "kt-sign.h"

#include <string.h>

#define SCHEME "HMAC-SHA256"

/* PART of a URL, which may hold escapes already, with all but A-Z a-z 0-9 - _ . ~ escaped. (transfer full) */
static char *
encode (const char *part)
{
  g_autofree char *plain = g_uri_unescape_string (part, NULL);
  return g_uri_escape_string (plain != NULL ? plain : part, NULL, FALSE);
}

static int
compare (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

/* The path's segments, and "/" at the end, which the path itself need not have. */
static void
append_path (GString *out, const char *path)
{
  g_auto (GStrv) segments = g_strsplit (path[0] == '/' ? path + 1 : path, "/", -1);

  g_string_append_c (out, '/');
  for (char **segment = segments; *segment != NULL; segment++) {
    g_autofree char *encoded = encode (*segment);
    if (*encoded != '\0' || segment[1] != NULL)
      g_string_append_printf (out, "%s/", encoded);
  }
}

static void
append_query (GString *out, const char *query)
{
  g_auto (GStrv) split = g_strsplit (query, "&", -1);
  g_autoptr (GPtrArray) pairs = g_ptr_array_new_with_free_func (g_free);

  /* "\1" sorts before all that stays unescaped, so that the pairs sort by name, then by value */
  for (char **pair = split; *pair != NULL; pair++) {
    gsize name_length = strcspn (*pair, "=");
    g_autofree char *name = g_strndup (*pair, name_length);
    g_autofree char *encoded_name = encode (name);
    g_autofree char *value = encode (*pair + name_length + ((*pair)[name_length] == '='));
    if (**pair != '\0')
      g_ptr_array_add (pairs, g_strconcat (encoded_name, "\1", value, NULL));
  }
  g_ptr_array_sort (pairs, compare);
  for (guint i = 0; i < pairs->len; i++) {
    char *pair = pairs->pdata[i];
    *strchr (pair, '\1') = '=';
    g_string_append_printf (out, "%s%s", i > 0 ? "&" : "", pair);
  }
}

/* "name:value" of each header, in lower case, trimmed, sorted. (transfer full) */
static GPtrArray *
header_lines (const GPtrArray *headers)
{
  GPtrArray *lines = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < headers->len; i++) {
    const char *header = headers->pdata[i];
    gsize name_length = strcspn (header, ":");
    g_autofree char *name = g_ascii_strdown (header, (gssize) name_length);
    g_autofree char *value = g_strdup (header + name_length + 1);
    g_ptr_array_add (lines, g_strconcat (name, ":", g_strstrip (value), NULL));
  }
  g_ptr_array_sort (lines, compare);
  return lines;
}

/* The headers' names, in the order of header_lines(). */
static void
append_names (GString *out, const GPtrArray *headers)
{
  g_autoptr (GPtrArray) lines = header_lines (headers);

  for (guint i = 0; i < lines->len; i++) {
    const char *line = lines->pdata[i];
    g_string_append_printf (out, "%s%.*s", i > 0 ? ";" : "", (int) strcspn (line, ":"), line);
  }
}

char *
kt_sign_canonical_request (const KtHttpRequest *request)
{
  const char *host = strstr (request->url, "://") + strlen ("://");
  g_autofree char *path = g_strndup (host + strcspn (host, "/"), strcspn (host, "?") - strcspn (host, "/"));
  const char *query = strchr (request->url, '?');
  g_autoptr (GPtrArray) lines = header_lines (request->headers);
  g_autofree char *hash = request->body != NULL ? g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, request->body)
                                                : g_compute_checksum_for_string (G_CHECKSUM_SHA256, "", 0);
  GString *out = g_string_new (request->method);

  g_string_append_c (out, '\n');
  append_path (out, path);
  g_string_append_c (out, '\n');
  append_query (out, query != NULL ? query + 1 : "");
  g_string_append_c (out, '\n');
  for (guint i = 0; i < lines->len; i++)
    g_string_append_printf (out, "%s\n", (const char *) lines->pdata[i]);
  g_string_append_c (out, '\n');
  append_names (out, request->headers);
  g_string_append_printf (out, "\n%s", hash);
  return g_string_free (out, FALSE);
}

char *
kt_sign_string (const char *canonical_request)
{
  g_autofree char *hash = g_compute_checksum_for_string (G_CHECKSUM_SHA256, canonical_request, -1);
  return g_strconcat (SCHEME "\n", hash, NULL);
}

char *
kt_sign_signature (const char *string_to_sign, const char *app_secret)
{
  return g_compute_hmac_for_string (G_CHECKSUM_SHA256, (const guchar *) app_secret, strlen (app_secret), string_to_sign,
                                    -1);
}

char *
kt_sign_authorization (const KtHttpRequest *request, const char *app_id, const char *app_secret)
{
  g_autofree char *canonical = kt_sign_canonical_request (request);
  g_autofree char *string = kt_sign_string (canonical);
  g_autofree char *signature = kt_sign_signature (string, app_secret);
  GString *out = g_string_new (NULL);

  g_string_append_printf (out, SCHEME " AppId=%s,SignedHeaders=", app_id);
  append_names (out, request->headers);
  g_string_append_printf (out, ",Signature=%s", signature);
  return g_string_free (out, FALSE);
}
