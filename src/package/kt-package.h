/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/kt-health.h"
#include "http/kt-http-client.h"
#include "store/kt-store.h"

#include <sys/uio.h>

/* The packages that tasks' download links lead to, read by range.
 *
 * A KtPackage is one version of a task's package: what the host calls it (ETag, else Last-Modified) and its size never
 * change, so its bytes do not change either. It is known, and keeps what it has fetched, as long as somebody holds a
 * reference. Its link does change: links are valid for a short time and are secrets, so they leave memory only in
 * requests to where they lead. */
typedef struct KtPackages KtPackages;
typedef struct KtPackage KtPackage;

/* Who waits for the version of a package, or for bytes of one: good until its callback or its cancel. */
typedef struct KtPackageFind KtPackageFind;
typedef struct KtPackageRead KtPackageRead;

/* HTTP's transport is never used for the service. A package whose host serves no ranges is kept in an unnamed file
 * in TEMPORARY_DIRECTORY, which is copied. All else that is passed in outlives the packages. When a package turns
 * out to have changed, KT_CHANGE_PACKAGE is published: the version that was found is out of date. */
KtPackages *kt_packages_new (KtHttpClient *http, KtStore *store, KtClock *clock, KtChanges *changes, KtHealth *health,
                             KtMetrics *metrics, const char *temporary_directory);

/* All references have been given back, and HTTP has ended its requests. */
void kt_packages_free (KtPackages *packages);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtPackages, kt_packages_free)

/* Stores BYTES in the kernel's page cache of INODE from OFFSET on, before the kernel asks for them. They are good until
 * DONE, which is called once with DATA. FALSE: they cannot be stored now, and DONE is not called. */
typedef gboolean (*KtPackagePreload) (gpointer kernel, guint64 inode, gint64 offset, gconstpointer bytes, gsize length,
                                      GSourceFunc done, gpointer data);

/* Preloads by PRELOAD from now on; NULL: not any more. */
void kt_packages_set_preload (KtPackages *packages, KtPackagePreload preload, gpointer kernel);

/* The version of the package of SNAPSHOT's task that its host was seen to have since that snapshot, at most
 * KT_PACKAGE_TTL ago, or NULL. This sends no request. (transfer none) */
KtPackage *kt_packages_peek (KtPackages *packages, const KtSnapshot *snapshot);
#define KT_PACKAGE_TTL (60 * KT_SECOND)

/* Asks the host which version of the package of KEY's task it has; callers at the same time share one request. The
 * store has a snapshot of the task. When that is older than KT_PACKAGE_TTL, or when the host refuses the link, the
 * service is asked for a new link. FOUND gets NULL when kt_packages_peek() gives the version now, else the error:
 * KT_ERROR_NOT_FOUND when there is no link, or nothing behind it; KT_ERROR_TIMED_OUT at DEADLINE (monotonic); those
 * of HTTP. FOUND is never called before this returns. */
typedef void (*KtPackageFound) (const GError *error, gpointer data);
KtPackageFind *kt_packages_find (KtPackages *packages, KtKey *key, KtUsec deadline, KtPackageFound found,
                                 gpointer data);

/* FOUND is not called. The request goes on: its response serves the next caller. */
void kt_package_find_cancel (KtPackageFind *find);

/* Remembers that kt_packages_find() ended in ERROR. Until the store's negative-ttl is over, or the task has a newer
 * snapshot, kt_packages_failure() gives the error for the snapshot, else NULL. (transfer none) */
void kt_packages_remember_failure (KtPackages *packages, KtKey *key, const GError *error);
const GError *kt_packages_failure (KtPackages *packages, const KtSnapshot *snapshot);

KtPackage *kt_package_ref (KtPackage *package);
void kt_package_unref (KtPackage *package);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtPackage, kt_package_unref)

/* INODE is the one that shows the package: preload goes there. */
void kt_package_set_inode (KtPackage *package, guint64 inode);

gint64 kt_package_size (const KtPackage *package);

/* Last-Modified, or KT_TIME_UNKNOWN. */
KtUsec kt_package_mtime (const KtPackage *package);

/* When the host has to be asked again. */
KtUsec kt_package_expires_at (const KtPackage *package);

/* Gets the bytes in N parts, which are good during the call, or ERROR. They are fewer than asked for only at the
 * end. */
typedef void (*KtPackageBytes) (const struct iovec *parts, int n, const GError *error, gpointer data);

/* Reads SIZE bytes from OFFSET on. CALLBACK is called before this returns when the bytes are in memory (the result is
 * NULL then), else later, and at DEADLINE (monotonic) with KT_ERROR_TIMED_OUT at the latest. When the package has
 * changed, the error is KT_ERROR_SERVICE. */
KtPackageRead *kt_package_read (KtPackage *package, gint64 offset, gsize size, KtUsec deadline, KtPackageBytes callback,
                                gpointer data);

/* The callback is not called. The requests go on: their bytes serve the next read. */
void kt_package_read_cancel (KtPackageRead *read);
