/* SPDX-License-Identifier: MIT */
/* One task: which questions its family takes, and what their answers tell together. */
#include "kt-service-private.h"

#include "base/kt-error.h"
#include "base/kt-log.h"
#include "codec/kt-decode.h"
#include "kt-paths.h"

#include <string.h>

/* Either TASK, to be referenced if kept, or ERROR is set. TRACE_ID is that of the last attempt. */
typedef void (*Found) (KtTask *task, const char *trace_id, const GError *error, gpointer data);

typedef struct {
  KtService *service;
  KtKey *key;
  KtUsec deadline;
  Found done; /* NULL once it was called */
  gpointer data;
  gboolean part; /* of the search for a task of unknown family */
  guint pending;
  KtTask *detail;
  KtTask *result;
  char *trace_id;
  GError *error;
  KtTimer *end; /* of one that is unasked */
  GList link;   /* KtService.unasked */
} Fetch;

static void
finish (Fetch *fetch, KtTask *task, const GError *error)
{
  Found done = fetch->done;

  fetch->done = NULL;
  if (done != NULL && !fetch->part && g_error_matches (error, KT_ERROR, KT_ERROR_NOT_FOUND))
    kt_service_tell (fetch->service, "task", fetch->key->task_id, fetch->trace_id, error);
  if (done != NULL)
    done (task, fetch->trace_id, error, fetch->data);
}

static void
fetch_free (Fetch *fetch)
{
  kt_key_unref (fetch->key);
  kt_task_unref (fetch->detail);
  kt_task_unref (fetch->result);
  g_clear_error (&fetch->error);
  g_free (fetch->trace_id);
  g_free (fetch);
}

/* Of several failures the one to tell: "not found" is the least, as it says that only one place does not have it. */
static void
note_error (Fetch *fetch, const GError *error)
{
  if (fetch->error != NULL && !g_error_matches (fetch->error, KT_ERROR, KT_ERROR_NOT_FOUND))
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

static void
on_only_answer (gpointer result, const char *trace_id, const GError *error, gpointer data)
{
  Fetch *fetch = data;

  note_trace_id (fetch, trace_id);
  fetch->detail = result;
  finish (fetch, fetch->detail, error);
  fetch_free (fetch);
}

/* A basic task's two calls. One of them may not know the task: a service that has only the older call, or a task that
 * has no result yet. Any other failure is one of the whole: nothing may be missing that is there. */
static void
on_basic_answer (Fetch *fetch, const char *trace_id, const GError *error)
{
  g_autoptr (KtTask) task = NULL;

  if (error != NULL)
    note_error (fetch, error);
  if (error == NULL || fetch->trace_id == NULL)
    note_trace_id (fetch, trace_id);
  if (--fetch->pending > 0)
    return;
  if ((fetch->detail != NULL || fetch->result != NULL)
      && (fetch->error == NULL || g_error_matches (fetch->error, KT_ERROR, KT_ERROR_NOT_FOUND)))
    task = kt_decode_basic (fetch->detail, fetch->result);
  finish (fetch, task, task == NULL ? fetch->error : NULL);
  fetch_free (fetch);
}

static void
on_basic_detail (gpointer result, const char *trace_id, const GError *error, gpointer data)
{
  ((Fetch *) data)->detail = result;
  on_basic_answer (data, trace_id, error);
}

static void
on_basic_result (gpointer result, const char *trace_id, const GError *error, gpointer data)
{
  ((Fetch *) data)->result = result;
  on_basic_answer (data, trace_id, error);
}

/* A task named by its id alone, asked for in every family that can be: the first that knows it is the answer. */
static void
on_candidate (KtTask *task, const char *trace_id, const GError *error, gpointer data)
{
  Fetch *fetch = data;

  note_trace_id (fetch, trace_id);
  if (task != NULL)
    finish (fetch, task, NULL);
  else
    note_error (fetch, error);
  if (--fetch->pending > 0)
    return;
  finish (fetch, NULL, fetch->error);
  fetch_free (fetch);
}

static void start (KtService *service, KtKey *key, KtUsec deadline, gboolean part, Found done, gpointer data);

static void
fetch_unknown (Fetch *fetch)
{
  static const KtFamily candidates[] = { KT_FAMILY_BASIC, KT_FAMILY_JOB };
  guint families = fetch->service->families;

  for (gsize i = 0; i < G_N_ELEMENTS (candidates); i++)
    fetch->pending += (families & KT_FAMILY_BIT (candidates[i])) != 0;
  for (gsize i = 0; i < G_N_ELEMENTS (candidates); i++) {
    g_autoptr (KtKey) key = kt_key_new (candidates[i], fetch->key->task_id);
    if ((families & KT_FAMILY_BIT (candidates[i])) != 0)
      start (fetch->service, key, fetch->deadline, TRUE, on_candidate, fetch);
  }
}

static void
unasked_end (Fetch *fetch, KtErrorCode code, const char *why)
{
  g_autoptr (GError) error = g_error_new_literal (KT_ERROR, (int) code, why);

  kt_clock_stop (fetch->service->clock, &fetch->end);
  g_queue_unlink (&fetch->service->unasked, &fetch->link);
  finish (fetch, NULL, error);
  fetch_free (fetch);
}

static void
on_unasked (gpointer data)
{
  Fetch *fetch = data;

  fetch->end = NULL;
  unasked_end (fetch, KT_ERROR_NOT_FOUND, "no task has a word of the service's own paths for an id");
}

void
kt_service_stop_unasked (KtService *service)
{
  while (!g_queue_is_empty (&service->unasked))
    unasked_end (g_queue_peek_head (&service->unasked), KT_ERROR_STOPPED, "the file system is being unmounted");
}

/* A task whose id in a path would be another call. */
static void
fetch_nothing (Fetch *fetch)
{
  KtClock *clock = fetch->service->clock;

  fetch->link.data = fetch;
  g_queue_push_tail_link (&fetch->service->unasked, &fetch->link);
  fetch->end = kt_clock_start (clock, kt_clock_monotonic (clock), on_unasked, fetch);
}

/* The body of POST share/taskDetail. */
static GBytes *
share_body (KtService *service, const KtKey *key)
{
  const char *token = service->share_tokens != NULL ? g_hash_table_lookup (service->share_tokens, key->share_id) : NULL;
  char *body = kt_encode_object ("taskId", key->task_id, "shareId", key->share_id, token != NULL ? "kdstoken" : NULL,
                                 token, NULL);
  return g_bytes_new_with_free_func (body, strlen (body), (GDestroyNotify) kt_secret_free, body);
}

static void
start (KtService *service, KtKey *key, KtUsec deadline, gboolean part, Found done, gpointer data)
{
  Fetch *fetch = g_new0 (Fetch, 1);
  /* ids need no escaping: kt_id_is_valid() */
  g_autofree char *query = g_strconcat ("?taskId=", key->task_id, NULL);
  g_autofree char *path = g_strconcat ("/", key->task_id, NULL);
  g_autoptr (GBytes) body = NULL;

  fetch->service = service;
  fetch->key = kt_key_ref (key);
  fetch->deadline = deadline;
  fetch->part = part;
  fetch->done = done;
  fetch->data = data;
  if (key->family != KT_FAMILY_SHARE && kt_path_has_word (key->task_id)) {
    fetch_nothing (fetch);
    return;
  }
  switch (key->family) {
  case KT_FAMILY_SHARE:
    body = share_body (service, key);
    kt_service_ask (service, KT_CALL_SHARE_DETAIL, key, "", body, deadline, on_only_answer, fetch);
    break;
  case KT_FAMILY_BASIC:
    fetch->pending = 2;
    kt_service_ask (service, KT_CALL_BASIC_TASK, key, path, NULL, deadline, on_basic_detail, fetch);
    kt_service_ask (service, KT_CALL_TASK_RESULT, key, query, NULL, deadline, on_basic_result, fetch);
    break;
  case KT_FAMILY_JOB:
    kt_service_ask (service, KT_CALL_JOB, key, key->task_id, NULL, deadline, on_only_answer, fetch);
    break;
  case KT_FAMILY_UNKNOWN: fetch_unknown (fetch); break;
  }
}

typedef struct {
  KtSourceFetched fetched;
  gpointer data;
} Asker;

static void
on_found (KtTask *task, const char *trace_id, const GError *error, gpointer data)
{
  g_autofree Asker *asker = data;
  const KtResponse response = { .task = task, .trace_id = trace_id };

  asker->fetched (&response, error, asker->data);
}

void
kt_service_fetch (KtService *service, KtKey *key, KtUsec deadline, KtSourceFetched fetched, gpointer data)
{
  Asker *asker = g_new (Asker, 1);

  *asker = (Asker){ fetched, data };
  start (service, key, deadline, FALSE, on_found, asker);
}

typedef struct {
  KtService *service;
  KtKey *key;
  KtSourceCancelled done;
  gpointer data;
} Cancel;

static void
on_cancelled (gpointer result, const char *trace_id, const GError *error, gpointer data)
{
  g_autofree Cancel *cancel = data;
  g_autoptr (KtKey) key = cancel->key;
  g_autoptr (GError) traced = NULL;

  if (g_error_matches (error, KT_ERROR, KT_ERROR_NOT_FOUND))
    kt_service_tell (cancel->service, "cancel", key->task_id, trace_id, error);
  if (g_error_matches (error, KT_ERROR, KT_ERROR_DECLINED))
    traced = g_error_new (KT_ERROR, KT_ERROR_DECLINED, "%s, trace id %s", error->message, trace_id);
  cancel->done (traced != NULL ? traced : error, cancel->data);
}

void
kt_service_cancel (KtService *service, KtKey *key, KtUsec deadline, KtSourceCancelled done, gpointer data)
{
  Cancel *cancel = g_new (Cancel, 1);
  char *text = kt_encode_object ("jobId", key->task_id, NULL);
  g_autoptr (GBytes) body = g_bytes_new_take (text, strlen (text));

  *cancel = (Cancel){ service, kt_key_ref (key), done, data };
  kt_service_ask (service, KT_CALL_CANCEL, key, "", body, deadline, on_cancelled, cancel);
}
