/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/kt-clock.h"

/* A shell command whose output is wanted, with the processes it starts: all of them end with it when it takes too long
 * or is not wanted any more. */
typedef struct KtCommand KtCommand;

#define KT_COMMAND_SECONDS 10

/* OUTPUT, its first 64 KiB, is wiped after the call; or ERROR (KT_ERROR_CONFIG): it failed or took too long. The
 * command may be freed here. */
typedef void (*KtCommandDone) (const char *output, const GError *error, gpointer data);

/* Runs LINE by /bin/sh, stdin and stderr as they are for a background job. DONE is called once, from the default
 * main context, after KT_COMMAND_SECONDS at the latest. NULL and KT_ERROR_CONFIG when it cannot be started.
 * (transfer full) */
KtCommand *kt_command_start (KtClock *clock, const char *line, KtCommandDone done, gpointer data, GError **error);

/* Kills it if it still runs, without calling DONE. NULL is fine. */
void kt_command_free (KtCommand *command);
