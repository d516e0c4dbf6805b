/* SPDX-License-Identifier: MIT */
/* Who may use the service: the token that expires when idle, the session that renews it, the app that signs. */
#include "auth.h"

#include "sign.h"

#include <string.h>

struct SimAuth {
  SimAuthConfig config; /* its token is the one in force */

  GMutex lock; /* guards the token and all below */
  gint64 used; /* when it was last */
  gboolean expired;
  GHashTable *issued; /* all tokens so far: any of them may ask for renewal */
};

SimAuth *
sim_auth_new (const SimAuthConfig *config, gint64 now)
{
  SimAuth *auth = g_new0 (SimAuth, 1);

  g_mutex_init (&auth->lock);
  auth->config = *config;
  auth->config.token = NULL;
  auth->issued = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  sim_auth_set_token (auth, config->token, now);
  g_free (config->token);
  return auth;
}

void
sim_auth_free (SimAuth *auth)
{
  if (auth == NULL)
    return;
  g_hash_table_unref (auth->issued);
  g_free (auth->config.token);
  g_free (auth->config.session_id);
  g_free (auth->config.app_id);
  g_free (auth->config.app_secret);
  g_mutex_clear (&auth->lock);
  g_free (auth);
}

static gboolean
is_valid (const SimAuth *auth, gint64 now)
{
  return !auth->expired && (auth->config.idle == 0 || now - auth->used <= auth->config.idle);
}

static const char *
check_token (SimAuth *auth, const SimRequest *req, const char *value)
{
  static const char *const schemes[] = { "", "Bearer ", "Bearer+", "AT " };
  const char *reason = "verify token failed";

  g_mutex_lock (&auth->lock);
  for (guint i = 0; i < G_N_ELEMENTS (schemes); i++) {
    if (!g_str_has_prefix (value, schemes[i]))
      continue;
    const char *token = value + strlen (schemes[i]);
    if (req->endpoint == SIM_ENDPOINT_REFRESH && g_hash_table_contains (auth->issued, token))
      reason = NULL;
    else if (strcmp (token, auth->config.token) == 0)
      reason = is_valid (auth, req->at) ? NULL : "token expired";
  }
  if (reason == NULL && req->endpoint != SIM_ENDPOINT_REFRESH)
    auth->used = MAX (auth->used, req->at);
  g_mutex_unlock (&auth->lock);
  return reason;
}

const char *
sim_auth_check (SimAuth *auth, const SimRequest *req)
{
  const char *value = sim_request_header (req, "Authorization");
  const char *session = sim_request_header (req, "x-session-id");

  if (value == NULL)
    return "Authorization header is missing";
  if (g_str_has_prefix (value, SIM_SIGN_SCHEME)) {
    if (req->endpoint == SIM_ENDPOINT_REFRESH)
      return "session calls do not take app authentication";
    if (auth->config.app_id == NULL)
      return "app authentication is not set up";
    return sim_sign_verify (req, auth->config.app_id, auth->config.app_secret);
  }
  if (req->endpoint == SIM_ENDPOINT_REFRESH
      && (auth->config.session_id == NULL || g_strcmp0 (session, auth->config.session_id) != 0))
    return "session not found";
  return check_token (auth, req, value);
}

void
sim_auth_set_token (SimAuth *auth, const char *token, gint64 now)
{
  g_mutex_lock (&auth->lock);
  g_free (auth->config.token);
  auth->config.token = g_strdup (token);
  auth->used = now;
  auth->expired = FALSE;
  g_hash_table_add (auth->issued, g_strdup (token));
  g_mutex_unlock (&auth->lock);
}

char *
sim_auth_renew (SimAuth *auth, gint64 now)
{
  char *token = g_uuid_string_random ();

  sim_auth_set_token (auth, token, now);
  return token;
}

void
sim_auth_expire (SimAuth *auth)
{
  g_mutex_lock (&auth->lock);
  auth->expired = TRUE;
  g_mutex_unlock (&auth->lock);
}

cJSON *
sim_auth_describe (SimAuth *auth, gint64 now)
{
  cJSON *response = cJSON_CreateObject ();

  g_mutex_lock (&auth->lock);
  gboolean valid = is_valid (auth, now);
  gint64 remaining = valid ? auth->used + auth->config.idle - now : 0;
  g_mutex_unlock (&auth->lock);
  cJSON_AddBoolToObject (response, "valid", valid);
  if (valid && auth->config.idle == 0)
    cJSON_AddNullToObject (response, "remaining");
  else
    cJSON_AddNumberToObject (response, "remaining", (double) remaining / G_USEC_PER_SEC);
  return response;
}
