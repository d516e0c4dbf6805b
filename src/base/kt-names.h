/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

#define KT_NAME_MAX 255 /* bytes in a file name, as in the kernel */

/* A name that can be a task or share id: 1 to 64 of A-Z a-z 0-9 _ - (docs/semantics.md). */
gboolean kt_id_is_valid (const char *name);

/* Whether TEXT may stand in a header: printable ASCII only. */
gboolean kt_is_printable (const char *text);

/* TEXT behind the byte order mark that some editors begin a file with. */
const char *kt_skip_bom (const char *text);

/* The file name for a string of the service: `/`, NUL, control characters, `%`, a leading `.` and bytes
 * that are not UTF-8 become %XX; longer than 255 bytes is cut and gets a hash of the whole as suffix; an empty
 * string becomes "unnamed". Injective but for the cut ones. (transfer full) */
char *kt_name_encode (const char *text);

/* TEXT on one line: control characters become %XX, everything else stays. (transfer full) */
char *kt_line_encode (const char *text);

/* TEXT as a JSON string, quotes included: valid UTF-8, bytes that are none become U+FFFD. (transfer full) */
char *kt_json_quote (const char *text);
