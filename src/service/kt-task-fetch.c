/* SPDX-License-Identifier: MIT */
/* One task: sends the requests that its family takes, puts their responses together, and cancels. */
#include "kt-service-private.h"

#include "base/kt-error.h"
#include "kt-family-calls.h"
#include "kt-paths.h"

typedef struct Fetch Fetch;

/* One of the requests that a task takes. */
typedef struct {
  Fetch *fetch;
  KtTask *task; /* of its response */
} Part;

struct Fetch {
  KtService *service;
  KtKey *key;
  KtUsec deadline;
  KtSourceFetched done; /* NULL once it was called */
  gpointer data;
  gboolean is_candidate; /* of the search for a task of unknown family */
  guint pending;
  Part parts[KT_MOST_CALLS];
  char *trace_id;
  GError *error;
  KtTimer *end; /* of one that is unsent */
  GList link;   /* KtService.unsent */
};

static void
finish (Fetch *fetch, KtTask *task, const GError *error)
{
  const KtResponse response = { .task = task, .trace_id = fetch->trace_id };
  KtSourceFetched done = fetch->done;

  fetch->done = NULL;
  if (done != NULL && !fetch->is_candidate && kt_error_is_answer (error))
    kt_requests_report (fetch->service->requests, "task", fetch->key->task_id, fetch->trace_id, error);
  if (done != NULL)
    done (&response, error, fetch->data);
}

static void
fetch_free (Fetch *fetch)
{
  kt_key_unref (fetch->key);
  for (guint i = 0; i < KT_MOST_CALLS; i++)
    kt_task_unref (fetch->parts[i].task);
  g_clear_error (&fetch->error);
  g_free (fetch->trace_id);
  g_free (fetch);
}

/* Of several errors the one to report. That there is no such task is the least: it says that one endpoint does not
 * have it. */
static void
note_error (Fetch *fetch, const GError *error)
{
  if (fetch->error != NULL && !kt_error_is_answer (fetch->error))
    return;
  g_clear_error (&fetch->error);
  fetch->error = g_error_copy (error);
}

static void
note_trace_id (Fetch *fetch, const char *trace_id)
{
  g_free (fetch->trace_id);
  fetch->trace_id = g_strdup (trace_id);
}

/* The task of the parts, or NULL. Of two parts one may not know the task: a service that has only the older
 * endpoint, or a task that has no result yet. Any other failure is one of the whole: nothing may be missing that is
 * there. (transfer full) */
static KtTask *
combined (Fetch *fetch)
{
  const KtFamilyCalls *calls = kt_family_calls (fetch->key->family);
  KtTask *first = fetch->parts[0].task, *second = fetch->parts[1].task;

  if ((first == NULL && second == NULL) || (fetch->error != NULL && !kt_error_is_answer (fetch->error)))
    return NULL;
  return calls->combine != NULL ? calls->combine (first, second) : kt_task_ref (first);
}

static void
on_part (KtDecoded *decoded, const char *trace_id, const GError *error, gpointer data)
{
  Part *part = data;
  Fetch *fetch = part->fetch;
  g_autoptr (KtTask) task = NULL;

  part->task = g_steal_pointer (&decoded->task);
  if (error != NULL)
    note_error (fetch, error);
  if (error == NULL || fetch->trace_id == NULL)
    note_trace_id (fetch, trace_id);
  if (--fetch->pending > 0)
    return;
  task = combined (fetch);
  finish (fetch, task, task == NULL ? fetch->error : NULL);
  fetch_free (fetch);
}

/* A candidate's family has ended: the first that knows the task is the response. */
static void
on_candidate (const KtResponse *response, const GError *error, gpointer data)
{
  Fetch *fetch = data;

  note_trace_id (fetch, response->trace_id);
  if (error == NULL)
    finish (fetch, response->task, NULL);
  else
    note_error (fetch, error);
  if (--fetch->pending > 0)
    return;
  finish (fetch, NULL, fetch->error);
  fetch_free (fetch);
}

static void start (KtService *service, KtKey *key, KtUsec deadline, gboolean is_candidate, KtSourceFetched done,
                   gpointer data);

/* A task named by its id alone is asked for in every family that can be. */
static void
fetch_in_families (Fetch *fetch)
{
  const guint families = fetch->service->families & kt_families_with (KT_FACT_BY_ID);

  for (KtFamily i = 0; i < KT_N_FAMILIES; i++)
    fetch->pending += (families & KT_FAMILY_BIT (i)) != 0;
  for (KtFamily i = 0; i < KT_N_FAMILIES; i++) {
    if ((families & KT_FAMILY_BIT (i)) != 0) {
      g_autoptr (KtKey) key = kt_key_new (i, fetch->key->task_id);
      start (fetch->service, key, fetch->deadline, TRUE, on_candidate, fetch);
    }
  }
}

static void
unsent_end (Fetch *fetch, KtErrorCode code, const char *why)
{
  g_autoptr (GError) error = g_error_new_literal (KT_ERROR, (int) code, why);

  kt_clock_stop (fetch->service->clock, &fetch->end);
  g_queue_unlink (&fetch->service->unsent, &fetch->link);
  finish (fetch, NULL, error);
  fetch_free (fetch);
}

static void
on_unsent (gpointer data)
{
  Fetch *fetch = data;

  fetch->end = NULL;
  unsent_end (fetch, KT_ERROR_NOT_FOUND, "no task has a word of the service's own paths for an id");
}

void
kt_service_stop_unsent (KtService *service)
{
  while (!g_queue_is_empty (&service->unsent))
    unsent_end (g_queue_peek_head (&service->unsent), KT_ERROR_STOPPED, "the file system is being unmounted");
}

/* A task whose id in a path would be another endpoint: nothing is sent. */
static void
fetch_nothing (Fetch *fetch)
{
  KtClock *clock = fetch->service->clock;

  fetch->link.data = fetch;
  g_queue_push_tail_link (&fetch->service->unsent, &fetch->link);
  fetch->end = kt_clock_start (clock, kt_clock_monotonic (clock), on_unsent, fetch);
}

static void
send (KtService *service, const KtTaskCall *call, KtKey *key, KtUsec deadline, KtRequestDone done, gpointer data)
{
  const char *token = service->share_tokens != NULL ? g_hash_table_lookup (service->share_tokens, key->share_id) : NULL;
  g_autofree char *rest = kt_task_call_rest (call, key);
  g_autoptr (GBytes) body = kt_task_call_body (call, key, token);

  kt_request_send (service->requests, call->endpoint, key, rest, body, deadline, done, data);
}

static void
fetch_in_family (Fetch *fetch)
{
  const KtFamilyCalls *calls = kt_family_calls (fetch->key->family);

  fetch->pending = calls->n_calls;
  for (guint i = 0; i < calls->n_calls; i++) {
    fetch->parts[i].fetch = fetch;
    send (fetch->service, &calls->calls[i], fetch->key, fetch->deadline, on_part, &fetch->parts[i]);
  }
}

static void
start (KtService *service, KtKey *key, KtUsec deadline, gboolean is_candidate, KtSourceFetched done, gpointer data)
{
  Fetch *fetch = g_new0 (Fetch, 1);

  fetch->service = service;
  fetch->key = kt_key_ref (key);
  fetch->deadline = deadline;
  fetch->is_candidate = is_candidate;
  fetch->done = done;
  fetch->data = data;
  if (!kt_family_has (key->family, KT_FACT_OF_SHARE) && kt_path_has_word (key->task_id))
    fetch_nothing (fetch);
  else if (kt_family_has (key->family, KT_FACT_ANY))
    fetch_in_family (fetch);
  else
    fetch_in_families (fetch);
}

void
kt_service_fetch (KtSource *source, KtKey *key, KtUsec deadline, KtSourceFetched fetched, gpointer data)
{
  start ((KtService *) source, key, deadline, FALSE, fetched, data);
}

typedef struct {
  KtService *service;
  KtKey *key;
  KtSourceCancelled done;
  gpointer data;
} Cancel;

static void
on_cancelled (KtDecoded *decoded, const char *trace_id, const GError *error, gpointer data)
{
  g_autofree Cancel *cancel = data;
  g_autoptr (KtKey) key = cancel->key;
  g_autoptr (GError) traced = NULL;

  if (kt_error_is_answer (error))
    kt_requests_report (cancel->service->requests, "cancel", key->task_id, trace_id, error);
  if (g_error_matches (error, KT_ERROR, KT_ERROR_DECLINED))
    traced = g_error_new (KT_ERROR, KT_ERROR_DECLINED, "%s, trace id %s", error->message, trace_id);
  cancel->done (traced != NULL ? traced : error, cancel->data);
}

void
kt_service_cancel (KtSource *source, KtKey *key, KtUsec deadline, KtSourceCancelled done, gpointer data)
{
  KtService *service = (KtService *) source;
  Cancel *cancel = g_new (Cancel, 1);

  *cancel = (Cancel){ service, kt_key_ref (key), done, data };
  send (service, &kt_family_calls (key->family)->cancel, key, deadline, on_cancelled, cancel);
}
