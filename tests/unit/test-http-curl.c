/* SPDX-License-Identifier: MIT */
/* An option that libcurl refuses fails the request, by name. */
#include "kt-test.h"

#include "http/kt-transport.h"

#include <curl/curl.h>
#include <stdarg.h>
#include <string.h>

#define NONE (-1)

static int refuse_nth; /* NONE: none */
static CURLcode refuse_with;
static int n_set;

CURLcode __real_curl_easy_setopt (CURL *easy, CURLoption option, ...);
CURLcode __wrap_curl_easy_setopt (CURL *easy, CURLoption option, ...);

/* A long, a pointer and an offset are passed alike wherever this is run. */
CURLcode
__wrap_curl_easy_setopt (CURL *easy, CURLoption option, ...)
{
  va_list args;
  void *value;

  if (n_set++ == refuse_nth)
    return refuse_with;
  va_start (args, option);
  value = va_arg (args, void *);
  va_end (args);
  return __real_curl_easy_setopt (easy, option, value);
}

static int refuse_nth_multi = NONE;
static int n_multi;

CURLMcode __real_curl_multi_setopt (CURLM *multi, CURLMoption option, ...);
CURLMcode __wrap_curl_multi_setopt (CURLM *multi, CURLMoption option, ...);

CURLMcode
__wrap_curl_multi_setopt (CURLM *multi, CURLMoption option, ...)
{
  va_list args;
  void *value;

  if (n_multi++ == refuse_nth_multi)
    return CURLM_UNKNOWN_OPTION;
  va_start (args, option);
  value = va_arg (args, void *);
  va_end (args);
  return __real_curl_multi_setopt (multi, option, value);
}

typedef struct {
  KtTransport *transport;
  KtHttpRequest request;
  gboolean done;
  GError *error;
} Fixture;

static gboolean
sink (const KtHttpResponse *head, gconstpointer bytes, gsize length, gpointer data)
{
  return TRUE;
}

static void
set_up (Fixture *f, gconstpointer kind)
{
  const gboolean is_link = g_strcmp0 (kind, "link") == 0;
  const gboolean is_direct = g_strcmp0 (kind, "direct") == 0;
  const KtCurlOptions options = { .ca_file = "/etc/hostname", .proxy = is_direct ? NULL : "http://127.0.0.1:1" };
  g_autoptr (GError) error = NULL;

  refuse_nth = NONE;
  f->transport = kt_transport_curl_new (&options, &error);
  g_assert_no_error (error);
  f->request.method = "POST";
  f->request.url = g_strdup ("https://127.0.0.1:1/x");
  f->request.headers = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (f->request.headers, g_strdup ("A: b"));
  f->request.body = g_bytes_new_static ("x", 1);
  f->request.is_link = is_link;
  f->request.sink = is_link ? sink : NULL;
  kt_test_warnings ();
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  f->transport->free (f->transport);
  g_free (f->request.url);
  g_ptr_array_unref (f->request.headers);
  g_bytes_unref (f->request.body);
  g_clear_error (&f->error);
  g_assert_cmpuint (kt_test_warnings (), ==, 0);
}

static void
on_done (const KtHttpResponse *response, const GError *error, gpointer data)
{
  Fixture *f = data;

  g_assert_null (response);
  g_clear_error (&f->error);
  f->error = g_error_copy (error);
  f->done = TRUE;
}

/* Sends the request; the NTH option is refused with CODE. How it ended is in f->error. */
static void
run (Fixture *f, int nth, CURLcode code)
{
  refuse_nth = nth;
  refuse_with = code;
  n_set = 0;
  f->done = FALSE;
  f->transport->send (f->transport, &f->request, on_done, f);
  g_assert_false (f->done);
  while (!f->done)
    g_main_context_iteration (NULL, TRUE);
}

static void
test_each_option (Fixture *f, gconstpointer data)
{
  int count;

  run (f, NONE, CURLE_OK); /* nobody listens */
  g_assert_false (g_error_matches (f->error, KT_ERROR, KT_ERROR_SERVICE));
  count = n_set;
  g_assert_cmpint (count, >, 20);
  for (int i = 0; i < count; i++) {
    run (f, i, CURLE_OUT_OF_MEMORY);
    kt_assert_failed (&f->error, KT_ERROR_SERVICE, "libcurl refuses CURLOPT_");
  }
}

/* What only makes things faster may be missing, and proxies where there is none; nothing else may. */
static void
test_lacking_options (Fixture *f, gconstpointer kind)
{
  const guint may_lack = kind == NULL ? 2 : 3; /* HTTP/2, the cache of certificates, and proxies */
  guint lacking = 0;
  int count;

  run (f, NONE, CURLE_OK);
  count = n_set;
  for (int i = 0; i < count; i++) {
    run (f, i, CURLE_NOT_BUILT_IN);
    lacking += strstr (f->error->message, "libcurl refuses") == NULL;
  }
  g_assert_cmpuint (lacking, ==, may_lack);
}

/* A refused request that is cancelled before its end. */
static void
test_cancel (Fixture *f, gconstpointer data)
{
  KtExchange *exchange;

  refuse_nth = 0;
  refuse_with = CURLE_UNKNOWN_OPTION;
  n_set = 0;
  exchange = f->transport->send (f->transport, &f->request, on_done, f);
  f->transport->cancel (f->transport, exchange);
  while (g_main_context_iteration (NULL, FALSE))
    continue;
  g_assert_false (f->done);
}

/* What the transport itself needs must be there from the start. */
static void
test_multi_options (void)
{
  const KtCurlOptions options = { 0 };
  KtTransport *transport;
  g_autoptr (GError) error = NULL;
  int count;

  n_multi = 0;
  transport = kt_transport_curl_new (&options, NULL);
  g_assert_nonnull (transport);
  transport->free (transport);
  count = n_multi;
  g_assert_cmpint (count, >, 4);
  for (int i = 0; i < count; i++) {
    n_multi = 0;
    refuse_nth_multi = i;
    g_assert_null (kt_transport_curl_new (&options, &error));
    kt_assert_failed (&error, KT_ERROR_CONFIG, " refuses CURLMOPT_");
  }
  refuse_nth_multi = NONE;
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
#define ADD(path, data, test) g_test_add ("/http/curl/" path, Fixture, data, set_up, test, tear_down)
  ADD ("each-option", NULL, test_each_option);
  ADD ("each-option-of-a-link", "link", test_each_option);
  ADD ("each-option-without-a-proxy", "direct", test_each_option);
  ADD ("lacking-options", NULL, test_lacking_options);
  ADD ("lacking-options-without-a-proxy", "direct", test_lacking_options);
  ADD ("cancel", NULL, test_cancel);
#undef ADD
  g_test_add_func ("/http/curl/multi-options", test_multi_options);
  return g_test_run ();
}
