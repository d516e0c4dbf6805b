/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-store-fixture.h"
#include "tree/kt-tree.h"

#include "base/kt-units.h"

/* A tree on a store whose source and clock the test drives by hand, and a kernel that only takes notes. */
typedef struct {
  KtStoreFixture below; /* with kt_store_policy; no list is chosen before kt_tree_use_lists() */
  KtEvents *events;     /* memory 1 MiB */
  KtHealth *health;
  KtTree *tree;
  /* those of BELOW, at hand */
  KtFakeClock *clock;
  KtFakeSource *source;
  KtMetrics *metrics;
  KtStorePolicy policy; /* for kt_store_set_policy() */
  KtStore *store;
  KtCatalog *catalog;
  KtLists *lists;
  /* the kernel */
  GString *forgotten; /* "PARENT/NAME " for each invalidated name */
  guint64 attributes; /* the last inode whose attributes were invalidated */
  gboolean
      forgets_at_once; /* the kernel forgets names while they are invalidated; else kt_tree_invalidated() says when */
  GSourceFunc invalidated;
  gpointer invalidated_data;
} KtTreeFixture;

void kt_tree_set_up (KtTreeFixture *f, gconstpointer data);
void kt_tree_tear_down (KtTreeFixture *f, gconstpointer data); /* whose tree may have been freed before, and be NULL */
#define KT_TREE_TEST(path, func) g_test_add (path, KtTreeFixture, NULL, kt_tree_set_up, func, kt_tree_tear_down)

/* Watches these tasks and no others: lines of a watch list. */
void kt_tree_watch (KtTreeFixture *f, const char *const *lines);

/* From now on tasks/ is made of these families' lists too. */
void kt_tree_use_lists (KtTreeFixture *f, guint families);

/* The kernel has done the last invalidation. */
void kt_tree_invalidated (KtTreeFixture *f);

/* What a lookup has ended in. */
typedef struct {
  guint calls;   /* of the callback */
  KtInode entry; /* id 0: no such name, or an error */
  int error;     /* -1: none */
} KtTreeLookup;

KtOperation *kt_tree_start_lookup (KtTreeFixture *f, guint64 parent, const char *name, KtTreeLookup *lookup);

/* Looks up NAME, landing JSON when the service is asked; with JSON NULL it must not be asked. */
KtTreeLookup kt_tree_look_up (KtTreeFixture *f, guint64 parent, const char *name, const char *json);

/* The same for each part of PATH ("tasks/7/status"), which must exist; the entry of the last. */
KtInode kt_tree_find (KtTreeFixture *f, const char *path, const char *json);

/* The error that reading a file ends in, -1: none. */
int kt_tree_read_error (KtTreeFixture *f, guint64 id);

/* The content of a file, which must be one. (transfer full) */
char *kt_tree_text (KtTreeFixture *f, guint64 id);

/* Responses about a share task. */
#define KT_JOB(fields)                                                                                                 \
  "{\"jobInfo\":{" fields "},\"taskInfos\":[{\"fileId\":\"F\",\"status\":\"1\",\"newFileId\":\"N\"}]}"
#define KT_RUNNING    KT_JOB ("\"taskStatus\":1,\"progress\":10,\"startTime\":\"20240930090000\"")
#define KT_RUNNING_ON KT_JOB ("\"taskStatus\":1,\"progress\":20,\"startTime\":\"20240930090000\"")
#define KT_ENDED      KT_JOB ("\"taskStatus\":2,\"progress\":100,\"endTime\":\"20240930091500\"")
/* of a job */
#define KT_JOB_RUNNING "{\"data\":{\"jobInfo\":{\"taskType\":1,\"status\":1,\"progress\":30}}}"
#define KT_JOB_ENDED   "{\"data\":{\"jobInfo\":{\"taskType\":1,\"status\":2,\"progress\":100}}}"
/* of an import task */
#define KT_IMPORTED "{\"data\":{\"successCount\":1,\"failCount\":0}}"
