/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/kt-error.h"
#include "kt-fake-clock.h"
#include "store/kt-store.h"

/* A source for the store whose requests the test ends by hand, oldest first. */
typedef struct KtFakeSource KtFakeSource;

KtFakeSource *kt_fake_source_new (void);
void kt_fake_source_free (KtFakeSource *source); /* no request may be under way */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtFakeSource, kt_fake_source_free)

/* The KtStoreFetch; its SOURCE is the KtFakeSource. */
void kt_fake_source_fetch (gpointer source, KtKey *key, gint64 deadline, KtStoreFetchDone done, gpointer data);

guint kt_fake_source_asked (const KtFakeSource *source); /* ever */
guint kt_fake_source_pending (const KtFakeSource *source);

/* Of the oldest request under way. */
const KtKey *kt_fake_source_key (const KtFakeSource *source);
gint64 kt_fake_source_deadline (const KtFakeSource *source);

/* Ends the oldest request. JSON is decoded as its family's answer, that to KT_FAMILY_UNKNOWN as the FAMILY's that is
 * said, the basic one by default; the trace id is "trace-N", N from 1. */
void kt_fake_source_land (KtFakeSource *source, const char *json);
void kt_fake_source_land_as (KtFakeSource *source, KtFamily family, const char *json);
void kt_fake_source_fail (KtFakeSource *source, KtErrorCode code);
