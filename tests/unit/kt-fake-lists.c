/* SPDX-License-Identifier: MIT */
#include "kt-fake-lists.h"

#include "kt-test.h"
#include "codec/kt-decode.h"

typedef struct {
  gint64 patience;
  KtListsPage page;
  KtListsListed listed; /* NULL: none is under way */
  gpointer data;
} Request;

struct KtFakeLists {
  Request requests[KT_N_FAMILIES];
  guint asked;
};

KtFakeLists *
kt_fake_lists_new (void)
{
  return g_new0 (KtFakeLists, 1);
}

void
kt_fake_lists_free (KtFakeLists *lists)
{
  for (KtFamily family = 0; family < KT_N_FAMILIES; family++)
    g_assert_false (kt_fake_lists_pending (lists, family));
  g_free (lists);
}

void
kt_fake_lists_fetch (gpointer source, KtFamily family, gint64 patience, KtListsPage page, KtListsListed listed,
                     gpointer data)
{
  KtFakeLists *lists = source;

  g_assert_true (family != KT_FAMILY_SHARE && !kt_fake_lists_pending (lists, family));
  lists->requests[family] = (Request){ patience, page, listed, data };
  lists->asked++;
}

guint
kt_fake_lists_asked (const KtFakeLists *lists)
{
  return lists->asked;
}

gboolean
kt_fake_lists_pending (const KtFakeLists *lists, KtFamily family)
{
  return lists->requests[family].listed != NULL;
}

gint64
kt_fake_lists_patience (const KtFakeLists *lists, KtFamily family)
{
  g_assert_true (kt_fake_lists_pending (lists, family));
  return lists->requests[family].patience;
}

void
kt_fake_lists_page (KtFakeLists *lists, KtFamily family, const char *items)
{
  const Request *request = &lists->requests[family];
  gboolean basic = family == KT_FAMILY_BASIC;
  g_autoptr (KtKey) key = kt_key_new (family, "");
  g_autofree char *text = g_strdup_printf ("{\"%s\":[%s]}", basic ? "taskList" : "data", items);
  g_autoptr (GBytes) body = kt_test_bytes (text);
  g_autoptr (GTimeZone) zone = g_time_zone_new_utc ();
  g_autoptr (GError) error = NULL;
  g_autoptr (KtListPage) page = (basic ? kt_decode_task_list : kt_decode_jobs) (key, 200, body, zone, &error);

  g_assert_no_error (error);
  g_assert_true (kt_fake_lists_pending (lists, family));
  request->page (page->tasks, request->data);
}

static void
end (KtFakeLists *lists, KtFamily family, const GError *error)
{
  Request request = lists->requests[family];

  g_assert_nonnull (request.listed);
  lists->requests[family] = (Request){ 0 };
  request.listed (error, request.data);
}

void
kt_fake_lists_end (KtFakeLists *lists, KtFamily family)
{
  end (lists, family, NULL);
}

void
kt_fake_lists_fail (KtFakeLists *lists, KtFamily family, KtErrorCode code)
{
  g_autoptr (GError) error = g_error_new (KT_ERROR, (int) code, "made to fail");
  end (lists, family, error);
}

void
kt_fake_lists_land (KtFakeLists *lists, KtFamily family, const char *items)
{
  kt_fake_lists_page (lists, family, items);
  kt_fake_lists_end (lists, family);
}
