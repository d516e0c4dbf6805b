/* SPDX-License-Identifier: MIT */
#pragma once

#include "model/kt-task.h"

/* Decoders: each turns one response of the service into what it says. BODY came with HTTP STATUS, ZONE is that of times
 * without one, KEY is what was asked for. They fail with
 *   KT_ERROR_NOT_FOUND, _REFUSED, _DENIED, _THROTTLED, _SERVICE   when the response is an error,
 *   KT_ERROR_BAD_ANSWER                                           when BODY is not JSON, or not of the documented kind, or
 *                                                                 of another task than KEY. */

/* A page of a list of KEY's family; KEY's task id means nothing. */
typedef struct {
  GPtrArray *tasks; /* KtTask, each from_list */
  guint n_items;    /* with those whose id cannot be one, which are left out of TASKS */
  char *next;       /* the next page's cursor, NULL when the response has none */
} KtListPage;

void kt_list_page_free (KtListPage *page);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtListPage, kt_list_page_free)

/* (transfer full), or NULL and ERROR. */
typedef KtTask *KtDecodeTask (KtKey *key, guint status, GBytes *body, GTimeZone *zone, GError **error);
typedef KtListPage *KtDecodePage (KtKey *key, guint status, GBytes *body, GTimeZone *zone, GError **error);

/* FALSE and ERROR when it was not done. */
typedef gboolean KtDecodeDone (guint status, GBytes *body, GError **error);

KtDecodeTask kt_decode_share_detail;
KtDecodeTask kt_decode_task_result;
KtDecodeTask kt_decode_basic_task; /* GET task/ID */
KtDecodeTask kt_decode_job;
KtDecodePage kt_decode_task_list;
KtDecodePage kt_decode_jobs;

/* A response that says only that it was done. KT_ERROR_DECLINED: the service does not do it. */
KtDecodeDone kt_decode_done;

/* What the two responses about a basic task say together; one of them may be NULL. Nobody else may hold them: they are
 * used up. (transfer full) */
KtTask *kt_decode_basic (KtTask *detail, KtTask *result);

/* How an endpoint's response is decoded: one of the three is set. */
typedef struct {
  KtDecodeTask *task;
  KtDecodePage *page;
  KtDecodeDone *done;
} KtDecode;

/* What it was decoded to: the one of the two that KtDecode says, neither for `done`. */
typedef struct {
  KtTask *task;
  KtListPage *page;
} KtDecoded;

/* Decodes into *DECODED, which is empty. FALSE and ERROR: it stays empty. */
gboolean kt_decode (const KtDecode *decode, KtKey *key, guint status, GBytes *body, GTimeZone *zone, KtDecoded *decoded,
                    GError **error);

/* Releases what is there. */
void kt_decoded_clear (KtDecoded *decoded);

/* Whether BODY, which came with HTTP STATUS, a failure of the service, has a code that will be there again at the next
 * attempt. */
gboolean kt_decode_is_final (guint status, GBytes *body);

/* The token that a response of session/refresh has, with its scheme word. (transfer full), to be wiped; errors as
 * above. */
char *kt_decode_access_token (guint status, GBytes *body, GError **error);

/* The JSON text of an object with these string fields, in order, NULL-terminated pairs of name and value.
 * (transfer full) */
char *kt_encode_object (const char *name, ...) G_GNUC_NULL_TERMINATED;
