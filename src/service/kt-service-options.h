/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-headers.h"

/* Reads the token (or the app's secret) from where it comes from, once more. DONE is called exactly once, also before
 * this returns; its TOKEN stays the caller's. Never called again before it. KT_ERROR_STOPPED: the mount ends. */
typedef void (*KtTokenDone) (const char *token, const GError *error, gpointer data);
typedef void (*KtTokenRead) (gpointer source, KtTokenDone done, gpointer data);

typedef struct {
  const char *endpoint;   /* "https://host[:port]", no path */
  const char *user_id;    /* X-User-Id */
  const char *token;      /* Authorization, by SCHEME; with APP_ID: the app's secret */
  KtTokenScheme scheme;   /* of a token */
  const char *app_id;     /* requests are signed; NULL: they carry the token */
  const char *session_id; /* to renew the token with, or NULL */
  gboolean keep_alive;    /* the token, by a request before it would expire unused */
  KtTokenRead read_token; /* may be NULL: the token is the only one there is */
  gpointer token_source;
  const char *agent_name;   /* X-Hw-Agentname, NULL for none */
  const char *language;     /* e.g. "en-US" */
  GTimeZone *zone;          /* of times without one */
  GHashTable *share_tokens; /* share id → kdstoken, may be NULL */
  guint families;           /* KT_FAMILY_BIT()s: where a task of KT_FAMILY_UNKNOWN is looked for */
} KtServiceOptions;
