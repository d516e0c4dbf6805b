/* SPDX-License-Identifier: MIT */
/* Which tasks there are, who says so, what is published of that, and when it last changed. */
#include "kt-store-fixture.h"

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
  kt_catalog_set (catalog, KT_CATALOG_WATCHED, keys);
}

static void
add_found (KtCatalog *catalog, const char *line)
{
  const char *const lines[] = { line, NULL };
  g_autoptr (GPtrArray) keys = keys_of (lines);
  kt_catalog_add (catalog, KT_CATALOG_FOUND, keys->pdata[0]);
}

/* The service says that there is no such task. Whether that made the task leave the catalog. */
static gboolean
drop_found (KtStoreFixture *f, const char *line)
{
  const char *const lines[] = { line, NULL };
  g_autoptr (GPtrArray) keys = keys_of (lines);
  const KtKey *key = keys->pdata[0];
  g_autofree char *gone = g_strdup_printf ("-%s ", key->task_id);
  gboolean is_gone;

  g_string_truncate (f->log, 0);
  kt_store_prefetch (f->store, keys->pdata[0], KT_TIME_NEVER);
  kt_fake_source_fail (f->source, KT_ERROR_NOT_FOUND);
  is_gone = g_str_has_suffix (f->log->str, gone);
  g_assert_true (!is_gone || kt_catalog_find (f->catalog, key->task_id) == NULL);
  kt_fake_clock_advance (f->clock, 3 * KT_SECOND); /* then it may be asked for again */
  return is_gone;
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
test_order (KtStoreFixture *f, gconstpointer data)
{
  static const char *const watched[] = { "share S 3", "basic 1", "share T 2", NULL };
  KtCatalog *catalog = f->catalog;

  add_found (catalog, "basic 9");
  add_found (catalog, "basic 8");
  add_found (catalog, "basic 9");
  set_watched (catalog, watched);
  assert_list (kt_catalog_list (catalog), "1 T/2 S/3 8 9");
  g_assert_cmpuint (kt_catalog_size (catalog), ==, 5);
}

static void
test_watched_replaced (KtStoreFixture *f, gconstpointer data)
{
  static const char *const first[] = { "basic 1", "basic 2", NULL };
  static const char *const second[] = { "basic 3", "basic 2", "basic 3", NULL };
  static const char *const none[] = { NULL };
  KtCatalog *catalog = f->catalog;

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
test_found_becomes_watched (KtStoreFixture *f, gconstpointer data)
{
  static const char *const watched[] = { "share S 9", NULL };
  static const char *const none[] = { NULL };
  KtCatalog *catalog = f->catalog;

  add_found (catalog, "basic 9");
  set_watched (catalog, watched);
  assert_list (kt_catalog_list (catalog), "S/9");
  g_assert_false (drop_found (f, "share S 9"));
  set_watched (catalog, none);
  assert_list (kt_catalog_list (catalog), "S/9"); /* found still, though differently */
  g_assert_true (drop_found (f, "share S 9"));
}

/* What SOURCE says is there; GONE is what the change feed brings then. */
static void
set (KtStoreFixture *f, KtCatalogSource source, const char *line, const char *other, const char *gone)
{
  const char *const lines[] = { line, other, NULL };
  g_autoptr (GPtrArray) keys = keys_of (lines);

  g_string_truncate (f->log, 0);
  kt_catalog_set (f->catalog, source, keys);
  kt_store_assert_log (f, gone);
}

/* A task stays as long as anybody says that it is there; each source speaks for itself. */
static void
test_sources (KtStoreFixture *f, gconstpointer data)
{
  static const char *const watched[] = { "job 3", NULL };
  KtCatalog *catalog = f->catalog;

  set_watched (catalog, watched);
  set (f, KT_CATALOG_LIST (KT_FAMILY_BASIC), "basic 1", "basic 2", "");
  set (f, KT_CATALOG_LIST (KT_FAMILY_JOB), "job 3", "job 4", "");
  add_found (catalog, "job 4");
  assert_list (kt_catalog_list (catalog), "1 2 3 4");
  g_assert_cmpuint (kt_catalog_count (catalog, KT_FAMILY_BASIC), ==, 2);
  g_assert_cmpuint (kt_catalog_count (catalog, KT_FAMILY_JOB), ==, 2);
  g_assert_cmpuint (kt_catalog_count (catalog, KT_FAMILY_SHARE), ==, 0);
  g_assert_false (drop_found (f, "job 4")); /* listed */
  g_assert_false (drop_found (f, "basic 1"));
  set (f, KT_CATALOG_LIST (KT_FAMILY_JOB), "job 5", NULL, ""); /* 3 is watched, 4 was found */
  assert_list (kt_catalog_list (catalog), "1 2 3 4 5");
  set (f, KT_CATALOG_LIST (KT_FAMILY_BASIC), NULL, NULL, "-1 -2 ");
  g_assert_true (drop_found (f, "job 4"));
  set (f, KT_CATALOG_LIST (KT_FAMILY_JOB), NULL, NULL, "-5 ");
  assert_list (kt_catalog_list (catalog), "3");
  g_assert_cmpuint (kt_catalog_count (catalog, KT_FAMILY_BASIC), ==, 0);
  g_assert_cmpuint (kt_catalog_count (catalog, KT_FAMILY_JOB), ==, 1);
}

/* What is asked for differently now is gone as it was; what nothing has changed of is no new generation. */
static void
test_gone (KtStoreFixture *f, gconstpointer data)
{
  KtCatalog *catalog = f->catalog;
  guint64 generation;

  set (f, KT_CATALOG_WATCHED, "share S 1", "basic 2", "");
  set (f, KT_CATALOG_LIST (KT_FAMILY_JOB), "job 1", "job 3", "-1 ");
  g_assert_cmpint (kt_catalog_find (catalog, "1")->family, ==, KT_FAMILY_JOB);
  g_assert_cmpuint (kt_catalog_count (catalog, KT_FAMILY_SHARE), ==, 0);
  generation = kt_catalog_generation (catalog);
  set (f, KT_CATALOG_LIST (KT_FAMILY_JOB), "job 3", "job 1", "");
  g_assert_cmpuint (kt_catalog_generation (catalog), ==, generation);
  set (f, KT_CATALOG_LIST (KT_FAMILY_JOB), "job 1", NULL, "-3 ");
  g_assert_cmpuint (kt_catalog_generation (catalog), !=, generation);
}

static void
test_drop (KtStoreFixture *f, gconstpointer data)
{
  static const char *const watched[] = { "basic 1", NULL };
  KtCatalog *catalog = f->catalog;

  set_watched (catalog, watched);
  add_found (catalog, "basic 9");
  g_assert_true (kt_catalog_is_only_found (catalog, kt_catalog_find (catalog, "9")));
  g_assert_false (kt_catalog_is_only_found (catalog, kt_catalog_find (catalog, "1")));
  g_assert_false (drop_found (f, "basic 1"));   /* watched */
  g_assert_false (drop_found (f, "share S 9")); /* not how 9 is asked for */
  g_assert_false (drop_found (f, "basic 7"));   /* not known */
  g_assert_true (drop_found (f, "basic 9"));
  g_assert_false (drop_found (f, "basic 9"));
  assert_list (kt_catalog_list (catalog), "1");
}

/* What is said last of how to ask for a task holds. */
static void
test_asked_differently (KtStoreFixture *f, gconstpointer data)
{
  static const char *const watched[] = { "basic 1", NULL };
  KtCatalog *catalog = f->catalog;

  set_watched (catalog, watched);
  add_found (catalog, "basic 9");
  add_found (catalog, "share S 9");
  add_found (catalog, "share T 1");
  assert_list (kt_catalog_list (catalog), "T/1 S/9");
  g_assert_cmpint (kt_catalog_find (catalog, "9")->family, ==, KT_FAMILY_SHARE);
  g_assert_false (drop_found (f, "share T 1")); /* watched still */
}

static void
test_shares (KtStoreFixture *f, gconstpointer data)
{
  static const char *const watched[] = { "share S 3", "basic 1", "share T 2", "share S 4", NULL };
  KtCatalog *catalog = f->catalog;
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
test_mtime (KtStoreFixture *f, gconstpointer data)
{
  static const char *const watched[] = { "basic 1", NULL };
  KtCatalog *catalog = f->catalog;
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

static void
count_batches (const KtChange *changes, guint n, gpointer data)
{
  ++*(guint *) data;
}

/* A hundred thousand tasks that leave the watch list are one batch. */
static void
test_gone_at_once (KtStoreFixture *f, gconstpointer data)
{
  g_autoptr (GPtrArray) keys = g_ptr_array_new_with_free_func ((GDestroyNotify) kt_key_unref);
  guint batches = 0;
  KtListener *listener;

  for (guint i = 0; i < 100000; i++) {
    g_autofree char *id = g_strdup_printf ("%u", i);
    g_ptr_array_add (keys, kt_key_new (KT_FAMILY_BASIC, id));
  }
  listener = kt_changes_listen (f->changes, count_batches, &batches);
  kt_catalog_set (f->catalog, KT_CATALOG_WATCHED, keys);
  g_assert_cmpuint (batches, ==, 0);
  g_ptr_array_set_size (keys, 0);
  kt_catalog_set (f->catalog, KT_CATALOG_WATCHED, keys);
  g_assert_cmpuint (batches, ==, 1);
  kt_changes_unlisten (f->changes, &listener);
}

/* Seconds after the start. */
static gint64
changed (KtStoreFixture *f)
{
  return kt_catalog_changed_wall (f->catalog) / KT_SECOND - KT_FAKE_EPOCH;
}

/* What the first reading of a list brings was there before; what a later one brings or takes is a change, as is what
 * others bring and take. */
static void
test_changed (KtStoreFixture *f, gconstpointer data)
{
  const KtCatalogSource list = KT_CATALOG_LIST (KT_FAMILY_JOB);
  const char *const watched[] = { "basic 9", NULL };
  g_autoptr (KtKey) page = kt_key_new (KT_FAMILY_JOB, "1");

  kt_fake_clock_advance (f->clock, KT_SECOND);
  kt_catalog_add (f->catalog, list, page);
  set (f, list, "job 1", "job 2", "");
  g_assert_cmpint (changed (f), ==, 0);
  kt_fake_clock_advance (f->clock, KT_SECOND);
  set (f, list, "job 2", "job 1", "");
  g_assert_cmpint (changed (f), ==, 0);
  set (f, list, "job 1", NULL, "-2 ");
  g_assert_cmpint (changed (f), ==, 2);
  kt_fake_clock_advance (f->clock, KT_SECOND);
  set (f, KT_CATALOG_LIST (KT_FAMILY_BASIC), "basic 5", NULL, ""); /* another list's first */
  g_assert_cmpint (changed (f), ==, 2);
  add_found (f->catalog, "basic 8");
  g_assert_cmpint (changed (f), ==, 3);
  kt_fake_clock_advance (f->clock, KT_SECOND);
  g_assert_true (drop_found (f, "basic 8"));
  g_assert_cmpint (changed (f), ==, 4);
  set_watched (f->catalog, watched);
  g_assert_cmpint (changed (f), ==, 7);
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
  KT_STORE_TEST ("/store/catalog/order", test_order);
  KT_STORE_TEST ("/store/catalog/watched-replaced", test_watched_replaced);
  KT_STORE_TEST ("/store/catalog/found-becomes-watched", test_found_becomes_watched);
  KT_STORE_TEST ("/store/catalog/sources", test_sources);
  KT_STORE_TEST ("/store/catalog/gone", test_gone);
  KT_STORE_TEST ("/store/catalog/drop", test_drop);
  KT_STORE_TEST ("/store/catalog/asked-differently", test_asked_differently);
  KT_STORE_TEST ("/store/catalog/shares", test_shares);
  KT_STORE_TEST ("/store/catalog/mtime", test_mtime);
  KT_STORE_TEST ("/store/catalog/gone-at-once", test_gone_at_once);
  KT_STORE_TEST ("/store/catalog/changed", test_changed);
  return g_test_run ();
}
