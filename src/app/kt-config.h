/* SPDX-License-Identifier: MIT */
#pragma once

#include "http/kt-http-client.h"
#include "service/kt-headers.h"
#include "store/kt-store.h"

/* The configuration: the file's keys, -o's, and the defaults, all by the rows of kt-config.c. Files named in it are
 * absolute; the endpoint has one form, however it was written. Strings may be NULL where a key has no default. */
typedef struct {
  char *path;     /* the file it came from, NULL when there was none */
  char *searched; /* then: the files looked for, in order */
  char *endpoint;
  char *user_id;
  char *token_file;
  char *token_command;
  KtTokenScheme token_scheme;
  char *app_id;
  char *app_secret_file;
  char *session_id; /* a secret */
  gboolean keep_alive;
  char *agent_name;
  char *language;
  char *time_zone;
  char *ca_file;
  char *proxy;
  gboolean allow_cancel;
  gboolean verify;
  guint families; /* KT_FAMILY_BIT()s of those chosen */
  KtStorePolicy cache;
  KtUsec list_ttl;
  KtUsec deadline;
  KtHttpLimits limits;
  char *watch_file;
  gboolean inotify;
  guint64 events_memory;
  GHashTable *share_token_files; /* share id → file of its kdstoken */
} KtConfig;

/* Reads the file: PATH, or when NULL the first of $XDG_CONFIG_HOME/kootaskfs/kootaskfs.conf and /etc/kootaskfs.conf
 * that exists; one that exists and cannot be read is an error. OVERRIDES ("key=value", NULL-terminated) come after it,
 * ENDPOINT, unless NULL, last. Fails with KT_ERROR_CONFIG naming file, group, key and what was expected.
 * (transfer full) */
KtConfig *kt_config_load (const char *path, char **overrides, const char *endpoint, GError **error);
void kt_config_free (KtConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtConfig, kt_config_free)

/* OPTION of -o as "key=value" when it names a key. Of a key that is yes or no "key" and "nokey" do too; of
 * others a missing value is KT_ERROR_USAGE. A path in it is of the present working directory, and absolute from now on.
 * (transfer full); NULL without error when it names none. */
char *kt_config_option (const char *option, GError **error);

/* Adds the names that kt_config_option() knows, (transfer full). */
void kt_config_add_names (GPtrArray *names);

/* Where it came from, for errors: the file, or where one was looked for. (transfer full) */
char *kt_config_origin (const KtConfig *config);

/* The effective configuration in the form of the file. It holds no secret; a password in the proxy's URL is
 * left out. (transfer full) */
char *kt_config_format (const KtConfig *config);

/* The keys as text for --help. (transfer full) */
char *kt_config_help (void);
