/* SPDX-License-Identifier: MIT */
/* How long the kernel waits for the reply to a request, where that is limited. */
#include "kt-request-limit.h"

#include <glib.h>

#define LEAST  15 /* seconds: the kernel looks at what is late as often as this, and takes a limit for no less */
#define MARGIN 5  /* seconds */

/* The seconds that NAME is set to, 0: it is not. */
static gint64
limit_of (const char *directory, const char *name)
{
  g_autofree char *path = g_build_filename (directory, name, NULL);
  g_autofree char *text = NULL;
  const gint64 seconds = g_file_get_contents (path, &text, NULL, NULL) ? g_ascii_strtoll (text, NULL, 10) : 0;

  return CLAMP (seconds, 0, G_MAXINT32);
}

KtUsec
kt_request_limit (const char *directory)
{
  const gint64 normal = limit_of (directory, "default_request_timeout");
  const gint64 most = limit_of (directory, "max_request_timeout");
  const gint64 limit = normal == 0 || (most != 0 && most < normal) ? most : normal;

  return limit != 0 ? (MAX (limit, LEAST) - MARGIN) * KT_SECOND : KT_TIME_NEVER;
}
