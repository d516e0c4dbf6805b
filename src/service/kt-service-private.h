/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-request.h"
#include "kt-service.h"

/* For kt-task-fetch.c and kt-list.c, on which kt-service.c stands. */

struct KtService {
  KtSource source;
  KtClock *clock;
  KtRequests *requests;
  GHashTable *share_tokens;
  guint families;                         /* KT_FAMILY_BIT()s */
  GQueue unsent;                          /* fetches that need no request */
  guint unusable_reported[KT_N_FAMILIES]; /* items of the last list with ids that cannot be one */
};

/* The calls of the source. */
void kt_service_fetch (KtService *service, KtKey *key, KtUsec deadline, KtSourceFetched fetched, gpointer data);
void kt_service_cancel (KtService *service, KtKey *key, KtUsec deadline, KtSourceCancelled cancelled, gpointer data);

/* PAGE may be NULL: then one task is asked for. */
void kt_service_list (KtService *service, KtFamily family, KtUsec page_timeout, KtSourcePage page,
                      KtSourceListed listed, gpointer data);

/* Ends the fetches that are UNSENT, with KT_ERROR_STOPPED. */
void kt_service_stop_unsent (KtService *service);
