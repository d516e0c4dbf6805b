/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/kt-error.h"
#include "store/kt-lists.h"

/* A source of lists whose pages the test lands by hand. At most one list a family may be under way. */
typedef struct KtFakeLists KtFakeLists;

KtFakeLists *kt_fake_lists_new (void);
void kt_fake_lists_free (KtFakeLists *lists); /* no list may be under way */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtFakeLists, kt_fake_lists_free)

/* The KtListsFetch; its SOURCE is the KtFakeLists. */
void kt_fake_lists_fetch (gpointer source, KtFamily family, gint64 patience, KtListsPage page, KtListsListed listed,
                          gpointer data);

guint kt_fake_lists_asked (const KtFakeLists *lists); /* ever */
gboolean kt_fake_lists_pending (const KtFakeLists *lists, KtFamily family);
gint64 kt_fake_lists_patience (const KtFakeLists *lists, KtFamily family); /* of the list under way */

/* A page of the list under way: ITEMS are what stands between the brackets of the service's array. */
void kt_fake_lists_page (KtFakeLists *lists, KtFamily family, const char *items);

/* Ends the list under way: well, or in an error. */
void kt_fake_lists_end (KtFakeLists *lists, KtFamily family);
void kt_fake_lists_fail (KtFakeLists *lists, KtFamily family, KtErrorCode code);

/* A whole list of one page. */
void kt_fake_lists_land (KtFakeLists *lists, KtFamily family, const char *items);

/* Items of both families' lists. */
#define KT_ITEM(id, status) "{\"taskId\":\"" id "\",\"taskType\":1,\"status\":" #status "}"
#define KT_ITEM_ENDED(id, status)                                                                                      \
  "{\"taskId\":\"" id "\",\"taskType\":1,\"status\":" #status ",\"endTime\":\"20240930091500\"}"
