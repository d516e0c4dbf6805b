/* SPDX-License-Identifier: MIT */
/* Keeps what libfuse and fusermount3 write to stderr, to make it an error. */
#include "kt-stderr.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LONGEST 4096 /* bytes of what is kept */

struct KtStderr {
  int before; /* -1: stderr was closed */
};

KtStderr *
kt_stderr_keep (void)
{
  int before = fcntl (STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  int memory = memfd_create ("stderr", MFD_CLOEXEC); /* in memory: a pipe can be full */
  KtStderr *kept;

  if (memory < 0) {
    if (before >= 0)
      close (before);
    return NULL;
  }
  kept = g_new (KtStderr, 1);
  kept->before = before;
  if (memory != STDERR_FILENO) {
    dup2 (memory, STDERR_FILENO);
    close (memory);
  }
  return kept;
}

/* Without the name of the program that says it. */
static const char *
strip (const char *line)
{
  static const char *const names[] = { "fuse: ", "fusermount3: ", "/usr/bin/fusermount3: " };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_str_has_prefix (line, names[i]))
      return line + strlen (names[i]);
  return line;
}

char *
kt_stderr_end (KtStderr *kept)
{
  char text[LONGEST] = "";
  g_auto (GStrv) lines = NULL;
  GString *line = g_string_new (NULL);

  if (kept == NULL)
    return g_string_free (line, FALSE);
  if (pread (STDERR_FILENO, text, sizeof (text) - 1, 0) < 0)
    text[0] = '\0';
  if (kept->before >= 0) {
    dup2 (kept->before, STDERR_FILENO);
    close (kept->before);
  } else {
    close (STDERR_FILENO);
  }
  g_free (kept);
  lines = g_strsplit (text, "\n", -1);
  for (char **part = lines; *part != NULL; part++)
    if (**part != '\0' && strstr (line->str, strip (*part)) == NULL) /* libfuse tries, and complains, twice */
      g_string_append_printf (line, "%s%s", line->len > 0 ? "; " : "", strip (*part));
  return g_string_free (line, FALSE);
}
