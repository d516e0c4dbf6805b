/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-config.h"

#include <stdio.h>

/* `kootaskfs --check`: asks the service what a mount would ask it, says in words on OUT, step by step, what works and
 * what to do about what does not (ENVIRONMENT_TOKEN is that of $KOOTASKFS_TOKEN, or NULL), and gives the exit code: 0,
 * or of the first failure one of sysexits.h (kootaskfs(1) lists them). */
int kt_check_run (const KtConfig *config, const char *environment_token, FILE *out);
