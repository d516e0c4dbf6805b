/* SPDX-License-Identifier: MIT */
#include "kt-package-fixture.h"

#include <string.h>

/* One question for all who ask; the answer holds for a minute; then the service is asked for the link before. */
static void
test_find (KtPackageFixture *f, gconstpointer data)
{
  KtPackageTold told[3];

  kt_package_find (f, &told[0]);
  kt_package_find (f, &told[1]);
  kt_package_cancel (kt_package_find (f, &told[2]));
  g_assert_cmpuint (kt_package_sent (f), ==, 1);
  g_assert_cmpstr (kt_fake_transport_line (f->transport, 0), ==, "GET " KT_TEST_LINK "1");
  g_assert_cmpstr (kt_package_range (f, 0), ==, "bytes=0-0");
  kt_package_serve (f, 0);
  g_assert_true (told[0].package != NULL && told[0].package == told[1].package && told[2].told == 0);
  g_assert_cmpint (kt_package_size (told[0].package), ==, f->size);
  kt_fake_clock_advance (f->clock, KT_PACKAGE_TTL - 1);
  g_assert_true (kt_package_peek (f) == told[0].package);
  kt_fake_clock_advance (f->clock, 1);
  g_assert_null (kt_package_peek (f));

  kt_package_find (f, &told[2]);
  g_assert_cmpuint (kt_package_sent (f), ==, 1);
  kt_fake_source_land (f->source, KT_TEST_ANSWER ("2"));
  g_assert_cmpstr (kt_fake_transport_line (f->transport, 1), ==, "GET " KT_TEST_LINK "2");
  kt_package_serve (f, 1);
  g_assert_true (told[2].package == told[0].package); /* the same version */
  for (guint i = 0; i < 3; i++)
    kt_package_unref (told[i].package);
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
  KtPackageTold told;

  for (guint i = 0; i < G_N_ELEMENTS (table); i++) {
    kt_package_find (f, &told);
    g_assert_false (kt_package_pour (f, i, table[i].status, 1));
    kt_package_end (f, i, table[i].status);
    kt_package_assert_told (&told, table[i].error, 0);
  }
  /* a part that does not say of what: its own length is not the package's */
  kt_package_find (f, &told);
  kt_fake_transport_answer (f->transport, kt_package_sent (f) - 1,
                            &(KtHttpResponse){ .status = 206, .headers[KT_HEADER_CONTENT_LENGTH] = (char *) "1" });
  kt_package_assert_told (&told, KT_ERROR_BAD_ANSWER, 0);
  kt_package_find (f, &told);
  kt_fake_clock_advance (f->clock, KT_TEST_DEADLINE);
  kt_package_assert_told (&told, KT_ERROR_TIMED_OUT, 0);
  g_assert_null (strstr (kt_health_last_error (f->health), "sign"));
}

static void
test_refused_link (KtPackageFixture *f, gconstpointer data)
{
  KtPackageTold told;

  kt_package_find (f, &told);
  kt_package_end (f, 0, 403);
  kt_fake_source_land (f->source, KT_TEST_ANSWER ("2"));
  kt_package_end (f, 1, 403); /* once is enough */
  kt_package_assert_told (&told, KT_ERROR_DENIED, 0);
  kt_package_find (f, &told);
  kt_package_end (f, 2, 403);
  kt_fake_source_land (f->source, "{\"jobInfo\":{\"taskStatus\":2}}");
  kt_package_assert_told (&told, KT_ERROR_NOT_FOUND, 0);
  g_assert_cmpuint (kt_package_sent (f), ==, 3);
}

/* Never bytes of two versions: the readers of the old one are told. */
static void
test_change (KtPackageFixture *f, gconstpointer data)
{
  g_autoptr (KtPackage) package = kt_package_open (f, 206);
  g_autoptr (KtPackage) next = NULL;
  KtPackageTold told[3];

  kt_package_start_read (f, package, 0, KT_TEST_BLOCK, &told[0]);
  kt_package_start_read (f, package, 9 * KT_TEST_BLOCK, KT_TEST_BLOCK, &told[1]);
  kt_package_serve (f, 1);
  kt_package_assert_told (&told[0], -1, KT_TEST_BLOCK);
  f->etag = "\"two\"";
  g_assert_false (kt_package_pour (f, 2, 206, -1));
  kt_package_end (f, 2, 206);
  kt_package_assert_told (&told[1], KT_ERROR_SERVICE, 0);
  g_assert_cmpuint (f->changes, ==, 1);
  kt_package_start_read (f, package, 0, KT_TEST_BLOCK, &told[2]);
  kt_package_assert_told (&told[2], KT_ERROR_SERVICE, 0);
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
  KtPackageTold told;

  kt_package_start_read (f, package, 0, KT_TEST_BLOCK, &told);
  f->size -= 1;
  g_assert_false (kt_package_pour (f, 1, 206, -1));
  kt_package_end (f, 1, 206);
  kt_package_assert_told (&told, KT_ERROR_SERVICE, 0);
  next = kt_package_open (f, 206);
  kt_package_start_read (f, next, 0, KT_TEST_BLOCK, &told);
  kt_package_end (f, kt_package_sent (f) - 1, 416);
  kt_package_assert_told (&told, KT_ERROR_SERVICE, 0);
  g_assert_cmpuint (f->changes, ==, 2);
}

/* 403: the service is asked for a new link, once for all who need it, and once a read. */
static void
test_renewal (KtPackageFixture *f, gconstpointer data)
{
  g_autoptr (KtPackage) package = kt_package_open (f, 206);
  KtPackageTold told[2];

  kt_package_start_read (f, package, 0, KT_TEST_BLOCK, &told[0]);
  kt_package_start_read (f, package, 9 * KT_TEST_BLOCK, KT_TEST_BLOCK, &told[1]);
  kt_package_end (f, 1, 403);
  kt_package_end (f, 2, 403);
  g_assert_cmpuint (kt_fake_source_asked (f->source), ==, 2);
  kt_fake_source_land (f->source, KT_TEST_ANSWER ("2"));
  g_assert_cmpstr (kt_fake_transport_line (f->transport, 3), ==, "GET " KT_TEST_LINK "2");
  kt_package_serve (f, 3);
  kt_package_assert_told (&told[0], -1, KT_TEST_BLOCK);
  kt_package_end (f, 4, 403);
  kt_package_assert_told (&told[1], KT_ERROR_DENIED, 0);
  g_assert_cmpuint (kt_fake_source_asked (f->source), ==, 2);
}

/* Without ranges: one stream into a file; who waits is answered as the bytes come. */
static void
test_whole (KtPackageFixture *f, gconstpointer data)
{
  g_autoptr (KtPackage) package = NULL;
  KtPackageTold told[3];

  f->size = 1000;
  package = kt_package_open (f, 200);
  kt_package_start_read (f, package, 500, 100, &told[0]);
  kt_package_start_read (f, package, 0, 100, &told[1]);
  g_assert_cmpuint (kt_package_sent (f), ==, 2);
  g_assert_null (kt_package_range (f, 1));
  g_assert_true (kt_package_pour (f, 1, 200, 200));
  kt_package_assert_told (&told[1], -1, 100);
  g_assert_cmpuint (told[0].told, ==, 0);
  kt_fake_transport_fail (f->transport, 1, KT_ERROR_BROKEN); /* from the beginning, as there are no ranges */
  kt_fake_clock_advance (f->clock, KT_SECOND);
  g_assert_true (kt_package_pour (f, 2, 200, 1000));
  kt_package_end (f, 2, 200);
  kt_package_assert_told (&told[0], -1, 100);
  kt_package_start_read (f, package, 900, 500, &told[2]);
  kt_package_assert_told (&told[2], -1, 100);
  g_assert_cmpuint (kt_package_sent (f), ==, 3);
}

/* Nobody has it any more: the stream is given up. */
static void
test_whole_for_nobody (KtPackageFixture *f, gconstpointer data)
{
  KtPackage *package;
  KtPackageTold told;

  f->size = 1000;
  package = kt_package_open (f, 200);
  kt_package_cancel (kt_package_start_read (f, package, 500, 100, &told));
  kt_package_unref (package);
  g_assert_false (kt_package_pour (f, 1, 200, 100));
  kt_package_end (f, 1, 200);
}

/* A host that has served ranges does so no more. */
static void
test_becomes_whole (KtPackageFixture *f, gconstpointer data)
{
  g_autoptr (KtPackage) package = NULL;
  KtPackageTold told;

  f->size = 3 * KT_TEST_BLOCK;
  package = kt_package_open (f, 206);
  kt_package_start_read (f, package, 0, 100, &told);
  g_assert_false (kt_package_pour (f, 1, 200, 100));
  kt_package_end (f, 1, 200);
  g_assert_null (kt_package_range (f, 2));
  g_assert_true (kt_package_pour (f, 2, 200, -1));
  kt_package_end (f, 2, 200);
  kt_package_assert_told (&told, -1, 100);
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
