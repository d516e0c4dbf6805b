/* SPDX-License-Identifier: MIT */
/* Reads the watch list. */
#include "kt-watch-list.h"

#include "base/kt-error.h"
#include "base/kt-names.h"
#include "service/kt-paths.h"

#include <string.h>

/* "expected 'share SHAREID TASKID', 'basic TASKID' or 'job JOBID'". (transfer full) */
static char *
expected (void)
{
  GString *text = g_string_new ("expected ");

  for (KtFamily i = 0; i < KT_N_FAMILIES; i++) {
    if (i > 0)
      g_string_append (text, i + 1 == KT_N_FAMILIES ? " or " : ", ");
    g_string_append_printf (text, "'%s'", kt_family_line (i));
  }
  return g_string_free (text, FALSE);
}

static gboolean
bad_line (const char *origin, guint number, const char *what, GError **error)
{
  g_autofree char *lines = expected ();

  g_set_error (error, KT_ERROR, KT_ERROR_CONFIG, "%s:%u: %s: %s", origin, number, what, lines);
  return FALSE;
}

/* A line's task; *KEY stays NULL for an empty line. */
static gboolean
parse_line (char *line, const char *origin, guint number, KtKey **key, GError **error)
{
  g_auto (GStrv) split = NULL;
  g_autoptr (GPtrArray) words = g_ptr_array_new ();
  KtFamily family;
  gboolean share;

  line[strcspn (line, "#")] = '\0';
  split = g_strsplit_set (line, " \t\r", -1);
  for (char **word = split; *word != NULL; word++)
    if (**word != '\0')
      g_ptr_array_add (words, *word);
  if (words->len == 0)
    return TRUE;
  if (!kt_family_from_word (words->pdata[0], &family))
    return bad_line (origin, number, "unknown kind of task", error);
  share = kt_family_has (family, KT_FACT_OF_SHARE);
  if (words->len != (share ? 3 : 2))
    return bad_line (origin, number, "wrong number of words", error);
  for (guint i = 1; i < words->len; i++)
    if (!kt_id_is_valid (words->pdata[i]))
      return bad_line (origin, number, "an id is 1 to 64 of A-Z a-z 0-9 _ -", error);
  if (!share && kt_path_has_word (words->pdata[1]))
    return bad_line (origin, number, "a word of the service's own paths is no id", error);
  *key = share ? kt_key_new_share (words->pdata[1], words->pdata[2]) : kt_key_new (family, words->pdata[1]);
  return TRUE;
}

GPtrArray *
kt_watch_list_parse (const char *text, const char *origin, GError **error)
{
  g_autoptr (GPtrArray) keys = g_ptr_array_new_with_free_func ((GDestroyNotify) kt_key_unref);
  g_auto (GStrv) lines = g_strsplit (kt_skip_bom (text), "\n", -1);

  for (guint i = 0; lines[i] != NULL; i++) {
    KtKey *key = NULL;
    if (!parse_line (lines[i], origin, i + 1, &key, error))
      return NULL;
    if (key != NULL)
      g_ptr_array_add (keys, key);
  }
  return g_steal_pointer (&keys);
}

GPtrArray *
kt_watch_list_load (const char *path, GError **error)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) why = NULL;
  gsize length;

  if (!g_file_get_contents (path, &text, &length, &why)) {
    g_set_error_literal (error, KT_ERROR, KT_ERROR_CONFIG, why->message);
    return NULL;
  }
  if (strlen (text) != length) {
    g_set_error (error, KT_ERROR, KT_ERROR_CONFIG, "%s: a NUL byte: expected text", path);
    return NULL;
  }
  return kt_watch_list_parse (text, path, error);
}
