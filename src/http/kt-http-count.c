/* SPDX-License-Identifier: MIT */
/* Counts exchanges by call and status, their durations and bytes, and for how long requests were held back. */
#include "kt-http-count.h"

#include "base/kt-units.h"

struct KtHttpCount {
  KtMetrics *metrics; /* NULL: nothing is counted */
  guint64 *retries;
  guint64 *bytes;
  KtUsec *held[KT_HELD_BY_SERVICE + 1];
};

static const KtUsec duration_bounds[KT_HISTOGRAM_BOUNDS] = {
  5 * KT_MS,   10 * KT_MS,  25 * KT_MS, 50 * KT_MS,     100 * KT_MS,
  250 * KT_MS, 500 * KT_MS, KT_SECOND,  2500LL * KT_MS, 10 * KT_SECOND,
};

KtHttpCount *
kt_http_count_new (KtMetrics *metrics)
{
  static const char held[] = "kootaskfs_throttled_seconds_total";
  static const char held_help[] = "Seconds that requests were held back, by cause";
  KtHttpCount *count = g_new0 (KtHttpCount, 1);

  count->metrics = metrics;
  if (metrics == NULL)
    return count;
  count->retries =
      kt_metrics_counter (metrics, "kootaskfs_request_retries_total", "Requests that were sent again", NULL, NULL);
  count->bytes = kt_metrics_counter (metrics, "kootaskfs_response_bytes_total",
                                     "Bytes of the bodies of the service's responses", NULL, NULL);
  count->held[KT_HELD_BY_LIMIT] = kt_metrics_seconds (metrics, held, held_help, "cause", "limit");
  count->held[KT_HELD_BY_SERVICE] = kt_metrics_seconds (metrics, held, held_help, "cause", "service");
  return count;
}

void
kt_http_count_free (KtHttpCount *count)
{
  g_free (count);
}

static guint64 *
exchanges (KtHttpCount *count, const char *call, const char *status)
{
  return kt_metrics_counter_of (count->metrics, "kootaskfs_requests_total",
                                "Requests to the service that have ended, retries counted too, by call and HTTP status",
                                (const KtLabel[]){ { "call", call }, { "status", status } }, 2);
}

void
kt_http_count_expect (KtHttpCount *count, const char *call)
{
  if (count->metrics != NULL)
    exchanges (count, call, "200");
}

void
kt_http_count_exchange (KtHttpCount *count, const char *call, const KtHttpResponse *response, KtUsec duration)
{
  g_autofree char *status = NULL;

  if (count->metrics == NULL)
    return;
  status = response != NULL ? g_strdup_printf ("%u", response->status) : g_strdup ("none");
  call = call != NULL ? call : "other";
  ++*exchanges (count, call, status);
  kt_histogram_observe (kt_metrics_histogram (count->metrics, "kootaskfs_request_duration_seconds",
                                              "Time from sending a request to the end of its response, by call",
                                              duration_bounds, "call", call),
                        duration);
  if (response != NULL && response->body != NULL)
    *count->bytes += g_bytes_get_size (response->body);
}

void
kt_http_count_retry (KtHttpCount *count)
{
  if (count->metrics != NULL)
    ++*count->retries;
}

void
kt_http_count_held (KtHttpCount *count, KtHeldBy by, KtUsec duration)
{
  if (count->metrics != NULL)
    *count->held[by] += duration;
}
