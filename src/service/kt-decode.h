/* SPDX-License-Identifier: MIT */
#pragma once

#include "model/kt-task.h"

/* Turn one answer of the service into a task: BODY came with HTTP STATUS, ZONE is that of 14-digit times.
 * (transfer full), or NULL and
 *   KT_ERROR_NOT_FOUND, _DENIED, _THROTTLED, _SERVICE   when the service answered with an error,
 *   KT_ERROR_BAD_ANSWER                                 when BODY is not JSON, or not of the documented kind, or of
 *                                                       another task than KEY. */
KtTask *kt_decode_share_detail (KtKey *key, guint status, GBytes *body, GTimeZone *zone, GError **error);
KtTask *kt_decode_task_result (KtKey *key, guint status, GBytes *body, GTimeZone *zone, GError **error);

/* The token that session/refresh gives, with its scheme word. (transfer full), to be wiped; errors as above. */
char *kt_decode_access_token (guint status, GBytes *body, GError **error);

/* The JSON text of an object with these string fields, in order, NULL-terminated pairs of name and value.
 * (transfer full) */
char *kt_encode_object (const char *name, ...) G_GNUC_NULL_TERMINATED;
