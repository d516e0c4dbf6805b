/* SPDX-License-Identifier: MIT */
/* The configuration: its file, its options, what is refused, and how it is shown. */
#include "kt-test.h"

#include "app/kt-config.h"
#include "base/kt-log.h"
#include "base/kt-units.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define MINIMAL "[service]\nendpoint = https://h\nuser-id = 1\n"

typedef struct {
  char *dir;
  char *path;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->dir = g_dir_make_tmp ("kootaskfs-XXXXXX", NULL);
  f->path = g_build_filename (f->dir, "kootaskfs.conf", NULL);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_unlink (f->path);
  g_rmdir (f->dir);
  g_free (f->path);
  g_free (f->dir);
}

/* TEXT as the file, OVERRIDE as the only -o unless NULL. */
static KtConfig *
load (Fixture *f, const char *text, const char *override, const char *endpoint, GError **error)
{
  char *overrides[] = { (char *) override, NULL };

  g_assert_true (g_file_set_contents (f->path, text, -1, NULL));
  return kt_config_load (f->path, overrides, endpoint, error);
}

static void
test_defaults (Fixture *f, gconstpointer data)
{
  g_autoptr (KtConfig) config = load (f, MINIMAL, NULL, NULL, NULL);

  g_assert_nonnull (config);
  g_assert_cmpstr (config->path, ==, f->path);
  g_assert_cmpstr (config->endpoint, ==, "https://h");
  g_assert_cmpstr (config->user_id, ==, "1");
  g_assert_null (config->token_file);
  g_assert_null (config->token_command);
  g_assert_cmpint (config->token_scheme, ==, KT_TOKEN_AUTO);
  g_assert_null (config->app_id);
  g_assert_null (config->app_secret_file);
  g_assert_null (config->session_id);
  g_assert_false (config->keep_alive);
  g_assert_true (config->verify);
  g_assert_null (config->agent_name);
  g_assert_cmpstr (config->language, ==, "en-US");
  g_assert_cmpstr (config->time_zone, ==, "UTC");
  g_assert_null (config->ca_file);
  g_assert_null (config->proxy);
  g_assert_cmpint (config->cache.ttl, ==, 5 * KT_SECOND);
  g_assert_cmpint (config->cache.ended_ttl, ==, KT_TIME_NEVER);
  g_assert_cmpint (config->cache.negative_ttl, ==, 3 * KT_SECOND);
  g_assert_cmpuint (config->families, ==, KT_FAMILIES_ALL);
  g_assert_cmpint (config->list_ttl, ==, 30 * KT_SECOND);
  g_assert_cmpint (config->cache.max_stale, ==, 300 * KT_SECOND);
  g_assert_cmpuint (config->cache.memory, ==, 256 << 20);
  g_assert_cmpint (config->deadline, ==, 10 * KT_SECOND);
  g_assert_cmpuint (config->limits.concurrency, ==, 64);
  g_assert_cmpuint (config->limits.rate, ==, 0);
  g_assert_cmpuint (config->limits.max_response, ==, 64 << 20);
  g_assert_null (config->watch_file);
  g_assert_cmpuint (g_hash_table_size (config->share_token_files), ==, 0);
}

#define ALL_KEYS                                                                                                       \
  "[service]\nendpoint = https://h:8443\nuser-id = 1505\ntoken-command = printf '\\\\n' | pass\ntoken-scheme = "       \
  "Bearer+\n"                                                                                                          \
  "keep-alive = yes\nagent-name = carrier\nlanguage = zh-CN\ntime-zone = Asia/Shanghai\nca-file = /etc/ca.pem\nproxy " \
  "= "                                                                                                                 \
  "http://p:3128\nfamilies = share, job\nallow-cancel = yes\nverify = no\n\n"                                          \
  "[cache]\nttl = 250ms\nended-ttl = 1h\nnegative-ttl = 0\nlist-ttl = 2min\nmax-stale = forever\nmemory = 1G\n\n"      \
  "[fetch]\ndeadline = 1min\nconcurrency = 1024\nrate = 7\nmax-response = 100\n\n[watch]\nfile = "                     \
  "/etc/tasks\nevents-memory = 64K\n"

static void
test_all_keys (Fixture *f, gconstpointer data)
{
  g_autoptr (KtConfig) config = load (f, ALL_KEYS "\n[share S1]\nkdstoken-file = /run/s1\n", NULL, NULL, NULL);

  g_assert_nonnull (config);
  g_assert_cmpstr (config->endpoint, ==, "https://h:8443");
  g_assert_cmpstr (config->token_command, ==, "printf '\\n' | pass");
  g_assert_cmpint (config->token_scheme, ==, KT_TOKEN_BEARER_PLUS);
  g_assert_true (config->keep_alive);
  g_assert_false (config->verify);
  g_assert_cmpstr (config->agent_name, ==, "carrier");
  g_assert_cmpstr (config->language, ==, "zh-CN");
  g_assert_cmpstr (config->time_zone, ==, "Asia/Shanghai");
  g_assert_cmpstr (config->ca_file, ==, "/etc/ca.pem");
  g_assert_cmpstr (config->proxy, ==, "http://p:3128");
  g_assert_cmpint (config->cache.ttl, ==, 250 * KT_MS);
  g_assert_cmpint (config->cache.ended_ttl, ==, 3600 * KT_SECOND);
  g_assert_cmpint (config->cache.negative_ttl, ==, 0);
  g_assert_cmpuint (config->families, ==, KT_FAMILY_BIT (KT_FAMILY_SHARE) | KT_FAMILY_BIT (KT_FAMILY_JOB));
  g_assert_cmpint (config->list_ttl, ==, 120 * KT_SECOND);
  g_assert_cmpint (config->cache.max_stale, ==, KT_TIME_NEVER);
  g_assert_cmpuint (config->cache.memory, ==, 1 << 30);
  g_assert_cmpint (config->deadline, ==, 60 * KT_SECOND);
  g_assert_cmpuint (config->limits.concurrency, ==, 1024);
  g_assert_cmpuint (config->events_memory, ==, 64 * 1024);
  g_assert_cmpuint (config->limits.rate, ==, 7);
  g_assert_cmpuint (config->limits.max_response, ==, 100);
  g_assert_cmpstr (config->watch_file, ==, "/etc/tasks");
  g_assert_cmpstr (g_hash_table_lookup (config->share_token_files, "S1"), ==, "/run/s1");
}

/* What is shown in .kootaskfs/config is a configuration file that means the same. */
static void
test_format_parses_back (Fixture *f, gconstpointer data)
{
  static const char *const texts[] = {
    MINIMAL,
    ALL_KEYS "\n[share S1]\nkdstoken-file = /run/s1\n",
    MINIMAL "token-command = \\s\\sindented \\\\s \\\\\\\\ x\\t=;#\nagent-name = 报告 \n",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (KtConfig) config = load (f, texts[i], NULL, NULL, NULL);
    g_autofree char *once = kt_config_format (config);
    g_autoptr (GError) error = NULL;
    g_autoptr (KtConfig) again = load (f, once, NULL, NULL, &error);
    g_assert_no_error (error);
    kt_assert_text (kt_config_format (again), once);
    g_assert_cmpstr (again->token_command, ==, config->token_command);
    g_assert_cmpstr (again->agent_name, ==, config->agent_name);
    g_assert_cmpint (again->cache.ttl, ==, config->cache.ttl);
    g_assert_cmpuint (again->limits.max_response, ==, config->limits.max_response);
  }
}

static void
test_format (Fixture *f, gconstpointer data)
{
  g_autoptr (KtConfig) config = load (f, MINIMAL, NULL, NULL, NULL);

  kt_assert_text (
      kt_config_format (config),
      "[service]\nendpoint = https://h\nuser-id = 1\ntoken-scheme = auto\nkeep-alive = no\nlanguage = en-US\n"
      "time-zone = UTC\nfamilies = share, basic, job\nallow-cancel = no\nverify = yes\n\n"
      "[cache]\nttl = 5s\nended-ttl = forever\nnegative-ttl = 3s\nlist-ttl = 30s\nmax-stale = 5min\nmemory = 256M\n\n"
      "[fetch]\ndeadline = 10s\nconcurrency = 64\nrate = 0\nmax-response = 64M\n\n[watch]\ninotify = "
      "yes\nevents-memory = 1M\n");
}

static void
test_proxy_password (Fixture *f, gconstpointer data)
{
  static const char *const table[][2] = {
    { "http://user:hunter2@p:3128", "proxy = http://***@p:3128\n" },
    { "http://user:hunt@er2@p:3128", "proxy = http://***@p:3128\n" },
    { "user:hunter2@p:3128", "proxy = ***@p:3128\n" },
    { "http://p:3128", "proxy = http://p:3128\n" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autofree char *text = g_strconcat (MINIMAL "proxy = ", table[i][0], "\n", NULL);
    g_autoptr (KtConfig) config = load (f, text, NULL, NULL, NULL);
    g_autofree char *format = kt_config_format (config);
    g_assert_cmpstr (config->proxy, ==, table[i][0]);
    g_assert_nonnull (strstr (format, table[i][1]));
    g_assert_null (strstr (format, "er2"));
  }
}

/* Relative names are of the directory that the command was given in, as a daemon works in another. */
static void
test_absolute_files (Fixture *f, gconstpointer data)
{
  g_autofree char *here = g_get_current_dir ();
  g_autofree char *expected = g_build_filename (here, "tok", NULL);
  g_autoptr (KtConfig) config = load (f, MINIMAL, "token-file=tok", NULL, NULL);

  g_assert_cmpstr (config->token_file, ==, expected);
}

/* What is relative in the file is of the file's directory, wherever the command runs; "~/" is the home. */
static void
test_paths_in_the_file (Fixture *f, gconstpointer data)
{
  g_autofree char *token = g_build_filename (f->dir, "sub/../sub/tok", NULL);
  g_autofree char *tasks = g_build_filename (f->dir, "tasks #1", NULL); /* no comment when it is there */
  g_autofree char *ca = g_build_filename (g_get_home_dir (), "ca.pem", NULL);
  g_autoptr (KtConfig) config = NULL;

  g_assert_true (g_file_set_contents (tasks, "", 0, NULL));
  config = load (f,
                 MINIMAL "token-file = ./sub/../sub//tok \t\nca-file = ~/ca.pem\n[share S]\nkdstoken-file = kds\n"
                         "[share T]\nkdstoken-file = ~\n[watch]\nfile = tasks #1\n",
                 NULL, NULL, NULL);
  g_assert_nonnull (config);
  g_assert_cmpstr (config->token_file, ==, token);
  g_assert_cmpstr (config->watch_file, ==, tasks);
  g_assert_cmpstr (config->ca_file, ==, ca);
  kt_assert_text (g_path_get_dirname (g_hash_table_lookup (config->share_token_files, "S")), f->dir);
  g_assert_cmpstr (g_hash_table_lookup (config->share_token_files, "T"), ==, g_get_home_dir ());
  g_unlink (tasks);
}

/* A path after -o is of the working directory at the start, and stays that. */
static void
test_option_for_later (void)
{
  g_autofree char *here = g_get_current_dir ();
  g_autofree char *below = g_strconcat ("token-file=", here, "/a/b", NULL);
  g_autofree char *home = g_strconcat ("ca-file=", g_get_home_dir (), "/x", NULL);

  kt_assert_text (kt_config_option ("token-file=a/b", NULL), below);
  kt_assert_text (kt_config_option ("ca-file=~/x", NULL), home);
  kt_assert_text (kt_config_option ("ca-file=~user/x", NULL), "ca-file=~user/x");
  kt_assert_text (kt_config_option ("file=", NULL), "file=");
  kt_assert_text (kt_config_option ("ttl=a/b", NULL), "ttl=a/b");
  kt_assert_text (kt_config_option ("token-command=cat x", NULL), "token-command=cat x");
}

/* As editors of other systems write it: a byte order mark, CR LF, blanks and tabs around values. */
static void
test_white_space (Fixture *f, gconstpointer data)
{
  g_autoptr (KtConfig) config =
      load (f,
            "\xef\xbb\xbf# a comment\r\n[service]\r\n\tendpoint =\t https://h \t\r\nuser-id = 1505 \r\n"
            "keep-alive = yes\t\r\ntime-zone = UTC \r\nfamilies = share \r\n\r\n[cache]\r\nttl = 7s  \r\n",
            "list-ttl= 9s ", NULL, NULL);

  g_assert_nonnull (config);
  g_assert_cmpstr (config->endpoint, ==, "https://h");
  g_assert_cmpstr (config->user_id, ==, "1505");
  g_assert_cmpstr (config->time_zone, ==, "UTC");
  g_assert_true (config->keep_alive);
  g_assert_cmpint (config->cache.ttl, ==, 7 * KT_SECOND);
  g_assert_cmpint (config->list_ttl, ==, 9 * KT_SECOND);
}

/* Clear text stays on this machine; a password is shown by no error, and taken by no option. */
static void
test_proxies (Fixture *f, gconstpointer data)
{
  static const char *const good[] = {
    "p", "p:3128", "HTTP://p:3128", "https://p", "socks5h://u:hunter2@[::1]:1080/", "socks4://p", "u@p"
  };
  static const char *const bad[] = { "gopher://u:hunter2@p",
                                     "://u:hunter2@p",
                                     "http://u:hunter2@",
                                     "http://",
                                     "http://u:hunter2@p x",
                                     "u:hunter2@:80",
                                     "http:u:hunter2@p//x y",
                                     "http://u:hunter2@[::1",
                                     "http://u:hunter2@p:99999",
                                     "http://u:hun/ter2@p",
                                     "x/@:h:1",
                                     "http://p/path" };
  g_autoptr (GError) error = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (good); i++) {
    g_autofree char *text = g_strconcat (MINIMAL "proxy = ", good[i], "\n", NULL);
    g_autoptr (KtConfig) config = load (f, text, NULL, NULL, &error);
    g_assert_no_error (error);
    g_assert_cmpstr (config->proxy, ==, good[i]);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autofree char *text = g_strconcat (MINIMAL "proxy = ", bad[i], "\n", NULL);
    if (load (f, text, NULL, NULL, &error) != NULL)
      g_error ("'%s' was taken", bad[i]);
    g_assert_null (strstr (error->message, "hunter2"));
    kt_assert_failed (&error, KT_ERROR_CONFIG, "[service] proxy: expected [SCHEME://][USER:PASSWORD@]HOST[:PORT]");
  }
  kt_assert_text (kt_log_redact ("hunter2"), "***");
  kt_log_forget_secrets ();
  g_assert_null (load (f, MINIMAL, "proxy=http://u:hunter2@p", NULL, &error));
  g_assert_null (strstr (error->message, "hunter2"));
  kt_assert_failed (&error, KT_ERROR_CONFIG, "-o: [service] proxy: a secret, which a command line shows");
  g_assert_null (load (f, MINIMAL, "proxy=p:3128", "http://localhost", &error));
  kt_assert_failed (&error, KT_ERROR_CONFIG,
                    "[service] proxy: endpoint is http://, and clear text stays on this machine");
}

static void
test_overrides (Fixture *f, gconstpointer data)
{
  g_autoptr (KtConfig) config = load (f, MINIMAL "[cache]\nttl = 9s\n", "ttl=2s", NULL, NULL);
  g_autoptr (KtConfig) given = load (f, MINIMAL, "endpoint=https://o", "https://c", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (config->cache.ttl, ==, 2 * KT_SECOND);
  g_assert_cmpstr (given->endpoint, ==, "https://c"); /* the command line's argument is last */
  g_assert_null (load (f, MINIMAL, "ttl=2", NULL, &error));
  kt_assert_failed (&error, KT_ERROR_CONFIG, "-o: [cache] ttl: '2' is not a time: expected");
  g_assert_null (load (f, MINIMAL, "ttl=", NULL, &error));
  kt_assert_failed (&error, KT_ERROR_CONFIG, "-o: [cache] ttl: '' is not a time");
  g_assert_null (load (f, MINIMAL, NULL, "http://h", &error));
  kt_assert_failed (&error, KT_ERROR_CONFIG, "command line: [service] endpoint: 'http://h' would send the token");
}

/* What -o names, and how. */
static void
test_options (void)
{
  static const char *const table[][2] = {
    { "ttl=2s", "ttl=2s" },
    { "ttl=", "ttl=" },
    { "keep-alive", "keep-alive=yes" },
    { "keep-alive=no", "keep-alive=no" },
    { "nokeep-alive", "keep-alive=no" },
    { "session-id", "session-id=" },
    { "endpoint=a=b", "endpoint=a=b" },
    { "ttls=2s", NULL },
    { "tt", NULL },
    { "", NULL },
    { "no", NULL },
    { "nottl", NULL },
    { "nonokeep-alive", NULL },
  };
  g_autoptr (GError) error = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    kt_assert_text (kt_config_option (table[i][0], &error), table[i][1]);
    g_assert_no_error (error);
  }
  g_assert_null (kt_config_option ("ttl", &error));
  kt_assert_failed (&error, KT_ERROR_USAGE, "-o ttl: expected a value");
  g_assert_null (kt_config_option ("nokeep-alive=yes", &error));
  kt_assert_failed (&error, KT_ERROR_USAGE, "-o nokeep-alive: takes no value");
}

#define COMMENTS "; comments stand on lines of their own"

static void
test_bad_values (Fixture *f, gconstpointer data)
{
  static const struct {
    const char *text; /* after MINIMAL */
    const char *place;
    const char *expected;
  } table[] = {
    { "token-scheme = bearer\n", "[service] token-scheme", "expected auto, Bearer, Bearer+ or raw" },
    { "time-zone = Mars/Olympus\n", "[service] time-zone", "expected UTC, +08:00 or Asia/Shanghai" },
    { "families = share, shares\n", "[service] families", "expected some of share, basic, job" },
    { "families =\n", "[service] families", "expected some of share, basic, job" },
    { "families = unknown\n", "[service] families", "expected some of share, basic, job" },
    { "token-file =\n", "[service] token-file", "expected one line of text" },
    { "token-file = ~root/token\n", "[service] token-file", "only ~/ is a home: expected ~/FILE" },
    { "[share S]\nkdstoken-file = ~root/x\n", "[share S] kdstoken-file", "only ~/ is a home: expected ~/FILE" },
    { "token-file = /nowhere # mine\n", "[service] token-file", "no such file: expected" },
    { "token-file = /nowhere # mine\n", "[service] token-file", COMMENTS },
    { "[share S]\nkdstoken-file = /nowhere # mine\n", "[share S] kdstoken-file", COMMENTS },
    { "user-id = 1505 # me\n", "[service] user-id", "'1505 # me': expected an id, 1 to 128 of A-Z a-z 0-9 _ - . | @" },
    { "user-id = 1505\t; me\n", "[service] user-id", COMMENTS },
    { "user-id = 15 05\n", "[service] user-id", "expected an id" },
    { "user-id = \"1505\"\n", "[service] user-id", "expected an id" },
    { "user-id =\n", "[service] user-id", "expected an id" },
    { "app-id = A # app\n", "[service] app-id", COMMENTS },
    { "app-id = A,B\n", "[service] app-id", "expected an id" },
    { "agent-name = carrier # x\n", "[service] agent-name", COMMENTS },
    { "agent-name = \"carrier\"\n", "[service] agent-name", "without quotes" },
    { "language = en-US # x\n", "[service] language", COMMENTS },
    { "language = English please\n", "[service] language", "expected a language such as en-US" },
    { "time-zone = UTC # x\n", "[service] time-zone", COMMENTS },
    { "token-scheme = raw # x\n", "[service] token-scheme", COMMENTS },
    { "families = share # x\n", "[service] families", COMMENTS },
    { "keep-alive = no # x\n", "[service] keep-alive", COMMENTS },
    { "proxy = http://p:1 # x\n", "[service] proxy", COMMENTS },
    { "[cache]\nttl = 5s # x\n", "[cache] ttl", COMMENTS },
    { "[cache]\nmemory = 1G ; x\n", "[cache] memory", COMMENTS },
    { "[fetch]\nrate = 5 # x\n", "[fetch] rate", COMMENTS },
    { "[fetch]\ndeadline = 5s # x\n", "[fetch] deadline", COMMENTS },
    { "[watch]\nfile = tasks # x\n", "[watch] file", COMMENTS },
    { "agent-name = a\\nb\n", "[service] agent-name", "expected one line of text" },
    { "language = a\\qb\n", "[service] language", "invalid escape" },
    { "language = \xff\n", "[service] language", "not UTF-8" },
    { "tokenfile = /x\n", "[service] tokenfile", "unknown key; did you mean token-file?" },
    { "token = x\n", "[service] token", "unknown key; did you mean token-file?" },
    { "ttl = 5s\n", "[service] ttl", "unknown key; did you mean [cache] ttl?" },
    { "[cache]\ndead-line = 5s\n", "[cache] dead-line", "unknown key; did you mean [fetch] deadline?" },
    { "nonsense = 5s\n", "[service] nonsense", "unknown key; kootaskfs --help lists them" },
    { "token-file = /a\ntoken-command = b\n", "[service] token-command", "expected one of the two" },
    { "app-id = A\ntoken-file = /a\n", "[service] app-id", "expected one of the two" },
    { "app-id = A\ntoken-command = a\n", "[service] app-id", "expected one of the two" },
    { "app-secret-file = /a\n", "[service] app-secret-file", "expected app-id beside it" },
    { "app-id = A\nkeep-alive = yes\n", "[service] keep-alive", "not expected with app-id" },
    { "keep-alive = true\n", "[service] keep-alive", "expected yes or no" },
    { "[cache]\nttl = 5\n", "[cache] ttl", "expected a whole number with ms, s, min, h or d" },
    { "[cache]\nended-ttl = -1s\n", "[cache] ended-ttl", "expected" },
    { "[cache]\nmemory = 1X\n", "[cache] memory", "expected a whole number of bytes" },
    { "[cache]\nlist-ttl = 5\n", "[cache] list-ttl", "expected a whole number with ms, s, min, h or d" },
    { "[fetch]\ndeadline = 0\n", "[fetch] deadline", "expected more than 0 and at most 1h" },
    { "[fetch]\ndeadline = 2h\n", "[fetch] deadline", "expected more than 0 and at most 1h" },
    { "[fetch]\ndeadline = forever\n", "[fetch] deadline", "expected more than 0 and at most 1h" },
    { "[watch]\nevents-memory = 65535\n", "[watch] events-memory", "expected a size from 64K to 1G" },
    { "[watch]\nevents-memory = 1025M\n", "[watch] events-memory", "expected a size from 64K to 1G" },
    { "[watch]\nevents-memory = much\n", "[watch] events-memory", "is not a size" },
    { "[fetch]\nconcurrency = 0\n", "[fetch] concurrency", "expected a whole number from 1 to 1024" },
    { "[fetch]\nconcurrency = 1025\n", "[fetch] concurrency", "expected a whole number from 1 to 1024" },
    { "[fetch]\nrate = -1\n", "[fetch] rate", "expected a whole number from 0 to 1000000" },
    { "[watch]\nfile =\n", "[watch] file", "expected one line of text" },
    { "[caches]\nttl = 5s\n", "[caches]", "unknown group: expected service, cache, fetch, watch or share SHAREID" },
    { "[caches]\nttl = 5s\n", "[caches]", "did you mean cache?" },
    { "[Service]\nttl = 5s\n", "[Service]", "did you mean service?" },
    { "[share]\nkdstoken-file = /x\n", "[share]", "expected service, cache, fetch, watch or share SHAREID" },
    { "[share a/b]\nkdstoken-file = /x\n", "[share a/b]", "no share id" },
    { "[share S]\nkdstoken = x\n", "[share S] kdstoken", "expected kdstoken-file" },
    { "[share S]\nkdstoken-file =\n", "[share S] kdstoken-file", "expected the name of a file" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autofree char *text = g_strconcat (MINIMAL, table[i].text, NULL);
    g_autofree char *place = g_strdup_printf ("%s: %s: ", f->path, table[i].place);
    g_autoptr (GError) error = NULL;
    if (load (f, text, NULL, NULL, &error) != NULL)
      g_error ("'%s' was taken", table[i].text);
    if (!g_str_has_prefix (error->message, place))
      g_error ("'%s' does not begin with '%s'", error->message, place);
    kt_assert_failed (&error, KT_ERROR_CONFIG, table[i].expected);
  }
}

static void
test_bad_files (Fixture *f, gconstpointer data)
{
  char *none[] = { NULL };
  g_autoptr (GError) error = NULL;

  g_assert_null (kt_config_load (f->path, none, NULL, &error));
  kt_assert_failed (&error, KT_ERROR_CONFIG, f->path);
  g_assert_null (load (f, "user-id = 1\n", NULL, NULL, &error));
  kt_assert_failed (&error, KT_ERROR_CONFIG, f->path);
  g_assert_null (load (f, "[service]\nuser-id = 1\n", NULL, NULL, &error));
  kt_assert_failed (&error, KT_ERROR_CONFIG, "[service] endpoint: missing: expected https://HOST[:PORT]");
  g_assert_null (load (f, "[service]\nendpoint = https://h\n", NULL, NULL, &error));
  kt_assert_failed (&error, KT_ERROR_CONFIG, "[service] user-id: missing: expected");
}

/* Without -o config= the file is looked for; one that is there is not passed over. */
static void
test_places (Fixture *f, gconstpointer data)
{
  char *none[] = { NULL };
  g_autofree char *directory = g_build_filename (f->dir, "kootaskfs", NULL);
  g_autofree char *path = g_build_filename (directory, "kootaskfs.conf", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (KtConfig) config = NULL;

  g_setenv ("XDG_CONFIG_HOME", f->dir, TRUE);
  g_assert_null (kt_config_load (NULL, none, NULL, &error));
  g_assert_nonnull (strstr (error->message, path));
  kt_assert_failed (&error, KT_ERROR_CONFIG, ", then /etc/kootaskfs.conf; write one, or name one by -o config=FILE)");
  g_assert_cmpint (g_mkdir (directory, 0700), ==, 0);
  g_assert_cmpint (g_mkdir (path, 0700), ==, 0);
  g_assert_null (kt_config_load (NULL, none, NULL, &error));
  kt_assert_failed (&error, KT_ERROR_CONFIG, path);
  g_assert_cmpint (g_rmdir (path), ==, 0);
  g_assert_cmpint (symlink ("/nowhere", path), ==, 0);
  g_assert_null (kt_config_load (NULL, none, NULL, &error));
  g_assert_nonnull (strstr (error->message, path));
  kt_assert_failed (&error, KT_ERROR_CONFIG, "No such file");
  g_assert_cmpint (g_unlink (path), ==, 0);
  g_assert_true (g_file_set_contents (path, "", -1, NULL));
  g_assert_null (kt_config_load (NULL, none, NULL, &error));
  g_assert_nonnull (strstr (error->message, path));
  kt_assert_failed (&error, KT_ERROR_CONFIG, "[service] endpoint: missing");
  g_assert_true (g_file_set_contents (path, MINIMAL, -1, NULL));
  config = kt_config_load (NULL, none, NULL, NULL);
  g_assert_cmpstr (config->path, ==, path);
  kt_assert_text (kt_config_origin (config), path);

  /* a relative one is none, says the XDG specification */
  g_setenv ("XDG_CONFIG_HOME", "kootaskfs", TRUE);
  g_assert_null (kt_config_load (NULL, none, NULL, &error));
  kt_assert_failed (&error, KT_ERROR_CONFIG, "/.config/kootaskfs/kootaskfs.conf, then");
  g_unsetenv ("XDG_CONFIG_HOME");
  g_unlink (path);
  g_rmdir (directory);
}

static void
test_endpoints (Fixture *f, gconstpointer data)
{
  /* as written, and the one form of it */
  static const char *const good[][2] = {
    { "https://h", "https://h" },
    { "https://h/", "https://h" },
    { "https://h//", "https://h" },
    { "https://h:443", "https://h" },
    { "https://h:", "https://h" },
    { "https://h:80", "https://h:80" },
    { "https://h:8443", "https://h:8443" },
    { "HTTPS://Intl.Example.COM:0443/", "https://intl.example.com" },
    { "https://h.example.", "https://h.example" },
    { "https://h.example.:443/ ", "https://h.example" },
    { " https://h\t", "https://h" },
    { "https://ex%41mple", "https://example" },
    { "https://b\xc3\xbc"
      "cher.example",
      "https://xn--bcher-kva.example" },
    { "https://[2001:DB8::1]:443", "https://[2001:db8::1]" },
    { "https://[fe80::1%25eth0]", "https://[fe80::1%25eth0]" },
    { "http://localhost:8080", "http://localhost:8080" },
    { "HTTP://LocalHost.:80", "http://localhost" },
    { "http://127.0.0.1:1", "http://127.0.0.1:1" },
    { "http://127.9.9.9", "http://127.9.9.9" },
    { "http://127.0.0.1.:080", "http://127.0.0.1" },
    { "http://[0:0:0:0:0:0:0:1]:8080", "http://[::1]:8080" },
  };
  static const char *const bad[][2] = {
    { "http://h", "would send the token in clear text: expected https://" },
    { "http://localhost.example.com", "clear text" },
    { "http://127.0.0.1.example.com", "clear text" },
    { "http://10.0.0.1", "clear text" },
    { "http://[2001:db8::1]", "clear text" },
    { "HTTP://h", "clear text" },
    { "http://127.1", "clear text" },
    { "http://localhost..", "is no address of a service" },
    { "https://h..", "is no address of a service" },
    { "https://a..b", "is no address of a service" },
    { "https://.h", "is no address of a service" },
    { "https://h:0", "is no address of a service" },
    { "https://a%2fb", "is no address of a service" },
    { "https://a b", "is no address of a service" },
    { "https://.", "is no address of a service" },
    { "https://h # the service", "comments stand on lines of their own" },
    { "https://user:secret@h", "'***@' is no address of a service" },
    { "https://user@h", "is no address of a service" },
    { "http://localhost@h", "is no address of a service" },
    { "https://h/path", "expected https://HOST[:PORT]" },
    { "https://h?x=1", "expected https://HOST[:PORT]" },
    { "https://h#x", "expected https://HOST[:PORT]" },
    { "https://", "expected https://HOST[:PORT]" },
    { "https:h", "expected https://HOST[:PORT]" },
    { "h", "expected https://HOST[:PORT]" },
    { "", "expected https://HOST[:PORT]" },
    { "ftp://h", "expected https://HOST[:PORT]" },
    { "file:///etc/passwd", "expected https://HOST[:PORT]" },
    { "https://h:99999", "expected https://HOST[:PORT]" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (good); i++) {
    g_autoptr (KtConfig) config = load (f, MINIMAL, NULL, good[i][0], NULL);
    if (config == NULL)
      g_error ("'%s' was not taken", good[i][0]);
    g_assert_cmpstr (config->endpoint, ==, good[i][1]);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;
    KtConfig *config = load (f, MINIMAL, NULL, bad[i][0], &error);
    if (config != NULL)
      g_error ("%s was taken", bad[i][0]);
    kt_assert_failed (&error, KT_ERROR_CONFIG, bad[i][1]);
  }
}

#define SESSION MINIMAL "session-id = hunter2hunter2\n"

/* A file that holds a secret must be private; nothing shows the secret, and -o, which would, does not take it. */
static void
test_session (Fixture *f, gconstpointer data)
{
  char *none[] = { NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (KtConfig) config = NULL;
  g_autofree char *format = NULL;
  static const char *const broken[][2] = {
    { SESSION "app-id = A\n", "[service] session-id: sessions are of tokens" },
    { MINIMAL "session-id hunter2hunter2\n", "a line is neither [GROUP] nor KEY = VALUE" },
    { MINIMAL "session-id =\nhunter2\n", "a line is neither [GROUP] nor KEY = VALUE" },
    { MINIMAL "session-id = hunter2\\thunter2\n", "expected printable ASCII" },
    { MINIMAL "session-id =\n", "expected one line of text" },
  };

  g_assert_null (load (f, SESSION, NULL, NULL, &error));
  kt_assert_failed (&error, KT_ERROR_CONFIG, "[service] session-id: others than its owner may use this file: expected");
  g_assert_cmpint (g_chmod (f->path, 0600), ==, 0);
  config = kt_config_load (f->path, none, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (config->session_id, ==, "hunter2hunter2");
  format = kt_config_format (config);
  g_assert_nonnull (strstr (format, "session-id = ***\n"));
  g_assert_null (strstr (format, "hunter2"));
  kt_assert_text (kt_log_redact ("hunter2hunter2"), "***");
  kt_log_forget_secrets ();

  g_assert_null (load (f, MINIMAL, "session-id=hunter2", NULL, &error));
  g_assert_null (strstr (error->message, "hunter2"));
  kt_assert_failed (&error, KT_ERROR_CONFIG, "-o: [service] session-id: a secret, which a command line shows");
  for (gsize i = 0; i < G_N_ELEMENTS (broken); i++) {
    g_assert_true (g_file_set_contents_full (f->path, broken[i][0], -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL));
    g_assert_null (kt_config_load (f->path, none, NULL, &error));
    g_assert_null (strstr (error->message, "hunter2"));
    kt_assert_failed (&error, KT_ERROR_CONFIG, broken[i][1]);
  }
}

static void
test_help (void)
{
  g_autofree char *help = kt_config_help ();

  g_assert_nonnull (strstr (help, "  [cache]\n  ttl              how long an answer is fresh (default 5s)\n"));
  g_assert_nonnull (strstr (help, "kdstoken-file"));
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
#define TEST(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)
  TEST ("/app/config/defaults", test_defaults);
  TEST ("/app/config/all-keys", test_all_keys);
  TEST ("/app/config/format", test_format);
  TEST ("/app/config/format-parses-back", test_format_parses_back);
  TEST ("/app/config/proxy-password", test_proxy_password);
  TEST ("/app/config/absolute-files", test_absolute_files);
  TEST ("/app/config/paths-in-the-file", test_paths_in_the_file);
  g_test_add_func ("/app/config/option-for-later", test_option_for_later);
  TEST ("/app/config/white-space", test_white_space);
  TEST ("/app/config/proxies", test_proxies);
  TEST ("/app/config/overrides", test_overrides);
  TEST ("/app/config/bad-values", test_bad_values);
  TEST ("/app/config/bad-files", test_bad_files);
  TEST ("/app/config/endpoints", test_endpoints);
  TEST ("/app/config/session", test_session);
  TEST ("/app/config/places", test_places);
  g_test_add_func ("/app/config/options", test_options);
  g_test_add_func ("/app/config/help", test_help);
  return g_test_run ();
}
