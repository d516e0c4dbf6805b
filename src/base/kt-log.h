/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

/* Where g_message(), g_warning() and the rest go. Every line passes one writer that takes out the
 * registered secrets and turns control characters into \xNN, so no service string can forge a line. */
typedef enum {
  KT_LOG_STDERR,
  KT_LOG_NOWHERE,
  KT_LOG_SYSLOG, /* LOG_DAEMON, for a daemonised process */
} KtLogSink;

/* Installs the writer, once per process (GLib allows no second time); until kt_log_open() it writes to stderr. */
void kt_log_init (void);

/* Chooses the sink; DEBUG lets g_debug() and g_info() through. */
void kt_log_open (KtLogSink sink, gboolean debug);

/* From now on SECRET is written as "***", until KT_LOG_RECENT_SECRETS others that nobody holds have been added
 * since. Short strings (under 4 bytes) are ignored: they would turn half the log into stars. */
void kt_log_add_secret (const char *secret);

/* SECRET is in use: it is written as "***" until it has been released as often as it was held, and then as one that
 * was just added. NULL is fine. */
void kt_log_hold_secret (const char *secret);
void kt_log_release_secret (const char *secret);

/* So many are remembered although nobody holds them, or as many as were ever held at the same time if these are more: a
 * message may still have them. */
#define KT_LOG_RECENT_SECRETS 256

/* Wipes and frees; NULL is fine. */
void kt_secret_free (char *secret);

/* Wipes and forgets all secrets. */
void kt_log_forget_secrets (void);

/* TEXT as the log would show it. (transfer full) */
char *kt_log_redact (const char *text);
