/* SPDX-License-Identifier: MIT */
/* Reads the variables of the environment that are for the layers below. */
#include "kt-environment.h"

#include <glib.h>

const char *
kt_environment_proxy (void)
{
  static const char *const names[] = { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    const char *proxy = g_getenv (names[i]);
    if (proxy != NULL && proxy[0] != '\0')
      return proxy;
  }
  return NULL;
}

const char *
kt_environment_temporary_directory (void)
{
  const char *directory = g_getenv ("TMPDIR");

  return directory != NULL ? directory : "/var/tmp";
}
