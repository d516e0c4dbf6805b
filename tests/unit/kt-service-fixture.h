/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-fake-clock.h"
#include "kt-fake-transport.h"
#include "service/kt-service.h"

/* A service on a fake transport, and what its source's operations ended in. */

typedef struct {
  KtFakeClock *clock;
  KtFakeTransport *transport;
  KtMetrics *metrics;
  KtHealth *health;
  KtHttpClient *http; /* a test may free it, and clear this */
  GTimeZone *zone;
  KtServiceOptions options; /* for kt_service_set_options() */
  KtService *service;

  /* by kt_service_fixture_fetched() and _ended(); of the last one but for the counts */
  guint done;
  guint good; /* with a task */
  guint refused;
  int error; /* -1: none */
  GError *failure;
  KtFamily family;
  char *status;
  char *trace_id;

  /* by kt_service_fixture_page() */
  guint listed; /* tasks */
  GString *ids; /* "ID ", and "| " after each page */

  /* of the token's source: see kt-signin-fixture.h */
  guint reads;
  KtTokenDone read_done;
  gpointer read_data;
} KtServiceFixture;

/* For g_test_add(): the endpoint is https://example.com/, the token TOKEN, all families are chosen. */
void kt_service_fixture_set_up (KtServiceFixture *f, gconstpointer data);
void kt_service_fixture_tear_down (KtServiceFixture *f, gconstpointer data);

/* Callbacks of the source, whose DATA is the fixture. */
void kt_service_fixture_fetched (const KtResponse *response, const GError *error, gpointer data);
void kt_service_fixture_page (GPtrArray *tasks, KtUsec age, gpointer data);
void kt_service_fixture_ended (const GError *error, gpointer data);

/* Fetches the task of KEY (transfer full), with ten seconds or WITHIN till the deadline. */
void kt_service_fixture_fetch (KtServiceFixture *f, KtKey *key);
void kt_service_fixture_fetch_within (KtServiceFixture *f, KtKey *key, KtUsec within);
