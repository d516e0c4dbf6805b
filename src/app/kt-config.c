/* SPDX-License-Identifier: MIT */
/* The keys of the configuration, a row each, and the reading of its file. */
#include "kt-config.h"

#include "base/kt-error.h"
#include "base/kt-log.h"
#include "base/kt-names.h"
#include "base/kt-nearest.h"
#include "kt-config-place.h"
#include "kt-config-type.h"

#include <string.h>
#include <sys/stat.h>

#define SHARE_GROUP "share "
#define SHARE_KEY   "kdstoken-file"
#define NO          "no" /* before a key that is yes or no, after -o */

typedef struct {
  const char *group;
  const char *name;
  const KtConfigType *type;
  gsize offset;        /* in KtConfig */
  const char *initial; /* NULL: not set; of families: all there are */
  const char *what;
} Key;

#define AT(member) G_STRUCT_OFFSET (KtConfig, member)

static const Key keys[] = {
  { "service", "endpoint", &kt_type_endpoint, AT (endpoint), NULL, "address of the service, https://HOST[:PORT]" },
  { "service", "user-id", &kt_type_id, AT (user_id), NULL, "the KooDrive user that asks" },
  { "service", "token-file", &kt_type_path, AT (token_file), NULL, "file with the access token" },
  { "service", "token-command", &kt_type_string, AT (token_command), NULL, "command that prints the access token" },
  { "service", "token-scheme", &kt_type_scheme, AT (token_scheme), "auto", "auto, Bearer, Bearer+ or raw" },
  { "service", "app-id", &kt_type_id, AT (app_id), NULL, "sign requests as this app instead of using a token" },
  { "service", "app-secret-file", &kt_type_path, AT (app_secret_file), NULL, "file with the app's secret" },
  { "service", "session-id", &kt_type_secret, AT (session_id), NULL, "session to renew the token with (not for -o)" },
  { "service", "keep-alive", &kt_type_boolean, AT (keep_alive), "no",
    "keep the token of an idle mount alive, yes or no" },
  { "service", "agent-name", &kt_type_name, AT (agent_name), NULL, "carrier name, for carrier editions" },
  { "service", "language", &kt_type_language, AT (language), "en-US", "language of the service's messages" },
  { "service", "time-zone", &kt_type_zone, AT (time_zone), "UTC", "zone of the service's times" },
  { "service", "ca-file", &kt_type_path, AT (ca_file), NULL, "certificates to trust instead of the system's" },
  { "service", "proxy", &kt_type_proxy, AT (proxy), NULL, "proxy for https://; else what the environment says" },
  { "service", "families", &kt_type_families, AT (families), NULL, "kinds of tasks asked for" },
  { "service", "allow-cancel", &kt_type_boolean, AT (allow_cancel), "no",
    "jobs may be cancelled by writing to ctl, yes or no" },
  { "service", "verify", &kt_type_boolean, AT (verify), "yes", "ask the service once after mounting, yes or no" },
  { "cache", "ttl", &kt_type_duration, AT (cache.ttl), "5s", "how long an answer is fresh" },
  { "cache", "ended-ttl", &kt_type_duration, AT (cache.ended_ttl), "forever", "the same for a task that has ended" },
  { "cache", "negative-ttl", &kt_type_duration, AT (cache.negative_ttl), "3s", "how long a failure is remembered" },
  { "cache", "list-ttl", &kt_type_duration, AT (list_ttl), "30s", "how long the service's lists of tasks hold" },
  { "cache", "max-stale", &kt_type_duration, AT (cache.max_stale), "5min",
    "how long an old answer stands in for a failed one" },
  { "cache", "memory", &kt_type_size, AT (cache.memory), "256M", "answers kept in memory" },
  { "fetch", "deadline", &kt_type_deadline, AT (deadline), "10s", "of one file operation, retries included" },
  { "fetch", "concurrency", &kt_type_concurrency, AT (limits.concurrency), "64", "requests at the same time" },
  { "fetch", "rate", &kt_type_rate, AT (limits.rate), "0", "requests a second, 0 for no limit" },
  { "fetch", "max-response", &kt_type_size, AT (limits.max_response), "64M", "largest answer accepted" },
  { "watch", "file", &kt_type_path, AT (watch_file), NULL, "watch list: tasks to show from the start" },
  { "watch", "inotify", &kt_type_boolean, AT (inotify), "yes",
    "changes reach inotify watchers of the mount, yes or no" },
  { "watch", "events-memory", &kt_type_events_memory, AT (events_memory), "1M", "last part of the events log kept" },
};

/* The value of KEY where nothing sets it, NULL for none. (transfer full) */
static char *
initial_of (const Key *key)
{
  return key->type == &kt_type_families ? kt_families_to_text (KT_FAMILIES_ALL) : g_strdup (key->initial);
}

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

static gboolean
parse_path (const char *text, const char *directory, gpointer field, GError **error)
{
  g_autofree char *path = text[0] != '\0' ? kt_path_absolute (text, directory, error) : g_strdup ("");

  if (path != NULL && kt_has_comment (text) && !g_file_test (path, G_FILE_TEST_EXISTS)) {
    g_set_error (error, KT_ERROR, KT_ERROR_CONFIG, "'%s': no such file: expected the name of one", text);
    return FALSE;
  }
  return path != NULL && kt_type_path.parse (path, field, error);
}

/* Reads VALUE, blanks around it left out, as TYPE; a relative path is of DIRECTORY (NULL: the working directory). */
static gboolean
parse (const KtConfigType *type, const char *value, const char *directory, gpointer field, GError **error)
{
  char *text = g_strstrip (g_strdup (value));
  gboolean ok = type == &kt_type_path ? parse_path (text, directory, field, error) : type->parse (text, field, error);

  if (!ok && error != NULL && kt_has_comment (text)) {
    char *message = g_strconcat ((*error)->message, "; comments stand on lines of their own", NULL);
    g_free ((*error)->message);
    (*error)->message = message;
  }
  kt_secret_free (text);
  return ok;
}

/* ORIGIN is put before an error: the file's name, or "-o". */
static gboolean
set (KtConfig *config, const Key *key, const char *value, const char *origin, const char *directory, GError **error)
{
  if (parse (key->type, value, directory, (char *) config + key->offset, error))
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
  g_autofree char *directory = g_path_get_dirname (path);
  g_autofree char *token_file = NULL;

  if (!kt_id_is_valid (share_id))
    return bad (path, group, NULL, "this is no share id: expected 1 to 64 of A-Z a-z 0-9 _ -", error);
  if (!g_str_equal (name, SHARE_KEY))
    return bad (path, group, name, "unknown key: expected " SHARE_KEY, error);
  if (value == NULL || value[0] == '\0')
    return bad (path, group, name, "expected the name of a file", error);
  if (!parse (&kt_type_path, value, directory, &token_file, error)) {
    g_prefix_error (error, "%s: [%s] %s: ", path, group, name);
    return FALSE;
  }
  g_hash_table_insert (config->share_token_files, g_strdup (share_id), g_steal_pointer (&token_file));
  return TRUE;
}

/* The key that was meant may be one of another group. */
static gboolean
unknown_key (const char *path, const char *group, const char *name, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autofree char *what = NULL;
  const char *nearest;
  const Key *key;

  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    if (g_str_equal (keys[i].group, group))
      g_ptr_array_add (names, (gpointer) keys[i].name);
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    if (!g_str_equal (keys[i].group, group))
      g_ptr_array_add (names, (gpointer) keys[i].name);
  nearest = kt_nearest (name, names);
  if (nearest == NULL)
    return bad (path, group, name, "unknown key; kootaskfs --help lists them", error);
  key = find_key (NULL, nearest, strlen (nearest));
  what = g_str_equal (key->group, group) ? g_strdup_printf ("unknown key; did you mean %s?", nearest)
                                         : g_strdup_printf ("unknown key; did you mean [%s] %s?", key->group, nearest);
  return bad (path, group, name, what, error);
}

static gboolean
unknown_group (const char *path, const char *group, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autofree char *what = NULL;
  const char *nearest;

  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    g_ptr_array_add (names, (gpointer) keys[i].group);
  g_ptr_array_add (names, (gpointer) SHARE_GROUP "SHAREID");
  nearest = kt_nearest (group, names);
  what = g_strdup_printf ("unknown group: expected service, cache, fetch, watch or " SHARE_GROUP "SHAREID%s%s%s",
                          nearest != NULL ? "; did you mean " : "", nearest != NULL ? nearest : "",
                          nearest != NULL ? "?" : "");
  return bad (path, group, NULL, what, error);
}

static gboolean
load_key (KtConfig *config, GKeyFile *file, const char *group, const char *name, const char *path, GError **error)
{
  const Key *key = find_key (group, name, strlen (name));
  g_autofree char *value = value_of (file, group, name);
  g_autofree char *directory = g_path_get_dirname (path);

  if (g_str_has_prefix (group, SHARE_GROUP))
    return load_share (config, file, group, name, path, error);
  if (key == NULL)
    return unknown_key (path, group, name, error);
  if (value == NULL)
    return bad (path, group, name, "the value is not UTF-8 or has an invalid escape", error);
  return set (config, key, value, path, directory, error);
}

/* Whether PATH is nobody else's to read, as a file that holds a secret must be. */
static gboolean
is_private (const char *path)
{
  struct stat status;

  return stat (path, &status) == 0 && (status.st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

static gboolean
load_file (KtConfig *config, const char *path, GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GError) why = NULL;
  g_auto (GStrv) groups = NULL;
  g_autofree char *text = NULL;
  const char *body;
  gsize length;

  if (!g_file_get_contents (path, &text, &length, &why)) {
    g_set_error_literal (error, KT_ERROR, KT_ERROR_CONFIG, why->message);
    return FALSE;
  }
  body = kt_skip_bom (text);
  if (!g_key_file_load_from_data (file, body, length - (gsize) (body - text), G_KEY_FILE_NONE, &why)) {
    gboolean quotes = g_error_matches (why, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_PARSE); /* maybe a secret's line */
    g_set_error (error, KT_ERROR, KT_ERROR_CONFIG, "%s: %s", path,
                 quotes && is_private (path) ? "a line is neither [GROUP] nor KEY = VALUE" : why->message);
    return FALSE;
  }
  groups = g_key_file_get_groups (file, NULL);
  for (char **group = groups; *group != NULL; group++) {
    g_auto (GStrv) names = g_key_file_get_keys (file, *group, NULL, NULL);
    if (!is_group (*group) && !g_str_has_prefix (*group, SHARE_GROUP))
      return unknown_group (path, *group, error);
    for (char **name = names; *name != NULL; name++)
      if (!load_key (config, file, *group, *name, path, error))
        return FALSE;
  }
  if (config->session_id != NULL && !is_private (path))
    return bad (path, "service", "session-id", "others than its owner may use this file: expected chmod 600", error);
  return TRUE;
}

char *
kt_config_origin (const KtConfig *config)
{
  if (config->path != NULL)
    return g_strdup (config->path);
  return g_strdup_printf ("no configuration file (looked for %s; write one, or name one by -o config=FILE)",
                          config->searched);
}

static gboolean
load_overrides (KtConfig *config, char **overrides, const char *endpoint, GError **error)
{
  for (char **option = overrides; *option != NULL; option++) {
    const char *value = strchr (*option, '=') + 1;
    const Key *key = find_key (NULL, *option, strcspn (*option, "="));
    gboolean with_password = key->type == &kt_type_proxy && strchr (value, '@') != NULL;
    if (key->type == &kt_type_secret || with_password)
      return bad ("-o", key->group, key->name, "a secret, which a command line shows: expected in the file only",
                  error);
    if (!set (config, key, value, "-o", NULL, error))
      return FALSE;
  }
  return endpoint == NULL
         || set (config, find_key ("service", "endpoint", strlen ("endpoint")), endpoint, "command line", NULL, error);
}

static gboolean
check_sign_in (const KtConfig *config, const char *where, GError **error)
{
  const struct {
    gboolean wrong;
    const char *key;
    const char *what;
  } checks[] = {
    { config->token_file != NULL && config->token_command != NULL, "token-command",
      "stands beside token-file: expected one of the two" },
    { config->app_id != NULL && config->token_file != NULL, "app-id",
      "stands beside token-file: expected one of the two" },
    { config->app_id != NULL && config->token_command != NULL, "app-id",
      "stands beside token-command: expected one of the two" },
    { config->app_secret_file != NULL && config->app_id == NULL, "app-secret-file", "expected app-id beside it" },
    { config->app_id != NULL && config->session_id != NULL, "session-id",
      "sessions are of tokens: not expected with app-id" },
    { config->app_id != NULL && config->keep_alive, "keep-alive",
      "an app's secret does not die: not expected with app-id" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (checks); i++)
    if (checks[i].wrong)
      return bad (where, "service", checks[i].key, checks[i].what, error);
  return TRUE;
}

static gboolean
check_complete (const KtConfig *config, GError **error)
{
  g_autofree char *where = kt_config_origin (config);

  if (config->endpoint == NULL)
    return bad (where, "service", "endpoint", "missing: expected https://HOST[:PORT]", error);
  if (config->user_id == NULL)
    return bad (where, "service", "user-id", "missing: expected the id of the KooDrive user that asks", error);
  if (config->proxy != NULL && g_str_has_prefix (config->endpoint, "http:"))
    return bad (where, "service", "proxy",
                "endpoint is http://, and clear text stays on this machine: expected no proxy, or https://", error);
  return check_sign_in (config, where, error);
}

KtConfig *
kt_config_load (const char *path, char **overrides, const char *endpoint, GError **error)
{
  g_autoptr (KtConfig) config = g_new0 (KtConfig, 1);

  config->share_token_files = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  if (path != NULL)
    config->path = kt_path_under (path, NULL);
  else if (!kt_config_find (&config->path, &config->searched, error))
    return NULL;
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++) {
    g_autofree char *initial = initial_of (&keys[i]);
    if (initial != NULL && !set (config, &keys[i], initial, "default", NULL, error))
      return NULL;
  }
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
    if (keys[i].type->is_text)
      kt_secret_free (*(char **) ((char *) config + keys[i].offset));
  g_clear_pointer (&config->share_token_files, g_hash_table_unref);
  g_free (config->path);
  g_free (config->searched);
  g_free (config);
}

char *
kt_config_option (const char *option, GError **error)
{
  const gsize length = strcspn (option, "=");
  const Key *key = find_key (NULL, option, length);
  g_autofree char *path = NULL;

  if (key != NULL && option[length] == '=') {
    if (key->type == &kt_type_path && option[length + 1] != '\0')
      path = kt_path_absolute (option + length + 1, NULL, NULL); /* what cannot be made so kt_config_load() refuses */
    return path != NULL ? g_strconcat (key->name, "=", path, NULL) : g_strdup (option);
  }
  if (key != NULL && key->type == &kt_type_secret)
    return g_strconcat (option, "=", NULL); /* it is refused whatever it is */
  if (key != NULL && key->type == &kt_type_boolean)
    return g_strconcat (option, "=yes", NULL);
  if (key != NULL) {
    g_set_error (error, KT_ERROR, KT_ERROR_USAGE, "-o %s: expected a value: %s", key->name, key->what);
    return NULL;
  }
  key = g_str_has_prefix (option, NO) ? find_key (NULL, option + strlen (NO), length - strlen (NO)) : NULL;
  if (key == NULL || key->type != &kt_type_boolean)
    return NULL;
  if (option[length] == '=') {
    g_set_error (error, KT_ERROR, KT_ERROR_USAGE, "-o " NO "%s: takes no value", key->name);
    return NULL;
  }
  return g_strconcat (key->name, "=no", NULL);
}

void
kt_config_add_names (GPtrArray *names)
{
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++) {
    g_ptr_array_add (names, g_strdup (keys[i].name));
    if (keys[i].type == &kt_type_boolean)
      g_ptr_array_add (names, g_strconcat (NO, keys[i].name, NULL));
  }
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
  GString *out = g_string_new ("Keys of the configuration file, which -o takes too:\n");
  const char *group = "";

  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++) {
    g_autofree char *initial = initial_of (&keys[i]);
    if (!g_str_equal (group, keys[i].group))
      g_string_append_printf (out, "  [%s]\n", keys[i].group);
    group = keys[i].group;
    g_string_append_printf (out, "  %-16s %s", keys[i].name, keys[i].what);
    if (initial != NULL)
      g_string_append_printf (out, " (default %s)", initial);
    g_string_append_c (out, '\n');
  }
  g_string_append (out, "  [" SHARE_GROUP "SHAREID]\n  " SHARE_KEY
                        "    file with the share's temporary token (not for -o)\n");
  return g_string_free (out, FALSE);
}
