/* SPDX-License-Identifier: MIT */
/* A service whose token the test gives and renews. */
#include "kt-signin-fixture.h"

#include "kt-test.h"

static void
read_token (gpointer source, KtTokenDone done, gpointer data)
{
  KtServiceFixture *f = source;

  g_assert_null (f->read_done);
  f->reads++;
  f->read_done = done;
  f->read_data = data;
}

void
kt_signin_give (KtServiceFixture *f, const char *token, KtErrorCode code)
{
  g_autoptr (GError) error = token == NULL ? g_error_new (KT_ERROR, (int) code, "made to fail") : NULL;
  KtTokenDone done = f->read_done;

  g_assert_nonnull (done);
  f->read_done = NULL;
  done (token, error, f->read_data);
}

void
kt_signin_set_up (KtServiceFixture *f, gconstpointer data)
{
  kt_service_fixture_set_up (f, data);
  f->options.token = "FIRST";
  f->options.read_token = read_token;
  f->options.token_source = f;
  kt_signin_configure (f);
  kt_test_warnings ();
}

void
kt_signin_tear_down (KtServiceFixture *f, gconstpointer data)
{
  if (f->read_done != NULL)
    kt_signin_give (f, NULL, KT_ERROR_STOPPED);
  kt_service_fixture_tear_down (f, data);
}

void
kt_signin_fetch_within (KtServiceFixture *f, KtUsec duration)
{
  kt_service_fixture_fetch_within (f, kt_key_new (KT_FAMILY_JOB, "7"), duration);
}

void
kt_signin_fetch (KtServiceFixture *f)
{
  kt_signin_fetch_within (f, 10 * KT_SECOND);
}

const char *
kt_signin_header (KtServiceFixture *f, guint index, const char *name)
{
  return kt_fake_transport_header (f->transport, index, name);
}

void
kt_signin_land (KtServiceFixture *f, guint index, guint status, const char *body)
{
  kt_fake_transport_land (f->transport, index, status, body, NULL);
}

guint
kt_signin_sent (KtServiceFixture *f)
{
  return kt_fake_transport_sent (f->transport);
}

void
kt_signin_configure (KtServiceFixture *f)
{
  kt_service_set_options (f->service, &f->options);
}

void
kt_signin_later (KtServiceFixture *f)
{
  kt_fake_clock_advance (f->clock, 3 * KT_SECOND);
}
