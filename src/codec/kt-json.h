/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

/* Marks put before each string and number of a JSON text by kt_json_mark(). */
#define KT_JSON_STRING 's'
#define KT_JSON_NUMBER 'n'

/* Separates, in a marked number, its digits as they are written from those of its value, where they differ. */
#define KT_JSON_VALUE '/'

#define KT_JSON_DEPTH 64 /* how deep objects and arrays may be nested */

/* Rewrites JSON so that a parser which knows only doubles keeps every number's digits: `12` becomes "n12" and `1.2e1`
 * "n1.2e1/12" (kt-number.h), and so that the two cannot be confused each string "x", keys too, becomes "sx". So that
 * one bad string does not cost the whole body, half a surrogate pair becomes U+FFFD and \u0000 KT_NUL; bytes that are
 * not UTF-8 stay. Checks what the parser does not: the grammar of numbers (RFC 8259, 6), that of \u, nesting, no NUL
 * byte. Everything else is left for the parser to judge. (transfer full), or NULL and KT_ERROR_BAD_ANSWER with the
 * byte's position. */
GString *kt_json_mark (const char *text, gsize length, GError **error);
