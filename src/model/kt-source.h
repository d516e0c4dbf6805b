/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-task.h"

/* Where tasks come from: a vtable, like KtClock. The service is a source (kt_service_source()). A cache that other
 * hosts or a restart share is one too: it decorates another source, which it asks for what it does not have. Tests have
 * a fake.
 *
 * Each function below calls its callback from the main loop, never before it returns. When a source is stopped, what
 * is under way ends with KT_ERROR_STOPPED. Times are microseconds. */
typedef struct KtSource KtSource;

/* One response about one task. It is valid during the callback; TASK may be referenced. */
typedef struct {
  KtTask *task;         /* NULL when there was an error */
  const char *trace_id; /* of the last attempt, NULL: there was none */
  KtUsec age;           /* how long ago it was current: 0 when the service has just been asked */
} KtResponse;

/* ERROR is NULL when RESPONSE has a task. */
typedef void (*KtSourceFetched) (const KtResponse *response, const GError *error, gpointer data);

/* A page of a list: TASKS (KtTask, each from_list), as they were AGE ago. */
typedef void (*KtSourcePage) (GPtrArray *tasks, KtUsec age, gpointer data);

/* The list is complete, or ended in ERROR; the pages before that are right as far as they go. */
typedef void (*KtSourceListed) (const GError *error, gpointer data);

/* ERROR is NULL when the cancel was accepted. */
typedef void (*KtSourceCancelled) (const GError *error, gpointer data);

struct KtSource {
  /* Asks for one task. The response to a KEY of KT_FAMILY_UNKNOWN has a task whose key names its family. FETCHED is
   * called exactly once, by DEADLINE (monotonic), or when a large response that came before it has been decoded. */
  void (*fetch) (KtSource *source, KtKey *key, KtUsec deadline, KtSourceFetched fetched, gpointer data);

  /* Asks for the list of FAMILY, which has KT_FACT_LISTED, page after page, each within PAGE_TIMEOUT. LISTED is called
   * exactly once, after the last PAGE. */
  void (*list) (KtSource *source, KtFamily family, KtUsec page_timeout, KtSourcePage page, KtSourceListed listed,
                gpointer data);

  /* Cancels a task whose family has KT_FACT_CANCEL. CANCELLED is called exactly once, as FETCHED is.
   * KT_ERROR_DECLINED: the service does not cancel it; the caller, who may know why, reports that. */
  void (*cancel) (KtSource *source, KtKey *key, KtUsec deadline, KtSourceCancelled cancelled, gpointer data);

  /* Until when (monotonic) it asks not to be asked by those who need not, as polls; 0 for none. */
  KtUsec (*ready_at) (KtSource *source);
};

static inline void
kt_source_fetch (KtSource *source, KtKey *key, KtUsec deadline, KtSourceFetched fetched, gpointer data)
{
  source->fetch (source, key, deadline, fetched, data);
}

static inline void
kt_source_list (KtSource *source, KtFamily family, KtUsec page_timeout, KtSourcePage page, KtSourceListed listed,
                gpointer data)
{
  source->list (source, family, page_timeout, page, listed, data);
}

static inline void
kt_source_cancel (KtSource *source, KtKey *key, KtUsec deadline, KtSourceCancelled cancelled, gpointer data)
{
  source->cancel (source, key, deadline, cancelled, data);
}

static inline KtUsec
kt_source_ready_at (KtSource *source)
{
  return source->ready_at (source);
}
