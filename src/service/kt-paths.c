/* SPDX-License-Identifier: MIT */
/* The service's paths, and the ids that they rule out. */
#include "kt-paths.h"

static const char *const paths[] = {
  KT_PATH_SHARE_DETAIL,
  KT_PATH_TASK,
  KT_PATH_TASK_RESULT,
  KT_PATH_TASK_LIST,
  KT_PATH_JOBS,
  KT_PATH_CANCEL,
  KT_PATH_REFRESH,
  /* documented, and of no endpoint of ours */
  "session/auth",
  "session/authCodeURL",
  "session/logoff",
};

gboolean
kt_path_has_word (const char *word)
{
  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++) {
    g_auto (GStrv) words = g_strsplit (paths[i], "/", -1);
    for (char **each = words; *each != NULL; each++)
      if (g_ascii_strcasecmp (*each, word) == 0)
        return TRUE;
  }
  return FALSE;
}
