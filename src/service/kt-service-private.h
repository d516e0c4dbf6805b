/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-auth.h"
#include "codec/kt-decoder.h"
#include "kt-service.h"

/* The calls of the service (docs/architecture.md); kt-service.c has their table. */
typedef enum {
  KT_CALL_SHARE_DETAIL,
  KT_CALL_TASK_RESULT,
  KT_CALL_BASIC_TASK,
  KT_CALL_TASK_LIST,
  KT_CALL_JOB,
  KT_CALL_JOBS,
  KT_CALL_CANCEL,
  KT_N_CALLS,
} KtEndpoint;

struct KtService {
  KtSource source;
  KtHttpClient *http;
  KtClock *clock;
  KtHealth *health;
  KtAuth *auth;
  KtDecoder *decoder;
  guint64 *counters[KT_N_CALLS];
  guint64 *failures;
  char *endpoint;
  GTimeZone *zone;
  GHashTable *share_tokens;
  guint families;                     /* KT_FAMILY_BIT()s */
  GQueue unasked;                     /* fetches of what no question needs to be put for */
  guint unusable_told[KT_N_FAMILIES]; /* items of the last list with ids that cannot be one */
};

/* As logs and metrics have it. */
const char *kt_endpoint_name (KtEndpoint call);

/* Either RESULT is set, what the call's decoder made (transfer full), or ERROR. TRACE_ID is that of the last attempt.
 * */
typedef void (*KtAskDone) (gpointer result, const char *trace_id, const GError *error, gpointer data);

/* Puts one question about KEY: REST comes after the call's path, BODY may be NULL. DONE is called exactly once, not
 * before this returns. Failures are logged and kept in the health, once, here; but not KT_ERROR_NOT_FOUND and
 * KT_ERROR_DECLINED, which may be none: who asked tells of them. */
void kt_service_ask (KtService *service, KtEndpoint call, KtKey *key, const char *rest, GBytes *body, KtUsec deadline,
                     KtAskDone done, gpointer data);

/* Ends the fetches that are UNASKED, with KT_ERROR_STOPPED. */
void kt_service_stop_unasked (KtService *service);

/* The calls of the source. */
void kt_service_fetch (KtService *service, KtKey *key, KtUsec deadline, KtSourceFetched fetched, gpointer data);
void kt_service_list (KtService *service, KtFamily family, KtUsec page_timeout, KtSourcePage page,
                      KtSourceListed listed, gpointer data);
void kt_service_cancel (KtService *service, KtKey *key, KtUsec deadline, KtSourceCancelled cancelled, gpointer data);

/* A failure of WHAT about ID ("": none): logs it and keeps it in the health. */
void kt_service_tell (KtService *service, const char *what, const char *id, const char *trace_id, const GError *error);
