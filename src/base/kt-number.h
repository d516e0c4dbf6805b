/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

/* Numbers as the service's serialisers write them: 2, 2.0, 2e0 and "2" are the same. They are read on their digits,
 * never by way of a double, in time linear to the text. */

#define KT_NUMBER_DIGITS 64 /* the longest whole part that is written out: no id is longer */

/* The digits of the whole part of the number TEXT, LENGTH bytes, rounded toward zero, with a "-" when it is below zero;
 * *HAS_FRACTION, unless NULL, is set to whether that is less than all. Blanks around it and zeros before it do no harm.
 * (transfer full), NULL when TEXT is no number or its whole part takes more than KT_NUMBER_DIGITS digits. */
char *kt_number_digits (const char *text, gsize length, gboolean *has_fraction);

/* As above, but NULL also when the number is not whole. */
char *kt_number_whole (const char *text, gsize length);
