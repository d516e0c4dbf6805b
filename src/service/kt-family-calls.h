/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-endpoint.h"
#include "kt-paging.h"

/* Which requests the tasks of each family take, a row each. The facts about families that other layers need are in
 * model/kt-family.c. */

/* Where a request has the task's id. Ids need no escaping: see kt_id_is_valid(). */
typedef enum {
  KT_ID_IN_PATH,  /* the last part of the path */
  KT_ID_IN_QUERY, /* the query's only field */
  KT_ID_IN_BODY,  /* a field of the body, a JSON object; with the share's id where the family has shares */
} KtIdPlace;

/* A request about one task. */
typedef struct {
  const KtEndpoint *endpoint; /* NULL: none */
  KtIdPlace place;
  const char *field; /* the name of the query's or body's field that has the id */
} KtTaskCall;

#define KT_MOST_CALLS 2 /* that one task takes */

typedef struct {
  /* The N_CALLS requests that one task takes, sent at the same time. Each endpoint decodes to a task. */
  KtTaskCall calls[KT_MOST_CALLS];
  guint n_calls;

  /* The task of two requests' tasks, of which one may be NULL: see kt_decode_basic(). NULL for one request. */
  KtTask *(*combine) (KtTask *first, KtTask *second);

  /* The list, whose endpoint decodes to a page. NULL without KT_FACT_LISTED. */
  const KtEndpoint *list;
  const KtPaging *paging;

  /* How a task is cancelled. No endpoint without KT_FACT_CANCEL. */
  KtTaskCall cancel;
} KtFamilyCalls;

/* The row of FAMILY, which is not KT_FAMILY_UNKNOWN. Static. */
const KtFamilyCalls *kt_family_calls (KtFamily family);

/* All endpoints: the pointers above point into this array of *COUNT. Static. */
const KtEndpoint *kt_family_endpoints (guint *count);

/* What a request CALL about KEY adds to its endpoint's path, "" for nothing. (transfer full) */
char *kt_task_call_rest (const KtTaskCall *call, const KtKey *key);

/* The body of a request CALL about KEY, NULL when it has none. SHARE_TOKEN is the kdstoken of the key's share, or
 * NULL. It is wiped when it is released. (transfer full) */
GBytes *kt_task_call_body (const KtTaskCall *call, const KtKey *key, const char *share_token);
