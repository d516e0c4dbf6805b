/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

#define KT_COLUMNS_CUT '+' /* at the end of what was cut: no id has it */

/* Appends TEXT as a terminal shows it in at most COLUMNS columns: wide characters take two, marks that combine with the
 * character before them none. What does not fit is cut, with KT_COLUMNS_CUT in the last column. Characters that do not
 * print, such as controls and those that turn the direction of writing, and bytes that are not UTF-8 become "?".
 * Returns how many columns that takes. */
guint kt_columns_append (GString *out, const char *text, guint columns);

/* The same, and blanks behind it up to COLUMNS, or before it when COLUMNS is negative. */
void kt_columns_append_cell (GString *out, const char *text, gint columns);
