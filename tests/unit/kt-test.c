/* SPDX-License-Identifier: MIT */
/* What all unit tests share: counted warnings, files of tests/data. */
#include "kt-test.h"

#include <string.h>
#include <sys/stat.h>

static guint warnings;

static void
on_log (const char *domain, GLogLevelFlags level, const char *message, gpointer data)
{
  if ((level & G_LOG_LEVEL_MASK) == G_LOG_LEVEL_WARNING)
    warnings++;
  else if ((level & (G_LOG_LEVEL_INFO | G_LOG_LEVEL_DEBUG)) == 0)
    g_printerr ("%s\n", message);
}

void
kt_test_init (int *argc, char ***argv)
{
  g_test_init (argc, argv, NULL);
  umask (022);
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  g_log_set_default_handler (on_log, NULL);
}

guint
kt_test_warnings (void)
{
  guint count = warnings;
  warnings = 0;
  return count;
}

GBytes *
kt_test_data (const char *name)
{
  g_autofree char *path = g_build_filename (g_getenv ("KT_TEST_DATA"), name, NULL);
  char *text;
  gsize length;

  g_assert_true (g_file_get_contents (path, &text, &length, NULL));
  return g_bytes_new_take (text, length);
}

GBytes *
kt_test_bytes (const char *text)
{
  return g_bytes_new (text, strlen (text));
}
