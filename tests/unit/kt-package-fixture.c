/* SPDX-License-Identifier: MIT */
/* Packages on fakes, whose host the test plays by hand. */
#include "kt-package-fixture.h"

#include <stdio.h>
#include <string.h>

guchar
kt_package_byte (gint64 offset)
{
  return (guchar) (offset * 7 + offset / KT_TEST_BLOCK);
}

static void
on_changes (const KtChange *changes, guint n, gpointer data)
{
  for (guint i = 0; i < n; i++)
    ((KtPackageFixture *) data)->changes += changes[i].kind == KT_CHANGE_PACKAGE;
}

void
kt_package_set_up (KtPackageFixture *f, gconstpointer data)
{
  static const KtHttpLimits limits = { .concurrency = 64 };
  static const KtStorePolicy policy = { .ttl = 5 * KT_SECOND, .ended_ttl = KT_TIME_NEVER, .memory = 1 << 20 };

  kt_store_set_up (&f->below, &policy);
  f->clock = f->below.clock;
  f->source = f->below.source;
  f->metrics = f->below.metrics;
  f->store = f->below.store;
  f->transport = kt_fake_transport_new ();
  f->health = kt_health_new ();
  f->http = kt_http_client_new (kt_fake_clock (f->clock), kt_fake_transport (f->transport), &limits, NULL);
  f->packages = kt_packages_new (f->http, f->store, kt_fake_clock (f->clock), f->below.changes, f->health, f->metrics,
                                 g_get_tmp_dir ());
  f->key = kt_key_new_share ("share", "7");
  f->size = 64 << 20;
  f->etag = "\"one\"";
  f->preloaded = g_string_new (" ");
  f->listener = kt_changes_listen (f->below.changes, on_changes, f);
  kt_store_prefetch (f->store, f->key, KT_TIME_NEVER);
  kt_fake_source_land (f->source, KT_TEST_ANSWER ("1"));
}

void
kt_package_tear_down (KtPackageFixture *f, gconstpointer data)
{
  kt_http_client_free (f->http);
  kt_packages_free (f->packages);
  kt_fake_transport_unref (f->transport);
  kt_key_unref (f->key);
  kt_changes_unlisten (f->below.changes, &f->listener);
  kt_store_tear_down (&f->below, NULL);
  kt_health_free (f->health);
  g_string_free (f->preloaded, TRUE);
  kt_test_warnings ();
}

KtPackage *
kt_package_peek (KtPackageFixture *f)
{
  KtSnapshot snapshot;
  return kt_store_peek (f->store, f->key, KT_STORE_FRESH, &snapshot) ? kt_packages_peek (f->packages, &snapshot) : NULL;
}

static void
found (const GError *error, gpointer data)
{
  KtPackageResult *result = data;

  result->calls++;
  if (error != NULL) {
    result->error = error->code;
    g_assert_null (strstr (error->message, "sign"));
  } else {
    result->package = kt_package_ref (kt_package_peek (result->f));
  }
}

static void
bytes (const struct iovec *parts, int n, const GError *error, gpointer data)
{
  KtPackageResult *result = data;

  result->calls++;
  result->error = error != NULL ? error->code : -1;
  for (int i = 0; i < n; i++)
    for (gsize at = 0; at < parts[i].iov_len; at++, result->length++)
      g_assert_cmpuint (((guchar *) parts[i].iov_base)[at], ==,
                        kt_package_byte (result->offset + (gint64) result->length));
}

guint
kt_package_sent (KtPackageFixture *f)
{
  return kt_fake_transport_sent (f->transport);
}

const char *
kt_package_range (KtPackageFixture *f, guint index)
{
  return kt_fake_transport_header (f->transport, index, "Range");
}

/* Gives LENGTH bytes (-1: all that were asked for) to exchange INDEX, as of a range or of everything; FALSE:
 * refused. */
gboolean
kt_package_pour (KtPackageFixture *f, guint index, guint status, gint64 length)
{
  g_autofree char *content_range = NULL, *content_length = g_strdup_printf ("%" G_GINT64_FORMAT, f->size);
  KtHttpResponse head = { .status = status, .headers[KT_HEADER_ETAG] = (char *) f->etag };
  gint64 first = 0, last = f->size - 1;
  g_autofree guchar *data = NULL;

  if (status == 206) {
    g_assert_cmpint (
        sscanf (kt_package_range (f, index), "bytes=%" G_GINT64_FORMAT "-%" G_GINT64_FORMAT, &first, &last), ==, 2);
    content_range =
        g_strdup_printf ("bytes %" G_GINT64_FORMAT "-%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT, first, last, f->size);
    head.headers[KT_HEADER_CONTENT_RANGE] = content_range;
  } else {
    head.headers[KT_HEADER_CONTENT_LENGTH] = content_length;
  }
  length = length < 0 ? last + 1 - first : length;
  data = g_malloc ((gsize) length);
  for (gint64 i = 0; i < length; i++)
    data[i] = kt_package_byte (first + i);
  return kt_fake_transport_piece (f->transport, index, &head, data, (gsize) length);
}

void
kt_package_end (KtPackageFixture *f, guint index, guint status)
{
  g_autofree char *length = g_strdup_printf ("%" G_GINT64_FORMAT, f->size);
  g_autofree char *content_range = g_strdup_printf ("bytes 0-0/%" G_GINT64_FORMAT, f->size);
  KtHttpResponse response = { .status = status, .headers[KT_HEADER_ETAG] = (char *) f->etag };

  response.headers[KT_HEADER_CONTENT_LENGTH] = length;
  if (status == 206)
    response.headers[KT_HEADER_CONTENT_RANGE] = content_range;
  kt_fake_transport_answer (f->transport, index, &response);
}

void
kt_package_serve (KtPackageFixture *f, guint index)
{
  g_assert_true (kt_package_pour (f, index, 206, -1));
  kt_package_end (f, index, 206);
}

KtPackageFind *
kt_package_find (KtPackageFixture *f, KtPackageResult *result)
{
  *result = (KtPackageResult){ .f = f, .error = -1 };
  return kt_packages_find (f->packages, f->key, kt_fake_clock_now (f->clock) + KT_TEST_DEADLINE, found, result);
}

KtPackage *
kt_package_open (KtPackageFixture *f, guint status)
{
  KtPackageResult result;

  kt_package_find (f, &result);
  g_assert_true (kt_package_pour (f, kt_package_sent (f) - 1, status, 1) == (status == 206));
  kt_package_end (f, kt_package_sent (f) - 1, status);
  g_assert_cmpuint (result.calls, ==, 1);
  g_assert_nonnull (result.package);
  return result.package;
}

KtPackageRead *
kt_package_start_read (KtPackageFixture *f, KtPackage *package, gint64 offset, gsize size, KtPackageResult *result)
{
  KtPackageRead *read;

  *result = (KtPackageResult){ .f = f, .error = -1, .offset = offset };
  read = kt_package_read (package, offset, size, kt_fake_clock_now (f->clock) + KT_TEST_DEADLINE, bytes, result);
  g_assert_true ((read == NULL) == (result->calls == 1));
  return read;
}

void
kt_package_assert_result (const KtPackageResult *result, int error, gsize length)
{
  g_assert_cmpuint (result->calls, ==, 1);
  g_assert_cmpint (result->error, ==, error);
  g_assert_cmpuint (result->length, ==, length);
}
