/* SPDX-License-Identifier: MIT */
#pragma once

#include "codec/kt-decode.h"

/* How a list's pages are asked for, one after another. The place of a page is a string. */
typedef struct {
  const char *first; /* the place of the first page */

  /* The query for the page at PLACE, of SIZE items. (transfer full) */
  char *(*query) (const char *place, guint size);

  /* The place of the page after PAGE, which was asked for with SIZE items and is the last of N_ITEMS so far; NULL:
   * there is none. (transfer full) */
  char *(*next) (const KtListPage *page, guint n_items, guint size);
} KtPaging;

/* Each page names the next one; a page that names none is the last, be it empty or not. */
extern const KtPaging kt_paging_cursor;

/* Pages begin at the number of an item; a page shorter than asked for is the last. */
extern const KtPaging kt_paging_offset;
