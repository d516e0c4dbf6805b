/* SPDX-License-Identifier: MIT */
#include "kt-config.h"

#include "base/kt-error.h"
#include "base/kt-names.h"
#include "base/kt-units.h"

#include <gio/gio.h>
#include <string.h>

#define SHARE_GROUP "share "
#define SHARE_KEY   "kdstoken-file"

typedef struct Key Key;

/* How a kind of value is read and written. PARSE leaves *FIELD alone when it fails; FORMAT gives NULL for a value
 * that is not set. */
typedef struct {
  gboolean (*parse) (const char *text, gpointer field, GError **error);
  char *(*format) (gconstpointer field);
} Type;

struct Key {
  const char *group;
  const char *name;
  const Type *type;
  gsize offset;        /* in KtConfig */
  const char *initial; /* NULL: not set */
  const char *what;
};

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

static char *
format_string (gconstpointer field)
{
  return g_strdup (*(char *const *) field);
}

static gboolean
parse_path (const char *text, gpointer field, GError **error)
{
  g_autofree char *path = text[0] != '\0' ? g_canonicalize_filename (text, NULL) : g_strdup ("");
  return parse_string (path, field, error);
}

static gboolean
is_loopback (const char *host)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (host);
  return g_str_equal (host, "localhost") || (address != NULL && g_inet_address_get_is_loopback (address));
}

static gboolean
parse_endpoint (const char *text, gpointer field, GError **error)
{
  g_autoptr (GUri) uri = g_uri_parse (text, G_URI_FLAGS_NONE, NULL);
  const char *scheme = uri != NULL ? g_uri_get_scheme (uri) : "";
  gboolean plain = g_str_equal (scheme, "http");

  if (uri == NULL || (!plain && !g_str_equal (scheme, "https")) || g_uri_get_host (uri) == NULL
      || g_uri_get_host (uri)[0] == '\0' || g_uri_get_userinfo (uri) != NULL || g_uri_get_query (uri) != NULL
      || g_uri_get_fragment (uri) != NULL || strspn (g_uri_get_path (uri), "/") != strlen (g_uri_get_path (uri))) {
    g_set_error (error, KT_ERROR, KT_ERROR_CONFIG, "'%s' is no address of a service: expected https://HOST[:PORT]",
                 text);
    return FALSE;
  }
  if (plain && !is_loopback (g_uri_get_host (uri))) {
    g_set_error (error, KT_ERROR, KT_ERROR_CONFIG,
                 "'%s' would send the token in clear text: expected https://, "
                 "http:// is for this machine only",
                 text);
    return FALSE;
  }
  return parse_string (text, field, error);
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
  return kt_duration_format (*(const gint64 *) field);
}

static gboolean
parse_deadline (const char *text, gpointer field, GError **error)
{
  gint64 deadline;

  if (!kt_duration_parse (text, &deadline, error))
    return FALSE;
  if (deadline <= 0 || deadline > 3600 * KT_SECOND) {
    g_set_error (error, KT_ERROR, KT_ERROR_CONFIG, "'%s' is no deadline: expected more than 0 and at most 1h", text);
    return FALSE;
  }
  *(gint64 *) field = deadline;
  return TRUE;
}

static gboolean
parse_size (const char *text, gpointer field, GError **error)
{
  return kt_size_parse (text, field, error);
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
    g_set_error (error, KT_ERROR, KT_ERROR_CONFIG, "'%s' is no list of families: expected some of share, basic, job",
                 text);
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

/* A proxy's URL may hold a password. */
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

static const Type type_string = { parse_string, format_string };
static const Type type_path = { parse_path, format_string };
static const Type type_endpoint = { parse_endpoint, format_string };
static const Type type_zone = { parse_zone, format_string };
static const Type type_proxy = { parse_string, format_proxy };
static const Type type_duration = { parse_duration, format_duration };
static const Type type_deadline = { parse_deadline, format_duration };
static const Type type_size = { parse_size, format_size };
static const Type type_concurrency = { parse_concurrency, format_number };
static const Type type_rate = { parse_rate, format_number };
static const Type type_scheme = { parse_scheme, format_scheme };
static const Type type_families = { parse_families, format_families };

#define AT(member) G_STRUCT_OFFSET (KtConfig, member)

static const Key keys[] = {
  { "service", "endpoint", &type_endpoint, AT (endpoint), NULL, "address of the service, https://HOST[:PORT]" },
  { "service", "user-id", &type_string, AT (user_id), NULL, "the KooDrive user that asks" },
  { "service", "token-file", &type_path, AT (token_file), NULL, "file with the access token" },
  { "service", "token-command", &type_string, AT (token_command), NULL, "command that prints the access token" },
  { "service", "token-scheme", &type_scheme, AT (token_scheme), "auto", "auto, Bearer, Bearer+ or raw" },
  { "service", "agent-name", &type_string, AT (agent_name), NULL, "carrier name, for carrier editions" },
  { "service", "language", &type_string, AT (language), "en-US", "language of the service's messages" },
  { "service", "time-zone", &type_zone, AT (time_zone), "UTC", "zone of the service's times" },
  { "service", "ca-file", &type_path, AT (ca_file), NULL, "certificates to trust instead of the system's" },
  { "service", "proxy", &type_proxy, AT (proxy), NULL, "HTTP proxy; else what the environment says" },
  { "service", "families", &type_families, AT (families), "share, basic, job", "kinds of tasks asked for" },
  { "cache", "ttl", &type_duration, AT (cache.ttl), "5s", "how long an answer is fresh" },
  { "cache", "ended-ttl", &type_duration, AT (cache.ended_ttl), "forever", "the same for a task that has ended" },
  { "cache", "negative-ttl", &type_duration, AT (cache.negative_ttl), "3s", "how long a failure is remembered" },
  { "cache", "list-ttl", &type_duration, AT (list_ttl), "30s", "how long the service's lists of tasks hold" },
  { "cache", "max-stale", &type_duration, AT (cache.max_stale), "5min",
    "how long an old answer stands in for a failed one" },
  { "cache", "memory", &type_size, AT (cache.memory), "256M", "answers kept in memory" },
  { "fetch", "deadline", &type_deadline, AT (deadline), "10s", "of one file operation, retries included" },
  { "fetch", "concurrency", &type_concurrency, AT (limits.concurrency), "64", "requests at the same time" },
  { "fetch", "rate", &type_rate, AT (limits.rate), "0", "requests a second, 0 for no limit" },
  { "fetch", "max-response", &type_size, AT (limits.max_response), "64M", "largest answer accepted" },
  { "watch", "file", &type_path, AT (watch_file), NULL, "watch list: tasks to show from the start" },
};

static const Key *
find_key (const char *group, const char *name, gsize name_length)
{
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    if ((group == NULL || g_str_equal (keys[i].group, group)) && strlen (keys[i].name) == name_length
        && strncmp (keys[i].name, name, name_length) == 0)
      return &keys[i];
  return NULL;
}

static gboolean
is_group (const char *group)
{
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    if (g_str_equal (keys[i].group, group))
      return TRUE;
  return FALSE;
}

/* ORIGIN is put before an error: the file's name, or "-o". */
static gboolean
set (KtConfig *config, const Key *key, const char *value, const char *origin, GError **error)
{
  if (key->type->parse (value, (char *) config + key->offset, error))
    return TRUE;
  g_prefix_error (error, "%s: [%s] %s: ", origin, key->group, key->name);
  return FALSE;
}

static gboolean
bad (const char *origin, const char *group, const char *name, const char *what, GError **error)
{
  g_set_error (error, KT_ERROR, KT_ERROR_CONFIG, "%s: [%s]%s%s: %s", origin, group, name != NULL ? " " : "",
               name != NULL ? name : "", what);
  return FALSE;
}

/* NULL when it is not UTF-8 or has an invalid escape: of those GKeyFile gives what it could make of them. */
static char *
value_of (GKeyFile *file, const char *group, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *value = g_key_file_get_string (file, group, name, &error);

  return error == NULL ? g_steal_pointer (&value) : NULL;
}

static gboolean
load_share (KtConfig *config, GKeyFile *file, const char *group, const char *name, const char *path, GError **error)
{
  const char *share_id = group + strlen (SHARE_GROUP);
  g_autofree char *value = value_of (file, group, name);
  g_autofree char *token_file = NULL;

  if (!kt_id_is_valid (share_id))
    return bad (path, group, NULL, "this is no share id: expected 1 to 64 of A-Z a-z 0-9 _ -", error);
  if (!g_str_equal (name, SHARE_KEY))
    return bad (path, group, name, "unknown key: expected " SHARE_KEY, error);
  if (value == NULL || !parse_path (value, &token_file, NULL))
    return bad (path, group, name, "expected the name of a file", error);
  g_hash_table_insert (config->share_token_files, g_strdup (share_id), g_steal_pointer (&token_file));
  return TRUE;
}

static gboolean
load_key (KtConfig *config, GKeyFile *file, const char *group, const char *name, const char *path, GError **error)
{
  const Key *key = find_key (group, name, strlen (name));
  g_autofree char *value = value_of (file, group, name);

  if (g_str_has_prefix (group, SHARE_GROUP))
    return load_share (config, file, group, name, path, error);
  if (key == NULL)
    return bad (path, group, name, "unknown key; kootaskfs --help lists them", error);
  if (value == NULL)
    return bad (path, group, name, "the value is not UTF-8 or has an invalid escape", error);
  return set (config, key, value, path, error);
}

static gboolean
load_file (KtConfig *config, const char *path, GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GError) why = NULL;
  g_auto (GStrv) groups = NULL;

  if (!g_key_file_load_from_file (file, path, G_KEY_FILE_NONE, &why)) {
    g_set_error (error, KT_ERROR, KT_ERROR_CONFIG, "%s: %s", path, why->message);
    return FALSE;
  }
  groups = g_key_file_get_groups (file, NULL);
  for (char **group = groups; *group != NULL; group++) {
    g_auto (GStrv) names = g_key_file_get_keys (file, *group, NULL, NULL);
    if (!is_group (*group) && !g_str_has_prefix (*group, SHARE_GROUP))
      return bad (path, *group, NULL, "unknown group: expected service, cache, fetch, watch or share SHAREID", error);
    for (char **name = names; *name != NULL; name++)
      if (!load_key (config, file, *group, *name, path, error))
        return FALSE;
  }
  return TRUE;
}

static char *
default_path (void)
{
  g_autofree char *user = g_build_filename (g_get_user_config_dir (), "kootaskfs", "kootaskfs.conf", NULL);

  if (g_file_test (user, G_FILE_TEST_EXISTS))
    return g_steal_pointer (&user);
  return g_file_test ("/etc/kootaskfs.conf", G_FILE_TEST_EXISTS) ? g_strdup ("/etc/kootaskfs.conf") : NULL;
}

static gboolean
load_overrides (KtConfig *config, char **overrides, const char *endpoint, GError **error)
{
  for (char **option = overrides; *option != NULL; option++) {
    const char *value = strchr (*option, '=');
    const Key *key = find_key (NULL, *option, strcspn (*option, "="));
    if (!set (config, key, value != NULL ? value + 1 : "", "-o", error))
      return FALSE;
  }
  return endpoint == NULL
         || set (config, find_key ("service", "endpoint", strlen ("endpoint")), endpoint, "command line", error);
}

static gboolean
check_complete (const KtConfig *config, GError **error)
{
  const char *where = config->path != NULL ? config->path : "no configuration file";

  if (config->endpoint == NULL)
    return bad (where, "service", "endpoint", "missing: expected https://HOST[:PORT]", error);
  if (config->user_id == NULL)
    return bad (where, "service", "user-id", "missing: expected the id of the KooDrive user that asks", error);
  if (config->token_file != NULL && config->token_command != NULL)
    return bad (where, "service", "token-command", "stands beside token-file: expected one of the two", error);
  return TRUE;
}

KtConfig *
kt_config_load (const char *path, char **overrides, const char *endpoint, GError **error)
{
  g_autoptr (KtConfig) config = g_new0 (KtConfig, 1);

  config->share_token_files = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  config->path = path != NULL ? g_canonicalize_filename (path, NULL) : default_path ();
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    if (keys[i].initial != NULL && !set (config, &keys[i], keys[i].initial, "default", error))
      return NULL;
  if (config->path != NULL && !load_file (config, config->path, error))
    return NULL;
  if (!load_overrides (config, overrides, endpoint, error) || !check_complete (config, error))
    return NULL;
  return g_steal_pointer (&config);
}

void
kt_config_free (KtConfig *config)
{
  if (config == NULL)
    return;
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    if (keys[i].type->format == format_string || keys[i].type->format == format_proxy)
      g_free (*(char **) ((char *) config + keys[i].offset));
  g_clear_pointer (&config->share_token_files, g_hash_table_unref);
  g_free (config->path);
  g_free (config);
}

gboolean
kt_config_is_key (const char *option)
{
  return find_key (NULL, option, strcspn (option, "=")) != NULL;
}

/* VALUE as the file has it: GKeyFile reads escapes, and drops blanks at the start. */
static char *
escape (const char *value)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();

  g_key_file_set_string (file, "g", "k", value);
  return g_key_file_get_value (file, "g", "k", NULL);
}

char *
kt_config_format (const KtConfig *config)
{
  GString *out = g_string_new (NULL);
  const char *group = NULL;
  GHashTableIter iter;
  const char *share_id, *file;

  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++) {
    g_autofree char *value = keys[i].type->format ((const char *) config + keys[i].offset);
    if (group == NULL || !g_str_equal (group, keys[i].group))
      g_string_append_printf (out, "%s[%s]\n", group != NULL ? "\n" : "", keys[i].group);
    group = keys[i].group;
    if (value != NULL) {
      g_autofree char *escaped = escape (value);
      g_string_append_printf (out, "%s = %s\n", keys[i].name, escaped);
    }
  }
  g_hash_table_iter_init (&iter, config->share_token_files);
  while (g_hash_table_iter_next (&iter, (gpointer *) &share_id, (gpointer *) &file)) {
    g_autofree char *escaped = escape (file);
    g_string_append_printf (out, "\n[" SHARE_GROUP "%s]\n" SHARE_KEY " = %s\n", share_id, escaped);
  }
  return g_string_free (out, FALSE);
}

char *
kt_config_help (void)
{
  GString *out = g_string_new ("Keys of the configuration file, each of which -o takes too:\n");
  const char *group = "";

  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++) {
    if (!g_str_equal (group, keys[i].group))
      g_string_append_printf (out, "  [%s]\n", keys[i].group);
    group = keys[i].group;
    g_string_append_printf (out, "  %-16s %s", keys[i].name, keys[i].what);
    if (keys[i].initial != NULL)
      g_string_append_printf (out, " (default %s)", keys[i].initial);
    g_string_append_c (out, '\n');
  }
  g_string_append (out, "  [" SHARE_GROUP "SHAREID]\n  " SHARE_KEY
                        "    file with the share's temporary token (not for -o)\n");
  return g_string_free (out, FALSE);
}
