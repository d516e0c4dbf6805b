/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/kt-time.h"
#include "kt-key.h"

/* One file of a share task. Strings are never NULL; "" is what the service did not give. Those marked shared are
 * interned (GRefString): thousands of tasks say the same few. */
typedef struct {
  char *name;         /* the directory's name below files/, unique in the task; set by kt_task_seal() */
  char *id;           /* fileId */
  char *status;       /* shared; word of model/kt-words.c, "" when there is none */
  char *new_id;       /* newFileId */
  char *container_id; /* shared; srcContainerId */
} KtTaskFile;

/* One row of an import task's failInfoList. */
typedef struct {
  char *user_name;
  char *desc;
} KtTaskFailure;

/* What one response of the service, or two of one moment, say of one task. Decoding fills it and seals it; from then on
 * it is immutable and refcounted, in any thread. Strings are never NULL. */
typedef struct {
  gatomicrefcount refs;
  KtKey *key;
  char *type; /* shared, as are the next two; words of model/kt-words.c, "" when unknown */
  char *status;
  char *result;
  gint progress; /* 0..100, -1 when unknown */
  KtSec created; /* seconds since the epoch, KT_TIME_UNKNOWN */
  KtSec started;
  KtSec ended;
  char *user;
  char *name;           /* what the service calls the task */
  gboolean from_list;   /* a summary: no counts, files, failures and documents */
  gint64 success_count; /* -1 when unknown */
  gint64 fail_count;
  char *download_url;  /* of the package, a secret; "" when there is none */
  GArray *files;       /* KtTaskFile */
  GArray *failures;    /* KtTaskFailure */
  GBytes *job_json;    /* the job object, pretty-printed; NULL from a list, as is the next one */
  GBytes *response;    /* the whole body, byte for byte */
  GHashTable *by_name; /* of many files: name → index + 1 */
  GBytes *files_csv;   /* of many rows, as is the next: what kt-csv.h gives, made once */
  GBytes *failures_csv;
} KtTask;

/* An empty task to be filled: every string "", every number unknown. */
KtTask *kt_task_new (KtKey *key);
KtTask *kt_task_ref (KtTask *task);

/* The last reference to a task of many rows is released without waiting: one thread frees these tasks, one after
 * another. */
void kt_task_unref (KtTask *task);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtTask, kt_task_unref)

/* Appends a file or a failure for the caller to fill; its strings are "". The pointer is good until the next one. */
KtTaskFile *kt_task_add_file (KtTask *task);
KtTaskFailure *kt_task_add_failure (KtTask *task);

/* Replaces a string of a task that is not sealed yet. VALUE is (transfer full). */
void kt_task_set (char **field, char *value);

/* The same for a shared one. VALUE is (transfer none). */
void kt_task_share (char **field, const char *value);

/* Gives the files their names: percent-encoded, cut, and numbered when two are alike; and renders the CSV of
 * many rows. Linear in their number. */
void kt_task_seal (KtTask *task);

/* The file whose directory is called NAME, or NULL. */
const KtTaskFile *kt_task_find_file (const KtTask *task, const char *name);

/* Whether the task changes no more. */
gboolean kt_task_is_final (const KtTask *task);

/* TASK completed from LISTED, a summary of the same task: type, user, name and times that TASK lacks. The end is
 * taken only when both have ended, or have the same status, which may be one we do not know. NULL when TASK lacks
 * nothing. The result shares rows and documents with TASK. (transfer full) */
KtTask *kt_task_completed (const KtTask *task, const KtTask *listed);

/* Whether the next list may have times that TASK, a detail, lacks. LISTED is the last summary, or NULL: with the
 * same status it has all that the service knows, but for an end, which may come late. */
gboolean kt_task_is_incomplete (const KtTask *task, const KtTask *listed);

/* Whether two responses about a task say the same. */
gboolean kt_task_says_same (const KtTask *task, const KtTask *other);

/* Roughly the bytes of memory the task holds. */
gsize kt_task_size (const KtTask *task);
