/* SPDX-License-Identifier: MIT */
/* Lookups of package.zip in the tree: waiting, cancelled, failed. */
#include "kt-fake-transport.h"
#include "kt-tree-fixture.h"

#define ANSWER "{\"jobInfo\":{\"taskStatus\":2,\"downloadUrl\":\"https://host/p\"}}"

/* A tree with packages, whose host the test plays. */
typedef struct {
  KtTreeFixture tree;
  KtFakeTransport *transport;
  KtHttpClient *http;
  KtPackages *packages;
  guint64 task; /* inode of tasks/7, which is cached */
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  static const KtHttpLimits limits = { .concurrency = 8 };
  static const char *const watched[] = { "share s 7", NULL };

  kt_tree_set_up (&f->tree, data);
  f->transport = kt_fake_transport_new ();
  f->http = kt_http_client_new (kt_fake_clock (f->tree.clock), kt_fake_transport (f->transport), &limits, NULL);
  f->packages = kt_packages_new (f->http, f->tree.store, kt_fake_clock (f->tree.clock), f->tree.below.changes,
                                 f->tree.health, f->tree.metrics, g_get_tmp_dir ());
  kt_tree_set_packages (f->tree.tree, f->packages);
  kt_tree_watch (&f->tree, watched);
  kt_tree_find (&f->tree, "tasks/7/status", ANSWER);
  f->task = kt_tree_find (&f->tree, "tasks/7", NULL).id;
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  KtTree *tree = g_steal_pointer (&f->tree.tree);

  kt_tree_set_invalidate (tree, NULL, NULL);
  kt_http_client_free (f->http);
  kt_tree_free (tree);
  kt_packages_free (f->packages);
  kt_fake_transport_unref (f->transport);
  kt_tree_tear_down (&f->tree, data);
}

static void
ignore (const KtSnapshot *snapshot, const GError *error, gpointer data)
{
}

/* The snapshot is cached, but the package's host has to be asked: the lookup is under way, and can be cancelled. */
static void
test_cancel (Fixture *f, gconstpointer data)
{
  KtTreeLookup lookup;
  KtOperation *operation = kt_tree_start_lookup (&f->tree, f->task, "package.zip", &lookup);

  g_assert_cmpuint (kt_fake_transport_sent (f->transport), ==, 1);
  kt_tree_cancel (operation);
  kt_fake_transport_fail (f->transport, 0, KT_ERROR_TLS);
  g_assert_cmpuint (lookup.calls, ==, 0);
}

static void
test_found (Fixture *f, gconstpointer data)
{
  const KtHttpResponse response = { .status = 206, .headers[KT_HEADER_CONTENT_RANGE] = (char *) "bytes 0-0/9" };
  KtTreeLookup lookup;

  g_assert_nonnull (kt_tree_start_lookup (&f->tree, f->task, "package.zip", &lookup));
  kt_fake_transport_answer (f->transport, 0, &response);
  g_assert_cmpuint (lookup.calls, ==, 1);
  g_assert_cmpint (lookup.entry.stat.st_size, ==, 9);
  /* and now it is known */
  g_assert_null (kt_tree_start_lookup (&f->tree, f->task, "package.zip", &lookup));
}

/* What cannot be had is there and fails; its host is asked again after negative-ttl, or when the task was asked
 * again. */
static void
test_failure (Fixture *f, gconstpointer data)
{
  KtTreeLookup lookup, again;

  for (guint round = 0; round < 3; round++) {
    g_assert_nonnull (kt_tree_start_lookup (&f->tree, f->task, "package.zip", &lookup));
    kt_fake_transport_fail (f->transport, round, KT_ERROR_TLS);
    g_assert_cmpint (lookup.entry.stat.st_size, ==, 1);
    g_assert_cmpint (kt_tree_read_error (&f->tree, lookup.entry.id), ==, KT_ERROR_TLS);
    g_assert_null (kt_tree_start_lookup (&f->tree, f->task, "package.zip", &again));
    g_assert_cmpuint (again.entry.id, ==, lookup.entry.id);
    g_assert_cmpuint (kt_fake_transport_sent (f->transport), ==, round + 1);
    if (round == 0) {
      kt_fake_clock_advance (f->tree.clock, 3 * KT_SECOND);
    } else if (round == 1) {
      kt_fake_clock_advance (f->tree.clock, 1);
      kt_store_get (f->tree.store, kt_catalog_find (f->tree.catalog, "7"), KT_STORE_AGAIN, KT_TIME_NEVER, ignore, NULL);
      kt_fake_source_land (f->tree.source, ANSWER);
    }
  }
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
  g_test_add ("/tree/package/cancel", Fixture, NULL, set_up, test_cancel, tear_down);
  g_test_add ("/tree/package/found", Fixture, NULL, set_up, test_found, tear_down);
  g_test_add ("/tree/package/failure", Fixture, NULL, set_up, test_failure, tear_down);
  return g_test_run ();
}
