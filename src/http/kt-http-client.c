/* SPDX-License-Identifier: MIT */
#include "kt-http-client.h"

#include "base/kt-error.h"
#include "base/kt-log.h"
#include "base/kt-units.h"
#include "kt-retry.h"

/* A job is in one of three places: in line (link), with the transport (exchange), or waiting for its next attempt
 * (retry). Its deadline runs through all of them. */
typedef struct {
  KtHttpClient *client;
  KtHttpRequest request;
  KtHttpPrepare prepare;
  KtHttpDone done;
  gpointer data;
  KtHttpSink sink; /* of a link, else NULL */
  KtUsec deadline;
  KtUsec stall_timeout; /* each piece for SINK puts the deadline off to so much later */
  guint attempts;
  GList link; /* KtHttpClient.line */
  GList all;  /* KtHttpClient.jobs */
  gboolean in_line;
  KtExchange *exchange;
  KtTimer *retry;
  KtTimer *expiry;
} Job;

struct KtHttpClient {
  KtClock *clock;
  KtTransport *transport;
  KtHttpLimits limits;
  GQueue jobs;
  GQueue line;
  guint active;
  KtUsec next_start_at; /* rate: no request before this time */
  KtTimer *rate_timer;
  guint64 *attempts;
  guint64 *retries;
  guint64 uncounted;
};

static void pump (KtHttpClient *client);
static void on_exchange (const KtHttpResponse *response, const GError *error, gpointer data);

static void
job_leave (Job *job)
{
  KtHttpClient *client = job->client;

  kt_clock_stop (client->clock, &job->retry);
  if (job->in_line)
    g_queue_unlink (&client->line, &job->link);
  job->in_line = FALSE;
  if (job->exchange != NULL) {
    client->transport->cancel (client->transport, g_steal_pointer (&job->exchange));
    client->active--;
  }
}

/* The one end of a job. */
static void
job_finish (Job *job, const KtHttpResponse *response, const GError *error)
{
  KtHttpClient *client = job->client;

  job_leave (job);
  kt_clock_stop (client->clock, &job->expiry);
  g_queue_unlink (&client->jobs, &job->all);
  job->done (response, error, job->data);
  kt_secret_free (job->request.url);
  g_clear_pointer (&job->request.body, g_bytes_unref);
  g_ptr_array_unref (job->request.headers);
  g_free (job);
}

static void
on_expiry (gpointer data)
{
  Job *job = data;
  KtHttpClient *client = job->client;
  g_autoptr (GError) error = g_error_new (KT_ERROR, KT_ERROR_TIMED_OUT, "no answer before the deadline (%s)",
                                          job->in_line            ? "still waiting in line"
                                          : job->exchange != NULL ? "asked"
                                                                  : "between two attempts");

  job->expiry = NULL;
  if (kt_clock_monotonic (client->clock) < job->deadline) { /* it was put off */
    job->expiry = kt_clock_start (client->clock, job->deadline, on_expiry, job);
    return;
  }
  job_finish (job, NULL, error);
  pump (client);
}

static void
job_queue (Job *job)
{
  job->in_line = TRUE;
  g_queue_push_tail_link (&job->client->line, &job->link);
  pump (job->client);
}

static void
on_retry (gpointer data)
{
  Job *job = data;

  job->retry = NULL;
  job_queue (job);
}

static void
on_exchange (const KtHttpResponse *response, const GError *error, gpointer data)
{
  Job *job = data;
  KtHttpClient *client = job->client;
  KtUsec now = kt_clock_monotonic (client->clock);
  KtAttempt attempt = {
    .attempt = job->attempts,
    .status = response != NULL ? response->status : 0,
    .error = error,
    .retry_after = response != NULL ? response->headers[KT_HEADER_RETRY_AFTER] : NULL,
    .now_wall = kt_clock_wall (client->clock),
    .now = now,
    .deadline = job->deadline,
    .jitter = g_random_double (),
  };
  KtUsec delay = job->request.once ? KT_RETRY_NO : kt_retry_delay (&attempt);

  if (delay != KT_RETRY_NO && response != NULL && job->request.is_final != NULL && job->request.is_final (response))
    delay = KT_RETRY_NO;
  job->exchange = NULL;
  client->active--;
  if (delay == KT_RETRY_NO) {
    job_finish (job, response, error);
  } else {
    ++*client->retries;
    job->retry = kt_clock_start (client->clock, now + delay, on_retry, job);
  }
  pump (client);
}

static gboolean
on_piece (const KtHttpResponse *head, gconstpointer bytes, gsize length, gpointer data)
{
  Job *job = data;

  job->deadline = kt_time_add (kt_clock_monotonic (job->client->clock), job->stall_timeout);
  return job->sink (head, bytes, length, job->data);
}

static void
job_start (Job *job)
{
  KtHttpClient *client = job->client;

  job->in_line = FALSE;
  job->attempts++;
  client->active++;
  ++*client->attempts;
  g_ptr_array_set_size (job->request.headers, 0);
  job->prepare (&job->request, job->data);
  job->exchange = client->transport->send (client->transport, &job->request, on_exchange, job);
}

static void
on_rate (gpointer data)
{
  KtHttpClient *client = data;

  client->rate_timer = NULL;
  pump (client);
}

/* Starts what may start. */
static void
pump (KtHttpClient *client)
{
  while (client->active < client->limits.concurrency && !g_queue_is_empty (&client->line)) {
    if (client->limits.rate > 0) {
      KtUsec now = kt_clock_monotonic (client->clock);
      if (now < client->next_start_at) {
        if (client->rate_timer == NULL)
          client->rate_timer = kt_clock_start (client->clock, client->next_start_at, on_rate, client);
        return;
      }
      client->next_start_at = MAX (now, client->next_start_at) + KT_SECOND / client->limits.rate;
    }
    job_start (g_queue_pop_head_link (&client->line)->data);
  }
}

static Job *
job_new (KtHttpClient *client, const char *method, const char *url, KtUsec deadline, KtHttpPrepare prepare,
         KtHttpDone done, gpointer data)
{
  Job *job = g_new0 (Job, 1);

  job->client = client;
  job->request.method = method;
  job->request.url = g_strdup (url);
  job->request.headers = g_ptr_array_new_with_free_func ((GDestroyNotify) kt_secret_free);
  job->request.max_response = client->limits.max_response;
  job->prepare = prepare;
  job->done = done;
  job->data = data;
  job->deadline = deadline;
  job->link.data = job;
  job->all.data = job;
  g_queue_push_tail_link (&client->jobs, &job->all);
  job->expiry = kt_clock_start (client->clock, deadline, on_expiry, job);
  return job;
}

void
kt_http_client_send (KtHttpClient *client, const char *method, const char *url, GBytes *body, KtUsec deadline,
                     KtHttpPrepare prepare, KtHttpDone done, gpointer data)
{
  Job *job = job_new (client, method, url, deadline, prepare, done, data);

  job->request.body = body != NULL ? g_bytes_ref (body) : NULL;
  job_queue (job);
}

void
kt_http_client_stream (KtHttpClient *client, const char *url, KtUsec stall_timeout, KtHttpPrepare prepare,
                       KtHttpSink sink, KtHttpDone done, gpointer data)
{
  KtUsec deadline = kt_time_add (kt_clock_monotonic (client->clock), stall_timeout);
  Job *job = job_new (client, "GET", url, deadline, prepare, done, data);

  job->sink = sink;
  job->stall_timeout = stall_timeout;
  job->request.sink = on_piece;
  job->request.sink_data = job;
  job->request.is_link = TRUE;
  job_queue (job);
}

KtHttpClient *
kt_http_client_new (KtClock *clock, KtTransport *transport, const KtHttpLimits *limits, KtMetrics *metrics)
{
  KtHttpClient *client = g_new0 (KtHttpClient, 1);

  client->clock = clock;
  client->transport = transport;
  client->limits = *limits;
  g_queue_init (&client->jobs);
  g_queue_init (&client->line);
  client->attempts = client->retries = &client->uncounted;
  if (metrics == NULL)
    return client;
  client->attempts = kt_metrics_counter (metrics, "kootaskfs_http_requests",
                                         "HTTP requests sent to the service, retries included", NULL, NULL);
  client->retries = kt_metrics_counter (metrics, "kootaskfs_http_retries", "HTTP requests sent again", NULL, NULL);
  return client;
}

void
kt_http_client_set_limits (KtHttpClient *client, const KtHttpLimits *limits)
{
  client->limits = *limits;
  pump (client);
}

void
kt_http_client_free (KtHttpClient *client)
{
  g_autoptr (GError) error = g_error_new_literal (KT_ERROR, KT_ERROR_STOPPED, "the file system is being unmounted");

  if (client == NULL)
    return;
  while (!g_queue_is_empty (&client->jobs))
    job_finish (g_queue_peek_head (&client->jobs), NULL, error);
  kt_clock_stop (client->clock, &client->rate_timer);
  client->transport->free (client->transport);
  g_free (client);
}
