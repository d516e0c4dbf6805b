/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/kt-health.h"
#include "http/kt-http-client.h"
#include "store/kt-store.h"

#include <sys/uio.h>

/* The packages that tasks' download links lead to, read by range.
 *
 * A KtPackage is one version of a task's package: what the host calls it (ETag, else Last-Modified) and its size never
 * change, so neither do its bytes. It is known, and keeps what it has fetched, as long as somebody holds a reference.
 * Its link does change: links live shortly and are secrets, so they leave memory only in requests to where they lead. */
typedef struct KtPackages KtPackages;
typedef struct KtPackage KtPackage;

/* A question or a read that waits: good until its callback or kt_package_cancel(). */
typedef struct KtPackageCall KtPackageCall;

/* HTTP, whose transport is never used for the service, and everything else passed in outlive it. */
KtPackages *kt_packages_new (KtHttpClient *http, KtStore *store, KtClock *clock, KtHealth *health, KtMetrics *metrics);

/* All references have been given back, and HTTP has ended its requests. */
void kt_packages_free (KtPackages *packages);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtPackages, kt_packages_free)

/* Called when a package turns out to have changed: what was found for KEY holds no more. */
typedef void (*KtPackageObserver) (KtKey *key, gpointer data);
void kt_packages_set_observer (KtPackages *packages, KtPackageObserver observer, gpointer data);

/* Gives the kernel bytes of INODE that it will ask for; they are good until DONE. FALSE: not now, and no DONE. */
typedef gboolean (*KtPackagePush) (gpointer kernel, guint64 inode, gint64 offset, gconstpointer bytes, gsize length,
                                   GSourceFunc done, gpointer data);
void kt_packages_set_push (KtPackages *packages, KtPackagePush push, gpointer kernel);

/* The version of the package of ANSWER's task that its host was seen to have since that answer, at most
 * KT_PACKAGE_TTL ago, or NULL. Never a request. (transfer none) */
KtPackage *kt_packages_peek (KtPackages *packages, const KtSnapshot *snapshot);
#define KT_PACKAGE_TTL (60 * G_TIME_SPAN_SECOND)

/* Asks the host for the package of KEY's task, of which the store has an answer; the service is asked for a new link
 * before when that answer is older than KT_PACKAGE_TTL, and after when the host refuses the link. On success, ERROR
 * NULL, kt_packages_peek() finds it. Errors: KT_ERROR_NOT_FOUND when there is no link or nothing behind it; those of
 * HTTP. The call ends at DEADLINE (monotonic) and never before this returns. */
typedef void (*KtPackageFound) (const GError *error, gpointer data);
KtPackageCall *kt_packages_find (KtPackages *packages, KtKey *key, KtUsec deadline, KtPackageFound found,
                                 gpointer data);

/* A question that ended in ERROR need not be asked again for the store's negative-ttl, or before the task has a new
 * answer: meanwhile kt_packages_failure() tells why there is no package of ANSWER's task, else NULL. (transfer none) */
void kt_packages_remember_failure (KtPackages *packages, KtKey *key, const GError *error);
const GError *kt_packages_failure (KtPackages *packages, const KtSnapshot *snapshot);

KtPackage *kt_package_ref (KtPackage *package);
void kt_package_unref (KtPackage *package);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtPackage, kt_package_unref)

/* The package is read by this inode. */
void kt_package_set_inode (KtPackage *package, guint64 inode);

gint64 kt_package_size (const KtPackage *package);

/* Last-Modified, wall clock in microseconds, or KT_TIME_UNKNOWN. */
KtUsec kt_package_mtime (const KtPackage *package);

/* When it has to be asked for again, monotonic. */
KtUsec kt_package_expires_at (const KtPackage *package);

/* The bytes, in N parts which are good during the call, fewer than asked for only at the end; or ERROR. */
typedef void (*KtPackageBytes) (const struct iovec *parts, int n, const GError *error, gpointer data);

/* Reads; BYTES is called at once when they are at hand (then this returns NULL), else by DEADLINE. When the package has
 * changed: KT_ERROR_SERVICE. */
KtPackageCall *kt_package_read (KtPackage *package, gint64 offset, gsize size, KtUsec deadline, KtPackageBytes bytes,
                                gpointer data);

/* The callback will not be called. What was begun goes on: it is of use to the next. */
void kt_package_cancel (KtPackageCall *call);
