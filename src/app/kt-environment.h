/* SPDX-License-Identifier: MIT */
#pragma once

/* What the environment says about the world. No folder but app reads it: those below are given what they need. */

/* The proxy for https://, in curl's order of names; NULL when none is named. It may hold a password. (transfer none) */
const char *kt_environment_proxy (void);

/* The directory for large temporary files: $TMPDIR, or /var/tmp. (transfer none) */
const char *kt_environment_temporary_directory (void);
