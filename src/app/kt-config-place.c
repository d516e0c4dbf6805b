/* SPDX-License-Identifier: MIT */
/* Finds the configuration file. */
#include "kt-config-place.h"

#include "base/kt-error.h"

#include <errno.h>
#include <sys/stat.h>

#define SYSTEM_FILE "/etc/kootaskfs.conf"

/* $XDG_CONFIG_HOME, which counts when it is absolute only, or ~/.config. (transfer full) */
static char *
user_directory (void)
{
  const char *directory = g_getenv ("XDG_CONFIG_HOME");

  if (directory != NULL && g_path_is_absolute (directory))
    return g_strdup (directory);
  return g_build_filename (g_get_home_dir (), ".config", NULL);
}

gboolean
kt_config_find (char **path, char **searched, GError **error)
{
  g_autofree char *directory = user_directory ();
  g_autofree char *user = g_build_filename (directory, "kootaskfs", "kootaskfs.conf", NULL);
  const char *const places[] = { user, SYSTEM_FILE };
  struct stat status;

  for (gsize i = 0; i < G_N_ELEMENTS (places); i++) {
    if (lstat (places[i], &status) == 0) {
      *path = g_strdup (places[i]);
      return TRUE;
    }
    if (errno != ENOENT && errno != ENOTDIR) {
      g_set_error (error, KT_ERROR, KT_ERROR_CONFIG, "%s: %s", places[i], g_strerror (errno));
      return FALSE;
    }
  }
  *searched = g_strdup_printf ("%s, then " SYSTEM_FILE, user);
  return TRUE;
}
