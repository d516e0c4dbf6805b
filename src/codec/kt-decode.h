/* SPDX-License-Identifier: MIT */
#pragma once

#include "model/kt-task.h"

/* Turns one answer of the service into what it tells: BODY came with HTTP STATUS, ZONE is that of times without
 * one, KEY is what was asked for. The result is (transfer full), or NULL and
 *   KT_ERROR_NOT_FOUND, _DENIED, _THROTTLED, _SERVICE   when the service answered with an error,
 *   KT_ERROR_BAD_ANSWER                                 when BODY is not JSON, or not of the documented kind, or of
 *                                                       another task than KEY. */
typedef gpointer KtDecode (KtKey *key, guint status, GBytes *body, GTimeZone *zone, GError **error);

/* A KtTask. */
KtDecode kt_decode_share_detail;
KtDecode kt_decode_task_result;
KtDecode kt_decode_basic_task; /* GET task/ID */
KtDecode kt_decode_job;

/* What the two calls about a basic task tell together; one of them may be NULL. Nobody else may hold them: they are
 * used up. (transfer full) */
KtTask *kt_decode_basic (KtTask *detail, KtTask *result);

/* A page of a list of KEY's family; its task id means nothing. */
typedef struct {
  GPtrArray *tasks; /* KtTask, each from_list */
  guint n_items;    /* with those whose id cannot be one, which are left out of TASKS */
  char *next;       /* the next page's cursor, NULL when the answer has none */
} KtListPage;

KtDecode kt_decode_task_list;
KtDecode kt_decode_jobs;
void kt_list_page_free (KtListPage *page);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtListPage, kt_list_page_free)

/* An answer that tells only that it was done: something that is not NULL, not to be freed. */
KtDecode kt_decode_done;

/* Whether BODY, which came with HTTP STATUS, a failure of the service, has a code that will be there again the next
 * time. */
gboolean kt_decode_is_final (guint status, GBytes *body);

/* The token that session/refresh gives, with its scheme word. (transfer full), to be wiped; errors as above. */
char *kt_decode_access_token (guint status, GBytes *body, GError **error);

/* The JSON text of an object with these string fields, in order, NULL-terminated pairs of name and value.
 * (transfer full) */
char *kt_encode_object (const char *name, ...) G_GNUC_NULL_TERMINATED;
