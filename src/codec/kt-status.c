/* SPDX-License-Identifier: MIT */
/* What a response's HTTP status and the service's code mean: the one place that decides it. */
#include "kt-status.h"

/* The documented codes; what is not here is judged by its HTTP status. */
static const struct {
  const char *code;
  KtErrorCode error;
  gboolean declines; /* see kt_status_declines() */
} codes[] = {
  { "13000101", KT_ERROR_SERVICE, TRUE },    /* bad request */
  { "13000102", KT_ERROR_SERVICE, TRUE },    /* parameter check failed */
  { "13000201", KT_ERROR_SERVICE, FALSE },   /* internal error */
  { "13000309", KT_ERROR_NOT_FOUND, FALSE }, /* resource not found */
  { "13000407", KT_ERROR_SERVICE, FALSE },   /* no download address */
  { "13000408", KT_ERROR_SERVICE, FALSE },   /* download failed */
  { "13000410", KT_ERROR_DENIED, FALSE },    /* no permission for the space */
  { "APIGW.0301", KT_ERROR_REFUSED, FALSE }, /* the gateway's word for it */
};

gboolean
kt_status_is_success (guint status)
{
  return status / 100 == 2;
}

static KtErrorCode
error_of_status (guint status)
{
  switch (status) {
  case 400: /* documented for "authentication not passed" too */
  case 401:
  case 403: return KT_ERROR_REFUSED;
  case 404: return KT_ERROR_NOT_FOUND;
  case 429: return KT_ERROR_THROTTLED;
  default: return KT_ERROR_SERVICE;
  }
}

gboolean
kt_status_is_refusal (guint status)
{
  return error_of_status (status) == KT_ERROR_REFUSED;
}

KtErrorCode
kt_status_error (guint status, const char *code)
{
  KtErrorCode error = error_of_status (status);

  for (gsize i = 0; code != NULL && error != KT_ERROR_THROTTLED && i < G_N_ELEMENTS (codes); i++)
    if (g_str_equal (codes[i].code, code))
      return codes[i].error;
  return error;
}

gboolean
kt_status_declines (guint status, const char *code)
{
  for (gsize i = 0; code != NULL && i < G_N_ELEMENTS (codes); i++)
    if (g_str_equal (codes[i].code, code) && !codes[i].declines)
      return FALSE;
  if (kt_status_is_success (status))
    return code != NULL;
  return status == 400 || (status > 400 && status < 500 && error_of_status (status) == KT_ERROR_SERVICE);
}

gboolean
kt_status_may_be_refusal (guint status, const GError *error)
{
  return kt_status_is_refusal (status)
         || (kt_status_is_success (status) && !g_error_matches (error, KT_ERROR, KT_ERROR_BAD_ANSWER));
}

gboolean
kt_status_is_refusal_or_decline (guint status, const GError *error)
{
  return status == 400 && g_error_matches (error, KT_ERROR, KT_ERROR_REFUSED);
}

gboolean
kt_status_error_stays (const GError *error)
{
  return g_error_matches (error, KT_ERROR, KT_ERROR_NOT_FOUND) || g_error_matches (error, KT_ERROR, KT_ERROR_REFUSED)
         || g_error_matches (error, KT_ERROR, KT_ERROR_DENIED);
}
