/* SPDX-License-Identifier: MIT */
#include "kt-fake-source.h"

#include "codec/kt-decode.h"

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

/* What one call tells; of the basic family's two, the older one. */
static KtDecode *const decoders[KT_N_FAMILIES] = {
  [KT_FAMILY_SHARE] = kt_decode_share_detail,
  [KT_FAMILY_BASIC] = kt_decode_task_result,
  [KT_FAMILY_JOB] = kt_decode_job,
};

static void
finish (KtFakeSource *source, KtFamily family, const char *json, GError *error)
{
  Request *request = g_queue_pop_head (&source->requests);
  g_autofree char *trace_id = g_strdup_printf ("trace-%u", ++source->landed);
  g_autoptr (GTimeZone) zone = g_time_zone_new_utc ();
  g_autoptr (KtTask) task = NULL;

  g_assert_nonnull (request);
  if (json != NULL) {
    g_autoptr (GBytes) body = g_bytes_new (json, strlen (json));
    g_autoptr (KtKey) found = family != KT_FAMILY_SHARE ? kt_key_new (family, request->key->task_id) : NULL;
    task = decoders[family](found != NULL ? found : request->key, 200, body, zone, &error);
    g_assert_no_error (error);
  }
  request->done (task, trace_id, error, request->data);
  kt_key_unref (request->key);
  g_free (request);
}

void
kt_fake_source_land (KtFakeSource *source, const char *json)
{
  KtFamily family = kt_fake_source_key (source)->family;

  finish (source, family == KT_FAMILY_UNKNOWN ? KT_FAMILY_BASIC : family, json, NULL);
}

void
kt_fake_source_land_as (KtFakeSource *source, KtFamily family, const char *json)
{
  g_assert_cmpint (kt_fake_source_key (source)->family, ==, KT_FAMILY_UNKNOWN);
  finish (source, family, json, NULL);
}

void
kt_fake_source_fail (KtFakeSource *source, KtErrorCode code)
{
  g_autoptr (GError) error = g_error_new (KT_ERROR, (int) code, "made to fail");
  finish (source, 0, NULL, error);
}
