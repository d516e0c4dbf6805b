/* SPDX-License-Identifier: MIT */
/* docs/semantics.md, "Answers of the service": what is said of a body that comes in place of one. */
#include "kt-test.h"

#include "base/kt-log.h"
#include "codec/kt-decode.h"
#include "codec/kt-describe.h"
#include "codec/kt-status.h"

#include <string.h>

#define URL "https://koodrive.example/koodrive/ose/v1/task/7"

static void
assert_error (guint status, GBytes *body, KtErrorCode code, const char *message)
{
  g_autoptr (KtKey) key = kt_key_new (KT_FAMILY_BASIC, "7");
  g_autoptr (GTimeZone) zone = g_time_zone_new_utc ();
  g_autoptr (GError) error = NULL;

  g_assert_null (kt_decode_task_result (key, status, body, zone, &error));
  g_assert_error (error, KT_ERROR, (int) code);
  g_assert_cmpstr (error->message, ==, message);
}

/* "Any 2xx with a body of the documented kind is a good response." */
static void
test_good_statuses (void)
{
  static const guint good[] = { 200, 201, 202, 203, 204, 205, 206, 226, 299 };
  static const guint bad[] = { 0, 100, 199, 300, 304, 400, 500 };
  g_autoptr (KtKey) key = kt_key_new (KT_FAMILY_BASIC, "7");
  g_autoptr (GTimeZone) zone = g_time_zone_new_utc ();
  g_autoptr (GBytes) body = kt_test_bytes ("{\"code\":0,\"data\":{\"successCount\":1,\"failCount\":0}}");
  g_autoptr (GBytes) failure = kt_test_bytes ("{\"code\":13000309}");

  for (gsize i = 0; i < G_N_ELEMENTS (good); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (KtTask) task = kt_decode_task_result (key, good[i], body, zone, &error);
    g_assert_no_error (error);
    g_assert_cmpstr (task->result, ==, "succeeded");
    g_assert_null (kt_decode_task_result (key, good[i], failure, zone, &error));
    g_assert_error (error, KT_ERROR, KT_ERROR_NOT_FOUND);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_null (kt_decode_task_result (key, bad[i], body, zone, NULL));
}

/* "HTTP 200, 202, 204 and 205 without a body are errors that say so." */
static void
test_no_body (void)
{
  static const char *const bodies[] = { "", " ", "\r\n\t\n" };

  for (gsize i = 0; i < G_N_ELEMENTS (bodies); i++) {
    g_autoptr (GBytes) body = kt_test_bytes (bodies[i]);
    assert_error (200, body, KT_ERROR_BAD_ANSWER, "HTTP 200 without a body");
    assert_error (202, body, KT_ERROR_BAD_ANSWER, "HTTP 202 without a body");
    assert_error (204, body, KT_ERROR_BAD_ANSWER, "HTTP 204 without a body");
    assert_error (205, body, KT_ERROR_BAD_ANSWER, "HTTP 205 without a body");
    assert_error (401, body, KT_ERROR_REFUSED, "HTTP 401 without a body");
    assert_error (502, body, KT_ERROR_SERVICE, "HTTP 502 without a body");
  }
}

/* "An HTML page is named by its title, whatever its type and status." */
static void
test_pages (void)
{
  static const struct {
    const char *page;
    const char *words;
  } table[] = {
    { "<html><head><title>Sign in</title></head></html>", " with the HTML page \"Sign in\"" },
    { "<HTML><HEAD><TITLE lang=\"en\">Sign\r\n  in </TITLE>", " with the HTML page \"Sign in\"" },
    { "<!DOCTYPE html>\n<title>502 Bad Gateway</title>", " with the HTML page \"502 Bad Gateway\"" },
    { "\xef\xbb\xbf \r\n<!doctype HTML PUBLIC \"-//W3C//DTD\">\n<html><title>x</title>", " with the HTML page \"x\"" },
    { "<!-- <title>no</title> --><!-- --><html><title>yes</title>", " with the HTML page \"yes\"" },
    { "<?xml version=\"1.0\"?>\n<html xmlns=\"x\"><title>y</title></html>", " with the HTML page \"y\"" },
    { "<head><title>cut", " with the HTML page \"cut\"" },
    { "<html><title>\xb5\xc7\xc2\xbc</title>", " with the HTML page \"\xef\xbf\xbd\xef\xbf\xbd\xc2\xbc\"" },
    { "<html><title>\x1b[31mred\x07</title>", " with the HTML page \"\\x1b[31mred\\x07\"" },
    { "<html><title>token s3cret-token!</title>", " with the HTML page \"token ***!\"" },
    { "<html><script>var t = '<title>';</script><title>a</title>", " with the HTML page \"a\"" },
    { "<html><!-- <title>no</title> --><STYLE>x</STYLE><title>b</title>", " with the HTML page \"b\"" },
    { "<html><svg><title>icon</title></svg><title>c</title>", " with the HTML page \"c\"" },
    { "<html><script>'<title>x</title>", " with an HTML page that has no title" },
    { "<html><body>hello", " with an HTML page that has no title" },
    { "<html><title> </title>", " with an HTML page that has no title" },
    { "Warning: x\n<div><HTML><title>late</title>", " with the HTML page \"late\"" },
    { "<script>1</script><body>", " with an HTML page that has no title" },
    { "{\"desc\":\"<html><title>x</title>", NULL },
    { "\xef\xbb\xbf [\"<html>", NULL },
    { "<html><title", " with an HTML page that has no title" },
    { "<center><h1>413</h1></center>", " with an HTML page that has no title" },
    { "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", NULL },
    { "<!-- never closed", NULL },
    { "<garbage>", NULL },
    { "<error><metadata/><header/></error>", NULL },
    { "upstream connect error", NULL },
    { "{}", NULL },
  };

  kt_log_add_secret ("s3cret-token");
  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autoptr (GBytes) body = kt_test_bytes (table[i].page);
    g_autofree char *ok = table[i].words != NULL ? g_strconcat ("HTTP 200", table[i].words, NULL) : NULL;
    g_autofree char *bad = table[i].words != NULL ? g_strconcat ("HTTP 503", table[i].words, NULL) : NULL;
    kt_assert_text (kt_describe_page (body), table[i].words);
    if (ok == NULL)
      continue;
    assert_error (200, body, KT_ERROR_BAD_ANSWER, ok);
    assert_error (503, body, KT_ERROR_SERVICE, bad);
  }
  kt_log_forget_secrets ();
}

/* A title as long as it likes, and one that is too far down. */
static void
test_bounds (void)
{
  g_autofree char *filler = g_strnfill (1000000, 'x');
  g_autofree char *characters = g_strdup_printf (
      "<html><title>x%s</title>", "报告报告报告报告报告报告报告报告报告报告报告报告报告报告报告报告报告报告");
  g_autofree char *long_title = g_strdup_printf ("<html><title>%s</title>", filler);
  g_autofree char *far_title = g_strdup_printf ("<html><!-- %s --><title>x</title>", filler);
  g_autofree char *comments = g_strnfill (1000000, '<');
  g_autoptr (GBytes) cut = kt_test_bytes (characters);
  g_autoptr (GBytes) endless = kt_test_bytes (long_title);
  g_autoptr (GBytes) far = kt_test_bytes (far_title);
  g_autoptr (GBytes) tags = kt_test_bytes (comments);
  g_autoptr (GBytes) text = kt_test_bytes (filler);
  g_autofree char *cut_words = kt_describe_body (cut);
  g_autofree char *endless_words = kt_describe_body (endless);
  g_autofree char *tags_words = kt_describe_body (tags);
  g_autofree char *text_words = kt_describe_body (text);

  g_assert_true (g_utf8_validate (cut_words, -1, NULL));
  g_assert_cmpuint (strlen (cut_words), <, 130);
  g_assert_cmpuint (strlen (endless_words), <, 130);
  g_assert_cmpuint (strlen (tags_words), <, 230);
  g_assert_cmpuint (strlen (text_words), <, 230);
  kt_assert_text (kt_describe_body (far), " with an HTML page that has no title");
}

/* "HTTP 500, 502, 503 or 504 with the code for 'no such task' or 'no permission' is not repeated either." */
static void
test_final (void)
{
  static const struct {
    guint status;
    const char *body;
    gboolean is_final;
  } table[] = {
    { 500, "{\"code\":13000309}", TRUE },
    { 503, "{\"error_code\":\"13000410\"}", TRUE },
    { 502, "{\"code\":13000410}", TRUE },
    { 504, "{\"code\":13000309}", TRUE },
    { 500, "{\"code\":\"APIGW.0301\"}", TRUE },
    { 500, "{\"code\":13000201}", FALSE },
    { 500, "{\"code\":0}", FALSE },
    { 500, "{}", FALSE },
    { 502, "<html>", FALSE },
    { 503, "", FALSE },
    { 429, "{\"code\":13000309}", FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autoptr (GBytes) body = kt_test_bytes (table[i].body);
    g_assert_cmpint (kt_decode_is_final (table[i].status, body), ==, table[i].is_final);
  }
}

/* Plain words of a proxy are shown; what would be JSON may hold a link, and is not. */
static void
test_text (void)
{
  g_autoptr (GBytes) envoy = kt_test_bytes ("upstream connect error\nor disconnect");
  g_autoptr (GBytes) broken = kt_test_bytes ("{\"downloadUrl\":\"https://x/?sig=1\"");
  g_autoptr (GBytes) binary = g_bytes_new_static ("\0\1", 2);

  assert_error (503, envoy, KT_ERROR_SERVICE, "HTTP 503 with the text \"upstream connect error or disconnect\"");
  assert_error (503, broken, KT_ERROR_SERVICE, "HTTP 503 with a body that is not JSON");
  assert_error (503, binary, KT_ERROR_SERVICE, "HTTP 503 with a body that is not JSON");
  assert_error (200, envoy, KT_ERROR_BAD_ANSWER, "the answer is not JSON");
}

/* "The error names its target by scheme, host and path." */
static void
test_redirects (void)
{
  static const struct {
    const char *location;
    const char *place;
  } table[] = {
    { "https://login.example/oauth", "https://login.example/oauth" },
    { "https://user:pw@login.example:8443/a/b?token=s#f", "https://login.example:8443/a/b" },
    { "http://[::1]:80/x", "http://[::1]:80/x" },
    { "https://login.example", "https://login.example" },
    { "//other.example/x?y", "https://other.example/x" },
    { "/login;jsessionid=1?next=/", "https://koodrive.example/login" },
    { "login", "https://koodrive.example/koodrive/ose/v1/task/login" },
    { "/a b\xff\n", "https://koodrive.example/a%20b%FF" },
    { "/s3cret-token/x", "https://koodrive.example/***/x" },
    { "javascript:alert(1)", "no place that can be read" },
    { "https://[broken", "no place that can be read" },
    { NULL, "no place that can be read" },
  };
  static const guint statuses[] = { 300, 301, 302, 303, 304, 307, 308 };

  kt_log_add_secret ("s3cret-token");
  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    guint status = statuses[i % G_N_ELEMENTS (statuses)];
    g_autofree char *message =
        g_strdup_printf ("HTTP %u, a redirect to %s, which is not followed: the endpoint is probably "
                         "wrong",
                         status, table[i].place);
    g_autoptr (GError) error = NULL;
    error = kt_describe_redirect (status, table[i].location, URL);
    g_assert_error (error, KT_ERROR, KT_ERROR_REDIRECTED);
    g_assert_cmpstr (error->message, ==, message);
  }
  kt_log_forget_secrets ();
}

static void
test_no_redirect (void)
{
  static const guint statuses[] = { 200, 201, 204, 400, 407, 500 };

  for (gsize i = 0; i < G_N_ELEMENTS (statuses); i++)
    g_assert_null (kt_describe_redirect (statuses[i], "https://login.example/", URL));
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
  g_test_add_func ("/codec/describe/good-statuses", test_good_statuses);
  g_test_add_func ("/codec/describe/no-body", test_no_body);
  g_test_add_func ("/codec/describe/pages", test_pages);
  g_test_add_func ("/codec/describe/bounds", test_bounds);
  g_test_add_func ("/codec/describe/text", test_text);
  g_test_add_func ("/codec/describe/final", test_final);
  g_test_add_func ("/codec/describe/redirects", test_redirects);
  g_test_add_func ("/codec/describe/no-redirect", test_no_redirect);
  return g_test_run ();
}
