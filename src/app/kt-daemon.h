/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

/* Goes into the background and lets the caller's shell have its prompt only when there is something to say. The
 * parent waits: it ends with 0 when the child calls kt_daemon_ready(), or prints the child's error and ends with its
 * exit code. To be called before any thread, loop or curl exists. */
typedef struct KtDaemon KtDaemon;

/* Forks; returns in the child only. FOREGROUND: does not fork, and readiness is reported to nobody. */
KtDaemon *kt_daemon_start (gboolean foreground);

/* All is well: the parent leaves, and stdin, stdout and stderr are closed. A WARNING, unless NULL, is printed by the
 * parent, or logged when there is none. */
void kt_daemon_ready (KtDaemon *daemon, const char *warning);

/* The process is about to end with CODE because of MESSAGE: the parent prints it, or we do when there is none. */
void kt_daemon_failed (KtDaemon *daemon, int code, const char *message);

void kt_daemon_free (KtDaemon *daemon);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtDaemon, kt_daemon_free)
