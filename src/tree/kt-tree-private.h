/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-node.h"
#include "kt-tree.h"
#include "store/kt-moves.h"
#include "store/kt-readahead.h"

struct KtTree {
  KtClock *clock;
  KtStore *store;
  KtCatalog *catalog;
  KtAbout about;
  KtTreeOptions options;
  KtNodes *nodes;
  KtLists *lists;
  KtReadahead *readahead;
  KtPackages *packages; /* NULL: there are none */
  KtUsec started_wall;  /* wall clock */
  KtChanges *changes;
  KtMoves *moves;       /* listens before the next */
  KtListener *listener; /* kt_tree_on_changes() */
  KtSource *cancel;     /* NULL: it is not allowed */
  KtTreeInvalidate invalidate;
  gpointer kernel;
};

/* How the task of a node is asked for now; NULL outside of tasks. (transfer none) */
KtKey *kt_tree_key_of (KtTree *tree, const KtNode *node);

/* The families a directory's rows are looked up for. */
guint kt_tree_families_of (KtTree *tree, const KtNode *node);

/* What is left of a time, for a life told to the kernel: a little less, as it rounds up. */
KtUsec kt_tree_timeout_until (KtTree *tree, KtUsec until);

/* ID and attributes of a node; KEY is that of its task, NULL outside of tasks. */
void kt_tree_describe (KtTree *tree, KtNode *node, KtKey *key, KtInode *entry);

/* The mtime of a task's directory, wall clock in microseconds; 0: not settled. It is settled by the first answer, or when
 * somebody looks at it before (GETATTR, a listing with attributes), and must not move because the task was asked about:
 * tar and rsync would take that for a change. From then on it moves when an answer differs from the one before. */
KtUsec kt_tree_task_mtime (KtTree *tree, KtKey *key);

/* The same after an answer: as it is now. */
KtUsec kt_tree_move_mtime (KtTree *tree, KtKey *key);

/* Somebody looks: what the directory of KEY, if any, shows now is what it goes on showing. */
void kt_tree_settle_mtime (KtTree *tree, KtKey *key);

/* An answer that is needed: of which task, and how. */
typedef struct {
  KtKey *key; /* NULL: none is */
  KtStoreMode mode;
  gboolean list;    /* what a list may tell is needed beside the answer at hand */
  gboolean no_list; /* set by the caller: the list has been waited for */
} KtWant;

void kt_want_clear (KtWant *want);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (KtWant, kt_want_clear)

/* Finds NAME in DIR with what is at hand: ANSWER is the one wanted before, NULL before there is one. FALSE, without
 * error, when an answer is wanted first: *WANT then says which, or that a list is, or nothing when the package's host is
 * to be asked (kt_tree_ask_package()). FALSE with error when the name does not exist according to ANSWER. */
gboolean kt_tree_resolve (KtTree *tree, KtNode *dir, const char *name, const KtSnapshot *snapshot, KtInode *entry,
                          KtWant *want, GError **error);

/* The same when the answer cannot be had: a name that is known stays, for no time, and leads to what fails with ERROR
 * when it is read. FALSE when NAME is not known. */
gboolean kt_tree_resolve_failure (KtTree *tree, KtNode *dir, const char *name, const GError *error, KtInode *entry);

/* Makes the kernel forget the names of KEY's task that may lead elsewhere with another answer; then DONE, if any. */
void kt_tree_forget_names (KtTree *tree, const KtKey *key, GSourceFunc done, gpointer data);

/* The tree's listener of the change feed: makes the kernel forget what has changed. */
void kt_tree_on_changes (const KtChange *changes, guint n, gpointer data);

/* The last good answer about a task that its names are still taken from after ERROR: FALSE when there is none, or the
 * service says that the task is gone. */
gboolean kt_tree_last_names (KtTree *tree, KtKey *key, const GError *error, KtSnapshot *snapshot);

/* Any of kt-tree.h's callbacks; each kind of call knows its own. */
typedef void (*KtTreeCallback) (void);

/* A call that waits for the store, the lists, or a package. */
struct KtOperation {
  KtTree *tree;
  KtNode *node;
  char *name;
  KtKey *key;
  KtStoreMode mode; /* how the store was asked */
  KtUsec deadline;
  KtWaiter *waiter;
  KtListsWaiter *lists_waiter;
  KtPackageFind *package_find;
  KtPackageRead *package_read;
  GError *refusal;       /* of a cancel: what it will end in */
  gboolean has_list;     /* the list was waited for that may tell more */
  gboolean is_beginning; /* the store is being asked, and may answer at once */
  gboolean has_ended;    /* meanwhile */
  KtTreeCallback callback;
  gpointer data;
};

/* A call that waits for nothing yet. KEY may be NULL. */
KtOperation *kt_operation_new (KtTree *tree, KtNode *node, const char *name, KtKey *key, KtTreeCallback callback,
                               gpointer data);

/* Asks the store for KEY on behalf of an operation on NODE. DONE gets the call and ends with kt_operation_free(), or
 * has it wait for something else. NULL when it has ended before this returns. */
KtOperation *kt_operation_start (KtTree *tree, KtNode *node, const char *name, KtKey *key, KtStoreMode mode,
                                 KtStoreDone done, KtTreeCallback callback, gpointer data);
void kt_operation_free (KtOperation *operation);

/* Whether the answer in memory has a link to a package. */
gboolean kt_tree_has_package (KtTree *tree, KtKey *key);

/* kt_tree_resolve() of a package; FALSE when its host is to be asked. */
gboolean kt_tree_resolve_package (KtTree *tree, KtNode *dir, const KtEntry *row, const KtSnapshot *snapshot,
                                  KtInode *entry);

/* The second half of a lookup: asks the host, then resolves again and calls back. */
void kt_tree_ask_package (KtOperation *operation);
