/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/kt-time.h"

#include <cjson/cJSON.h>
#include <glib.h>

/* Reads one body of the service's JSON, as tolerant as docs/semantics.md ("Answers of the service") promises and not
 * more. For the decoders only: nobody else sees cJSON. Fields that are null are as absent. */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (cJSON, cJSON_Delete)

/* The object of BODY, which came with HTTP STATUS. (transfer full), or NULL and KT_ERROR_NOT_FOUND,
 * _REFUSED, _DENIED, _THROTTLED or _SERVICE when the response is an error, KT_ERROR_BAD_ANSWER when BODY is
 * no JSON object. */
cJSON *kt_body_open (guint status, GBytes *body, GError **error);

/* Whether BODY, which is an error, declines the request: see kt_status_declines(). */
gboolean kt_body_declines (guint status, GBytes *body);

/* The field NAME, the first when there are several, NULL when it is absent. */
const cJSON *kt_body_get (const cJSON *object, const char *name);

/* A string's text or a number's digits, those of its value when it is whole (kt-number.h); NULL when the field is
 * absent or of another type. */
const char *kt_body_text (const cJSON *object, const char *name);

/* The first of two names that has text, "" only when neither has more: the families spell the same thing differently.
 * */
const char *kt_body_text_either (const cJSON *object, const char *name, const char *other);

/* The text, "" when there is none. (transfer full) */
char *kt_body_copy (const cJSON *object, const char *name);

/* A whole number from 0 to MAX, by its value, -1 when the field holds no such number. */
gint64 kt_body_number (const cJSON *object, const char *name, gint64 max);

/* The time at NAME or, where there is none, at OTHER, which may be NULL; what has no zone is in ZONE. Seconds,
 * KT_TIME_UNKNOWN. */
KtSec kt_body_time (const cJSON *object, const char *name, const char *other, GTimeZone *zone);

/* Pretty-printed, numbers digit for digit, in valid UTF-8, with a newline at the end. (transfer full) */
GBytes *kt_body_print (const cJSON *item);

/* Sets KT_ERROR_BAD_ANSWER: WHAT is not as documented. Always FALSE. */
gboolean kt_body_bad (GError **error, const char *what);
