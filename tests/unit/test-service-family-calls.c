/* SPDX-License-Identifier: MIT */
/* The table of how each family is asked for: complete, in order, and what its rows send. */
#include "kt-test.h"

#include "service/kt-family-calls.h"
#include "service/kt-paths.h"

#include <string.h>

static KtKey *
key_of (KtFamily family)
{
  return kt_family_has (family, KT_FACT_OF_SHARE) ? kt_key_new_share ("S1", "7") : kt_key_new (family, "7");
}

/* Each row has what its family's facts promise, and no more. */
static void
test_rows (void)
{
  for (KtFamily family = 0; family < KT_N_FAMILIES; family++) {
    const KtFamilyCalls *calls = kt_family_calls (family);

    g_assert_cmpuint (calls->n_calls, >=, 1);
    g_assert_cmpuint (calls->n_calls, <=, KT_MOST_CALLS);
    g_assert_true ((calls->combine != NULL) == (calls->n_calls > 1));
    for (guint i = 0; i < calls->n_calls; i++) {
      g_assert_nonnull (calls->calls[i].endpoint);
      g_assert_true (calls->calls[i].endpoint->decode.task != NULL);
      g_assert_true ((calls->calls[i].field == NULL) == (calls->calls[i].place == KT_ID_IN_PATH));
    }
    g_assert_true ((calls->list != NULL) == kt_family_has (family, KT_FACT_LISTED));
    g_assert_true ((calls->paging != NULL) == (calls->list != NULL));
    g_assert_true (calls->list == NULL || calls->list->decode.page != NULL);
    g_assert_true ((calls->cancel.endpoint != NULL) == kt_family_has (family, KT_FACT_CANCEL));
    g_assert_true (calls->cancel.endpoint == NULL
                   || (calls->cancel.endpoint->decode.done != NULL && calls->cancel.endpoint->changes));
  }
}

/* Each endpoint has one decoder and a name of its own, and its path's words are no ids. */
static void
test_endpoints (void)
{
  guint count;
  const KtEndpoint *endpoints = kt_family_endpoints (&count);

  for (guint i = 0; i < count; i++) {
    const KtDecode *decode = &endpoints[i].decode;
    g_auto (GStrv) words = g_strsplit (endpoints[i].path, "/", -1);

    g_assert_cmpint ((decode->task != NULL) + (decode->page != NULL) + (decode->done != NULL), ==, 1);
    g_assert_true (endpoints[i].changes == (decode->done != NULL));
    g_assert_cmpstr (endpoints[i].method, ==,
                     endpoints[i].changes || g_str_equal (endpoints[i].path, KT_PATH_SHARE_DETAIL) ? "POST" : "GET");
    for (char **word = words; *word != NULL; word++)
      g_assert_true (kt_path_has_word (*word));
    for (guint j = 0; j < i; j++)
      g_assert_cmpstr (endpoints[i].name, !=, endpoints[j].name);
  }
}

/* Where the id goes: path, query or body. */
static void
test_places (void)
{
  static const struct {
    KtFamily family;
    guint call; /* KT_MOST_CALLS: cancel */
    const char *path;
    const char *rest;
    const char *body;  /* NULL: none */
    const char *token; /* the share's */
  } table[] = {
    { KT_FAMILY_SHARE, 0, "share/taskDetail", "", "{\"taskId\":\"7\",\"shareId\":\"S1\"}", NULL },
    { KT_FAMILY_SHARE, 0, "share/taskDetail", "", "{\"taskId\":\"7\",\"shareId\":\"S1\",\"kdstoken\":\"t\"}", "t" },
    { KT_FAMILY_BASIC, 0, "task", "/7", NULL, NULL },
    { KT_FAMILY_BASIC, 1, "task/result", "?taskId=7", NULL, NULL },
    { KT_FAMILY_JOB, 0, "", "7", NULL, NULL },
    { KT_FAMILY_JOB, KT_MOST_CALLS, "cancel", "", "{\"jobId\":\"7\"}", NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (table); i++) {
    const KtFamilyCalls *calls = kt_family_calls (table[i].family);
    const KtTaskCall *call = table[i].call < KT_MOST_CALLS ? &calls->calls[table[i].call] : &calls->cancel;
    g_autoptr (KtKey) key = key_of (table[i].family);

    g_assert_cmpstr (call->endpoint->path, ==, table[i].path);
    kt_assert_text (kt_task_call_rest (call, key), table[i].rest);
    if (table[i].body != NULL)
      kt_assert_bytes (kt_task_call_body (call, key, table[i].token), table[i].body);
    else
      g_assert_null (kt_task_call_body (call, key, NULL));
  }
}

static void
assert_next (const KtPaging *paging, guint on_page, const char *cursor, guint n_items, const char *expected)
{
  const KtListPage page = { .n_items = on_page, .next = (char *) cursor };

  kt_assert_text (paging->next (&page, n_items, 100), expected);
}

static void
test_paging (void)
{
  const KtPaging *cursor = kt_family_calls (KT_FAMILY_BASIC)->paging;
  const KtPaging *offset = kt_family_calls (KT_FAMILY_JOB)->paging;

  kt_assert_text (cursor->query (cursor->first, 100), "?pageSize=100");
  kt_assert_text (cursor->query ("a b&c", 100), "?pageSize=100&pageCursor=a%20b%26c");
  assert_next (cursor, 0, "a", 0, "a"); /* an empty page need not be the last */
  assert_next (cursor, 100, NULL, 100, NULL);
  kt_assert_text (offset->query (offset->first, 1), "?offset=0&limit=1");
  assert_next (offset, 100, "a", 300, "300");
  assert_next (offset, 130, NULL, 130, "130");
  assert_next (offset, 99, NULL, 199, NULL);
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
  g_test_add_func ("/service/family-calls/rows", test_rows);
  g_test_add_func ("/service/family-calls/endpoints", test_endpoints);
  g_test_add_func ("/service/family-calls/places", test_places);
  g_test_add_func ("/service/family-calls/paging", test_paging);
  return g_test_run ();
}
