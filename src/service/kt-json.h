/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

/* Marks put before each string and number of a JSON text by kt_json_mark(). */
#define KT_JSON_STRING 's'
#define KT_JSON_NUMBER 'n'

/* Rewrites JSON so that a parser which knows only doubles keeps every number's digits: `12` becomes "n12", and
 * so that the two cannot be confused each string "x", keys too, becomes "sx". Checks what the parser does not:
 * the grammar of numbers (RFC 8259, 6), nesting of at most 64, no NUL byte and no \u0000 (C strings would end
 * there). Everything else is left for the parser to judge.
 * (transfer full), or NULL and KT_ERROR_BAD_ANSWER with the byte's position. */
GString *kt_json_mark (const char *text, gsize length, GError **error);
