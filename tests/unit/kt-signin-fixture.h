/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-fake-clock.h"
#include "kt-fake-transport.h"
#include "service/kt-service.h"

/* A service on a fake transport, with a source of tokens that the test answers for. */

#define JOB     "GET https://example.com/koodrive/ose/v1/7"
#define REFRESH "POST https://example.com/koodrive/ose/v1/session/refresh"
#define CHEAP   "GET https://example.com/koodrive/ose/v1/task/list?pageSize=1"
#define GOOD    "{\"data\":{\"jobInfo\":{\"status\":2}},\"code\":\"0\"}"
#define REFUSED "{\"code\":1,\"msg\":\"no\"}"
#define MINUTE  (60 * KT_SECOND)
#define AHEAD   "Mon, 30 Sep 2024 09:09:32 GMT" /* of a service whose clock is ten minutes behind ours */
#define NOW     "Mon, 30 Sep 2024 09:19:32 GMT"

typedef struct {
  KtFakeClock *clock;
  KtFakeTransport *transport;
  KtMetrics *metrics;
  KtHealth *health;
  KtHttpClient *http;
  GTimeZone *zone;
  KtServiceOptions options;
  KtService *service;
  guint good; /* how fetches ended */
  guint refused;
  /* the token's source */
  guint reads;
  KtTokenDone read_done; /* of a read that has not ended */
  gpointer read_data;
} KtSignin;

/* For g_test_add(). The token is FIRST. */
void kt_signin_set_up (KtSignin *f, gconstpointer data);
void kt_signin_tear_down (KtSignin *f, gconstpointer data);

/* Makes f->options the service's. */
void kt_signin_configure (KtSignin *f);

/* Asks for a task, with ten seconds or DURATION till the deadline; how it ended is counted in f. */
void kt_signin_fetch (KtSignin *f);
void kt_signin_fetch_within (KtSignin *f, KtUsec duration);

/* The source gives TOKEN, or when that is NULL fails with CODE. */
void kt_signin_give (KtSignin *f, const char *token, KtErrorCode code);

/* Three seconds later the token, which was just read, may be read again. */
void kt_signin_later (KtSignin *f);

/* Requests sent, the INDEXth one's header, its answer (without a date). */
guint kt_signin_sent (KtSignin *f);
const char *kt_signin_header (KtSignin *f, guint index, const char *name);
void kt_signin_land (KtSignin *f, guint index, guint status, const char *body);
