/* SPDX-License-Identifier: MIT */
#pragma once

/* Makes the process safe from what it was started with: what stands open as 0, 1 and 2, and who reads there. A
 * closed one becomes /dev/null, or the next socket would take its place and be written to. A stderr that cannot be
 * written to (no reader, limit on file sizes, a terminal that stops background writers) costs the line, not the
 * mount. A HOME that is no absolute path is none, as under cron: the user database's counts then. To be called first
 * in main(). */
void kt_process_init (void);

/* In a forked child before exec: what kt_process_init() ignores is as usual again. */
void kt_process_reset_signals (void);
