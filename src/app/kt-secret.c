/* SPDX-License-Identifier: MIT */
/* Reads and checks secrets. */
#include "kt-secret.h"

#include "base/kt-error.h"
#include "base/kt-names.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LONGEST_SECRET 65536

/* TEXT's first line, checked. (transfer full) */
static char *
take_line (char *text, const char *origin, GError **error)
{
  text = (char *) kt_skip_bom (text);
  text[strcspn (text, "\r\n")] = '\0';
  g_strstrip (text);
  if (text[0] == '\0') {
    g_set_error (error, KT_ERROR, KT_ERROR_CONFIG, "%s: the first line is empty: expected a secret", origin);
    return NULL;
  }
  if (!kt_is_printable (text)) {
    g_set_error (error, KT_ERROR, KT_ERROR_CONFIG, "%s: expected printable ASCII characters only", origin);
    return NULL;
  }
  kt_log_add_secret (text);
  return g_strdup (text);
}

char *
kt_secret_from_text (const char *text, const char *origin, GError **error)
{
  char *copy = g_strdup (text);
  gsize size = strlen (copy);
  char *secret = take_line (copy, origin, error);

  explicit_bzero (copy, size);
  g_free (copy);
  return secret;
}

static gboolean
failed (const char *path, GError **error)
{
  g_set_error (error, KT_ERROR, KT_ERROR_CONFIG, "%s: %s", path, g_strerror (errno));
  return FALSE;
}

static gboolean
read_private (int fd, const char *path, mode_t forbidden, char *buffer, gsize size, GError **error)
{
  struct stat stat;
  gsize used = 0;
  ssize_t n;

  if (fstat (fd, &stat) != 0)
    return failed (path, error);
  if ((stat.st_mode & forbidden) != 0) {
    g_set_error (error, KT_ERROR, KT_ERROR_CONFIG,
                 "%s: others than its owner may use this file (mode %04o): expected "
                 "chmod 600",
                 path, stat.st_mode & 07777);
    return FALSE;
  }
  while (used < size - 1 && (n = read (fd, buffer + used, size - 1 - used)) != 0) {
    if (n < 0 && errno != EINTR)
      return failed (path, error);
    used += n > 0 ? (gsize) n : 0;
  }
  buffer[used] = '\0';
  return TRUE;
}

static char *
read_file (const char *path, mode_t forbidden, GError **error)
{
  g_autofree char *buffer = g_malloc0 (LONGEST_SECRET);
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not block the loop */
  char *secret = NULL;

  if (fd < 0) {
    failed (path, error);
    return NULL;
  }
  if (read_private (fd, path, forbidden, buffer, LONGEST_SECRET, error))
    secret = take_line (buffer, path, error);
  explicit_bzero (buffer, LONGEST_SECRET);
  close (fd);
  return secret;
}

char *
kt_secret_from_file (const char *path, GError **error)
{
  return read_file (path, S_IRWXG | S_IRWXO, error);
}

char *
kt_secret_from_credential (const char *path, GError **error)
{
  return read_file (path, S_IRWXO, error);
}

char *
kt_secret_from_environment (const char *name)
{
  char *value = getenv (name);
  char *secret;

  if (value == NULL)
    return NULL;
  secret = g_strdup (value);
  explicit_bzero (value, strlen (value)); /* unsetenv() alone leaves the bytes in /proc/PID/environ */
  unsetenv (name);
  kt_log_hold_secret (secret); /* until the process ends */
  return secret;
}
