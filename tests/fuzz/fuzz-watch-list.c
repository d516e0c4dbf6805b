/* SPDX-License-Identifier: MIT */
#include "kt-fuzz.h"

#include "app/kt-watch-list.h"
#include "base/kt-error.h"
#include "base/kt-names.h"

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) keys = kt_watch_list_parse (text, "list", &error);

  kt_check ((keys == NULL) == (error != NULL));
  kt_check (error == NULL
            || (g_error_matches (error, KT_ERROR, KT_ERROR_CONFIG) && g_str_has_prefix (error->message, "list:")));
  for (guint i = 0; keys != NULL && i < keys->len; i++) {
    const KtKey *key = keys->pdata[i];
    kt_check (kt_id_is_valid (key->task_id));
    kt_check (key->family == KT_FAMILY_SHARE ? kt_id_is_valid (key->share_id) : key->share_id[0] == '\0');
  }
  return 0;
}
