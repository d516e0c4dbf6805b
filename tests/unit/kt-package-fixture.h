/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-store-fixture.h"
#include "kt-fake-transport.h"
#include "package/kt-package.h"

#define KT_TEST_BLOCK    131072
#define KT_TEST_DEADLINE (10 * KT_SECOND)
#define KT_TEST_LINK     "https://host/p?sign="
#define KT_TEST_ANSWER(sign)                                                                                           \
  "{\"jobInfo\":{\"taskStatus\":2,\"downloadUrl\":\"" KT_TEST_LINK sign "\",\"endTime\":\"20240930091500\"}}"

/* Packages whose host the test plays by hand: byte N of what it has is N * 7 + N / KT_TEST_BLOCK. */
typedef struct {
  KtStoreFixture below;
  KtFakeTransport *transport;
  KtHealth *health;
  KtHttpClient *http;
  /* those of BELOW, at hand */
  KtFakeClock *clock;
  KtFakeSource *source;
  KtMetrics *metrics;
  KtStore *store;
  KtPackages *packages;
  KtKey *key;
  gint64 size;
  const char *etag;
  GString *preloaded; /* "OFFSET+LENGTH " */
  guint changes;      /* of packages, that were published */
  KtListener *listener;
} KtPackageFixture;

void kt_package_set_up (KtPackageFixture *f, gconstpointer data);
void kt_package_tear_down (KtPackageFixture *f, gconstpointer data);

/* What a find or a read has ended in. */
typedef struct {
  KtPackageFixture *f;
  guint calls; /* of the callback */
  int error;   /* -1: none */
  KtPackage *package;
  gint64 offset;
  gsize length;
} KtPackageResult;

guchar kt_package_byte (gint64 offset);

/* The version known now, or NULL. (transfer none) */
KtPackage *kt_package_peek (KtPackageFixture *f);

/* Requests ever sent, and the range the INDEXth asked for. */
guint kt_package_sent (KtPackageFixture *f);
const char *kt_package_range (KtPackageFixture *f, guint index);

/* Gives LENGTH bytes (-1: all that were asked for) to exchange INDEX, as of a range or of everything; FALSE:
 * refused. */
gboolean kt_package_pour (KtPackageFixture *f, guint index, guint status, gint64 length);
void kt_package_end (KtPackageFixture *f, guint index, guint status);

/* Both: the whole response. */
void kt_package_serve (KtPackageFixture *f, guint index);

KtPackageFind *kt_package_find (KtPackageFixture *f, KtPackageResult *result);

/* Has a package found whose host responds with STATUS. (transfer full) */
KtPackage *kt_package_open (KtPackageFixture *f, guint status);

KtPackageRead *kt_package_start_read (KtPackageFixture *f, KtPackage *package, gint64 offset, gsize size,
                                      KtPackageResult *result);
void kt_package_assert_result (const KtPackageResult *result, int error, gsize length);
