/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-request.h"
#include "kt-service.h"

/* For kt-task-fetch.c and kt-list.c, on which kt-service.c stands. */

struct KtService {
  KtSource source; /* the first: a pointer to it is one to the service */
  KtHttpClient *http;
  KtClock *clock;
  KtRequests *requests;
  GHashTable *share_tokens;
  guint families;                         /* KT_FAMILY_BIT()s */
  GQueue unsent;                          /* fetches that need no request */
  guint unusable_reported[KT_N_FAMILIES]; /* items of the last list with ids that cannot be one */
};

/* The functions of the source's vtable; the source is a service. */
void kt_service_fetch (KtSource *source, KtKey *key, KtUsec deadline, KtSourceFetched fetched, gpointer data);
void kt_service_cancel (KtSource *source, KtKey *key, KtUsec deadline, KtSourceCancelled cancelled, gpointer data);

/* PAGE may be NULL: then one task is asked for. */
void kt_service_list (KtSource *source, KtFamily family, KtUsec page_timeout, KtSourcePage page, KtSourceListed listed,
                      gpointer data);

/* Ends the fetches that are UNSENT, with KT_ERROR_STOPPED. */
void kt_service_stop_unsent (KtService *service);
