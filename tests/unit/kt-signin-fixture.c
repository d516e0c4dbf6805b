/* SPDX-License-Identifier: MIT */
#include "kt-signin-fixture.h"

#include "base/kt-log.h"
#include "base/kt-units.h"
#include "kt-test.h"

static void
read_token (gpointer source, KtTokenDone done, gpointer data)
{
  KtSignin *f = source;

  g_assert_null (f->read_done);
  f->reads++;
  f->read_done = done;
  f->read_data = data;
}

void
kt_signin_give (KtSignin *f, const char *token, KtErrorCode code)
{
  g_autoptr (GError) error = token == NULL ? g_error_new (KT_ERROR, (int) code, "made to fail") : NULL;
  KtTokenDone done = f->read_done;

  g_assert_nonnull (done);
  f->read_done = NULL;
  done (token, error, f->read_data);
}

void
kt_signin_set_up (KtSignin *f, gconstpointer data)
{
  const KtHttpLimits limits = { .concurrency = 64, .max_response = 1000 };

  f->clock = kt_fake_clock_new ();
  f->transport = kt_fake_transport_new ();
  f->metrics = kt_metrics_new ();
  f->health = kt_health_new ();
  f->http = kt_http_client_new (kt_fake_clock (f->clock), kt_fake_transport (f->transport), &limits, f->metrics);
  f->zone = g_time_zone_new_utc ();
  f->options = (KtServiceOptions){
    .endpoint = "https://example.com/",
    .user_id = "1505084218764547200",
    .token = "FIRST",
    .language = "en-US",
    .zone = f->zone,
    .read_token = read_token,
    .token_source = f,
  };
  f->service = kt_service_new (f->http, kt_fake_clock (f->clock), f->health, f->metrics, &f->options);
  kt_test_warnings ();
}

void
kt_signin_tear_down (KtSignin *f, gconstpointer data)
{
  if (f->read_done != NULL)
    kt_signin_give (f, NULL, KT_ERROR_STOPPED);
  kt_http_client_free (f->http);
  kt_service_free (f->service);
  kt_fake_transport_unref (f->transport);
  kt_fake_clock_free (f->clock);
  kt_metrics_free (f->metrics);
  kt_health_free (f->health);
  g_time_zone_unref (f->zone);
  kt_log_forget_secrets ();
}

static void
done (const KtResponse *response, const GError *error, gpointer data)
{
  KtSignin *f = data;

  f->good += response->task != NULL;
  f->refused += g_error_matches (error, KT_ERROR, KT_ERROR_REFUSED);
}

void
kt_signin_fetch_within (KtSignin *f, KtUsec duration)
{
  KtKey *key = kt_key_new (KT_FAMILY_JOB, "7");

  kt_source_fetch (kt_service_source (f->service), key, kt_fake_clock_now (f->clock) + duration, done, f);
  kt_key_unref (key);
}

void
kt_signin_fetch (KtSignin *f)
{
  kt_signin_fetch_within (f, 10 * KT_SECOND);
}

const char *
kt_signin_header (KtSignin *f, guint index, const char *name)
{
  return kt_fake_transport_header (f->transport, index, name);
}

void
kt_signin_land (KtSignin *f, guint index, guint status, const char *body)
{
  kt_fake_transport_land (f->transport, index, status, body, NULL);
}

guint
kt_signin_sent (KtSignin *f)
{
  return kt_fake_transport_sent (f->transport);
}

void
kt_signin_configure (KtSignin *f)
{
  kt_service_set_options (f->service, &f->options);
}

void
kt_signin_later (KtSignin *f)
{
  kt_fake_clock_advance (f->clock, 3 * KT_SECOND);
}
