/* SPDX-License-Identifier: MIT */
/* docs/semantics.md: which ids are asked for, and bodies that are not the service's. */
#include "kt-test.h"

#include "base/kt-units.h"
#include "kt-service-fixture.h"
#include "service/kt-paths.h"

#include <string.h>

typedef KtServiceFixture Fixture;

static void
fetch (Fixture *f, KtKey *key)
{
  f->done = 0;
  kt_service_fixture_fetch (f, key);
}

/* An id that is a word of the service's own paths is not found, without a request; of a share task it stands in no
 * path. */
static void
test_words_of_paths (Fixture *f, gconstpointer data)
{
  static const char *const words[] = {
    "jobs",    "task",       "share",       "session", "cancel", "list", "result",
    "refresh", "taskDetail", "authCodeURL", "logoff",  "auth",   "JOBS", "taskdetail"
  };
  static const KtFamily families[] = { KT_FAMILY_BASIC, KT_FAMILY_JOB, KT_FAMILY_UNKNOWN };

  for (gsize i = 0; i < G_N_ELEMENTS (words); i++) {
    g_assert_true (kt_path_has_word (words[i]));
    for (gsize j = 0; j < G_N_ELEMENTS (families); j++) {
      fetch (f, kt_key_new (families[j], words[i]));
      kt_fake_clock_advance (f->clock, 0);
      g_assert_cmpuint (f->done, ==, 1);
      g_assert_error (f->failure, KT_ERROR, KT_ERROR_NOT_FOUND);
    }
  }
  g_assert_cmpuint (kt_fake_transport_sent (f->transport), ==, 0);
  g_assert_cmpuint (kt_test_warnings (), ==, 0);
  fetch (f, kt_key_new_share ("jobs", "jobs"));
  g_assert_cmpuint (kt_fake_transport_sent (f->transport), ==, 1);
}

static void
test_other_ids (Fixture *f, gconstpointer data)
{
  static const char *const ids[] = { "1521827471237047552", "job", "jobs1", "-jobs", "tasks", "7" };

  for (gsize i = 0; i < G_N_ELEMENTS (ids); i++)
    g_assert_false (kt_path_has_word (ids[i]));
  fetch (f, kt_key_new (KT_FAMILY_JOB, "job"));
  g_assert_cmpuint (kt_fake_transport_sent (f->transport), ==, 1);
}

static void
test_words_and_the_end (Fixture *f, gconstpointer data)
{
  fetch (f, kt_key_new (KT_FAMILY_JOB, "jobs"));
  kt_service_stop (f->service);
  g_assert_cmpuint (f->done, ==, 1);
  g_assert_error (f->failure, KT_ERROR, KT_ERROR_STOPPED);
  g_assert_cmpuint (kt_fake_clock_timers (f->clock), ==, 0);
}

static void
on_page (GPtrArray *tasks, KtUsec age, gpointer data)
{
  kt_service_fixture_page (tasks, age, data);
  for (guint i = 0; i < tasks->len; i++)
    g_assert_true (g_ascii_isdigit (((const KtTask *) tasks->pdata[i])->key->task_id[0]));
}

/* "An item whose id cannot be an id is left out of the list, and the log says how many were"; the next page begins
 * behind it. */
static void
test_unusable_items (Fixture *f, gconstpointer data)
{
  GString *full = g_string_new ("{\"data\":[{\"taskId\":\"jobs\"}");
  guint sent = 0;

  for (guint i = 1; i < 100; i++)
    g_string_append_printf (full, ",{\"taskId\":%u}", i);
  g_string_append (full, "]}");
  for (guint i = 0; i < 3; i++) { /* the same again is not reported, another number is */
    kt_source_list (kt_service_source (f->service), KT_FAMILY_JOB, 10 * KT_SECOND, on_page, kt_service_fixture_ended,
                    f);
    f->done = 0;
    kt_fake_transport_land (f->transport, sent++, 200, full->str, NULL);
    g_assert_nonnull (strstr (kt_fake_transport_line (f->transport, sent), "jobs?offset=100&"));
    kt_fake_transport_land (f->transport, sent++, 200,
                            i < 2 ? "{\"data\":[{\"taskId\":\"a/b\"},{\"taskId\":100}]}" : "{\"data\":[]}", NULL);
    g_assert_cmpuint (f->done, ==, 1);
    g_assert_no_error (f->failure);
    g_assert_cmpuint (kt_test_warnings (), ==, i == 1 ? 0 : 1);
  }
  g_string_free (full, TRUE);
}

/* The same of an id that is a word of the service's paths. */
static void
test_words_in_lists (Fixture *f, gconstpointer data)
{
  static const char *const words[] = { "jobs", "list", "Session", "taskDetail", "cancel" };
  guint sent = 0;

  for (guint i = 0; i < G_N_ELEMENTS (words); i++) {
    g_autofree char *basic = g_strdup_printf ("{\"taskList\":[{\"taskId\":\"%s\"},{\"taskId\":9}]}", words[i]);
    g_autofree char *jobs = g_strdup_printf ("{\"data\":[{\"taskId\":\"9\"},{\"taskId\":\"%s\"}]}", words[i]);
    f->done = f->listed = 0;
    kt_source_list (kt_service_source (f->service), KT_FAMILY_BASIC, 10 * KT_SECOND, on_page, kt_service_fixture_ended,
                    f);
    kt_fake_transport_land (f->transport, sent++, 200, basic, NULL);
    kt_source_list (kt_service_source (f->service), KT_FAMILY_JOB, 10 * KT_SECOND, on_page, kt_service_fixture_ended,
                    f);
    kt_fake_transport_land (f->transport, sent++, 200, jobs, NULL);
    g_assert_cmpuint (f->done, ==, 2);
    g_assert_no_error (f->failure);
    g_assert_cmpuint (f->listed, ==, 2);
  }
}

/* "A list that has nothing but such items is an error (EBADMSG)." */
static void
test_unusable_list (Fixture *f, gconstpointer data)
{
  kt_source_list (kt_service_source (f->service), KT_FAMILY_BASIC, 10 * KT_SECOND, on_page, kt_service_fixture_ended,
                  f);
  f->done = 0;
  kt_fake_transport_land (f->transport, 0, 200, "{\"taskList\":[{\"taskId\":\"../x\"}],\"nextCursor\":1}", NULL);
  g_assert_cmpuint (f->done, ==, 0);
  kt_fake_transport_land (f->transport, 1, 200, "{\"taskList\":[{\"taskId\":\"\"}]}", NULL);
  g_assert_cmpuint (f->done, ==, 1);
  g_assert_error (f->failure, KT_ERROR, KT_ERROR_BAD_ANSWER);
  g_assert_cmpuint (kt_test_warnings (), ==, 1);
}

/* "A redirect of a service call is not followed (EIO)", and nobody signs in again for it. */
static void
test_redirect (Fixture *f, gconstpointer data)
{
  char location[] = "/login?token=x";
  g_autoptr (GBytes) body = kt_test_bytes ("{\"code\":0,\"jobInfo\":{}}");
  const KtHttpResponse response = { .status = 302, .body = body, .headers[KT_HEADER_LOCATION] = location };

  fetch (f, kt_key_new_share ("S", "7"));
  kt_fake_transport_answer (f->transport, 0, &response);
  g_assert_cmpuint (f->done, ==, 1);
  g_assert_error (f->failure, KT_ERROR, KT_ERROR_REDIRECTED);
  g_assert_nonnull (strstr (f->failure->message, "a redirect to https://example.com/login, which is not followed"));
  g_assert_cmpuint (kt_fake_transport_sent (f->transport), ==, 1);
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
#define ADD(path, function)                                                                                            \
  g_test_add ("/service/ids/" path, Fixture, NULL, kt_service_fixture_set_up, function, kt_service_fixture_tear_down)
  ADD ("words-of-paths", test_words_of_paths);
  ADD ("other-ids", test_other_ids);
  ADD ("words-and-the-end", test_words_and_the_end);
  ADD ("unusable-items", test_unusable_items);
  ADD ("words-in-lists", test_words_in_lists);
  ADD ("unusable-list", test_unusable_list);
  ADD ("redirect", test_redirect);
  return g_test_run ();
}
