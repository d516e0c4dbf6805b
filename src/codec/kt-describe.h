/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

/* Words for bodies that are not the service's, as proxies, portals and wrong endpoints send them. The texts go into
 * errors: bounded, on one line, without secrets. */

/* What BODY is instead of JSON, to be put behind a status: " without a body", or that it is an HTML page and which
 * title that has. (transfer full), NULL when it is neither. */
char *kt_describe_page (GBytes *body);

/* As above; of other text how it begins. (transfer full), never NULL. */
char *kt_describe_body (GBytes *body);

/* The error of a response with STATUS to a request for URL that redirects to LOCATION, which may be NULL: it names
 * the place by scheme, host and path only. NULL when STATUS is no redirect. */
GError *kt_describe_redirect (guint status, const char *location, const char *url);
