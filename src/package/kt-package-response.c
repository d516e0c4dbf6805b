/* SPDX-License-Identifier: MIT */
/* Reads what a host's response says of a package, and makes the errors of packages. */
#include "kt-package-private.h"

#include "base/kt-error.h"

#include <string.h>

#define LARGEST (G_GINT64_CONSTANT (1) << 60) /* of a package; more is nonsense, and offsets would overflow */

/* The number at *P, behind which END stands (NUL: anything); *P is moved behind that. */
static gboolean
parse_number (const char **p, char end, gint64 *number)
{
  char *behind;

  *number = g_ascii_strtoll (*p, &behind, 10);
  if (behind == *p || (end != '\0' && *behind != end))
    return FALSE;
  *p = behind + (end != '\0');
  return TRUE;
}

/* "bytes FIRST-LAST/TOTAL" (RFC 9110, 14.4). */
static gboolean
parse_range (const char *text, gint64 *first, gint64 *total)
{
  static const char unit[] = "bytes ";
  gint64 last;

  if (!g_str_has_prefix (text, unit))
    return FALSE;
  text += strlen (unit);
  return parse_number (&text, '-', first) && parse_number (&text, '/', &last) && parse_number (&text, '\0', total);
}

KtPackageHead
kt_package_head (const KtHttpResponse *response)
{
  const char *range = response->headers[KT_HEADER_CONTENT_RANGE];
  const char *length = response->headers[KT_HEADER_CONTENT_LENGTH];
  KtPackageHead head = { .validator = response->headers[KT_HEADER_ETAG], .total = -1, .first = -1 };
  guint64 total;

  if (head.validator == NULL)
    head.validator = response->headers[KT_HEADER_LAST_MODIFIED];
  if (head.validator == NULL)
    head.validator = "";
  if (response->status == 206) {
    if (range == NULL || !parse_range (range, &head.first, &head.total))
      head.total = -1;
  } else if (length != NULL && g_ascii_string_to_unsigned (length, 10, 0, G_MAXINT64, &total, NULL)) {
    head.total = (gint64) total;
  }
  if (head.total > LARGEST)
    head.total = -1;
  return head;
}

GError *
kt_package_status_error (guint status)
{
  KtErrorCode code = KT_ERROR_SERVICE;

  if (status == 404 || status == 410)
    code = KT_ERROR_NOT_FOUND;
  else if (status == 401 || status == 403)
    code = KT_ERROR_DENIED;
  else if (status == 429)
    code = KT_ERROR_THROTTLED;
  return g_error_new (KT_ERROR, (int) code, "the download link is answered with HTTP %u", status);
}

GError *
kt_package_link_error (const KtSnapshot *snapshot, const GError *error)
{
  if (error != NULL)
    return g_error_copy (error);
  if (snapshot->task->download_url[0] == '\0')
    return g_error_new_literal (KT_ERROR, KT_ERROR_NOT_FOUND, "the service gives no link to a package");
  return NULL;
}

GError *
kt_package_timeout_error (void)
{
  return g_error_new_literal (KT_ERROR, KT_ERROR_TIMED_OUT, "the package's host did not answer before the deadline");
}

void
kt_packages_report (KtPackages *set, const KtKey *key, const GError *error)
{
  g_autofree char *what = g_strconcat ("package.zip of ", key->task_id, NULL);

  if (!g_error_matches (error, KT_ERROR, KT_ERROR_STOPPED))
    kt_health_failure_elsewhere (set->health, kt_clock_wall (set->clock), what, error);
}
