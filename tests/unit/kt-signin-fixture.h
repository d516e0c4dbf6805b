/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-service-fixture.h"

/* The service fixture with a source of tokens that the test plays. */

#define JOB     "GET https://example.com/koodrive/ose/v1/7"
#define REFRESH "POST https://example.com/koodrive/ose/v1/session/refresh"
#define CHEAP   "GET https://example.com/koodrive/ose/v1/task/list?pageSize=1"
#define GOOD    "{\"data\":{\"jobInfo\":{\"status\":2}},\"code\":\"0\"}"
#define REFUSED "{\"code\":1,\"msg\":\"no\"}"
#define MINUTE  (60 * KT_SECOND)
#define AHEAD   "Mon, 30 Sep 2024 09:09:32 GMT" /* of a service whose clock is ten minutes behind ours */
#define NOW     "Mon, 30 Sep 2024 09:19:32 GMT"

/* For g_test_add(). The token is FIRST. */
void kt_signin_set_up (KtServiceFixture *f, gconstpointer data);
void kt_signin_tear_down (KtServiceFixture *f, gconstpointer data);

/* Makes f->options the service's. */
void kt_signin_configure (KtServiceFixture *f);

/* Asks for a task, with ten seconds or DURATION till the deadline; how it ended is counted in f. */
void kt_signin_fetch (KtServiceFixture *f);
void kt_signin_fetch_within (KtServiceFixture *f, KtUsec duration);

/* The source gives TOKEN, or when that is NULL fails with CODE. */
void kt_signin_give (KtServiceFixture *f, const char *token, KtErrorCode code);

/* Three seconds later the token, which was just read, may be read again. */
void kt_signin_later (KtServiceFixture *f);

/* Requests sent, the INDEXth one's header, its response (without a date). */
guint kt_signin_sent (KtServiceFixture *f);
const char *kt_signin_header (KtServiceFixture *f, guint index, const char *name);
void kt_signin_land (KtServiceFixture *f, guint index, guint status, const char *body);
