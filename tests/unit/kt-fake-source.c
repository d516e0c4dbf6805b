/* SPDX-License-Identifier: MIT */
/* The fake source: requests that a test ends by hand. */
#include "kt-fake-source.h"

#include "codec/kt-decode.h"
#include "kt-test.h"

#include <string.h>

typedef struct {
  KtKey *key;
  KtUsec deadline;
  KtSourceFetched fetched;
  gpointer data;
} Request;

typedef struct {
  KtUsec timeout;
  KtSourcePage page;
  KtSourceListed listed; /* NULL: none is under way */
  gpointer data;
} ListRequest;

struct KtFakeSource {
  KtSource source;
  GQueue requests; /* Request */
  guint asked;
  guint landed;
  KtUsec age;
  KtUsec ready_at;
  ListRequest lists[KT_N_FAMILIES];
  guint lists_asked;
};

static void
fetch (KtSource *source, KtKey *key, KtUsec deadline, KtSourceFetched fetched, gpointer data)
{
  KtFakeSource *fake = (KtFakeSource *) source;
  Request *request = g_new (Request, 1);

  *request = (Request){ kt_key_ref (key), deadline, fetched, data };
  g_queue_push_tail (&fake->requests, request);
  fake->asked++;
}

static void
list (KtSource *source, KtFamily family, KtUsec page_timeout, KtSourcePage page, KtSourceListed listed, gpointer data)
{
  KtFakeSource *fake = (KtFakeSource *) source;

  g_assert_true (kt_family_has (family, KT_FACT_LISTED) && !kt_fake_list_pending (fake, family));
  fake->lists[family] = (ListRequest){ page_timeout, page, listed, data };
  fake->lists_asked++;
}

static KtUsec
ready_at (KtSource *source)
{
  return ((KtFakeSource *) source)->ready_at;
}

void
kt_fake_source_set_ready_at (KtFakeSource *source, KtUsec at)
{
  source->ready_at = at;
}

KtFakeSource *
kt_fake_source_new (void)
{
  KtFakeSource *source = g_new0 (KtFakeSource, 1);
  source->source = (KtSource){ .fetch = fetch, .list = list, .ready_at = ready_at };
  g_queue_init (&source->requests);
  return source;
}

void
kt_fake_source_free (KtFakeSource *source)
{
  g_assert_cmpuint (kt_fake_source_pending (source), ==, 0);
  for (KtFamily family = 0; family < KT_N_FAMILIES; family++)
    g_assert_false (kt_fake_list_pending (source, family));
  g_free (source);
}

KtSource *
kt_fake_source (KtFakeSource *source)
{
  return &source->source;
}

void
kt_fake_source_set_age (KtFakeSource *source, KtUsec age)
{
  source->age = age;
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

/* The decoder of one endpoint; of the basic family's two, that of the older one. */
static KtDecodeTask *const decoders[KT_N_FAMILIES] = {
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
  request->fetched (&(KtResponse){ task, trace_id, source->age }, error, request->data);
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

guint
kt_fake_list_asked (const KtFakeSource *source)
{
  return source->lists_asked;
}

gboolean
kt_fake_list_pending (const KtFakeSource *source, KtFamily family)
{
  return source->lists[family].listed != NULL;
}

gint64
kt_fake_list_timeout (const KtFakeSource *source, KtFamily family)
{
  g_assert_true (kt_fake_list_pending (source, family));
  return source->lists[family].timeout;
}

void
kt_fake_list_page (KtFakeSource *source, KtFamily family, const char *items)
{
  const ListRequest *request = &source->lists[family];
  gboolean basic = family == KT_FAMILY_BASIC;
  g_autoptr (KtKey) key = kt_key_new (family, "");
  g_autofree char *text = g_strdup_printf ("{\"%s\":[%s]}", basic ? "taskList" : "data", items);
  g_autoptr (GBytes) body = kt_test_bytes (text);
  g_autoptr (GTimeZone) zone = g_time_zone_new_utc ();
  g_autoptr (GError) error = NULL;
  g_autoptr (KtListPage) page = (basic ? kt_decode_task_list : kt_decode_jobs) (key, 200, body, zone, &error);

  g_assert_no_error (error);
  g_assert_true (kt_fake_list_pending (source, family));
  request->page (page->tasks, source->age, request->data);
}

static void
end_list (KtFakeSource *source, KtFamily family, const GError *error)
{
  ListRequest request = source->lists[family];

  g_assert_nonnull (request.listed);
  source->lists[family] = (ListRequest){ 0 };
  request.listed (error, request.data);
}

void
kt_fake_list_end (KtFakeSource *source, KtFamily family)
{
  end_list (source, family, NULL);
}

void
kt_fake_list_fail (KtFakeSource *source, KtFamily family, KtErrorCode code)
{
  g_autoptr (GError) error = g_error_new (KT_ERROR, (int) code, "made to fail");
  end_list (source, family, error);
}

void
kt_fake_list_land (KtFakeSource *source, KtFamily family, const char *items)
{
  kt_fake_list_page (source, family, items);
  kt_fake_list_end (source, family);
}
