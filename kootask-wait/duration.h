/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

/* TEXT as coreutils' timeout takes it: a number, maybe with a fraction, and s, m, h or d; without a unit it is seconds.
 * Microseconds in *DURATION, at most a thousand years. FALSE: it is something else. */
gboolean duration_parse (const char *text, gint64 *duration);
