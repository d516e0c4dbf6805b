/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-fake-source.h"
#include "kt-test.h"
#include "store/kt-watch.h"

#include "base/kt-units.h"

/* A store, with all that belongs to it, whose source and clock the test drives by hand. */
typedef struct {
  KtFakeClock *clock;
  KtFakeSource *source;
  KtMetrics *metrics;
  KtChanges *changes;
  KtStorePolicy policy;
  KtStore *store;
  KtCatalog *catalog;
  KtListsPolicy lists_policy; /* all families, ttl 30 s, negative-ttl 3 s, page-timeout 10 s */
  KtLists *lists;
  KtPollingPolicy polling_policy; /* ttl 5 s, deadline 10 s, concurrency 4 */
  KtWatch *watch;
  KtKey *key; /* task 7 of share S */
  GString
      *log; /* what the change feed brought, "ID:CODE " of a request (-1: it went well), "+ID " listed, "!ID " listed
                 * and superseded, "-ID " gone, "~ID " evicted, "?ID " outdated, "@ID " of a package */
  KtListener *listener;
} KtStoreFixture;

/* Ttl 5 s, ended-ttl forever, negative-ttl 3 s, max-stale 60 s, memory 1 MiB. */
extern const KtStorePolicy kt_store_policy;

/* As g_test_add() takes them: POLICY is a KtStorePolicy, NULL: kt_store_policy. No request may be left at the end. */
void kt_store_set_up (KtStoreFixture *f, gconstpointer policy);
void kt_store_tear_down (KtStoreFixture *f, gconstpointer policy);
#define KT_STORE_TEST(path, func) g_test_add (path, KtStoreFixture, NULL, kt_store_set_up, func, kt_store_tear_down)

/* When requests that the test makes are to have ended. */
KtUsec kt_store_deadline (KtStoreFixture *f);

/* The log since the last call. */
void kt_store_assert_log (KtStoreFixture *f, const char *expected);
