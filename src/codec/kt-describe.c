/* SPDX-License-Identifier: MIT */
/* Describes a body that is not the service's. */
#include "kt-describe.h"

#include "base/kt-error.h"
#include "base/kt-log.h"
#include "base/kt-names.h"

#include <string.h>

#define PAGE_LOOKED_AT 65536 /* bytes of a page in which its title is looked for */
#define LONGEST_TITLE  100   /* bytes */
#define LONGEST_TEXT   200
#define LONGEST_PLACE  300
#define LENIENT        (G_URI_FLAGS_ENCODED | G_URI_FLAGS_PARSE_RELAXED)
#define BOM            "\xEF\xBB\xBF"

/* TEXT, LENGTH bytes, on one line: blanks are one, secrets are out, it is cut at MOST bytes. (transfer full) */
static char *
tidy (const char *text, gsize length, gsize most)
{
  g_autofree char *valid = kt_utf8_make_valid (text, length);
  GString *line = g_string_new (NULL);
  g_autofree char *redacted = NULL;

  if (valid != NULL) {
    text = valid;
    length = strlen (valid);
  }
  for (gsize i = 0; i < length; i++) {
    if (!g_ascii_isspace (text[i]))
      g_string_append_c (line, text[i]);
    else if (line->len > 0 && line->str[line->len - 1] != ' ')
      g_string_append_c (line, ' ');
  }
  redacted = kt_log_redact (line->str);
  g_string_free (line, TRUE);
  return g_strchomp (kt_utf8_cut (g_steal_pointer (&redacted), most));
}

/* ---- pages */

static const char *
skip_blanks (const char *p)
{
  while (g_ascii_isspace (*p))
    p++;
  return p;
}

static gboolean
begins (const char *text, const char *with)
{
  return g_ascii_strncasecmp (text, with, strlen (with)) == 0;
}

/* Behind what may stand before the first tag of a page, but for its doctype. */
static const char *
skip_prologue (const char *p)
{
  static const char *const pairs[][2] = { { "<!--", "-->" }, { "<?", "?>" } };
  gsize i = 0;

  p = skip_blanks (begins (p, BOM) ? p + strlen (BOM) : p);
  while (i < G_N_ELEMENTS (pairs)) {
    const char *end = begins (p, pairs[i][0]) ? strstr (p, pairs[i][1]) : NULL;
    if (end != NULL)
      p = skip_blanks (end + strlen (pairs[i][1]));
    i = end != NULL ? 0 : i + 1;
  }
  return p;
}

/* Whether TEXT would be JSON, were it whole. */
static gboolean
is_meant_as_json (const char *text)
{
  return *text != '\0' && strchr ("{[\"", *text) != NULL;
}

/* Where the page in TEXT begins, NULL when it is none. */
static const char *
page_in (const char *text)
{
  static const char *const tags[] = { "<!doctype html", "<html", "<head>", "<title", "<body", "<center>", "<h1>" };

  text = skip_prologue (text);
  if (is_meant_as_json (text))
    return NULL;
  while ((text = strchr (text, '<')) != NULL) {
    for (gsize i = 0; i < G_N_ELEMENTS (tags); i++)
      if (begins (text, tags[i]))
        return text;
    text++;
  }
  return NULL;
}

/* Behind the part of a page at P in which a title would be none, P when no such part is there; NULL: it has no end. */
static const char *
skip_part (const char *p)
{
  static const char *const parts[][2] = {
    { "<!--", "-->" },
    { "<script", "</script" },
    { "<style", "</style" },
    { "<svg", "</svg" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (parts); i++) {
    if (!begins (p, parts[i][0]))
      continue;
    while (*p != '\0' && !begins (p, parts[i][1]))
      p++;
    return *p != '\0' ? p + strlen (parts[i][1]) : NULL;
  }
  return p;
}

/* The title of a page, "" when it has none. (transfer full) */
static char *
title_of (const char *page)
{
  const char *text = page, *end;

  while ((text = strchr (text, '<')) != NULL && !begins (text, "<title")) {
    const char *behind = skip_part (text);
    if (behind == NULL)
      return g_strdup ("");
    text = behind == text ? text + 1 : behind;
  }
  text = text != NULL ? strchr (text, '>') : NULL;
  if (text == NULL)
    return g_strdup ("");
  for (end = ++text; *end != '\0' && !begins (end, "</title");)
    end++;
  return tidy (text, (gsize) (end - text), LONGEST_TITLE);
}

/* How BODY begins, as a string that ends at its first NUL byte, if any. (transfer full) */
static char *
beginning_of (GBytes *body)
{
  gsize size;
  const char *bytes = g_bytes_get_data (body, &size);

  return g_strndup (bytes != NULL ? bytes : "", MIN (size, PAGE_LOOKED_AT));
}

char *
kt_describe_page (GBytes *body)
{
  g_autofree char *text = beginning_of (body);
  g_autofree char *title = NULL;
  const char *page = page_in (text);

  if (*skip_blanks (text) == '\0' && strlen (text) == g_bytes_get_size (body))
    return g_strdup (" without a body");
  if (page == NULL)
    return NULL;
  title = title_of (page);
  if (title[0] == '\0')
    return g_strdup (" with an HTML page that has no title");
  return g_strdup_printf (" with the HTML page \"%s\"", title);
}

char *
kt_describe_body (GBytes *body)
{
  char *page = kt_describe_page (body);
  g_autofree char *text = NULL;
  g_autofree char *line = NULL;

  if (page != NULL)
    return page;
  text = beginning_of (body);
  if (is_meant_as_json (skip_prologue (text)) || text[0] == '\0') /* who knows what it holds */
    return g_strdup (" with a body that is not JSON");
  line = tidy (text, strlen (text), LONGEST_TEXT);
  return g_strdup_printf (" with the text \"%s\"", line);
}

/* ---- redirects */

/* The place LOCATION, seen from URL, without what may be secret. (transfer full), NULL when it is none. */
static char *
place_of (const char *location, const char *url)
{
  g_autoptr (GUri) base = g_uri_parse (url, LENIENT, NULL);
  g_autoptr (GUri) uri = base != NULL ? g_uri_parse_relative (base, location, LENIENT, NULL) : NULL;
  g_autofree char *text = NULL;
  const char *path;

  if (uri == NULL || g_uri_get_host (uri) == NULL)
    return NULL;
  path = g_uri_get_path (uri);
  text = g_uri_join (LENIENT, g_uri_get_scheme (uri), NULL, g_uri_get_host (uri), g_uri_get_port (uri), "", NULL, NULL);
  text = g_realloc (text, strlen (text) + strlen (path) + 1);
  strncat (text, path, strcspn (path, ";")); /* parameters of the path may be a session */
  return tidy (text, strlen (text), LONGEST_PLACE);
}

GError *
kt_describe_redirect (guint status, const char *location, const char *url)
{
  g_autofree char *place = location != NULL ? place_of (location, url) : NULL;

  if (status / 100 != 3)
    return NULL;
  return g_error_new (KT_ERROR, KT_ERROR_REDIRECTED,
                      "HTTP %u, a redirect to %s, which is not followed: the endpoint is probably wrong", status,
                      place != NULL ? place : "no place that can be read");
}
