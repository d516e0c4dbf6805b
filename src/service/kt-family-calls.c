/* SPDX-License-Identifier: MIT */
/* Which requests the tasks of each family take: the endpoints, and the families, a row each. */
#include "kt-family-calls.h"

#include "base/kt-log.h"
#include "kt-paths.h"

#include <string.h>

enum { SHARE_DETAIL, TASK_RESULT, BASIC_TASK, TASK_LIST, JOB, JOBS, CANCEL, N_ENDPOINTS };

static const KtEndpoint endpoints[N_ENDPOINTS] = {
  [SHARE_DETAIL] = { "share/taskDetail", "POST", KT_PATH_SHARE_DETAIL, { .task = kt_decode_share_detail }, FALSE },
  [TASK_RESULT] = { "task/result", "GET", KT_PATH_TASK_RESULT, { .task = kt_decode_task_result }, FALSE },
  [BASIC_TASK] = { "task", "GET", KT_PATH_TASK, { .task = kt_decode_basic_task }, FALSE },
  [TASK_LIST] = { "task/list", "GET", KT_PATH_TASK_LIST, { .page = kt_decode_task_list }, FALSE },
  [JOB] = { "job", "GET", "", { .task = kt_decode_job }, FALSE },
  [JOBS] = { "jobs", "GET", KT_PATH_JOBS, { .page = kt_decode_jobs }, FALSE },
  [CANCEL] = { "cancel", "POST", KT_PATH_CANCEL, { .done = kt_decode_done }, TRUE },
};

static const KtFamilyCalls families[KT_N_FAMILIES] = {
  [KT_FAMILY_SHARE] = {
    .calls = { { &endpoints[SHARE_DETAIL], KT_ID_IN_BODY, "taskId" } },
    .n_calls = 1,
  },
  [KT_FAMILY_BASIC] = {
    .calls = { { &endpoints[BASIC_TASK], KT_ID_IN_PATH, NULL }, { &endpoints[TASK_RESULT], KT_ID_IN_QUERY, "taskId" } },
    .n_calls = 2,
    .combine = kt_decode_basic,
    .list = &endpoints[TASK_LIST],
    .paging = &kt_paging_cursor,
  },
  [KT_FAMILY_JOB] = {
    .calls = { { &endpoints[JOB], KT_ID_IN_PATH, NULL } },
    .n_calls = 1,
    .list = &endpoints[JOBS],
    .paging = &kt_paging_offset,
    .cancel = { &endpoints[CANCEL], KT_ID_IN_BODY, "jobId" },
  },
};

const KtFamilyCalls *
kt_family_calls (KtFamily family)
{
  g_assert (family < KT_N_FAMILIES);
  return &families[family];
}

const KtEndpoint *
kt_family_endpoints (guint *count)
{
  *count = N_ENDPOINTS;
  return endpoints;
}

char *
kt_task_call_rest (const KtTaskCall *call, const KtKey *key)
{
  switch (call->place) {
  case KT_ID_IN_PATH: return g_strconcat (call->endpoint->path[0] != '\0' ? "/" : "", key->task_id, NULL);
  case KT_ID_IN_QUERY: return g_strconcat ("?", call->field, "=", key->task_id, NULL);
  case KT_ID_IN_BODY: break;
  }
  return g_strdup ("");
}

GBytes *
kt_task_call_body (const KtTaskCall *call, const KtKey *key, const char *share_token)
{
  gboolean of_share = kt_family_has (key->family, KT_FACT_OF_SHARE);
  char *body;

  if (call->place != KT_ID_IN_BODY)
    return NULL;
  body = kt_encode_object (call->field, key->task_id, of_share ? "shareId" : NULL, key->share_id,
                           share_token != NULL ? "kdstoken" : NULL, share_token, NULL);
  return g_bytes_new_with_free_func (body, strlen (body), (GDestroyNotify) kt_secret_free, body);
}
