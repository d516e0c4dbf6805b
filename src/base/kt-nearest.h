/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

/* The one of CANDIDATES (const char *) that WORD was probably meant to be: a few letters are wrong, missing, too many
 * or swapped, or one of the two is the beginning of the other up to a hyphen, or its end from one on. Case, and
 * whether it is -, _ or a point, do not count. The first of several; NULL when none is near. */
const char *kt_nearest (const char *word, const GPtrArray *candidates);
