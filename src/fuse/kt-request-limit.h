/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/kt-time.h"

/* How long a request of a mount that begins now may take before it must have its reply: a kernel that is told to limit
 * requests (fs.fuse.default_request_timeout, fs.fuse.max_request_timeout: seconds, in files of these names in DIRECTORY)
 * ends the whole mount for one that takes longer. KT_TIME_NEVER when it is not told to, or has no such limit. */
KtUsec kt_request_limit (const char *directory);
#define KT_REQUEST_LIMITS "/proc/sys/fs/fuse"
