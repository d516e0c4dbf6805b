/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/kt-log.h"

/* A secret from the first line of a file. Refused, with KT_ERROR_CONFIG: a file that group or others can read, an
 * empty one, and characters that have no place in a header. The log will not show it. (transfer full): free with
 * kt_secret_free(). */
char *kt_secret_from_file (const char *path, GError **error);

/* The same of a credential that systemd has put there, which its group may read too (mode 0440). (transfer full) */
char *kt_secret_from_credential (const char *path, GError **error);

/* A secret from the first line of TEXT, which ORIGIN names in errors; refused as above. (transfer full) */
char *kt_secret_from_text (const char *text, const char *origin, GError **error);

/* What $NAME holds, unchecked, wiped from this process's environment, what /proc shows of it included. NULL when it is
 * not set. (transfer full) */
char *kt_secret_from_environment (const char *name);
