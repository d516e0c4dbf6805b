/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/kt-error.h"

/* What a response's HTTP status, and the service's own code in its body, mean. No other file judges them. */

/* Whether a good body may come with STATUS: any 2xx. */
gboolean kt_status_is_success (guint status);

/* Whether STATUS is one that the service refuses a request with, whatever the code: 400, 401 or 403. */
gboolean kt_status_is_refusal (guint status);

/* The error of a response that is one. CODE is the service's, NULL when the body has none; it counts more than
 * STATUS, but for 429. */
KtErrorCode kt_status_error (guint status, const char *code);

/* Whether the response, which is an error, declines the request itself, because of what it is about or when it came:
 * the code is not known to mean something else, and the status is 200 or one of 400 to 499 that does not mean
 * something else. */
gboolean kt_status_declines (guint status, const char *code);

/* Whether ERROR, of a response with STATUS, may be due to what the request was signed or dated with. An error that
 * is only in the body comes with a good status. */
gboolean kt_status_may_be_refusal (guint status, const GError *error);

/* Whether ERROR is a refusal that may as well decline the request: HTTP 400 is documented for both. */
gboolean kt_status_is_refusal_or_decline (guint status, const GError *error);

/* Whether the next attempt would end in ERROR again, although the response's status may pass by itself. */
gboolean kt_status_error_stays (const GError *error);
