/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

/* Advice for somebody whose service cannot be used: the same from `--check` and from a mount. */

/* What to do about ERROR, one line, static. Sets *CODE, unless NULL, to the exit code of `--check` (sysexits.h). */
const char *kt_advice (const GError *error, int *code);

/* Whether ERROR, or NULL, says no more of the service than that it cannot be reached. */
gboolean kt_advice_is_cut_off (const GError *error);

/* Which step it was that failed when STEP ended in ERROR: that, or "TLS" or "connection" when it did not get so far. */
const char *kt_advice_step (const char *step, const GError *error);
