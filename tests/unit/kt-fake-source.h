/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/kt-error.h"
#include "kt-fake-clock.h"
#include "model/kt-source.h"

/* A source whose requests the test ends by hand: those for tasks oldest first, those for lists by family, of which
 * at most one may be under way. Nobody cancels by it. */
typedef struct KtFakeSource KtFakeSource;

KtFakeSource *kt_fake_source_new (void);
void kt_fake_source_free (KtFakeSource *source); /* no request may be under way */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtFakeSource, kt_fake_source_free)

KtSource *kt_fake_source (KtFakeSource *source); /* (transfer none) */

/* How old all that comes from now on is. */
void kt_fake_source_set_age (KtFakeSource *source, KtUsec age);

/* Until when it asks not to be polled; 0 at first. */
void kt_fake_source_set_ready_at (KtFakeSource *source, KtUsec ready_at);

guint kt_fake_source_asked (const KtFakeSource *source); /* ever */
guint kt_fake_source_pending (const KtFakeSource *source);

/* Of the oldest request under way. */
const KtKey *kt_fake_source_key (const KtFakeSource *source);
gint64 kt_fake_source_deadline (const KtFakeSource *source);

/* Ends the oldest request. JSON is decoded as its family's response. The response to KT_FAMILY_UNKNOWN is FAMILY's,
 * the basic family's by default; the trace id is "trace-N", N from 1. */
void kt_fake_source_land (KtFakeSource *source, const char *json);
void kt_fake_source_land_as (KtFakeSource *source, KtFamily family, const char *json);
void kt_fake_source_fail (KtFakeSource *source, KtErrorCode code);

guint kt_fake_list_asked (const KtFakeSource *source); /* lists, ever */
gboolean kt_fake_list_pending (const KtFakeSource *source, KtFamily family);
KtUsec kt_fake_list_timeout (const KtFakeSource *source, KtFamily family); /* of the list under way */

/* A page of the list under way: ITEMS are what stands between the brackets of the service's array. */
void kt_fake_list_page (KtFakeSource *source, KtFamily family, const char *items);

/* Ends the list under way: well, or in an error. */
void kt_fake_list_end (KtFakeSource *source, KtFamily family);
void kt_fake_list_fail (KtFakeSource *source, KtFamily family, KtErrorCode code);

/* A whole list of one page. */
void kt_fake_list_land (KtFakeSource *source, KtFamily family, const char *items);

/* Items of both families' lists. */
#define KT_ITEM(id, status) "{\"taskId\":\"" id "\",\"taskType\":1,\"status\":" #status "}"
#define KT_ITEM_ENDED(id, status)                                                                                      \
  "{\"taskId\":\"" id "\",\"taskType\":1,\"status\":" #status ",\"endTime\":\"20240930091500\"}"
