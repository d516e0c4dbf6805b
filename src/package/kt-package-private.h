/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-package-blocks.h"
#include "kt-package-readahead.h"
#include "kt-package.h"

/* What a request reports to the reads above it. */
typedef struct {
  /* Bytes of PACKAGE have come: blocks are complete, or the file has grown. */
  void (*came) (KtPackage *package);
  /* What is missing of [FROM, END) will not come. The result is whether somebody waited for it. */
  gboolean (*failed) (KtPackage *package, gint64 from, gint64 end, const GError *error);
  /* The host serves no ranges any more. STALL_TIMEOUT: of the request that found out. */
  void (*no_ranges) (KtPackage *package, KtUsec stall_timeout);
  /* The host has another version. */
  void (*changed) (KtPackage *package);
} KtPackageEvents;

struct KtPackages {
  KtHttpClient *http;
  KtStore *store;
  KtClock *clock;
  KtHealth *health;
  char *temporary_directory;
  const KtPackageEvents *events;
  KtChanges *changes;
  KtPackagePreload preload; /* NULL: nobody takes what was not asked for */
  gpointer kernel;          /* its argument */
  GHashTable *current;      /* KtKey → KtPackage, not referenced: the version that its host had last */
  GHashTable *probes;       /* KtKey → the probe under way */
  GHashTable *failures;     /* KtKey → the last failure, see kt_packages_failure() */
  GQueue all;               /* KtPackage */
  KtBlockMemory *memory;
  GQueue waiting_for_memory; /* KtPackageRead */
  KtTimer *room_timer;       /* they begin when it fires */
  guint64 *requests;
  guint64 *bytes;
};

struct KtPackage {
  KtPackages *set;
  guint refs;
  KtKey *key;
  char *validator; /* ETag or Last-Modified, "" when the host gives none */
  gint64 size;     /* -1: known when all of it has come */
  KtUsec mtime_wall;
  guint64 inode;  /* for preload */
  KtUsec seen_at; /* when the host last had it */
  gboolean has_changed;
  GList member; /* KtPackages.all */
  /* its link */
  char *link;
  guint link_serial; /* counts links */
  KtWaiter *renewal; /* while the service is asked for a new link */
  GQueue refused;    /* requests that wait for that */
  /* its bytes */
  KtBlocks *blocks;
  KtPackageReadahead readahead;
  GQueue reads; /* KtPackageRead: wait for bytes */
  /* where the host serves no ranges */
  gboolean is_whole;
  gboolean is_coming; /* a request is under way */
  int fd;             /* temporary file, -1: none */
  gint64 file_size;   /* bytes in it */
};

/* ---- kt-package-version.c */

/* A version that nobody else has. (transfer full) */
KtPackage *kt_package_new (KtPackages *set, KtKey *key, const char *validator, gint64 size);

/* LINK leads to the package from now on. */
void kt_package_set_link (KtPackage *package, const char *link);

/* How long a host may be silent when somebody waits until DEADLINE. It is at least a second: others, who come later,
 * will wait for the same request. */
KtUsec kt_package_stall_timeout (const KtPackages *set, KtUsec deadline);

/* ---- kt-package-response.c */

/* What a host's response says of a package. */
typedef struct {
  const char *validator; /* good as long as the response */
  gint64 total;          /* bytes of the package, -1 when it does not say */
  gint64 first;          /* offset of a range, -1 when it is none */
} KtPackageHead;
KtPackageHead kt_package_head (const KtHttpResponse *response);

/* Why there is no package, for a status other than 200 and 206. (transfer full) */
GError *kt_package_status_error (guint status);

/* Why what the store gave, SNAPSHOT or ERROR, has no link, or NULL. (transfer full) */
GError *kt_package_link_error (const KtSnapshot *snapshot, const GError *error);

/* The error of whoever has waited until the deadline. (transfer full) */
GError *kt_package_timeout_error (void);

/* Reports to health, once, that a request for a package of KEY has failed. */
void kt_packages_report (KtPackages *set, const KtKey *key, const GError *error);

/* ---- kt-package-request.c */

/* Adds the blocks that are missing of [FIRST, LAST] and requests them by range, one request for each gap. There is
 * memory for them. STALL_TIMEOUT: see kt_http_client_stream(). No event is reported before this returns. */
void kt_package_request_blocks (KtPackage *package, guint64 first, guint64 last, KtUsec stall_timeout);

/* Requests all of the package into a temporary file, unless that is under way or done. ENDED may be NULL; it is called
 * with NULL or the error when the request that this call begins has ended, and never before this returns. */
typedef void (*KtPackageEnded) (const GError *error, gpointer data);
void kt_package_request_whole (KtPackage *package, KtUsec stall_timeout, KtPackageEnded ended, gpointer data);

/* ---- kt-package-preload.c */

/* Preloads the blocks that have come and that readahead wants in the kernel: for one reader, or for all. */
void kt_package_preload_for (KtPackage *package, KtCursor *cursor);
void kt_package_preload (KtPackage *package);

/* ---- kt-package-read.c: what KtPackageEvents and KtBlockRoom call */

/* Ends the reads whose bytes are all there. */
void kt_reads_came (KtPackage *package);

/* Ends the reads that touch [FROM, END); whether there were any. */
gboolean kt_reads_failed (KtPackage *package, gint64 from, gint64 end, const GError *error);

/* Has all reads of PACKAGE wait for its file. */
void kt_reads_no_ranges (KtPackage *package, KtUsec stall_timeout);

/* Begins the reads that wait for memory, but later, as requests may not begin now. DATA: KtPackages. */
void kt_reads_room (gpointer data);
