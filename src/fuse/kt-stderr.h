/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

/* libfuse and the fusermount3 that it starts say why they cannot on stderr only, where nobody may look. */
typedef struct KtStderr KtStderr;

/* From now on what is written to the process's stderr is kept. NULL when that cannot be done. (transfer full) */
KtStderr *kt_stderr_keep (void);

/* stderr is again what it was. What was written in one line, without the program's names; "" when nothing was. NULL is
 * fine. (transfer full) */
char *kt_stderr_end (KtStderr *kept);
