/* SPDX-License-Identifier: MIT */
/* The writer of the log, and the secrets that it takes out. */
#include "kt-log.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>

#define SHORTEST_SECRET 4

typedef struct {
  char *text;
  guint holders;
} Secret;

/* The log is the process's, as stderr is; other threads may write to it too, hence the lock. */
static struct {
  GMutex lock;
  GQueue secrets;  /* Secret, from the one that was added or released first */
  guint recent;    /* of these, those without a holder */
  guint most_held; /* those with one, when there were the most */
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

  for (const GList *item = log_state.secrets.head; item != NULL; item = item->next) {
    const char *secret = ((const Secret *) item->data)->text;
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

/* ---- secrets */

static void
secret_free (gpointer data)
{
  Secret *secret = data;

  kt_secret_free (secret->text);
  g_free (secret);
}

/* With the lock held, as is the next. */
static GList *
find_secret (const char *text)
{
  for (GList *item = log_state.secrets.head; item != NULL; item = item->next)
    if (g_str_equal (((const Secret *) item->data)->text, text))
      return item;
  return NULL;
}

/* Forgets the oldest ones that are too many. All that are in use may be replaced at once, so as many may be on their
 * way. */
static void
trim_secrets (void)
{
  log_state.most_held = MAX (log_state.most_held, log_state.secrets.length - log_state.recent);
  for (GList *item = log_state.secrets.head; log_state.recent > MAX (KT_LOG_RECENT_SECRETS, log_state.most_held);) {
    GList *next = item->next;
    if (((const Secret *) item->data)->holders == 0) {
      secret_free (item->data);
      g_queue_delete_link (&log_state.secrets, item);
      log_state.recent--;
    }
    item = next;
  }
}

/* Takes HOLDERS more for the secret TEXT, which becomes the last one added. */
static void
note_secret (const char *text, guint holders)
{
  GList *item;
  Secret *secret;

  if (text == NULL || strlen (text) < SHORTEST_SECRET)
    return;
  g_mutex_lock (&log_state.lock);
  item = find_secret (text);
  if (item != NULL) {
    secret = item->data;
    g_queue_unlink (&log_state.secrets, item);
    g_queue_push_tail_link (&log_state.secrets, item);
    log_state.recent -= secret->holders == 0;
  } else {
    secret = g_new0 (Secret, 1);
    secret->text = g_strdup (text);
    g_queue_push_tail (&log_state.secrets, secret);
  }
  secret->holders += holders;
  log_state.recent += secret->holders == 0;
  trim_secrets ();
  g_mutex_unlock (&log_state.lock);
}

/* ---- */

void
kt_log_add_secret (const char *secret)
{
  note_secret (secret, 0);
}

void
kt_log_hold_secret (const char *secret)
{
  note_secret (secret, 1);
}

void
kt_log_release_secret (const char *text)
{
  GList *item;

  if (text == NULL)
    return;
  g_mutex_lock (&log_state.lock);
  item = find_secret (text);
  if (item != NULL && ((Secret *) item->data)->holders > 0 && --((Secret *) item->data)->holders == 0) {
    g_queue_unlink (&log_state.secrets, item);
    g_queue_push_tail_link (&log_state.secrets, item);
    log_state.recent++;
    trim_secrets ();
  }
  g_mutex_unlock (&log_state.lock);
}

void
kt_log_forget_secrets (void)
{
  g_mutex_lock (&log_state.lock);
  g_queue_clear_full (&log_state.secrets, secret_free);
  log_state.recent = log_state.most_held = 0;
  g_mutex_unlock (&log_state.lock);
}
