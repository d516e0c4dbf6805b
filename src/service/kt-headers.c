/* SPDX-License-Identifier: MIT */
/* Makes the values of headers: tokens, trace ids and dates. */
#include "kt-headers.h"

#include "base/kt-units.h"

#include <string.h>
#include <sys/random.h>

#define TRACE_ID_BYTES 29 /* two digits a byte: the 58 characters the service wants */

gsize
kt_token_scheme_length (const char *token)
{
  static const char *const words[] = { "Bearer ", "Bearer+", "AT ", "HMAC-SHA256 " };

  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_str_has_prefix (token, words[i]))
      return strlen (words[i]);
  return 0;
}

char *
kt_token_header_value (const char *token, KtTokenScheme scheme)
{
  switch (scheme) {
  case KT_TOKEN_AUTO: return g_strconcat (kt_token_scheme_length (token) > 0 ? "" : "Bearer ", token, NULL);
  case KT_TOKEN_BEARER: return g_strconcat ("Bearer ", token, NULL);
  case KT_TOKEN_BEARER_PLUS: return g_strconcat ("Bearer+", token, NULL);
  case KT_TOKEN_RAW: return g_strdup (token);
  }
  return NULL;
}

char *
kt_trace_id_new (void)
{
  static const char digits[] = "0123456789abcdef";
  guchar bytes[TRACE_ID_BYTES];
  char *id = g_malloc0 (2 * sizeof (bytes) + 1);

  if (getrandom (bytes, sizeof (bytes), 0) != sizeof (bytes))
    g_error ("getrandom() gives no random numbers");
  for (gsize i = 0; i < sizeof (bytes); i++) {
    id[2 * i] = digits[bytes[i] >> 4];
    id[2 * i + 1] = digits[bytes[i] & 15];
  }
  return id;
}

char *
kt_x_date (KtUsec now)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (now / KT_SECOND);
  return g_date_time_format (time, "%Y%m%dT%H%M%SZ");
}
