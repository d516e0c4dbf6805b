/* SPDX-License-Identifier: MIT */
/* Readahead, by the requests it makes: a reader is kt_readahead_note() and kt_store_get(), as the tree does it. */
#include "kt-store-fixture.h"

#include "store/kt-readahead.h"

#define TASKS 100
#define MOST  16
#define ENDED "{\"jobInfo\":{\"taskStatus\":2}}"

typedef struct {
  KtStoreFixture s;
  KtReadahead *readahead;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (GPtrArray) keys = g_ptr_array_new_with_free_func ((GDestroyNotify) kt_key_unref);

  kt_store_set_up (&f->s, NULL);
  f->readahead = kt_readahead_new (f->s.store, f->s.catalog, MOST);
  for (guint i = 0; i < TASKS; i++) {
    g_autofree char *id = g_strdup_printf ("%03u", i);
    g_ptr_array_add (keys, kt_key_new_share ("S", id));
  }
  kt_catalog_set (f->s.catalog, KT_CATALOG_WATCHED, keys);
}

static void
land_all (Fixture *f)
{
  while (kt_fake_source_pending (f->s.source) > 0)
    kt_fake_source_land (f->s.source, ENDED);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  land_all (f);
  kt_readahead_free (f->readahead);
  kt_store_tear_down (&f->s, NULL);
}

static void
ignore (const KtSnapshot *snapshot, const GError *error, gpointer data)
{
}

/* Asks for task NUMBER without waiting for the response; returns the requests under way then. */
static guint
ask (Fixture *f, guint number)
{
  g_autofree char *id = g_strdup_printf ("%03u", number);
  KtKey *key = kt_catalog_find (f->s.catalog, id);

  kt_readahead_note (f->readahead, key, KT_STORE_FRESH, KT_TIME_NEVER);
  kt_store_get (f->s.store, key, KT_STORE_FRESH, KT_TIME_NEVER, ignore, NULL);
  return kt_fake_source_pending (f->s.source);
}

/* Asks, and lets all requests land. */
static void
read_task (Fixture *f, guint number)
{
  ask (f, number);
  land_all (f);
}

static void
test_grows (Fixture *f, gconstpointer data)
{
  read_task (f, 0);
  read_task (f, 1);
  g_assert_cmpuint (kt_fake_source_asked (f->s.source), ==, 2); /* two neighbours are no scan yet */
  g_assert_cmpuint (ask (f, 2), ==, 1 + 8);
  g_assert_cmpuint (ask (f, 3), ==, 2 + 16); /* it waits: the window doubles, up to MOST */
  g_assert_cmpuint (ask (f, 4), ==, 3 + 16);
}

/* A reader who never waits needs no larger window. */
static void
test_does_not_run_away (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i <= 50; i++)
    read_task (f, i);
  g_assert_cmpuint (kt_fake_source_asked (f->s.source), ==, 51 + 8);
}

static void
test_one_request_each (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < TASKS; i++)
    read_task (f, i);
  g_assert_cmpuint (kt_fake_source_asked (f->s.source), ==, TASKS);
  for (guint i = 0; i < TASKS; i++)
    read_task (f, i); /* all in memory */
  g_assert_cmpuint (kt_fake_source_asked (f->s.source), ==, TASKS);
}

/* bash's globs look from the last to the first. */
static void
test_downwards (Fixture *f, gconstpointer data)
{
  read_task (f, 99);
  read_task (f, 98);
  g_assert_cmpuint (ask (f, 97), ==, 1 + 8);
  for (guint i = 96; i < TASKS; i--)
    read_task (f, i);
  g_assert_cmpuint (kt_fake_source_asked (f->s.source), ==, TASKS);
}

static void
test_no_scan (Fixture *f, gconstpointer data)
{
  static const guint orders[][10] = {
    { 50, 3, 77, 12, 98, 31, 64, 7, 45, 88 },   /* random */
    { 0, 2, 4, 6, 8, 10, 12, 14, 16, 18 },      /* every second */
    { 10, 11, 40, 41, 70, 71, 20, 21, 90, 91 }, /* pairs */
    { 50, 51, 50, 51, 50, 51, 50, 51, 50, 51 }, /* to and fro */
  };
  const guint *order = orders[GPOINTER_TO_UINT (data)];
  g_autoptr (GHashTable) different = g_hash_table_new (NULL, NULL);

  for (guint i = 0; i < 10; i++) {
    read_task (f, order[i]);
    g_hash_table_add (different, GUINT_TO_POINTER (order[i] + 1));
  }
  g_assert_cmpuint (kt_fake_source_asked (f->s.source), ==, g_hash_table_size (different));
}

/* Cached tasks are no gap, and not asked for. */
static void
test_passes_over_memory (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < TASKS; i += 10)
    read_task (f, i); /* far apart: no scan */
  g_assert_cmpuint (kt_fake_source_asked (f->s.source), ==, 10);
  read_task (f, 8);
  read_task (f, 9);
  g_assert_cmpuint (ask (f, 11), ==, 1 + 8); /* 10 is known: 12 to 19 come next */
  read_task (f, 12);
  g_assert_cmpuint (kt_fake_source_asked (f->s.source), ==, 10 + 2 + 9 + 9); /* 13 to 19 and 21 to 29 */
}

static void
test_end (Fixture *f, gconstpointer data)
{
  for (guint i = 95; i < TASKS; i++)
    read_task (f, i);
  g_assert_cmpuint (kt_fake_source_asked (f->s.source), ==, 5);
}

static void
test_several (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < 3; i++) {
    read_task (f, i);
    read_task (f, 40 + i);
    read_task (f, 90 - i);
  }
  g_assert_cmpuint (kt_fake_source_asked (f->s.source), ==, 3 * (3 + 8));
}

/* A failure ahead is remembered, not asked for again by the scan. */
static void
test_failures (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < 3; i++) {
    ask (f, i);
    while (kt_fake_source_pending (f->s.source) > 0)
      kt_fake_source_fail (f->s.source, KT_ERROR_SERVICE);
  }
  for (guint i = 3; i < 11; i++)
    ask (f, i);
  g_assert_cmpuint (kt_fake_source_asked (f->s.source), ==, 3 + 8 + 8);
}

/* Many who ask at the same time, though in order, want what they ask for and no more. */
static void
test_crowd (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < 20; i++)
    g_assert_cmpuint (ask (f, i), ==, i + 1);
  for (guint i = 20; i < 60; i++) { /* more come while the first get their responses */
    kt_fake_source_land (f->s.source, ENDED);
    ask (f, i);
  }
  g_assert_cmpuint (kt_fake_source_asked (f->s.source), ==, 60);
  land_all (f);
  g_assert_cmpuint (ask (f, 60), ==, 1 + 8); /* one alone goes on */
}

/* A few readers that share the work, as xargs -P4 has them, are a scan. */
static void
test_few (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < 4; i++)
    g_assert_cmpuint (ask (f, i), ==, i + 1);
  kt_fake_source_land (f->s.source, ENDED);
  g_assert_cmpuint (ask (f, 4), ==, 4 + 8);
}

/* The list may change while a scan goes on. */
static void
test_list_replaced (Fixture *f, gconstpointer data)
{
  g_autoptr (GPtrArray) keys = g_ptr_array_new_with_free_func ((GDestroyNotify) kt_key_unref);

  for (guint i = 0; i < 5; i++)
    read_task (f, i);
  g_ptr_array_add (keys, kt_key_new_share ("S", "050"));
  kt_catalog_set (f->s.catalog, KT_CATALOG_WATCHED, keys);
  read_task (f, 50);
  g_assert_cmpuint (kt_fake_source_asked (f->s.source), ==, 5 + 8 + 1);
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
#define ADD(path, data, test) g_test_add ("/store/readahead/" path, Fixture, data, set_up, test, tear_down)
  ADD ("grows", NULL, test_grows);
  ADD ("does-not-run-away", NULL, test_does_not_run_away);
  ADD ("one-request-each", NULL, test_one_request_each);
  ADD ("downwards", NULL, test_downwards);
  ADD ("random", GUINT_TO_POINTER (0), test_no_scan);
  ADD ("every-second", GUINT_TO_POINTER (1), test_no_scan);
  ADD ("pairs", GUINT_TO_POINTER (2), test_no_scan);
  ADD ("to-and-fro", GUINT_TO_POINTER (3), test_no_scan);
  ADD ("passes-over-memory", NULL, test_passes_over_memory);
  ADD ("end", NULL, test_end);
  ADD ("several", NULL, test_several);
  ADD ("failures", NULL, test_failures);
  ADD ("crowd", NULL, test_crowd);
  ADD ("few", NULL, test_few);
  ADD ("list-replaced", NULL, test_list_replaced);
#undef ADD
  return g_test_run ();
}
