/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-key.h"

/* What a number of the service means; the same number means different things in different families. */
typedef enum {
  KT_WORD_TYPE,
  KT_WORD_STATUS,
  KT_WORD_RESULT,
  KT_WORD_FILE_STATUS,
} KtWordKind;

/* The words of a task's status, result and type that code decides by. */
#define KT_STATUS_PENDING       "pending"
#define KT_STATUS_RUNNING       "running"
#define KT_STATUS_COMPLETED     "completed"
#define KT_STATUS_CANCELED      "canceled"
#define KT_STATUS_FAILED        "failed"
#define KT_STATUS_UNKNOWN       "unknown-" /* how all others begin */
#define KT_RESULT_SUCCEEDED     "succeeded"
#define KT_RESULT_PARTLY_FAILED "partly-failed"
#define KT_RESULT_FAILED        "failed"
#define KT_TYPE_IMPORT          "import"

/* The word for CODE, the service's number as text: a whole number is read by its value. "unknown-CODE" when there
 * is none, with control characters of a hostile CODE encoded. (transfer full) */
char *kt_word (KtFamily family, KtWordKind kind, const char *code);

/* The status words of all families, in the order of a task's life, ended by NULL. Any other one is "unknown-N". */
extern const char *const kt_statuses[];

/* Whether WORD is one of them. */
gboolean kt_status_is_known (const char *word);

/* Whether a task with this status word changes no more. */
gboolean kt_status_is_final (const char *status);
