/* SPDX-License-Identifier: MIT */
#include "kt-fuzz.h"

#include "base/kt-names.h"

/* Undoes kt_name_encode() of what was not cut. (transfer full) */
static char *
unescape (const char *name)
{
  GString *out = g_string_new (NULL);

  for (const char *p = name; *p != '\0'; p++) {
    if (g_str_has_prefix (p, "%00")) {
      g_string_append (out, KT_NUL);
      p += 2;
    } else if (*p == '%') {
      kt_check (g_ascii_isxdigit (p[1]) && g_ascii_isxdigit (p[2]));
      g_string_append_c (out, (char) (g_ascii_xdigit_value (p[1]) << 4 | g_ascii_xdigit_value (p[2])));
      p += 2;
    } else {
      g_string_append_c (out, *p);
    }
  }
  return g_string_free (out, FALSE);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_autofree char *name = kt_name_encode (text);
  g_autofree char *line = kt_line_encode (text);
  g_autofree char *quoted = kt_json_quote (text);
  g_autofree char *original = unescape (name);

  kt_check (strlen (name) >= 1 && strlen (name) <= KT_NAME_MAX);
  kt_check (name[0] != '.' && strchr (name, '/') == NULL);
  kt_check (g_utf8_validate (name, -1, NULL));
  for (const char *p = name; *p != '\0'; p++)
    kt_check (!g_ascii_iscntrl (*p));
  if (text[0] != '\0' && strlen (name) < KT_NAME_MAX - 3) /* not cut */
    kt_check (strcmp (original, text) == 0);
  if (kt_id_is_valid (text))
    kt_check (strcmp (name, text) == 0);
  kt_check (g_utf8_validate (line, -1, NULL));
  for (const char *p = line; *p != '\0'; p++)
    kt_check (!g_ascii_iscntrl (*p));
  kt_check (g_utf8_validate (quoted, -1, NULL) && quoted[0] == '"' && g_str_has_suffix (quoted + 1, "\""));
  for (const char *p = quoted; *p != '\0'; p++)
    kt_check (!g_ascii_iscntrl (*p));
  return 0;
}
