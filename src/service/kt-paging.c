/* SPDX-License-Identifier: MIT */
/* The two ways in which the service's lists are paged: by cursor and by offset. */
#include "kt-paging.h"

static char *
cursor_query (const char *place, guint size)
{
  g_autofree char *escaped = g_uri_escape_string (place, NULL, FALSE);

  return g_strdup_printf ("?pageSize=%u%s%s", size, place[0] != '\0' ? "&pageCursor=" : "", escaped);
}

static char *
cursor_next (const KtListPage *page, guint n_items, guint size)
{
  return g_strdup (page->next);
}

static char *
offset_query (const char *place, guint size)
{
  return g_strdup_printf ("?offset=%s&limit=%u", place, size);
}

static char *
offset_next (const KtListPage *page, guint n_items, guint size)
{
  return page->n_items >= size ? g_strdup_printf ("%u", n_items) : NULL;
}

const KtPaging kt_paging_cursor = { "", cursor_query, cursor_next };
const KtPaging kt_paging_offset = { "0", offset_query, offset_next };
