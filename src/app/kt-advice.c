/* SPDX-License-Identifier: MIT */
/* Advises what to do about each error. */
#include "kt-advice.h"

#include "base/kt-error.h"

#include <sysexits.h>

/* clang-format off */
static const struct {
  KtErrorCode error;
  int code;
  const char *advice;
} advices[] = {
  { KT_ERROR_CONFIG,      EX_CONFIG,      "correct it; kootaskfs --help lists the keys, configuration.md explains them" },
  { KT_ERROR_UNREACHABLE, EX_UNAVAILABLE, "is [service] endpoint right, is the network up, is [service] proxy needed?" },
  { KT_ERROR_BROKEN,      EX_UNAVAILABLE, "something on the way, a proxy maybe, or the service itself ends connections: try again later" },
  { KT_ERROR_PROXY,       EX_UNAVAILABLE, "correct [service] proxy: it may want USER:PASSWORD@ before its host, or not reach the endpoint" },
  { KT_ERROR_REDIRECTED,  EX_PROTOCOL,    "correct [service] endpoint: something else answers there" },
  { KT_ERROR_TLS,         EX_PROTOCOL,    "this machine must know the authority that signed the server's certificate, or [service] ca-file name it; and endpoint must be one where TLS is spoken" },
  { KT_ERROR_REFUSED,     EX_NOPERM,      "write a new token (or correct app-id and its secret); is user-id this user's?" },
  { KT_ERROR_DENIED,      EX_NOPERM,      "this user may not see it; is user-id this user's?" },
  { KT_ERROR_TIMED_OUT,   EX_TEMPFAIL,    "the service is slow or something swallows the request: try again, or raise [fetch] deadline" },
  { KT_ERROR_THROTTLED,   EX_TEMPFAIL,    "set [fetch] rate or concurrency lower" },
  { KT_ERROR_BAD_ANSWER,  EX_PROTOCOL,    "is it KooDrive that answers? A portal or proxy may do so in its place" },
  { KT_ERROR_TOO_LARGE,   EX_PROTOCOL,    "raise [fetch] max-response" },
  { KT_ERROR_NOT_FOUND,   EX_NOINPUT,     "the service does not know it: correct the watch list, or leave the family out of [service] families" },
};
/* clang-format on */

const char *
kt_advice (const GError *error, int *code)
{
  const char *advice = "the service reports a failure of its own: try again later";
  int number = EX_UNAVAILABLE;

  for (gsize i = 0; i < G_N_ELEMENTS (advices); i++) {
    if (g_error_matches (error, KT_ERROR, (int) advices[i].error)) {
      advice = advices[i].advice;
      number = advices[i].code;
    }
  }
  if (code != NULL)
    *code = number;
  return advice;
}

gboolean
kt_advice_is_cut_off (const GError *error)
{
  return g_error_matches (error, KT_ERROR, KT_ERROR_UNREACHABLE) || g_error_matches (error, KT_ERROR, KT_ERROR_PROXY)
         || g_error_matches (error, KT_ERROR, KT_ERROR_REDIRECTED) || g_error_matches (error, KT_ERROR, KT_ERROR_TLS)
         || g_error_matches (error, KT_ERROR, KT_ERROR_TIMED_OUT);
}

const char *
kt_advice_step (const char *step, const GError *error)
{
  if (g_error_matches (error, KT_ERROR, KT_ERROR_TLS))
    return "TLS";
  return kt_advice_is_cut_off (error) ? "connection" : step;
}
