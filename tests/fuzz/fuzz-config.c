/* SPDX-License-Identifier: MIT */
/* Any bytes as a configuration file; what is taken for good must format to a file that means the same. */
#include "kt-fuzz.h"

#include "app/kt-config.h"
#include "base/kt-error.h"

#include <sys/mman.h>
#include <unistd.h>

static KtConfig *
load (const void *data, size_t size, GError **error)
{
  char *none[] = { NULL };
  int fd = memfd_create ("config", MFD_CLOEXEC);
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);
  KtConfig *config;

  kt_check (fd >= 0 && write (fd, data, size) == (ssize_t) size);
  config = kt_config_load (path, none, NULL, error);
  close (fd);
  return config;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (KtConfig) config = load (data, size, &error);
  g_autoptr (KtConfig) again = NULL;
  g_autofree char *text = NULL;

  kt_check ((config == NULL) == (error != NULL));
  if (config == NULL) {
    kt_check (g_error_matches (error, KT_ERROR, KT_ERROR_CONFIG));
    return 0;
  }
  kt_check (config->endpoint != NULL && config->user_id != NULL && config->limits.concurrency > 0);
  kt_check (config->cache.ttl >= 0 && config->cache.max_stale >= 0 && config->deadline > 0);
  text = kt_config_format (config);
  again = load (text, strlen (text), &error);
  if (again == NULL)
    g_error ("%s\n%s", error->message, text);
  kt_check (g_strcmp0 (again->endpoint, config->endpoint) == 0 && g_strcmp0 (again->user_id, config->user_id) == 0);
  kt_check (g_strcmp0 (again->token_command, config->token_command) == 0);
  kt_check (again->cache.ttl == config->cache.ttl && again->cache.memory == config->cache.memory);
  kt_check (g_hash_table_size (again->share_token_files) == g_hash_table_size (config->share_token_files));
  return 0;
}
