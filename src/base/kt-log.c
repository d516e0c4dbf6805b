/* SPDX-License-Identifier: MIT */
#include "kt-log.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>

#define SHORTEST_SECRET 4

/* The log is the process's, as stderr is; other threads may write to it too, hence the lock. */
static struct {
  GMutex lock;
  GPtrArray *secrets;
  KtLogSink sink;
  gboolean debug;
} log_state;

void
kt_secret_free (char *secret)
{
  if (secret != NULL)
    explicit_bzero (secret, strlen (secret));
  g_free (secret);
}

/* The length of the longest secret that TEXT begins with, 0 when it begins with none. */
static gsize
secret_at (const char *text)
{
  gsize length = 0;

  for (guint i = 0; log_state.secrets != NULL && i < log_state.secrets->len; i++) {
    const char *secret = g_ptr_array_index (log_state.secrets, i);
    if (g_str_has_prefix (text, secret))
      length = MAX (length, strlen (secret));
  }
  return length;
}

char *
kt_log_redact (const char *text)
{
  GString *out = g_string_new (NULL);
  gsize length;

  g_mutex_lock (&log_state.lock);
  while (*text != '\0') {
    length = secret_at (text);
    if (length > 0) {
      g_string_append (out, "***");
      text += length;
    } else if ((guchar) *text < 0x20 || *text == 0x7f) {
      g_string_append_printf (out, "\\x%02x", (guchar) *text++);
    } else {
      g_string_append_c (out, *text++);
    }
  }
  g_mutex_unlock (&log_state.lock);
  return g_string_free (out, FALSE);
}

static int
syslog_priority (GLogLevelFlags level)
{
  if (level & G_LOG_LEVEL_ERROR)
    return LOG_CRIT;
  if (level & G_LOG_LEVEL_CRITICAL)
    return LOG_ERR;
  if (level & G_LOG_LEVEL_WARNING)
    return LOG_WARNING;
  if (level & G_LOG_LEVEL_MESSAGE)
    return LOG_NOTICE;
  return level & G_LOG_LEVEL_INFO ? LOG_INFO : LOG_DEBUG;
}

static GLogWriterOutput
write_line (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  const char *message = "(no message)";
  g_autofree char *line = NULL;

  if (log_state.sink == KT_LOG_NOWHERE)
    return G_LOG_WRITER_HANDLED;
  if ((level & (G_LOG_LEVEL_INFO | G_LOG_LEVEL_DEBUG)) != 0 && !log_state.debug)
    return G_LOG_WRITER_HANDLED;
  for (gsize i = 0; i < n_fields; i++)
    if (strcmp (fields[i].key, "MESSAGE") == 0)
      message = fields[i].value;

  line = kt_log_redact (message);
  if (log_state.sink == KT_LOG_SYSLOG)
    syslog (syslog_priority (level), "%s", line);
  else
    fprintf (stderr, "kootaskfs: %s\n", line);
  return G_LOG_WRITER_HANDLED;
}

void
kt_log_init (void)
{
  g_log_set_writer_func (write_line, NULL, NULL);
}

void
kt_log_open (KtLogSink sink, gboolean debug)
{
  log_state.sink = sink;
  log_state.debug = debug;
  if (sink == KT_LOG_SYSLOG)
    openlog ("kootaskfs", LOG_PID, LOG_DAEMON);
}

void
kt_log_add_secret (const char *secret)
{
  if (strlen (secret) < SHORTEST_SECRET)
    return;
  g_mutex_lock (&log_state.lock);
  if (log_state.secrets == NULL)
    log_state.secrets = g_ptr_array_new_with_free_func ((GDestroyNotify) kt_secret_free);
  if (!g_ptr_array_find_with_equal_func (log_state.secrets, secret, g_str_equal, NULL))
    g_ptr_array_add (log_state.secrets, g_strdup (secret));
  g_mutex_unlock (&log_state.lock);
}

void
kt_log_forget_secrets (void)
{
  g_mutex_lock (&log_state.lock);
  g_clear_pointer (&log_state.secrets, g_ptr_array_unref);
  g_mutex_unlock (&log_state.lock);
}
