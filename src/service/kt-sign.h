/* SPDX-License-Identifier: MIT */
#pragma once

#include "http/kt-transport.h"

/* Signing with an AppId and an AppSecret, the service's scheme HMAC-SHA256. Pure functions of a request as it stands:
 * the headers it has by now are those that are signed, so they are called when Host, X-Date and X-User-Id are there and
 * before the others are. */

/* METHOD, path, query, headers, their names, hash of the body, a line each. (transfer full) */
char *kt_sign_canonical_request (const KtHttpRequest *request);

/* What is signed: no date in it, unlike in the SDK-HMAC-SHA256 of the provider's other services. (transfer full) */
char *kt_sign_string (const char *canonical_request);

/* Lower-case hex. (transfer full) */
char *kt_sign_signature (const char *string_to_sign, const char *app_secret);

/* The value of Authorization: all of the above. (transfer full) */
char *kt_sign_authorization (const KtHttpRequest *request, const char *app_id, const char *app_secret);
