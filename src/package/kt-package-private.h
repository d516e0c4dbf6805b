/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-package.h"

/* Bytes are kept in blocks of this size, and no less is asked for: the kernel's read-ahead, so that one READ is one
 * request at most two blocks large. */
#define KT_BLOCK 131072u

/* All packages together keep at most so many blocks, 32 MiB: twice what one sequential reader has ahead of it, so that
 * what is fetched ahead is not thrown out before it is read. */
#define KT_MOST_BLOCKS 256u

struct KtPackages {
  KtHttpClient *http;
  KtStore *store;
  KtClock *clock;
  KtHealth *health;
  KtPackageObserver observer;
  gpointer observer_data;
  KtPackagePush push; /* NULL: nobody takes what was not asked for */
  gpointer push_data;
  GHashTable *current;  /* KtKey → KtPackage, not referenced: the version its host had last */
  GHashTable *probes;   /* KtKey → KtProbe */
  GHashTable *failures; /* KtKey → the last one, see kt_packages_failure() */
  GQueue all;           /* KtPackage */
  guint n_blocks;
  GQueue idle;   /* KtBlock: complete and not waited for, most recently used first */
  GQueue hungry; /* KtPackageCall: reads that wait for blocks to become idle */
  KtTimer *feeder;
  guint64 *requests;
  guint64 *bytes;
};

typedef struct {
  KtPackage *package;
  guint64 index; /* its bytes begin at index * KT_BLOCK */
  guchar *bytes;
  gboolean is_complete;
  guint pins; /* reads that wait for it or others with it */
  GList link; /* KtPackages.idle */
} KtBlock;

/* One of several readers, as guessed from the offsets of reads: the kernel names none. */
typedef struct {
  gint64 next;   /* where its next read begins if it is sequential */
  gint64 ahead;  /* up to where was fetched for it */
  gint64 pushed; /* up to where the kernel was given what it has not asked for */
  gint64 window; /* how far ahead is fetched; 0 for who has not read two in a row */
  KtUsec used_at;
} KtCursor;

#define KT_CURSORS 8

struct KtPackage {
  KtPackages *set;
  guint refs;
  KtKey *key;
  char *validator; /* ETag or Last-Modified, "" when the host gives none */
  gint64 size;     /* -1: known when all of it has come */
  KtUsec mtime_wall;
  guint64 inode;  /* for PUSH */
  KtUsec seen_at; /* when the host last had it, monotonic */
  char *link;
  guint serial;      /* counts links */
  KtWaiter *renewal; /* while the service is asked for a new link */
  GQueue refused;    /* KtFetch: wait for that */
  gboolean has_changed;
  GHashTable *blocks; /* index → KtBlock */
  KtCursor cursors[KT_CURSORS];
  GQueue reads; /* KtPackageCall */
  GList member; /* KtPackages.all */
  /* where the host serves no ranges */
  gboolean is_whole;
  gboolean is_coming;    /* a request is under way */
  int fd;                /* temporary file, -1 */
  gint64 have;           /* bytes in it */
  struct KtProbe *sized; /* waits for the size */
};

struct KtPackageCall {
  KtPackages *set;
  GQueue *queue; /* which it stands in, by LINK */
  GList link;
  KtTimer *expiry;
  gpointer data;
  KtPackageFound found; /* of a question, else NULL */
  KtPackageBytes read;  /* of a read, else NULL */
  KtPackage *package;
  gint64 offset;
  gint64 end;
  KtUsec since_at;      /* monotonic */
  KtUsec stall_timeout; /* of requests made for it */
  gboolean is_pinned;   /* has all its blocks, if not their content */
};

/* ---- kt-package.c */

/* How long a host may be silent when somebody waits until DEADLINE; others, who come later, will wait for the same. */
KtUsec kt_package_stall (KtPackages *set, KtUsec deadline);

/* A new call at the end of QUEUE; ends with kt_package_call_end(). */
KtPackageCall *kt_package_call_new (KtPackages *set, GQueue *queue, KtUsec deadline, gpointer data);
void kt_package_call_end (KtPackageCall *call, const GError *error);

/* Its link from now on. */
void kt_package_set_link (KtPackage *package, const char *link);

/* Why an answer of the store is of no use for a link, or NULL. (transfer full) */
GError *kt_package_link_error (const KtSnapshot *snapshot, const GError *error);

/* What the answer to a request for a package says: its validator, and TOTAL bytes (-1 when that is not told). */
typedef struct {
  const char *validator;
  gint64 total;
  gint64 first; /* of a range */
} KtPackageHead;
KtPackageHead kt_package_head (const KtHttpResponse *response);

/* Why there is no package, for a status other than 200 and 206. (transfer full) */
GError *kt_package_status_error (guint status);

/* Tells, once, that a request for a package of KEY has failed. */
void kt_packages_report (KtPackages *set, const KtKey *key, const GError *error);

/* A question's version of unknown size has come, or failed to. */
void kt_probe_sized (struct KtProbe *probe, const GError *error);

/* ---- kt-package-fetch.c */

/* Requests [FIRST, LAST] blocks, all of which exist and are not complete, by range. STALL: see
 * kt_http_client_stream(). */
void kt_fetch_blocks (KtPackage *package, guint64 first, guint64 last, KtUsec stall_timeout);

/* Requests all of it into a temporary file, unless that is under way or done. */
void kt_fetch_whole (KtPackage *package, KtUsec stall_timeout);

/* ---- kt-package-block.c */

static inline gint64
kt_block_end (gint64 offset)
{
  return (offset + KT_BLOCK - 1) / KT_BLOCK * KT_BLOCK;
}

KtBlock *kt_block_find (KtPackage *package, guint64 index);
void kt_block_complete (KtBlock *block);

/* A pinned block stays; unpinned, it is the most recently used. */
void kt_block_pin (KtBlock *block);
void kt_block_unpin (KtBlock *block);

/* Whether there is memory for N more blocks. */
gboolean kt_blocks_have_room (const KtPackages *set, guint64 n);

/* Makes and requests what is missing of [FIRST, LAST], one request for each gap. There is room. */
void kt_blocks_fetch (KtPackage *package, guint64 first, guint64 last, KtUsec stall_timeout);

/* Forgets the incomplete blocks of a request that has ended. No read waits for them. */
void kt_blocks_drop (KtPackage *package, guint64 first, guint64 last);

/* Forgets everything. */
void kt_blocks_clear (KtPackage *package);

/* ---- kt-package-ahead.c */

/* Does what is to be done ahead of whoever has read [OFFSET, END). */
void kt_package_ahead (KtPackage *package, gint64 offset, gint64 end, KtUsec stall_timeout);

/* Who has read up to END had to wait since then: less is fetched ahead of it if that was long. */
void kt_package_waited (KtPackage *package, gint64 end, KtUsec since_at);

/* Blocks have come that may be pushed. */
void kt_package_push (KtPackage *package);

/* ---- kt-package-read.c */

/* Memory has become free: reads that wait for it begin, but later, as requests may not begin now. */
void kt_reads_feed (KtPackages *set);

/* The read waits for its blocks no more. */
void kt_read_unpin (KtPackageCall *call);

/* Answers the reads that can be. */
void kt_reads_wake (KtPackage *package);

/* Ends the reads that touch [FROM, END); whether there were any. */
gboolean kt_reads_fail (KtPackage *package, gint64 from, gint64 end, const GError *error);

/* No ranges any more: reads wait for the file. */
void kt_reads_go_whole (KtPackage *package, KtUsec stall_timeout);
