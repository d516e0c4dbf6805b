/* SPDX-License-Identifier: MIT */
/* Requests for the bytes of a package: of some blocks by range, or of all of it into a temporary file. */
#include "kt-package-private.h"

#include "base/kt-error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  KtPackage *package;
  gboolean is_whole;
  gint64 next; /* where its next byte belongs */
  gint64 end;
  gint64 begun;        /* where the attempt under way began */
  gboolean is_checked; /* the attempt's head */
  guint serial;
  gboolean has_renewed;
  KtUsec stall_timeout;
  GError *refusal; /* why we want no more of it */
  GList link;      /* KtPackage.refused */
} Fetch;

static void on_done (const KtHttpResponse *response, const GError *error, gpointer data);

static void
on_prepare (KtHttpRequest *request, gpointer data)
{
  Fetch *fetch = data;

  ++*fetch->package->set->requests;
  fetch->is_checked = FALSE;
  if (fetch->is_whole) {
    fetch->next = 0;
    return;
  }
  fetch->begun = fetch->next;
  g_ptr_array_add (request->headers, g_strdup_printf ("Range: bytes=%" G_GINT64_FORMAT "-%" G_GINT64_FORMAT,
                                                      fetch->next, fetch->end - 1));
}

/* Whether an answer is of this version and begins where it should. */
static gboolean
check (Fetch *fetch, const KtHttpResponse *response)
{
  KtPackage *package = fetch->package;
  KtPackageHead head = kt_package_head (response);

  fetch->is_checked = TRUE;
  if (!g_str_equal (head.validator, package->validator) || (package->size >= 0 && head.total != package->size)) {
    package->has_changed = TRUE;
    fetch->refusal = g_error_new_literal (KT_ERROR, KT_ERROR_SERVICE, "the package changed while it was read");
  } else if (!fetch->is_whole && head.first != fetch->begun) {
    fetch->refusal = g_error_new_literal (KT_ERROR, KT_ERROR_BAD_ANSWER, "the answer is of another range");
  }
  return fetch->refusal == NULL;
}

static gboolean
keep (Fetch *fetch, const guchar *bytes, gsize length)
{
  KtPackage *package = fetch->package;

  while (length > 0) {
    ssize_t n = pwrite (package->fd, bytes, length, fetch->next);
    if (n < 0) {
      fetch->refusal = g_error_new (KT_ERROR, KT_ERROR_SERVICE, "no room for the package in a temporary file: %s",
                                    g_strerror (errno));
      return FALSE;
    }
    bytes += n;
    length -= (gsize) n;
    fetch->next += n;
  }
  if (fetch->next > package->have) {
    package->have = fetch->next;
    kt_reads_wake (package);
  }
  return package->refs > 1; /* else nobody has it any more */
}

static gboolean
fill (Fetch *fetch, const guchar *bytes, gsize length)
{
  gboolean has_completed = FALSE;

  while (length > 0 && fetch->next < fetch->end) {
    KtBlock *block = kt_block_find (fetch->package, (guint64) fetch->next / KT_BLOCK);
    gsize at = (gsize) (fetch->next % KT_BLOCK);
    gsize n = MIN (MIN (length, KT_BLOCK - at), (gsize) (fetch->end - fetch->next));
    memcpy (block->bytes + at, bytes, n);
    bytes += n;
    length -= n;
    fetch->next += (gint64) n;
    if (at + n == KT_BLOCK || fetch->next == fetch->package->size) {
      kt_block_complete (block);
      has_completed = TRUE;
    }
  }
  if (has_completed) {
    kt_reads_wake (fetch->package);
    kt_package_push (fetch->package);
  }
  return length == 0;
}

static gboolean
on_piece (const KtHttpResponse *head, gconstpointer bytes, gsize length, gpointer data)
{
  Fetch *fetch = data;

  *fetch->package->set->bytes += length;
  if (fetch->refusal != NULL)
    return FALSE;
  if (head->status != (fetch->is_whole ? 200 : 206))
    return FALSE;
  if (!fetch->is_checked && !check (fetch, head))
    return FALSE;
  return fetch->is_whole ? keep (fetch, bytes, length) : fill (fetch, bytes, length);
}

static void
fetch_send (Fetch *fetch)
{
  KtPackage *package = fetch->package;

  fetch->serial = package->serial;
  kt_http_client_stream (package->set->http, package->link, fetch->stall_timeout, on_prepare, on_piece, on_done, fetch);
}

static Fetch *
fetch_new (KtPackage *package, gint64 next, gint64 end, KtUsec stall_timeout)
{
  Fetch *fetch = g_new0 (Fetch, 1);

  fetch->package = kt_package_ref (package);
  fetch->next = next;
  fetch->end = end;
  fetch->stall_timeout = stall_timeout;
  fetch->link.data = fetch;
  return fetch;
}

/* The one end of a request. */
static void
fetch_end (Fetch *fetch, const GError *error)
{
  KtPackage *package = fetch->package;
  KtPackages *set = package->set;
  gint64 first = fetch->next / KT_BLOCK; /* the first block that is not complete */
  gboolean has_waiters = FALSE;

  if (error != NULL && package->has_changed)
    has_waiters = kt_reads_fail (package, 0, G_MAXINT64, error);
  else if (error != NULL)
    has_waiters = kt_reads_fail (package, fetch->is_whole ? package->have : first * KT_BLOCK, fetch->end, error);
  if (has_waiters)
    kt_packages_report (set, package->key, error);
  if (fetch->is_whole)
    package->is_coming = FALSE;
  else if (fetch->next < fetch->end)
    kt_blocks_drop (package, (guint64) first, (guint64) (fetch->end - 1) / KT_BLOCK);
  if (package->sized != NULL)
    kt_probe_sized (g_steal_pointer (&package->sized), error);
  if (error != NULL && package->has_changed && set->observer != NULL)
    set->observer (package->key, set->observer_data);
  kt_package_unref (package);
  g_clear_error (&fetch->refusal);
  g_free (fetch);
}

static void
on_renewed (const KtSnapshot *snapshot, const GError *store_error, gpointer data)
{
  KtPackage *package = data;
  g_autoptr (GError) error = kt_package_link_error (snapshot, store_error);
  GQueue refused = package->refused;
  GList *link;

  package->renewal = NULL;
  g_queue_init (&package->refused);
  if (error == NULL)
    kt_package_set_link (package, snapshot->task->download_url);
  while ((link = g_queue_pop_head_link (&refused)) != NULL) {
    if (error != NULL)
      fetch_end (link->data, error);
    else
      fetch_send (link->data);
  }
}

/* The link was refused: with a newer one the request is sent again, once. */
static gboolean
renew (Fetch *fetch)
{
  KtPackage *package = fetch->package;
  KtPackages *set = package->set;

  if (fetch->has_renewed)
    return FALSE;
  fetch->has_renewed = TRUE;
  if (fetch->serial != package->serial) {
    fetch_send (fetch);
    return TRUE;
  }
  g_queue_push_tail_link (&package->refused, &fetch->link);
  if (package->renewal == NULL)
    package->renewal =
        kt_store_get (set->store, package->key, KT_STORE_AGAIN,
                      kt_time_add (kt_clock_monotonic (set->clock), fetch->stall_timeout), on_renewed, package);
  return TRUE;
}

static void
on_range_done (Fetch *fetch, guint status)
{
  g_autoptr (GError) error = NULL;

  if (status == 206 && fetch->next < fetch->end && fetch->next > fetch->begun) {
    fetch_send (fetch); /* a host may give less than it was asked for */
    return;
  }
  if (status == 200) {
    kt_reads_go_whole (fetch->package, fetch->stall_timeout);
  } else if (status == 416) {
    fetch->package->has_changed = TRUE;
    error = g_error_new_literal (KT_ERROR, KT_ERROR_SERVICE, "the package became shorter while it was read");
  } else if (status != 206) {
    error = kt_package_status_error (status);
  } else if (fetch->next < fetch->end) {
    error = g_error_new_literal (KT_ERROR, KT_ERROR_BAD_ANSWER, "the answer has none of the range");
  }
  fetch_end (fetch, error);
}

static void
on_whole_done (Fetch *fetch, guint status)
{
  KtPackage *package = fetch->package;
  g_autoptr (GError) error = NULL;

  if (status != 200)
    error = kt_package_status_error (status);
  else if (fetch->next == 0 || (package->size >= 0 && fetch->next != package->size))
    error = g_error_new_literal (KT_ERROR, KT_ERROR_SERVICE, "the package came shorter or longer than announced");
  else
    package->size = fetch->next;
  fetch_end (fetch, error);
}

static void
on_done (const KtHttpResponse *response, const GError *error, gpointer data)
{
  Fetch *fetch = data;

  if (fetch->refusal != NULL)
    fetch_end (fetch, fetch->refusal);
  else if (error != NULL)
    fetch_end (fetch, error);
  else if (response->status == 403 && renew (fetch))
    return;
  else if (fetch->is_whole)
    on_whole_done (fetch, response->status);
  else
    on_range_done (fetch, response->status);
}

void
kt_fetch_blocks (KtPackage *package, guint64 first, guint64 last, KtUsec stall_timeout)
{
  fetch_send (fetch_new (package, (gint64) (first * KT_BLOCK), MIN (package->size, (gint64) ((last + 1) * KT_BLOCK)),
                         stall_timeout));
}

/* -1 and errno when there is none to be had. */
static int
open_temporary (void)
{
  const char *directory = g_getenv ("TMPDIR") != NULL ? g_getenv ("TMPDIR") : "/var/tmp";
  g_autofree char *template = g_build_filename (directory, "kootaskfs.XXXXXX", NULL);
  int fd = open (directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

  if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT))
    return fd;
  fd = mkostemp (template, O_CLOEXEC); /* a file system without O_TMPFILE */
  if (fd >= 0)
    unlink (template);
  return fd;
}

void
kt_fetch_whole (KtPackage *package, KtUsec stall_timeout)
{
  Fetch *fetch;

  if (package->is_coming || (package->size >= 0 && package->have == package->size))
    return;
  if (package->fd < 0)
    package->fd = open_temporary ();
  package->is_coming = TRUE;
  fetch = fetch_new (package, 0, G_MAXINT64, stall_timeout);
  fetch->is_whole = TRUE;
  if (package->fd < 0)
    fetch->refusal = g_error_new (KT_ERROR, KT_ERROR_SERVICE, "there is no temporary file for the package: %s",
                                  g_strerror (errno)); /* nobody may be told before this returns */
  fetch_send (fetch);
}
