/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-about.h"
#include "store/kt-catalog.h"
#include "store/kt-events.h"
#include "store/kt-lists.h"
#include "package/kt-package.h"
#include "store/kt-store.h"
#include "store/kt-watch.h"

#include <poll.h>
#include <sys/stat.h>

/* The file system without FUSE: what each operation finds, and for how long that holds. An operation that may take a
 * request has a callback. It is called before the function returns, which then returns NULL, or later: then the
 * function returns the operation, which is valid until the callback or kt_tree_cancel(). Every operation has the
 * tree's deadline for all its requests together; touch and write then wait for the kernel to forget names as well.
 * Inodes are described in kt-node.h. */
typedef struct KtTree KtTree;
typedef struct KtOperation KtOperation;

/* An inode as the kernel gets it. A timeout may be KT_TIME_NEVER. */
typedef struct {
  guint64 id; /* 0: there is no such name, for ENTRY_TIMEOUT */
  struct stat stat;
  KtUsec entry_timeout; /* how long the name leads here */
  KtUsec attr_timeout;  /* how long STAT holds */
} KtInode;

/* What the kernel is to forget before its timeout: the name NAME in the directory INODE, or, when NAME is NULL, the
 * attributes of INODE. */
typedef struct {
  guint64 inode;
  const char *name;
} KtInvalidation;

/* Has the kernel forget INVALIDATIONS (KtInvalidation, (transfer full)), then calls DONE, if any. */
typedef void (*KtTreeInvalidate) (gpointer kernel, GPtrArray *invalidations, GSourceFunc done, gpointer data);

/* Has the kernel tell those who watch PATHS (strings, (transfer full)) with inotify that these have changed: paths below the
 * mount, a directory's with a slash at its end. Names in ".inodes/" are numbers of
 * inodes. None: nobody watches any more. */
typedef void (*KtTreeAnnounce) (gpointer kernel, GPtrArray *paths);

typedef struct {
  uid_t uid;
  gid_t gid;
  KtUsec deadline; /* of one operation */
  guint readahead; /* tasks fetched ahead of one reader at the most */
  guint families;  /* KT_FAMILY_BIT()s: where a task is looked for that nobody has named */
} KtTreeOptions;

/* Everything passed in outlives the tree; ABOUT is copied. */
KtTree *kt_tree_new (KtClock *clock, KtChanges *changes, KtStore *store, KtCatalog *catalog, KtLists *lists,
                     KtWatch *watch, const KtAbout *about, const KtTreeOptions *options);
void kt_tree_free (KtTree *tree);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtTree, kt_tree_free)

/* New options, but for the owner's ids. */
void kt_tree_set_options (KtTree *tree, const KtTreeOptions *options);

/* PACKAGES fetch packages, and outlive the tree. Without them there is no package.zip. */
void kt_tree_set_packages (KtTree *tree, KtPackages *packages);

/* EVENTS have the logs, and outlive the tree; they have been made before it. Without them there is no file that grows. */
void kt_tree_set_events (KtTree *tree, KtEvents *events);
void kt_tree_set_preload (KtTree *tree, KtPackagePreload preload, gpointer kernel);
void kt_tree_set_invalidate (KtTree *tree, KtTreeInvalidate invalidate, gpointer kernel);
void kt_tree_set_announce (KtTree *tree, KtTreeAnnounce announce, gpointer kernel);

/* INODES are all that somebody watches with inotify now. While they are watched, and until this is called twice without
 * them, their tasks are polled, and what changes in them is announced; who watches a directory that is of no task watches all
 * tasks. */
void kt_tree_set_watched (KtTree *tree, const guint64 *inodes, guint n);

/* Nobody watches: at once. */
void kt_tree_unwatch (KtTree *tree);

/* Inodes that were watched when that was last said, for statistics. */
guint kt_tree_watched (KtTree *tree);

/* The operation's callback is not called any more; a request that it started goes on. */
void kt_tree_cancel (KtOperation *operation);

/* Finds NAME in a directory. On success the inode has one lookup more. A name of a known task is found also when the
 * service cannot be asked: reading it fails. */
typedef void (*KtTreeFound) (const KtInode *entry, const GError *error, gpointer data);
KtOperation *kt_tree_lookup (KtTree *tree, guint64 parent, const char *name, KtTreeFound found, gpointer data);

/* The same for who announces: from memory, whatever its age. FALSE when there is no such name. Never a request. */
gboolean kt_tree_look_up_own (KtTree *tree, guint64 parent, const char *name, KtInode *entry);

/* The kernel gives COUNT lookups of an inode back. */
void kt_tree_forget (KtTree *tree, guint64 id, guint64 count);

/* An inode's attributes, from memory; FALSE when there is no such inode. */
gboolean kt_tree_getattr (KtTree *tree, guint64 id, KtInode *entry);

/* Largest content that is worth preloading. */
#define KT_PRELOAD_MAX 65536

/* The content of an inode, for the kernel's page cache. */
typedef struct {
  guint64 inode;
  gint64 offset;
  GBytes *content;
} KtPages;

/* Adds CONTENT, which INODE has from OFFSET on, to *LIST (GPtrArray of KtPages), which is made when it is NULL. */
void kt_pages_add (GPtrArray **list, guint64 inode, gint64 offset, GBytes *content);

/* What should be stored in the kernel's page cache before the reply to GETATTR of an inode, once for each version of a
 * small file: KtPages, (transfer full); NULL when there is nothing to store.
 *
 * Why: when the kernel READs, it takes the access time for changed, and the next stat asks for the attributes again.
 * A second `cat` would reach the daemon. So the attributes of a file found by LOOKUP have the timeout 0; the GETATTR
 * that comes before the first read is the occasion to store the pages, and its reply has attributes that last.
 * Attributes that come with a listing last at once, because of what is listed little is read. */
GPtrArray *kt_tree_preload (KtTree *tree, guint64 id);

/* What should be stored there once an inode was READ. From the second file of a directory on these are all others
 * that the kernel knows, because somebody reads them one after another. As above. */
GPtrArray *kt_tree_preload_others (KtTree *tree, guint64 id);

/* The content of a file; that of one inode never changes. (transfer full). NULL with ERROR when it cannot be had, NULL
 * without ERROR when it is no file, or a package. */
GBytes *kt_tree_read (KtTree *tree, guint64 id, GError **error);

/* SIZE bytes, from OFFSET on, of a file that grows, as it is now; less at its end. (transfer full). NULL when it is no
 * such file. */
GBytes *kt_tree_read_at (KtTree *tree, guint64 id, gint64 offset, gsize size);

/* Somebody looks at an inode: IS_READ, reads it, else asks for its attributes. Who looks again and again at a file that
 * shows what changes is watching (kt_watch_look()). Asking for attributes counts only after a look that counted, at most
 * KT_WATCH_AGAIN ago: `tail -f` reads, and then asks each second whether there is more; `ls -l` shows all files and
 * wants none of them polled. */
void kt_tree_look (KtTree *tree, guint64 id, gboolean is_read);

/* A part of a file that may have to be waited for. */
typedef struct {
  gint64 offset;
  gsize size;
  gboolean waits; /* for as long as it takes that something happens; else KT_ERROR_NOT_YET says that it has not */
} KtTreePart;

/* Reads a part of a file that has no content of its own: bytes of a package, see kt_package_read(), or the word of a task
 * that has ended. */
typedef KtPackageBytes KtTreeBytes;
KtOperation *kt_tree_read_part (KtTree *tree, guint64 id, const KtTreePart *part, KtTreeBytes bytes, gpointer data);

/* What poll(2) says of a file that nothing is to be said of, and of one that has changed. */
#define KT_POLL_DEFAULT (POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM)
#define KT_POLL_CHANGED (KT_POLL_DEFAULT | POLLPRI | POLLERR)

/* What an inode is ready for (POLL*). EVENTS are those asked for: who does not ask for POLLPRI is told of no change, nor of
 * the POLLERR that goes with it, and watches nothing. HANDLE is the kernel's number of the open file. Until it is ready for more, or nobody
 * polls it any more, its task is watched; whenever it may be ready, it is woken, and is to be asked about again. It is
 * woken every KT_POLL_PROBE ttl, too: nobody polls it any more when it is not asked about before the next time. At most
 * KT_POLL_MAX handles wait: more are said to have changed, so that nobody waits in vain. */
guint kt_tree_poll (KtTree *tree, guint64 id, guint64 handle, guint events);
#define KT_POLL_PROBE 3
#define KT_POLL_MAX   65536

/* Has the kernel ask again what the N open files HANDLES are ready for, if somebody polls them; takes no locks. */
typedef void (*KtTreeWake) (gpointer kernel, const guint64 *handles, guint n);
void kt_tree_set_wake (KtTree *tree, KtTreeWake wake, gpointer kernel);

/* A link's target. (transfer full), NULL when it is no link. */
char *kt_tree_readlink (KtTree *tree, guint64 id);

/* Asks the service again for the task of an inode, and has the kernel forget the names that may lead elsewhere now.
 * Fails with KT_ERROR_READ_ONLY for an inode that is of no task. ERROR is NULL on success. */
typedef void (*KtTreeTouched) (const GError *error, gpointer data);
KtOperation *kt_tree_touch (KtTree *tree, guint64 id, KtTreeTouched touched, gpointer data);

/* SOURCE is what cancels tasks from now on; NULL: cancelling is not allowed, which is how a tree begins. */
void kt_tree_set_cancel (KtTree *tree, KtSource *source);

/* Writes TEXT to an inode, at OFFSET: a file that takes words does what the word says. Errors: KT_ERROR_READ_ONLY,
 * the file takes none; KT_ERROR_BAD_WORD, it takes another one; KT_ERROR_FORBIDDEN, that is not allowed;
 * KT_ERROR_ENDED, the task has ended; KT_ERROR_DECLINED, the service does not do it; those of requests. After
 * success, and when the service declines, the service has been asked again, as by kt_tree_touch(). */
KtOperation *kt_tree_write (KtTree *tree, guint64 id, const char *text, gsize size, gint64 offset,
                            KtTreeTouched written, gpointer data);

/* What stands in a directory at one moment; it does not change while it is read. */
typedef struct KtListing KtListing;
void kt_listing_free (KtListing *listing);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtListing, kt_listing_free)

/* LISTING is (transfer full). */
typedef void (*KtTreeListed) (KtListing *listing, const GError *error, gpointer data);
KtOperation *kt_tree_list (KtTree *tree, guint64 id, KtTreeListed listed, gpointer data);

/* The INDEXth name and its S_IFMT bits, NULL past the end. Valid as long as the listing. */
const char *kt_listing_name (const KtListing *listing, guint index, mode_t *type);

/* As kt_tree_lookup() of that name, with what is cached: FALSE when that does not suffice. Never a request. */
gboolean kt_listing_look_up (KtListing *listing, guint index, KtInode *entry);

/* Extended attributes of an inode, from memory. NULL-terminated names, (transfer full). */
char **kt_tree_listxattr (KtTree *tree, guint64 id);

/* (transfer full), or NULL when there is none of that name. */
char *kt_tree_getxattr (KtTree *tree, guint64 id, const char *name);

/* Inodes in memory, for statistics. */
guint kt_tree_nodes (KtTree *tree);
