/* SPDX-License-Identifier: MIT */
/* Lists of the service, page after page. */
#include "kt-service-private.h"

#include "base/kt-error.h"
#include "kt-family-calls.h"
#include "kt-paths.h"

#define PAGE_SIZE        100 /* the most the service gives */
#define MOST_PAGES       20000
#define MOST_EMPTY_PAGES 100 /* in a row */

typedef struct {
  KtService *service;
  const KtFamilyCalls *calls;
  KtKey *key; /* of the family alone */
  KtUsec page_timeout;
  KtSourcePage page; /* NULL: one task is enough */
  KtSourceListed listed;
  gpointer data;
  GHashTable *ids;     /* task ids seen */
  GHashTable *cursors; /* cursors seen */
  guint pages;
  guint items;
  guint unusable; /* items whose id cannot be one */
  guint empty_pages;
} Listing;

static void send_page (Listing *listing, const char *place);

/* Reported once, and again when there are more or fewer. */
static void
report_unusable (const Listing *listing)
{
  guint *reported = &listing->service->unusable_reported[listing->key->family];

  if (listing->unusable != 0 && listing->unusable != *reported)
    g_warning ("the list of %s tasks has %u with an id that cannot be one: they are not shown",
               kt_family_word (listing->key->family), listing->unusable);
  *reported = listing->unusable;
}

static void
end (Listing *listing, const GError *error)
{
  if (error == NULL && listing->page != NULL)
    report_unusable (listing);
  listing->listed (error, listing->data);
  kt_key_unref (listing->key);
  g_hash_table_unref (listing->ids);
  g_hash_table_unref (listing->cursors);
  g_free (listing);
}

/* Remembers the page's ids; how many were new. */
static guint
note_ids (Listing *listing, const KtListPage *page)
{
  guint fresh = 0;

  for (guint i = 0; i < page->tasks->len; i++)
    fresh +=
        g_hash_table_add (listing->ids, g_strdup (((const KtTask *) g_ptr_array_index (page->tasks, i))->key->task_id));
  return fresh;
}

/* Leaves out the tasks whose id in a path would be another endpoint. */
static void
drop_words (GPtrArray *tasks)
{
  for (guint i = tasks->len; i > 0; i--)
    if (kt_path_has_word (((const KtTask *) g_ptr_array_index (tasks, i - 1))->key->task_id))
      g_ptr_array_remove_index (tasks, i - 1);
}

/* Why the list would never end, NULL as long as it may. */
static const char *
endless (Listing *listing, const KtListPage *page, guint fresh, const char *next)
{
  listing->empty_pages = page->tasks->len == 0 ? listing->empty_pages + 1 : 0;
  if (!g_hash_table_add (listing->cursors, g_strdup (next)))
    return "a cursor comes again";
  if (page->tasks->len > 0 && fresh == 0)
    return "a page comes again";
  if (listing->empty_pages > MOST_EMPTY_PAGES)
    return "empty pages without end";
  return listing->pages >= MOST_PAGES ? "pages without end" : NULL;
}

/* What is wrong with the list as far as PAGE, after which NEXT comes or, when it is NULL, nothing. NULL: nothing is. */
static GError *
fault_of (Listing *listing, const KtListPage *page, guint fresh, const char *next)
{
  const char *why = next != NULL ? endless (listing, page, fresh, next) : NULL;

  if (why != NULL)
    return g_error_new (KT_ERROR, KT_ERROR_BAD_ANSWER, "the list does not end: %s (page %u)", why, listing->pages);
  if (next == NULL && listing->items > 0 && listing->unusable == listing->items)
    return g_error_new_literal (KT_ERROR, KT_ERROR_BAD_ANSWER, "the list has no item with an id that can be one");
  return NULL;
}

static void
on_page (KtDecoded *decoded, const char *trace_id, const GError *error, gpointer data)
{
  Listing *listing = data;
  const KtListPage *page = decoded->page;
  g_autofree char *next = NULL;
  g_autoptr (GError) fault = NULL;
  guint fresh;

  if (page == NULL) {
    if (kt_error_is_answer (error))
      kt_requests_report (listing->service->requests, "list", kt_family_word (listing->key->family), trace_id, error);
    end (listing, error);
    return;
  }
  drop_words (page->tasks);
  listing->pages++;
  listing->items += page->n_items;
  listing->unusable += page->n_items - page->tasks->len;
  fresh = note_ids (listing, page);
  if (listing->page != NULL) {
    listing->page (page->tasks, 0, listing->data);
    next = listing->calls->paging->next (page, listing->items, PAGE_SIZE);
    fault = fault_of (listing, page, fresh, next);
  }
  if (fault != NULL) {
    kt_requests_report (listing->service->requests, listing->calls->list->name, "", trace_id, fault);
    end (listing, fault);
  } else if (next != NULL) {
    send_page (listing, next);
  } else {
    end (listing, NULL);
  }
}

static void
send_page (Listing *listing, const char *place)
{
  const KtFamilyCalls *calls = listing->calls;
  g_autofree char *query = calls->paging->query (place, listing->page != NULL ? PAGE_SIZE : 1);
  KtUsec deadline = kt_time_add (kt_clock_monotonic (listing->service->clock), listing->page_timeout);

  kt_request_send (listing->service->requests, calls->list, listing->key, query, NULL, deadline, on_page, listing);
}

void
kt_service_list (KtSource *source, KtFamily family, KtUsec page_timeout, KtSourcePage page, KtSourceListed listed,
                 gpointer data)
{
  Listing *listing = g_new0 (Listing, 1);

  listing->service = (KtService *) source;
  listing->calls = kt_family_calls (family);
  listing->key = kt_key_new (family, "");
  listing->page_timeout = page_timeout;
  listing->page = page;
  listing->listed = listed;
  listing->data = data;
  listing->ids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  listing->cursors = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  send_page (listing, listing->calls->paging->first);
}
