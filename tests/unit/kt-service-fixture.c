/* SPDX-License-Identifier: MIT */
/* The fixture of all tests of the service: a service on a fake transport. */
#include "kt-service-fixture.h"

#include "base/kt-log.h"
#include "kt-test.h"

void
kt_service_fixture_set_up (KtServiceFixture *f, gconstpointer data)
{
  const KtHttpLimits limits = { .concurrency = 64, .max_response = 100000 };

  f->clock = kt_fake_clock_new ();
  f->transport = kt_fake_transport_new ();
  f->metrics = kt_metrics_new ();
  f->health = kt_health_new ();
  f->http = kt_http_client_new (kt_fake_clock (f->clock), kt_fake_transport (f->transport), &limits, f->metrics);
  f->zone = g_time_zone_new_utc ();
  f->ids = g_string_new (NULL);
  f->options = (KtServiceOptions){
    .endpoint = "https://example.com/",
    .user_id = "1505084218764547200",
    .token = "TOKEN",
    .scheme = KT_TOKEN_AUTO,
    .language = "en-US",
    .zone = f->zone,
    .families = KT_FAMILIES_ALL,
  };
  f->service = kt_service_new (f->http, kt_fake_clock (f->clock), f->health, f->metrics, &f->options);
  kt_test_warnings ();
}

void
kt_service_fixture_tear_down (KtServiceFixture *f, gconstpointer data)
{
  kt_http_client_free (f->http);
  kt_service_free (f->service);
  kt_fake_transport_unref (f->transport);
  kt_fake_clock_free (f->clock);
  kt_metrics_free (f->metrics);
  kt_health_free (f->health);
  g_time_zone_unref (f->zone);
  g_clear_error (&f->failure);
  g_free (f->status);
  g_free (f->trace_id);
  g_string_free (f->ids, TRUE);
  kt_log_forget_secrets ();
}

void
kt_service_fixture_ended (const GError *error, gpointer data)
{
  KtServiceFixture *f = data;

  f->done++;
  f->refused += g_error_matches (error, KT_ERROR, KT_ERROR_REFUSED);
  f->error = error != NULL ? error->code : -1;
  g_clear_error (&f->failure);
  f->failure = error != NULL ? g_error_copy (error) : NULL;
}

void
kt_service_fixture_fetched (const KtResponse *response, const GError *error, gpointer data)
{
  KtServiceFixture *f = data;
  const KtTask *task = response->task;

  g_assert_true ((task == NULL) != (error == NULL));
  kt_service_fixture_ended (error, f);
  f->good += task != NULL;
  g_free (f->status);
  g_free (f->trace_id);
  f->status = task != NULL ? g_strdup (task->status) : NULL;
  f->trace_id = g_strdup (response->trace_id);
  if (task != NULL)
    f->family = task->key->family;
}

void
kt_service_fixture_page (GPtrArray *tasks, KtUsec age, gpointer data)
{
  KtServiceFixture *f = data;

  f->listed += tasks->len;
  for (guint i = 0; i < tasks->len; i++)
    g_string_append_printf (f->ids, "%s ", ((const KtTask *) tasks->pdata[i])->key->task_id);
  g_string_append (f->ids, "| ");
}

void
kt_service_fixture_fetch_within (KtServiceFixture *f, KtKey *key, KtUsec within)
{
  const guint done = f->done;

  kt_source_fetch (kt_service_source (f->service), key, kt_fake_clock_now (f->clock) + within,
                   kt_service_fixture_fetched, f);
  g_assert_cmpuint (f->done, ==, done); /* never before it returns */
  kt_key_unref (key);
}

void
kt_service_fixture_fetch (KtServiceFixture *f, KtKey *key)
{
  kt_service_fixture_fetch_within (f, key, 10 * KT_SECOND);
}
