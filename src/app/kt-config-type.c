/* SPDX-License-Identifier: MIT */
/* Reads and writes each kind of value of the configuration. */
#include "kt-config-type.h"

#include "base/kt-error.h"
#include "base/kt-log.h"
#include "base/kt-names.h"
#include "base/kt-units.h"
#include "service/kt-headers.h"
#include "model/kt-key.h"

#include <gio/gio.h>
#include <string.h>

static gboolean
parse_string (const char *text, gpointer field, GError **error)
{
  char **string = field;

  if (text[0] == '\0' || strpbrk (text, "\r\n") != NULL) {
    g_set_error (error, KT_ERROR, KT_ERROR_CONFIG, "expected one line of text");
    return FALSE;
  }
  g_free (*string);
  *string = g_strdup (text);
  return TRUE;
}

gboolean
kt_has_comment (const char *text)
{
  for (const char *p = text; *p != '\0'; p++)
    if ((*p == ' ' || *p == '\t') && (p[1] == '#' || p[1] == ';'))
      return TRUE;
  return FALSE;
}

/* PATH without what changes nothing: "//", "/./" and a slash at the end, which would ask the file system that is
 * mounted there. ".." stays, as only the kernel knows where it leads: behind a link not to where the link stands. */
static char *
tidy (const char *path)
{
  g_auto (GStrv) parts = g_strsplit (path, "/", -1);
  GString *out = g_string_new (NULL);

  for (char **part = parts; *part != NULL; part++)
    if (**part != '\0' && !g_str_equal (*part, "."))
      g_string_append_printf (out, "/%s", *part);
  if (out->len == 0)
    g_string_append_c (out, '/');
  return g_string_free (out, FALSE);
}

char *
kt_path_under (const char *path, const char *directory)
{
  g_autofree char *here = directory == NULL ? g_get_current_dir () : g_strdup (directory);
  g_autofree char *whole = g_path_is_absolute (path) ? g_strdup (path) : g_build_filename (here, path, NULL);

  return tidy (whole);
}

char *
kt_path_absolute (const char *text, const char *directory, GError **error)
{
  g_autofree char *path = NULL;

  if (text[0] == '~' && text[1] != '\0' && text[1] != '/') {
    g_set_error (error, KT_ERROR, KT_ERROR_CONFIG, "'%s': only ~/ is a home: expected ~/FILE, or its whole path", text);
    return NULL;
  }
  path = text[0] == '~' ? g_build_filename (g_get_home_dir (), text + 1, NULL) : g_strdup (text);
  return kt_path_under (path, directory);
}

static char *
format_string (gconstpointer field)
{
  return g_strdup (*(char *const *) field);
}

#define ALNUM "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

/* TEXT is 1 to MOST of CHARACTERS; EXPECTED says so. */
static gboolean
parse_of (const char *text, const char *characters, gsize most, const char *expected, gpointer field, GError **error)
{
  gsize length = strlen (text);

  if (length == 0 || length > most || strspn (text, characters) != length) {
    g_set_error (error, KT_ERROR, KT_ERROR_CONFIG, "'%s': expected %s", text, expected);
    return FALSE;
  }
  return parse_string (text, field, error);
}

static gboolean
parse_id (const char *text, gpointer field, GError **error)
{
  return parse_of (text, ALNUM "_-.|@", 128, "an id, 1 to 128 of A-Z a-z 0-9 _ - . | @", field, error);
}

static gboolean
parse_language (const char *text, gpointer field, GError **error)
{
  return parse_of (text, ALNUM "_-", 35, "a language such as en-US or zh-CN", field, error);
}

/* In words of any language, as it goes into a header. */
static gboolean
parse_name (const char *text, gpointer field, GError **error)
{
  if (!parse_string (text, field, error))
    return FALSE;
  if (!kt_has_comment (text) && strchr ("'\"", text[0]) == NULL)
    return TRUE;
  g_set_error (error, KT_ERROR, KT_ERROR_CONFIG, "'%s': expected a name alone, without quotes", text);
  return FALSE;
}

/* HOST as each way of writing it ends up: lower case, no final dot, the shortest form of an address. NULL when it is
 * none. (transfer full) */
static char *
normal_host (const char *host, gboolean *loopback)
{
  g_autofree char *lower = g_ascii_strdown (host, -1);
  gsize length = strlen (lower);
  g_autoptr (GInetAddress) address = NULL;

  if (length > 0 && lower[length - 1] == '.')
    lower[--length] = '\0';
  address = g_inet_address_new_from_string (lower);
  *loopback = address != NULL && g_inet_address_get_is_loopback (address);
  if (address != NULL)
    return g_inet_address_to_string (address);
  if (strchr (lower, ':') != NULL) /* an address with a zone */
    return g_steal_pointer (&lower);
  *loopback = g_str_equal (lower, "localhost");
  if (length == 0 || lower[0] == '.' || strstr (lower, "..") != NULL || lower[length - 1] == '.'
      || strspn (lower, ALNUM "-_.") != length)
    return NULL;
  return g_steal_pointer (&lower);
}

/* The address of a service in the one form that two ways of writing it have in common; PLAIN, not LOOPBACK: it would be
 * spoken to in clear text elsewhere. NULL when TEXT is none. (transfer full) */
static char *
normal_endpoint (const char *text, gboolean *plain, gboolean *loopback)
{
  g_autoptr (GUri) uri = g_uri_parse (text, G_URI_FLAGS_NONE, NULL);
  g_autoptr (GUri) normal = NULL;
  g_autofree char *host = NULL;

  if (uri == NULL || g_uri_get_host (uri) == NULL || g_uri_get_userinfo (uri) != NULL || g_uri_get_query (uri) != NULL
      || g_uri_get_fragment (uri) != NULL || g_uri_get_port (uri) == 0
      || strspn (g_uri_get_path (uri), "/") != strlen (g_uri_get_path (uri)))
    return NULL;
  *plain = g_str_equal (g_uri_get_scheme (uri), "http"); /* which is in lower case */
  if (!*plain && !g_str_equal (g_uri_get_scheme (uri), "https"))
    return NULL;
  host = normal_host (g_uri_get_host (uri), loopback);
  if (host == NULL)
    return NULL;
  normal = g_uri_build (G_URI_FLAGS_NONE, g_uri_get_scheme (uri), NULL, host,
                        g_uri_get_port (uri) == (*plain ? 80 : 443) ? -1 : g_uri_get_port (uri), "", NULL, NULL);
  return g_uri_to_string (normal);
}

static gboolean
parse_endpoint (const char *text, gpointer field, GError **error)
{
  gboolean plain, loopback;
  g_autofree char *endpoint = normal_endpoint (text, &plain, &loopback);

  if (endpoint == NULL) {
    gboolean with_password = strchr (text, '@') != NULL; /* no error shows it */
    g_set_error (error, KT_ERROR, KT_ERROR_CONFIG, "'%s' is no address of a service: expected https://HOST[:PORT]",
                 with_password ? "***@" : text);
    return FALSE;
  }
  if (plain && !loopback) {
    g_set_error (error, KT_ERROR, KT_ERROR_CONFIG,
                 "'%s' would send the token in clear text: expected https://, "
                 "http:// is for this machine only",
                 text);
    return FALSE;
  }
  return parse_string (endpoint, field, error);
}

static gboolean
parse_zone (const char *text, gpointer field, GError **error)
{
  g_autoptr (GTimeZone) zone = g_time_zone_new_identifier (text);

  if (zone == NULL) {
    g_set_error (error, KT_ERROR, KT_ERROR_CONFIG, "'%s' is not a time zone: expected UTC, +08:00 or Asia/Shanghai",
                 text);
    return FALSE;
  }
  return parse_string (text, field, error);
}

static gboolean
parse_duration (const char *text, gpointer field, GError **error)
{
  return kt_duration_parse (text, field, error);
}

static char *
format_duration (gconstpointer field)
{
  return kt_duration_format (*(const KtUsec *) field);
}

static gboolean
parse_deadline (const char *text, gpointer field, GError **error)
{
  KtUsec deadline;

  if (!kt_duration_parse (text, &deadline, error))
    return FALSE;
  if (deadline <= 0 || deadline > 3600 * KT_SECOND) {
    g_set_error (error, KT_ERROR, KT_ERROR_CONFIG, "'%s' is no deadline: expected more than 0 and at most 1h", text);
    return FALSE;
  }
  *(KtUsec *) field = deadline;
  return TRUE;
}

static gboolean
parse_size (const char *text, gpointer field, GError **error)
{
  return kt_size_parse (text, field, error);
}

static gboolean
parse_events_memory (const char *text, gpointer field, GError **error)
{
  guint64 memory;

  if (!kt_size_parse (text, &memory, error))
    return FALSE;
  if (memory < 64 * 1024 || memory > 1024 * 1024 * 1024) {
    g_set_error (error, KT_ERROR, KT_ERROR_CONFIG, "'%s' is out of range: expected a size from 64K to 1G", text);
    return FALSE;
  }
  *(guint64 *) field = memory;
  return TRUE;
}

static char *
format_size (gconstpointer field)
{
  return kt_size_format (*(const guint64 *) field);
}

static gboolean
parse_number (const char *text, guint64 least, guint64 most, guint *field, GError **error)
{
  guint64 number;

  if (!g_ascii_string_to_unsigned (text, 10, least, most, &number, NULL)) {
    g_set_error (error, KT_ERROR, KT_ERROR_CONFIG,
                 "'%s' is out of range: expected a whole number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT, text,
                 least, most);
    return FALSE;
  }
  *field = (guint) number;
  return TRUE;
}

static gboolean
parse_concurrency (const char *text, gpointer field, GError **error)
{
  return parse_number (text, 1, 1024, field, error);
}

static gboolean
parse_rate (const char *text, gpointer field, GError **error)
{
  return parse_number (text, 0, 1000000, field, error);
}

static char *
format_number (gconstpointer field)
{
  return g_strdup_printf ("%u", *(const guint *) field);
}

static const char *const scheme_words[] = {
  [KT_TOKEN_AUTO] = "auto",
  [KT_TOKEN_BEARER] = "Bearer",
  [KT_TOKEN_BEARER_PLUS] = "Bearer+",
  [KT_TOKEN_RAW] = "raw",
};

static gboolean
parse_scheme (const char *text, gpointer field, GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (scheme_words); i++) {
    if (g_str_equal (scheme_words[i], text)) {
      *(KtTokenScheme *) field = (KtTokenScheme) i;
      return TRUE;
    }
  }
  g_set_error (error, KT_ERROR, KT_ERROR_CONFIG, "'%s' is no token scheme: expected auto, Bearer, Bearer+ or raw",
               text);
  return FALSE;
}

static char *
format_scheme (gconstpointer field)
{
  return g_strdup (scheme_words[*(const KtTokenScheme *) field]);
}

static gboolean
parse_families (const char *text, gpointer field, GError **error)
{
  guint families = kt_families_from_text (text);

  if (families == 0) {
    g_autofree char *all = kt_families_to_text (KT_FAMILIES_ALL);
    g_set_error (error, KT_ERROR, KT_ERROR_CONFIG, "'%s' is no list of families: expected some of %s", text, all);
    return FALSE;
  }
  *(guint *) field = families;
  return TRUE;
}

static char *
format_families (gconstpointer field)
{
  return kt_families_to_text (*(const guint *) field);
}

/* A proxy's URL may hold a password: no error shows it. */
static gboolean
parse_proxy (const char *text, gpointer field, GError **error)
{
  static const char *const schemes[] = { "http", "https", "socks4", "socks4a", "socks5", "socks5h", NULL };
  const char *scheme_end = strstr (text, "://");
  g_autofree char *scheme = scheme_end != NULL ? g_ascii_strdown (text, scheme_end - text) : g_strdup ("http");
  const char *user = scheme_end != NULL ? scheme_end + 3 : text;
  const char *host = strrchr (user, '@');
  const char *password = strchr (user, ':');
  const char *path = user + strcspn (user, "/?#"); /* in a password these are written as %XX */
  g_autofree char *plain = g_strconcat ("http://", user, NULL);
  g_autoptr (GUri) uri = g_uri_parse (plain, G_URI_FLAGS_PARSE_RELAXED | G_URI_FLAGS_HAS_PASSWORD, NULL);

  if (!g_strv_contains (schemes, scheme) || !kt_is_printable (text) || strchr (text, ' ') != NULL
      || (path[0] != '\0' && !g_str_equal (path, "/")) || uri == NULL || g_uri_get_host (uri) == NULL
      || g_uri_get_host (uri)[0] == '\0') {
    g_set_error (error, KT_ERROR, KT_ERROR_CONFIG,
                 "expected [SCHEME://][USER:PASSWORD@]HOST[:PORT] with http, https, socks4, socks4a, socks5 or socks5h "
                 "as SCHEME");
    return FALSE;
  }
  if (host != NULL && password != NULL && password < host) {
    char *secret = g_strndup (password + 1, (gsize) (host - password - 1));
    kt_log_add_secret (secret);
    kt_secret_free (secret);
  }
  return parse_string (text, field, error);
}

static char *
format_proxy (gconstpointer field)
{
  const char *proxy = *(char *const *) field;
  const char *scheme_end = proxy != NULL ? strstr (proxy, "://") : NULL;
  const char *host = proxy != NULL ? strrchr (proxy, '@') : NULL;

  if (host == NULL)
    return g_strdup (proxy);
  return g_strdup_printf ("%.*s***%s", scheme_end != NULL ? (int) (scheme_end + 3 - proxy) : 0, proxy, host);
}

static gboolean
parse_boolean (const char *text, gpointer field, GError **error)
{
  if (!g_str_equal (text, "yes") && !g_str_equal (text, "no")) {
    g_set_error (error, KT_ERROR, KT_ERROR_CONFIG, "'%s' is neither: expected yes or no", text);
    return FALSE;
  }
  *(gboolean *) field = g_str_equal (text, "yes");
  return TRUE;
}

static char *
format_boolean (gconstpointer field)
{
  return g_strdup (*(const gboolean *) field ? "yes" : "no");
}

/* No error shows it. */
static gboolean
parse_secret (const char *text, gpointer field, GError **error)
{
  if (!kt_is_printable (text) || strchr (text, ' ') != NULL) {
    g_set_error (error, KT_ERROR, KT_ERROR_CONFIG, "expected printable ASCII characters only, and no blanks");
    return FALSE;
  }
  kt_log_add_secret (text);
  return parse_string (text, field, error);
}

static char *
format_secret (gconstpointer field)
{
  return *(char *const *) field != NULL ? g_strdup ("***") : NULL;
}

const KtConfigType kt_type_string = { parse_string, format_string, TRUE };
const KtConfigType kt_type_path = { parse_string, format_string, TRUE };
const KtConfigType kt_type_id = { parse_id, format_string, TRUE };
const KtConfigType kt_type_name = { parse_name, format_string, TRUE };
const KtConfigType kt_type_language = { parse_language, format_string, TRUE };
const KtConfigType kt_type_endpoint = { parse_endpoint, format_string, TRUE };
const KtConfigType kt_type_zone = { parse_zone, format_string, TRUE };
const KtConfigType kt_type_proxy = { parse_proxy, format_proxy, TRUE };
const KtConfigType kt_type_duration = { parse_duration, format_duration, FALSE };
const KtConfigType kt_type_deadline = { parse_deadline, format_duration, FALSE };
const KtConfigType kt_type_events_memory = { parse_events_memory, format_size, FALSE };
const KtConfigType kt_type_size = { parse_size, format_size, FALSE };
const KtConfigType kt_type_concurrency = { parse_concurrency, format_number, FALSE };
const KtConfigType kt_type_rate = { parse_rate, format_number, FALSE };
const KtConfigType kt_type_boolean = { parse_boolean, format_boolean, FALSE };
const KtConfigType kt_type_secret = { parse_secret, format_secret, TRUE };
const KtConfigType kt_type_scheme = { parse_scheme, format_scheme, FALSE };
const KtConfigType kt_type_families = { parse_families, format_families, FALSE };
