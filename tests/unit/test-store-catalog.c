/* SPDX-License-Identifier: MIT */
#include "kt-test.h"

#include "store/kt-catalog.h"

#include <string.h>

/* "share S 7", "basic 8"... as keys. (transfer full) */
static GPtrArray *
keys_of (const char *const *lines)
{
  GPtrArray *keys = g_ptr_array_new_with_free_func ((GDestroyNotify) kt_key_unref);

  for (; *lines != NULL; lines++) {
    g_auto (GStrv) words = g_strsplit (*lines, " ", 3);
    KtFamily family;
    g_assert_true (kt_family_from_word (words[0], &family));
    g_ptr_array_add (keys, words[2] != NULL ? kt_key_new_share (words[1], words[2]) : kt_key_new (family, words[1]));
  }
  return keys;
}

static void
set_watched (KtCatalog *catalog, const char *const *lines)
{
  g_autoptr (GPtrArray) keys = keys_of (lines);
  g_ptr_array_unref (kt_catalog_set (catalog, KT_CATALOG_WATCHED, keys));
}

static void
add_found (KtCatalog *catalog, const char *line)
{
  const char *const lines[] = { line, NULL };
  g_autoptr (GPtrArray) keys = keys_of (lines);
  kt_catalog_add (catalog, KT_CATALOG_FOUND, keys->pdata[0]);
}

static gboolean
drop_found (KtCatalog *catalog, const char *line)
{
  const char *const lines[] = { line, NULL };
  g_autoptr (GPtrArray) keys = keys_of (lines);
  return kt_catalog_drop_found (catalog, keys->pdata[0]);
}

/* The tasks, as "SHARE/ID" or "ID". LIST is (transfer full). */
static void
assert_list (GPtrArray *list, const char *expected)
{
  g_autoptr (GString) out = g_string_new (NULL);

  for (guint i = 0; i < list->len; i++) {
    const KtKey *key = g_ptr_array_index (list, i);
    g_string_append_printf (out, "%s%s%s%s", i > 0 ? " " : "", key->share_id, key->family == KT_FAMILY_SHARE ? "/" : "",
                            key->task_id);
  }
  g_ptr_array_unref (list);
  g_assert_cmpstr (out->str, ==, expected);
}

static void
test_order (void)
{
  static const char *const watched[] = { "share S 3", "basic 1", "share T 2", NULL };
  g_autoptr (KtCatalog) catalog = kt_catalog_new ();

  add_found (catalog, "basic 9");
  add_found (catalog, "basic 8");
  add_found (catalog, "basic 9");
  set_watched (catalog, watched);
  assert_list (kt_catalog_list (catalog), "1 T/2 S/3 8 9");
  g_assert_cmpuint (kt_catalog_size (catalog), ==, 5);
}

static void
test_watched_replaced (void)
{
  static const char *const first[] = { "basic 1", "basic 2", NULL };
  static const char *const second[] = { "basic 3", "basic 2", "basic 3", NULL };
  static const char *const none[] = { NULL };
  g_autoptr (KtCatalog) catalog = kt_catalog_new ();

  set_watched (catalog, first);
  add_found (catalog, "basic 9");
  add_found (catalog, "basic 2"); /* watched and found */
  set_watched (catalog, second);
  assert_list (kt_catalog_list (catalog), "2 3 9");
  g_assert_null (kt_catalog_find (catalog, "1"));
  set_watched (catalog, none);
  assert_list (kt_catalog_list (catalog), "2 9");
}

static void
test_found_becomes_watched (void)
{
  static const char *const watched[] = { "share S 9", NULL };
  static const char *const none[] = { NULL };
  g_autoptr (KtCatalog) catalog = kt_catalog_new ();

  add_found (catalog, "basic 9");
  set_watched (catalog, watched);
  assert_list (kt_catalog_list (catalog), "S/9");
  g_assert_false (drop_found (catalog, "share S 9"));
  set_watched (catalog, none);
  assert_list (kt_catalog_list (catalog), "S/9"); /* found still, though differently */
  g_assert_true (drop_found (catalog, "share S 9"));
}

/* (transfer full) */
static GPtrArray *
set (KtCatalog *catalog, KtCatalogSource source, const char *line, const char *other)
{
  const char *const lines[] = { line, other, NULL };
  g_autoptr (GPtrArray) keys = keys_of (lines);
  return kt_catalog_set (catalog, source, keys);
}

/* A task stays as long as anybody says that it is there; each source speaks for itself. */
static void
test_sources (void)
{
  static const char *const watched[] = { "job 3", NULL };
  g_autoptr (KtCatalog) catalog = kt_catalog_new ();

  set_watched (catalog, watched);
  assert_list (set (catalog, KT_CATALOG_BASIC_LIST, "basic 1", "basic 2"), "");
  assert_list (set (catalog, KT_CATALOG_JOB_LIST, "job 3", "job 4"), "");
  add_found (catalog, "job 4");
  assert_list (kt_catalog_list (catalog), "1 2 3 4");
  g_assert_cmpuint (kt_catalog_count (catalog, KT_FAMILY_BASIC), ==, 2);
  g_assert_cmpuint (kt_catalog_count (catalog, KT_FAMILY_JOB), ==, 2);
  g_assert_cmpuint (kt_catalog_count (catalog, KT_FAMILY_SHARE), ==, 0);
  g_assert_false (drop_found (catalog, "job 4")); /* listed */
  g_assert_false (drop_found (catalog, "basic 1"));
  assert_list (set (catalog, KT_CATALOG_JOB_LIST, "job 5", NULL), ""); /* 3 is watched, 4 was found */
  assert_list (kt_catalog_list (catalog), "1 2 3 4 5");
  assert_list (set (catalog, KT_CATALOG_BASIC_LIST, NULL, NULL), "1 2");
  g_assert_true (drop_found (catalog, "job 4"));
  assert_list (set (catalog, KT_CATALOG_JOB_LIST, NULL, NULL), "5");
  assert_list (kt_catalog_list (catalog), "3");
  g_assert_cmpuint (kt_catalog_count (catalog, KT_FAMILY_BASIC), ==, 0);
  g_assert_cmpuint (kt_catalog_count (catalog, KT_FAMILY_JOB), ==, 1);
}

/* What is asked for differently now comes back as it was; what nothing has changed of is no new generation. */
static void
test_set_tells (void)
{
  g_autoptr (KtCatalog) catalog = kt_catalog_new ();
  guint64 generation;

  assert_list (set (catalog, KT_CATALOG_WATCHED, "share S 1", "basic 2"), "");
  assert_list (set (catalog, KT_CATALOG_JOB_LIST, "job 1", "job 3"), "S/1");
  g_assert_cmpint (kt_catalog_find (catalog, "1")->family, ==, KT_FAMILY_JOB);
  g_assert_cmpuint (kt_catalog_count (catalog, KT_FAMILY_SHARE), ==, 0);
  generation = kt_catalog_generation (catalog);
  assert_list (set (catalog, KT_CATALOG_JOB_LIST, "job 3", "job 1"), "");
  g_assert_cmpuint (kt_catalog_generation (catalog), ==, generation);
  assert_list (set (catalog, KT_CATALOG_JOB_LIST, "job 1", NULL), "3");
  g_assert_cmpuint (kt_catalog_generation (catalog), !=, generation);
}

static void
test_drop (void)
{
  static const char *const watched[] = { "basic 1", NULL };
  g_autoptr (KtCatalog) catalog = kt_catalog_new ();

  set_watched (catalog, watched);
  add_found (catalog, "basic 9");
  g_assert_true (kt_catalog_is_only_found (catalog, kt_catalog_find (catalog, "9")));
  g_assert_false (kt_catalog_is_only_found (catalog, kt_catalog_find (catalog, "1")));
  g_assert_false (drop_found (catalog, "basic 1"));   /* watched */
  g_assert_false (drop_found (catalog, "share S 9")); /* not how 9 is asked for */
  g_assert_false (drop_found (catalog, "basic 7"));   /* not known */
  g_assert_true (drop_found (catalog, "basic 9"));
  g_assert_false (drop_found (catalog, "basic 9"));
  assert_list (kt_catalog_list (catalog), "1");
}

/* What is said last of how to ask for a task holds. */
static void
test_asked_differently (void)
{
  static const char *const watched[] = { "basic 1", NULL };
  g_autoptr (KtCatalog) catalog = kt_catalog_new ();

  set_watched (catalog, watched);
  add_found (catalog, "basic 9");
  add_found (catalog, "share S 9");
  add_found (catalog, "share T 1");
  assert_list (kt_catalog_list (catalog), "T/1 S/9");
  g_assert_cmpint (kt_catalog_find (catalog, "9")->family, ==, KT_FAMILY_SHARE);
  g_assert_false (drop_found (catalog, "share T 1")); /* watched still */
}

static void
test_shares (void)
{
  static const char *const watched[] = { "share S 3", "basic 1", "share T 2", "share S 4", NULL };
  g_autoptr (KtCatalog) catalog = kt_catalog_new ();
  g_autoptr (GPtrArray) shares = NULL;

  set_watched (catalog, watched);
  add_found (catalog, "share U 7");
  add_found (catalog, "share S 8");
  shares = kt_catalog_list_shares (catalog);
  g_assert_cmpuint (shares->len, ==, 3);
  g_assert_cmpstr (shares->pdata[0], ==, "T"); /* of task 2, which comes first */
  g_assert_cmpstr (shares->pdata[1], ==, "S");
  g_assert_cmpstr (shares->pdata[2], ==, "U");
  assert_list (kt_catalog_list_share (catalog, "S"), "S/3 S/4 S/8");
  assert_list (kt_catalog_list_share (catalog, "none"), "");
  assert_list (kt_catalog_list_share (catalog, ""), ""); /* basic tasks are of no share */
}

static void
test_mtime (void)
{
  static const char *const watched[] = { "basic 1", NULL };
  g_autoptr (KtCatalog) catalog = kt_catalog_new ();
  g_autoptr (KtKey) other = kt_key_new (KT_FAMILY_BASIC, "2");
  KtKey *key;

  set_watched (catalog, watched);
  key = kt_catalog_find (catalog, "1");
  g_assert_cmpint (kt_catalog_mtime (catalog, key), ==, 0);
  kt_catalog_set_mtime (catalog, key, 7);
  kt_catalog_set_mtime (catalog, other, 8); /* not known */
  g_assert_cmpint (kt_catalog_mtime (catalog, key), ==, 7);
  g_assert_cmpint (kt_catalog_mtime (catalog, other), ==, 0);
  set_watched (catalog, watched);
  g_assert_cmpint (kt_catalog_mtime (catalog, key), ==, 7);
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
  g_test_add_func ("/store/catalog/order", test_order);
  g_test_add_func ("/store/catalog/watched-replaced", test_watched_replaced);
  g_test_add_func ("/store/catalog/found-becomes-watched", test_found_becomes_watched);
  g_test_add_func ("/store/catalog/sources", test_sources);
  g_test_add_func ("/store/catalog/set-tells", test_set_tells);
  g_test_add_func ("/store/catalog/drop", test_drop);
  g_test_add_func ("/store/catalog/asked-differently", test_asked_differently);
  g_test_add_func ("/store/catalog/shares", test_shares);
  g_test_add_func ("/store/catalog/mtime", test_mtime);
  return g_test_run ();
}
