/* SPDX-License-Identifier: MIT */
/* Reads of packages: requests, readahead, preload, memory, deadlines. */
#include "kt-package-fixture.h"

#include <stdio.h>
#include <string.h>

/* Small aligned requests for reads here and there; readers of the same bytes share one. */
static void
test_random (KtPackageFixture *f, gconstpointer data)
{
  g_autoptr (KtPackage) package = kt_package_open (f, 206);
  KtPackageResult result[4];

  kt_package_start_read (f, package, 5 * KT_TEST_BLOCK + 100, 1000, &result[0]);
  kt_package_start_read (f, package, 5 * KT_TEST_BLOCK + 1000, KT_TEST_BLOCK, &result[1]); /* into the next block */
  kt_package_start_read (f, package, 5 * KT_TEST_BLOCK, 10, &result[2]);
  g_assert_cmpstr (kt_package_range (f, 1), ==, "bytes=655360-786431");
  g_assert_cmpuint (kt_package_sent (f), >=, 3);
  kt_package_serve (f, 1);
  kt_package_assert_result (&result[0], -1, 1000);
  kt_package_assert_result (&result[2], -1, 10);
  g_assert_cmpuint (result[1].calls, ==, 0);
  kt_package_serve (f, 2);
  kt_package_assert_result (&result[1], -1, KT_TEST_BLOCK);
  kt_package_start_read (f, package, f->size - 10, 1000, &result[3]);
  g_assert_cmpstr (kt_package_range (f, kt_package_sent (f) - 1), ==, "bytes=66977792-67108863");
  kt_package_serve (f, kt_package_sent (f) - 1);
  kt_package_assert_result (&result[3], -1, 10);
  g_assert_null (kt_package_start_read (f, package, f->size, 10, &result[3]));
  kt_package_assert_result (&result[3], -1, 0);
}

static gint64
asked (KtPackageFixture *f, guint index)
{
  gint64 first, last;
  g_assert_cmpint (sscanf (kt_package_range (f, index), "bytes=%" G_GINT64_FORMAT "-%" G_GINT64_FORMAT, &first, &last),
                   ==, 2);
  return last + 1 - first;
}

/* Who reads one block after another has ever more fetched ahead, each byte once, up to 4 MiB at once. */
static void
test_sequential (KtPackageFixture *f, gconstpointer data)
{
  g_autoptr (KtPackage) package = kt_package_open (f, 206);
  guint landed = 1;
  gint64 most = 0, total = 0;
  KtPackageResult result;

  for (KtUsec at = 0; at < f->size; at += KT_TEST_BLOCK) {
    kt_package_start_read (f, package, at, KT_TEST_BLOCK, &result);
    if (at == 0)
      g_assert_cmpuint (kt_package_sent (f), ==, 2); /* one read is no sequence */
    for (; landed < kt_package_sent (f); landed++) {
      most = MAX (most, asked (f, landed));
      total += asked (f, landed);
      kt_package_serve (f, landed);
    }
    kt_package_assert_result (&result, -1, KT_TEST_BLOCK);
  }
  g_assert_cmpint (total, ==, f->size);
  g_assert_cmpint (most, ==, 4 << 20);
  g_assert_cmpuint (kt_package_sent (f), <, 64);
}

/* Over a slow line little is fetched ahead, as that takes the line from what is waited for. */
static void
test_slow (KtPackageFixture *f, gconstpointer data)
{
  g_autoptr (KtPackage) package = kt_package_open (f, 206);
  guint landed = 1;
  KtUsec at = 0, before;
  KtPackageResult result;

  for (; at < 8 * KT_TEST_BLOCK; at += KT_TEST_BLOCK) {
    kt_package_start_read (f, package, at, KT_TEST_BLOCK, &result);
    for (; landed < kt_package_sent (f); landed++)
      kt_package_serve (f, landed);
  }
  for (result.calls = 1; result.calls == 1; at += KT_TEST_BLOCK) /* up to where nothing has come yet */
    kt_package_start_read (f, package, at, KT_TEST_BLOCK, &result);
  kt_fake_clock_advance (f->clock, 3 * KT_SECOND);
  before = asked (f, kt_package_sent (f) - 1);
  for (guint next = kt_package_sent (f); kt_package_sent (f) == next; at += KT_TEST_BLOCK) {
    for (; landed < next; landed++)
      kt_package_serve (f, landed);
    kt_package_start_read (f, package, at, KT_TEST_BLOCK, &result);
  }
  g_assert_cmpint (asked (f, kt_package_sent (f) - 1), <, before);
  for (; landed < kt_package_sent (f); landed++)
    kt_package_serve (f, landed);
}

/* A request that breaks off in a block ends those who wait for any of it. */
static void
test_breaks_off (KtPackageFixture *f, gconstpointer data)
{
  g_autoptr (KtPackage) package = kt_package_open (f, 206);
  KtPackageResult result[2];

  kt_package_start_read (f, package, 100, 100, &result[0]);
  kt_package_start_read (f, package, 5000, 100, &result[1]);
  g_assert_true (kt_package_pour (f, 1, 206, 1000));
  kt_fake_transport_fail (f->transport, 1, KT_ERROR_TLS);
  kt_package_assert_result (&result[0], KT_ERROR_TLS, 0);
  kt_package_assert_result (&result[1], KT_ERROR_TLS, 0);
}

/* All packages together keep no more than 32 MiB; a read that finds no memory waits for it. */
static void
test_memory (KtPackageFixture *f, gconstpointer data)
{
  g_autoptr (KtPackage) package = kt_package_open (f, 206);
  g_autofree KtPackageResult *result = g_new (KtPackageResult, 257);
  g_autofree char *metrics = NULL;
  guint first;

  for (guint i = 0; i < 257; i++)
    kt_package_start_read (f, package, (gint64) (510 - i) * KT_TEST_BLOCK, KT_TEST_BLOCK,
                           &result[i]); /* backwards: no sequence */
  g_assert_cmpuint (kt_fake_transport_pending (f->transport), ==, 64);
  first = kt_package_sent (f);
  kt_package_serve (f, 1); /* its memory is free now */
  kt_fake_clock_advance (f->clock, 0);
  g_assert_cmpuint (kt_package_sent (f), ==, first + 1);
  for (guint i = 2; i < kt_package_sent (f); i++)
    kt_package_serve (f, i);
  kt_fake_clock_advance (f->clock, 0);
  for (guint i = 0; i < 257; i++)
    kt_package_assert_result (&result[i], -1, KT_TEST_BLOCK);
  metrics = kt_metrics_format (f->metrics);
  g_assert_nonnull (strstr (metrics, "kootaskfs_package_memory_bytes 33554432\n"));
}

/* A read that waits for memory and has a part of what it reads: its own bytes are no room for it, so it is not tried
 * again before there is some. */
static void
test_no_room (KtPackageFixture *f, gconstpointer data)
{
  g_autoptr (KtPackage) package = kt_package_open (f, 206);
  g_autofree KtPackageResult *others = g_new (KtPackageResult, 255);
  KtPackageResult first, result;

  kt_package_start_read (f, package, 510 * KT_TEST_BLOCK, KT_TEST_BLOCK, &first);
  kt_package_serve (f, 1);
  kt_package_assert_result (&first, -1, KT_TEST_BLOCK);
  for (guint i = 0; i < 255; i++)
    kt_package_start_read (f, package, (gint64) (508 - 2 * i) * KT_TEST_BLOCK, KT_TEST_BLOCK, &others[i]);
  kt_package_start_read (f, package, 510 * KT_TEST_BLOCK, 2 * KT_TEST_BLOCK, &result);
  kt_fake_clock_advance (f->clock, 0); /* would never return */
  g_assert_cmpuint (result.calls, ==, 0);
  for (guint i = 2; i < kt_package_sent (f); i++) {
    kt_package_serve (f, i);
    kt_fake_clock_advance (f->clock, 0);
  }
  for (guint i = 0; i < 255; i++)
    kt_package_assert_result (&others[i], -1, KT_TEST_BLOCK);
  kt_package_assert_result (&result, -1, 2 * KT_TEST_BLOCK);
}

/* A connection that breaks is resumed where it broke, a shorter range than asked for is continued. */
static void
test_resume (KtPackageFixture *f, gconstpointer data)
{
  g_autoptr (KtPackage) package = kt_package_open (f, 206);
  KtPackageResult result;

  kt_package_start_read (f, package, 0, KT_TEST_BLOCK, &result);
  g_assert_true (kt_package_pour (f, 1, 206, 1000));
  kt_fake_transport_fail (f->transport, 1, KT_ERROR_BROKEN);
  kt_fake_clock_advance (f->clock, KT_SECOND);
  g_assert_cmpstr (kt_package_range (f, 2), ==, "bytes=1000-131071");
  g_assert_true (kt_package_pour (f, 2, 206, 500));
  kt_package_end (f, 2, 206);
  g_assert_cmpstr (kt_package_range (f, 3), ==, "bytes=1500-131071");
  kt_package_serve (f, 3);
  kt_package_assert_result (&result, -1, KT_TEST_BLOCK);
}

/* "The deadline of a package is that of each read." "A request for a package goes on as long as bytes come." */
static void
test_deadline (KtPackageFixture *f, gconstpointer data)
{
  g_autoptr (KtPackage) package = kt_package_open (f, 206);
  KtPackageResult result;

  kt_package_start_read (f, package, 0, KT_TEST_BLOCK, &result);
  kt_fake_clock_advance (f->clock, KT_TEST_DEADLINE / 2);
  g_assert_true (kt_package_pour (f, 1, 206, 1000));
  kt_fake_clock_advance (f->clock, KT_TEST_DEADLINE / 2);
  kt_package_assert_result (&result, KT_ERROR_TIMED_OUT, 0);
  g_assert_cmpuint (kt_fake_transport_cancelled (f->transport), ==, 0);
  kt_package_start_read (f, package, 0, KT_TEST_BLOCK, &result);
  g_assert_cmpuint (kt_package_sent (f), ==, 2);
  kt_fake_clock_advance (f->clock, KT_TEST_DEADLINE / 2);
  g_assert_cmpuint (kt_fake_transport_cancelled (f->transport), ==, 1);
  kt_package_assert_result (&result, KT_ERROR_TIMED_OUT, 0);
}

static gboolean
take (gpointer kernel, guint64 inode, gint64 offset, gconstpointer bytes, gsize length, GSourceFunc done, gpointer data)
{
  KtPackageFixture *f = kernel;

  g_assert_cmpuint (inode, ==, 42);
  for (gsize i = 0; i < length; i += 997)
    g_assert_cmpuint (((const guchar *) bytes)[i], ==, kt_package_byte (offset + (gint64) i));
  g_string_append_printf (f->preloaded, "%" G_GINT64_FORMAT "+%" G_GSIZE_FORMAT " ", offset / KT_TEST_BLOCK,
                          length / KT_TEST_BLOCK);
  done (data);
  return TRUE;
}

/* Most of what a sequential reader reads is preloaded, but for the blocks whose READ shows where the reader is. */
static void
test_preload (KtPackageFixture *f, gconstpointer data)
{
  g_autoptr (KtPackage) package = NULL;
  guint landed = 1, reads = 0;
  KtPackageResult result;

  f->size = 400 * KT_TEST_BLOCK;
  package = kt_package_open (f, 206);
  kt_package_set_inode (package, 42);
  kt_packages_set_preload (f->packages, take, f);
  for (gint64 index = 0; index < 400; index++) {
    g_autofree char *block = g_strdup_printf (" %" G_GINT64_FORMAT "+1 ", index);
    if (strstr (f->preloaded->str, block) != NULL) {
      g_assert_cmpint (index % 16, !=, 0);
      continue;
    }
    kt_package_start_read (f, package, index * KT_TEST_BLOCK, KT_TEST_BLOCK, &result);
    for (; landed < kt_package_sent (f); landed++)
      kt_package_serve (f, landed);
    kt_package_assert_result (&result, -1, KT_TEST_BLOCK);
    reads++;
  }
  g_assert_cmpuint (reads, <, 60);
  g_assert_true (g_str_has_suffix (f->preloaded->str, " 399+1 "));
  kt_packages_set_preload (f->packages, NULL, NULL);
}

static gboolean
refuse (gpointer kernel, guint64 inode, gint64 offset, gconstpointer bytes, gsize length, GSourceFunc done,
        gpointer data)
{
  ++*(guint *) kernel;
  return FALSE;
}

/* Where the kernel takes nothing unasked, all is read; what was not taken leaves its memory to others. */
static void
test_preload_refused (KtPackageFixture *f, gconstpointer data)
{
  g_autoptr (KtPackage) package = NULL;
  guint landed = 1, refused = 0;
  KtPackageResult result;

  f->size = 400 * KT_TEST_BLOCK;
  package = kt_package_open (f, 206);
  kt_packages_set_preload (f->packages, refuse, &refused);
  for (gint64 index = 0; index < 400; index++) {
    kt_package_start_read (f, package, index * KT_TEST_BLOCK, KT_TEST_BLOCK, &result);
    for (; landed < kt_package_sent (f); landed++)
      kt_package_serve (f, landed);
    kt_package_assert_result (&result, -1, KT_TEST_BLOCK);
  }
  g_assert_cmpuint (refused, >, 256); /* more often than there are blocks in memory */
  kt_packages_set_preload (f->packages, NULL, NULL);
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
#define TEST(path, func) g_test_add (path, KtPackageFixture, NULL, kt_package_set_up, func, kt_package_tear_down)
  TEST ("/package/random", test_random);
  TEST ("/package/sequential", test_sequential);
  TEST ("/package/slow", test_slow);
  TEST ("/package/breaks-off", test_breaks_off);
  TEST ("/package/memory", test_memory);
  TEST ("/package/no-room", test_no_room);
  TEST ("/package/resume", test_resume);
  TEST ("/package/deadline", test_deadline);
  TEST ("/package/preload", test_preload);
  TEST ("/package/preload-refused", test_preload_refused);
  return g_test_run ();
}
