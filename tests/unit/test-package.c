/* SPDX-License-Identifier: MIT */
/* Finding packages, versions that change, links that are refused, and hosts without ranges. */
#include "kt-package-fixture.h"

#include <string.h>

/* One request for all who ask. "Size and time hold for a minute. After that, and after `touch`, the service is asked
 * for the link again, and the host for the package." */
static void
test_find (KtPackageFixture *f, gconstpointer data)
{
  KtPackageResult result[3];

  kt_package_find (f, &result[0]);
  kt_package_find (f, &result[1]);
  kt_package_find_cancel (kt_package_find (f, &result[2]));
  g_assert_cmpuint (kt_package_sent (f), ==, 1);
  g_assert_cmpstr (kt_fake_transport_line (f->transport, 0), ==, "GET " KT_TEST_LINK "1");
  g_assert_cmpstr (kt_package_range (f, 0), ==, "bytes=0-0");
  kt_package_serve (f, 0);
  g_assert_true (result[0].package != NULL && result[0].package == result[1].package && result[2].calls == 0);
  g_assert_cmpint (kt_package_size (result[0].package), ==, f->size);
  kt_fake_clock_advance (f->clock, KT_PACKAGE_TTL - 1);
  g_assert_true (kt_package_peek (f) == result[0].package);
  kt_fake_clock_advance (f->clock, 1);
  g_assert_null (kt_package_peek (f));

  kt_package_find (f, &result[2]);
  g_assert_cmpuint (kt_package_sent (f), ==, 1);
  kt_fake_source_land (f->source, KT_TEST_ANSWER ("2"));
  g_assert_cmpstr (kt_fake_transport_line (f->transport, 1), ==, "GET " KT_TEST_LINK "2");
  kt_package_serve (f, 1);
  g_assert_true (result[2].package == result[0].package); /* the same version */
  for (guint i = 0; i < 3; i++)
    kt_package_unref (result[i].package);
  g_assert_null (kt_package_peek (f));
}

static void
test_find_fails (KtPackageFixture *f, gconstpointer data)
{
  static const struct {
    guint status;
    int error;
  } table[] = { { 404, KT_ERROR_NOT_FOUND },
                { 410, KT_ERROR_NOT_FOUND },
                { 401, KT_ERROR_DENIED },
                { 416, KT_ERROR_SERVICE },
                { 302, KT_ERROR_SERVICE } };
  KtPackageResult result;

  for (guint i = 0; i < G_N_ELEMENTS (table); i++) {
    kt_package_find (f, &result);
    g_assert_false (kt_package_pour (f, i, table[i].status, 1));
    kt_package_end (f, i, table[i].status);
    kt_package_assert_result (&result, table[i].error, 0);
  }
  /* a part that does not say of what: its own length is not the package's */
  kt_package_find (f, &result);
  kt_fake_transport_answer (f->transport, kt_package_sent (f) - 1,
                            &(KtHttpResponse){ .status = 206, .headers[KT_HEADER_CONTENT_LENGTH] = (char *) "1" });
  kt_package_assert_result (&result, KT_ERROR_BAD_ANSWER, 0);
  kt_package_find (f, &result);
  kt_fake_clock_advance (f->clock, KT_TEST_DEADLINE);
  kt_package_assert_result (&result, KT_ERROR_TIMED_OUT, 0);
  g_assert_null (strstr (kt_health_last_error (f->health), "sign"));
}

static void
test_refused_link (KtPackageFixture *f, gconstpointer data)
{
  KtPackageResult result;

  kt_package_find (f, &result);
  kt_package_end (f, 0, 403);
  kt_fake_source_land (f->source, KT_TEST_ANSWER ("2"));
  kt_package_end (f, 1, 403); /* once is enough */
  kt_package_assert_result (&result, KT_ERROR_DENIED, 0);
  kt_package_find (f, &result);
  kt_package_end (f, 2, 403);
  kt_fake_source_land (f->source, "{\"jobInfo\":{\"taskStatus\":2}}");
  kt_package_assert_result (&result, KT_ERROR_NOT_FOUND, 0);
  g_assert_cmpuint (kt_package_sent (f), ==, 3);
}

/* Never bytes of two versions: the readers of the old one get an error. */
static void
test_change (KtPackageFixture *f, gconstpointer data)
{
  g_autoptr (KtPackage) package = kt_package_open (f, 206);
  g_autoptr (KtPackage) next = NULL;
  KtPackageResult result[3];

  kt_package_start_read (f, package, 0, KT_TEST_BLOCK, &result[0]);
  kt_package_start_read (f, package, 9 * KT_TEST_BLOCK, KT_TEST_BLOCK, &result[1]);
  kt_package_serve (f, 1);
  kt_package_assert_result (&result[0], -1, KT_TEST_BLOCK);
  f->etag = "\"two\"";
  g_assert_false (kt_package_pour (f, 2, 206, -1));
  kt_package_end (f, 2, 206);
  kt_package_assert_result (&result[1], KT_ERROR_SERVICE, 0);
  g_assert_cmpuint (f->changes, ==, 1);
  kt_package_start_read (f, package, 0, KT_TEST_BLOCK, &result[2]);
  kt_package_assert_result (&result[2], KT_ERROR_SERVICE, 0);
  g_assert_null (kt_package_peek (f));
  next = kt_package_open (f, 206);
  g_assert_true (next != package && kt_package_peek (f) == next);
}

/* The same when only the size differs, or the host says that there is no such range any more. */
static void
test_change_of_size (KtPackageFixture *f, gconstpointer data)
{
  g_autoptr (KtPackage) package = kt_package_open (f, 206);
  g_autoptr (KtPackage) next = NULL;
  KtPackageResult result;

  kt_package_start_read (f, package, 0, KT_TEST_BLOCK, &result);
  f->size -= 1;
  g_assert_false (kt_package_pour (f, 1, 206, -1));
  kt_package_end (f, 1, 206);
  kt_package_assert_result (&result, KT_ERROR_SERVICE, 0);
  next = kt_package_open (f, 206);
  kt_package_start_read (f, next, 0, KT_TEST_BLOCK, &result);
  kt_package_end (f, kt_package_sent (f) - 1, 416);
  kt_package_assert_result (&result, KT_ERROR_SERVICE, 0);
  g_assert_cmpuint (f->changes, ==, 2);
}

/* 403: the service is asked for a new link, once for all who need it, and once a read. */
static void
test_renewal (KtPackageFixture *f, gconstpointer data)
{
  g_autoptr (KtPackage) package = kt_package_open (f, 206);
  KtPackageResult result[2];

  kt_package_start_read (f, package, 0, KT_TEST_BLOCK, &result[0]);
  kt_package_start_read (f, package, 9 * KT_TEST_BLOCK, KT_TEST_BLOCK, &result[1]);
  kt_package_end (f, 1, 403);
  kt_package_end (f, 2, 403);
  g_assert_cmpuint (kt_fake_source_asked (f->source), ==, 2);
  kt_fake_source_land (f->source, KT_TEST_ANSWER ("2"));
  g_assert_cmpstr (kt_fake_transport_line (f->transport, 3), ==, "GET " KT_TEST_LINK "2");
  kt_package_serve (f, 3);
  kt_package_assert_result (&result[0], -1, KT_TEST_BLOCK);
  kt_package_end (f, 4, 403);
  kt_package_assert_result (&result[1], KT_ERROR_DENIED, 0);
  g_assert_cmpuint (kt_fake_source_asked (f->source), ==, 2);
}

/* Without ranges: one stream into a file; a read gets its bytes as soon as they come. */
static void
test_whole (KtPackageFixture *f, gconstpointer data)
{
  g_autoptr (KtPackage) package = NULL;
  KtPackageResult result[3];

  f->size = 1000;
  package = kt_package_open (f, 200);
  kt_package_start_read (f, package, 500, 100, &result[0]);
  kt_package_start_read (f, package, 0, 100, &result[1]);
  g_assert_cmpuint (kt_package_sent (f), ==, 2);
  g_assert_null (kt_package_range (f, 1));
  g_assert_true (kt_package_pour (f, 1, 200, 200));
  kt_package_assert_result (&result[1], -1, 100);
  g_assert_cmpuint (result[0].calls, ==, 0);
  kt_fake_transport_fail (f->transport, 1, KT_ERROR_BROKEN); /* from the beginning, as there are no ranges */
  kt_fake_clock_advance (f->clock, KT_SECOND);
  g_assert_true (kt_package_pour (f, 2, 200, 1000));
  kt_package_end (f, 2, 200);
  kt_package_assert_result (&result[0], -1, 100);
  kt_package_start_read (f, package, 900, 500, &result[2]);
  kt_package_assert_result (&result[2], -1, 100);
  g_assert_cmpuint (kt_package_sent (f), ==, 3);
}

/* Nobody has it any more: the stream is given up. */
static void
test_whole_for_nobody (KtPackageFixture *f, gconstpointer data)
{
  KtPackage *package;
  KtPackageResult result;

  f->size = 1000;
  package = kt_package_open (f, 200);
  kt_package_read_cancel (kt_package_start_read (f, package, 500, 100, &result));
  kt_package_unref (package);
  g_assert_false (kt_package_pour (f, 1, 200, 100));
  kt_package_end (f, 1, 200);
}

/* A host that has served ranges does so no more. */
static void
test_becomes_whole (KtPackageFixture *f, gconstpointer data)
{
  g_autoptr (KtPackage) package = NULL;
  KtPackageResult result;

  f->size = 3 * KT_TEST_BLOCK;
  package = kt_package_open (f, 206);
  kt_package_start_read (f, package, 0, 100, &result);
  g_assert_false (kt_package_pour (f, 1, 200, 100));
  kt_package_end (f, 1, 200);
  g_assert_null (kt_package_range (f, 2));
  g_assert_true (kt_package_pour (f, 2, 200, -1));
  kt_package_end (f, 2, 200);
  kt_package_assert_result (&result, -1, 100);
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
#define TEST(path, func) g_test_add (path, KtPackageFixture, NULL, kt_package_set_up, func, kt_package_tear_down)
  TEST ("/package/find", test_find);
  TEST ("/package/find-fails", test_find_fails);
  TEST ("/package/refused-link", test_refused_link);
  TEST ("/package/change", test_change);
  TEST ("/package/change-of-size", test_change_of_size);
  TEST ("/package/renewal", test_renewal);
  TEST ("/package/whole", test_whole);
  TEST ("/package/whole-for-nobody", test_whole_for_nobody);
  TEST ("/package/becomes-whole", test_becomes_whole);
  return g_test_run ();
}
