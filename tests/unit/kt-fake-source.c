/* SPDX-License-Identifier: MIT */
#include "kt-fake-source.h"

#include "service/kt-decode.h"

#include <string.h>

typedef struct {
  KtKey *key;
  gint64 deadline;
  KtStoreFetchDone done;
  gpointer data;
} Request;

struct KtFakeSource {
  GQueue requests; /* Request */
  guint asked;
  guint landed;
};

KtFakeSource *
kt_fake_source_new (void)
{
  KtFakeSource *source = g_new0 (KtFakeSource, 1);
  g_queue_init (&source->requests);
  return source;
}

void
kt_fake_source_free (KtFakeSource *source)
{
  g_assert_cmpuint (kt_fake_source_pending (source), ==, 0);
  g_free (source);
}

void
kt_fake_source_fetch (gpointer data, KtKey *key, gint64 deadline, KtStoreFetchDone done, gpointer done_data)
{
  KtFakeSource *source = data;
  Request *request = g_new (Request, 1);

  *request = (Request){ kt_key_ref (key), deadline, done, done_data };
  g_queue_push_tail (&source->requests, request);
  source->asked++;
}

guint
kt_fake_source_asked (const KtFakeSource *source)
{
  return source->asked;
}

guint
kt_fake_source_pending (const KtFakeSource *source)
{
  return source->requests.length;
}

const KtKey *
kt_fake_source_key (const KtFakeSource *source)
{
  g_assert_cmpuint (source->requests.length, >, 0);
  return ((Request *) source->requests.head->data)->key;
}

gint64
kt_fake_source_deadline (const KtFakeSource *source)
{
  g_assert_cmpuint (source->requests.length, >, 0);
  return ((Request *) source->requests.head->data)->deadline;
}

static void
finish (KtFakeSource *source, const char *json, GError *error)
{
  Request *request = g_queue_pop_head (&source->requests);
  g_autofree char *trace_id = g_strdup_printf ("trace-%u", ++source->landed);
  g_autoptr (GTimeZone) zone = g_time_zone_new_utc ();
  g_autoptr (KtTask) task = NULL;

  g_assert_nonnull (request);
  if (json != NULL) {
    g_autoptr (GBytes) body = g_bytes_new (json, strlen (json));
    if (request->key->family == KT_FAMILY_SHARE)
      task = kt_decode_share_detail (request->key, 200, body, zone, &error);
    else
      task = kt_decode_task_result (request->key, 200, body, zone, &error);
    g_assert_no_error (error);
  }
  request->done (task, trace_id, error, request->data);
  kt_key_unref (request->key);
  g_free (request);
}

void
kt_fake_source_land (KtFakeSource *source, const char *json)
{
  finish (source, json, NULL);
}

void
kt_fake_source_fail (KtFakeSource *source, KtErrorCode code)
{
  g_autoptr (GError) error = g_error_new (KT_ERROR, (int) code, "made to fail");
  finish (source, NULL, error);
}
