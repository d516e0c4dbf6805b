/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

/* Replies that are no answers of the service, as proxies, portals and wrong endpoints give them: what to say of them.
 * The texts go into errors: bounded, on one line, without secrets. */

/* Whether STATUS may come with a good answer: any 2xx. */
gboolean kt_reply_is_good (guint status);

/* What BODY is instead of JSON, to be put behind a status: " without a body" or that it is an HTML page, with its
 * title. (transfer full), NULL when it is neither. */
char *kt_reply_describe_page (GBytes *body);

/* As above; of other text how it begins. (transfer full), never NULL. */
char *kt_reply_describe (GBytes *body);

/* The error of a reply with STATUS to a request for URL that redirects to LOCATION, which may be NULL: it names the place
 * by scheme, host and path only. NULL when STATUS is no redirect. */
GError *kt_reply_redirect (guint status, const char *location, const char *url);
