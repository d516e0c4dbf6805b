/* SPDX-License-Identifier: MIT */
/* Finds the name that a mistyped one was meant to be. */
#include "kt-nearest.h"

#include <string.h>

#define LONGEST 64 /* longer words are not compared */

static char
fold (char c)
{
  return c == '_' || c == '.' ? '-' : g_ascii_tolower (c);
}

/* How many letters must be put in, left out, changed or swapped with their neighbours to make A of B. */
static guint
distance (const char *a, const char *b)
{
  const gsize length = strlen (b);
  guint rows[3][LONGEST + 1];

  for (gsize j = 0; j <= length; j++)
    rows[0][j] = (guint) j;
  for (gsize i = 1; a[i - 1] != '\0'; i++) {
    guint *row = rows[i % 3];
    const guint *above = rows[(i + 2) % 3];
    row[0] = (guint) i;
    for (gsize j = 1; j <= length; j++) {
      const gboolean swapped =
          i > 1 && j > 1 && fold (a[i - 1]) == fold (b[j - 2]) && fold (a[i - 2]) == fold (b[j - 1]);
      row[j] = MIN (above[j], row[j - 1]) + 1;
      row[j] = MIN (row[j], above[j - 1] + (fold (a[i - 1]) != fold (b[j - 1])));
      if (swapped)
        row[j] = MIN (row[j], rows[(i + 1) % 3][j - 2] + 1);
    }
  }
  return rows[strlen (a) % 3][length];
}

/* Whether WORD begins with HEAD, and a hyphen follows. */
static gboolean
begins_with (const char *word, const char *head)
{
  gsize i = 0;

  while (head[i] != '\0' && fold (word[i]) == fold (head[i]))
    i++;
  return i > 1 && head[i] == '\0' && fold (word[i]) == '-';
}

/* Whether WORD ends with TAIL, and a hyphen stands before it. */
static gboolean
ends_with (const char *word, const char *tail)
{
  const gsize length = strlen (word), tail_length = strlen (tail);

  if (tail_length < 2 || tail_length >= length || fold (word[length - tail_length - 1]) != '-')
    return FALSE;
  for (gsize i = 0; i < tail_length; i++)
    if (fold (word[length - tail_length + i]) != fold (tail[i]))
      return FALSE;
  return TRUE;
}

const char *
kt_nearest (const char *word, const GPtrArray *candidates)
{
  const gsize length = strlen (word);
  guint best = (guint) MAX (1, length / 3) + 1;
  const char *nearest = NULL;

  if (length > LONGEST)
    return NULL;
  for (guint i = 0; i < candidates->len; i++) {
    const char *candidate = candidates->pdata[i];
    const guint far = strlen (candidate) <= LONGEST ? distance (word, candidate) : G_MAXUINT;
    if (far < best) {
      best = far;
      nearest = candidate;
    }
  }
  for (guint i = 0; nearest == NULL && i < candidates->len; i++)
    if (begins_with (candidates->pdata[i], word) || begins_with (word, candidates->pdata[i]))
      nearest = candidates->pdata[i];
  for (guint i = 0; nearest == NULL && i < candidates->len; i++)
    if (ends_with (candidates->pdata[i], word) || ends_with (word, candidates->pdata[i]))
      nearest = candidates->pdata[i];
  return nearest;
}
