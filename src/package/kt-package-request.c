/* SPDX-License-Identifier: MIT */
/* Requests for the bytes of a package: of some blocks by range, or of all of it into a temporary file. */
#include "kt-package-private.h"

#include "base/kt-error.h"
#include "kt-package-file.h"

#include <string.h>

typedef struct {
  KtPackage *package;
  gboolean is_whole;
  gint64 next; /* where its next byte belongs */
  gint64 end;
  gint64 attempt_offset; /* where the attempt under way began */
  gboolean is_checked;   /* the attempt's head */
  guint link_serial;     /* of the link that was used */
  gboolean has_renewed;
  KtUsec stall_timeout;
  GError *refusal; /* why we want no more of it */
  KtPackageEnded ended;
  gpointer data;
  GList link; /* KtPackage.refused */
} Request;

static void on_done (const KtHttpResponse *response, const GError *error, gpointer data);

static void
on_prepare (KtHttpRequest *http_request, gpointer data)
{
  Request *request = data;

  ++*request->package->set->requests;
  request->is_checked = FALSE;
  if (request->is_whole) {
    request->next = 0;
    return;
  }
  request->attempt_offset = request->next;
  g_ptr_array_add (http_request->headers, g_strdup_printf ("Range: bytes=%" G_GINT64_FORMAT "-%" G_GINT64_FORMAT,
                                                           request->next, request->end - 1));
}

/* Whether a response is of this version and begins where it should. */
static gboolean
check (Request *request, const KtHttpResponse *response)
{
  KtPackage *package = request->package;
  KtPackageHead head = kt_package_head (response);

  request->is_checked = TRUE;
  if (!g_str_equal (head.validator, package->validator) || (package->size >= 0 && head.total != package->size)) {
    package->has_changed = TRUE;
    request->refusal = g_error_new_literal (KT_ERROR, KT_ERROR_SERVICE, "the package changed while it was read");
  } else if (!request->is_whole && head.first != request->attempt_offset) {
    request->refusal = g_error_new_literal (KT_ERROR, KT_ERROR_BAD_ANSWER, "the answer is of another range");
  }
  return request->refusal == NULL;
}

/* Into the file. */
static gboolean
write_piece (Request *request, gconstpointer bytes, gsize length)
{
  KtPackage *package = request->package;

  if (!kt_package_file_write (package->fd, request->next, bytes, length, &request->refusal))
    return FALSE;
  request->next += (gint64) length;
  if (request->next > package->file_size) {
    package->file_size = request->next;
    package->set->events->came (package);
  }
  return package->refs > 1; /* else nobody has it any more */
}

/* Into blocks. */
static gboolean
fill (Request *request, const guchar *bytes, gsize length)
{
  KtPackage *package = request->package;
  gboolean has_completed = FALSE;

  while (length > 0 && request->next < request->end) {
    KtBlock *block = kt_blocks_find (package->blocks, (guint64) request->next / KT_BLOCK);
    gsize at = (gsize) (request->next % KT_BLOCK);
    gsize n = MIN (MIN (length, KT_BLOCK - at), (gsize) (request->end - request->next));
    memcpy (block->bytes + at, bytes, n);
    bytes += n;
    length -= n;
    request->next += (gint64) n;
    if (at + n == KT_BLOCK || request->next == package->size) {
      kt_block_complete (block);
      has_completed = TRUE;
    }
  }
  if (has_completed)
    package->set->events->came (package);
  return length == 0;
}

static gboolean
on_piece (const KtHttpResponse *head, gconstpointer bytes, gsize length, gpointer data)
{
  Request *request = data;

  *request->package->set->bytes += length;
  if (request->refusal != NULL)
    return FALSE;
  if (head->status != (request->is_whole ? 200 : 206))
    return FALSE;
  if (!request->is_checked && !check (request, head))
    return FALSE;
  return request->is_whole ? write_piece (request, bytes, length) : fill (request, bytes, length);
}

static void
request_send (Request *request)
{
  KtPackage *package = request->package;

  request->link_serial = package->link_serial;
  kt_http_client_stream (package->set->http, package->link, request->stall_timeout, on_prepare, on_piece, on_done,
                         request);
}

static Request *
request_new (KtPackage *package, gint64 next, gint64 end, KtUsec stall_timeout)
{
  Request *request = g_new0 (Request, 1);

  request->package = kt_package_ref (package);
  request->next = next;
  request->end = end;
  request->stall_timeout = stall_timeout;
  request->link.data = request;
  return request;
}

/* The one end of a request. */
static void
request_end (Request *request, const GError *error)
{
  KtPackage *package = request->package;
  KtPackages *set = package->set;
  gint64 first = request->next / KT_BLOCK; /* the first block that is not complete */
  gboolean has_waiters = FALSE;

  if (error != NULL && package->has_changed)
    has_waiters = set->events->failed (package, 0, G_MAXINT64, error);
  else if (error != NULL)
    has_waiters =
        set->events->failed (package, request->is_whole ? package->file_size : first * KT_BLOCK, request->end, error);
  if (has_waiters)
    kt_packages_report (set, package->key, error);
  if (request->is_whole)
    package->is_coming = FALSE;
  else if (request->next < request->end)
    kt_blocks_drop (package->blocks, (guint64) first, (guint64) (request->end - 1) / KT_BLOCK);
  if (request->ended != NULL)
    request->ended (error, request->data);
  if (error != NULL && package->has_changed)
    set->events->changed (package);
  kt_package_unref (package);
  g_clear_error (&request->refusal);
  g_free (request);
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
      request_end (link->data, error);
    else
      request_send (link->data);
  }
}

/* The link was refused: with a newer one the request is sent again, once. */
static gboolean
renew (Request *request)
{
  KtPackage *package = request->package;
  KtPackages *set = package->set;

  if (request->has_renewed)
    return FALSE;
  request->has_renewed = TRUE;
  if (request->link_serial != package->link_serial) {
    request_send (request);
    return TRUE;
  }
  g_queue_push_tail_link (&package->refused, &request->link);
  if (package->renewal == NULL)
    package->renewal =
        kt_store_get (set->store, package->key, KT_STORE_AGAIN,
                      kt_time_add (kt_clock_monotonic (set->clock), request->stall_timeout), on_renewed, package);
  return TRUE;
}

static void
on_range_done (Request *request, guint status)
{
  KtPackage *package = request->package;
  g_autoptr (GError) error = NULL;

  if (status == 206 && request->next < request->end && request->next > request->attempt_offset) {
    request_send (request); /* a host may give less than it was asked for */
    return;
  }
  if (status == 200) {
    package->set->events->no_ranges (package, request->stall_timeout);
  } else if (status == 416) {
    package->has_changed = TRUE;
    error = g_error_new_literal (KT_ERROR, KT_ERROR_SERVICE, "the package became shorter while it was read");
  } else if (status != 206) {
    error = kt_package_status_error (status);
  } else if (request->next < request->end) {
    error = g_error_new_literal (KT_ERROR, KT_ERROR_BAD_ANSWER, "the answer has none of the range");
  }
  request_end (request, error);
}

static void
on_whole_done (Request *request, guint status)
{
  KtPackage *package = request->package;
  g_autoptr (GError) error = NULL;

  if (status != 200)
    error = kt_package_status_error (status);
  else if (request->next == 0 || (package->size >= 0 && request->next != package->size))
    error = g_error_new_literal (KT_ERROR, KT_ERROR_SERVICE, "the package came shorter or longer than announced");
  else
    package->size = request->next;
  request_end (request, error);
}

static void
on_done (const KtHttpResponse *response, const GError *error, gpointer data)
{
  Request *request = data;

  if (request->refusal != NULL)
    request_end (request, request->refusal);
  else if (error != NULL)
    request_end (request, error);
  else if (response->status == 403 && renew (request))
    return;
  else if (request->is_whole)
    on_whole_done (request, response->status);
  else
    on_range_done (request, response->status);
}

/* Blocks [FIRST, LAST], which are there and incomplete. */
static void
request_range (KtPackage *package, guint64 first, guint64 last, KtUsec stall_timeout)
{
  request_send (request_new (package, (gint64) (first * KT_BLOCK),
                             MIN (package->size, (gint64) ((last + 1) * KT_BLOCK)), stall_timeout));
}

void
kt_package_request_blocks (KtPackage *package, guint64 first, guint64 last, KtUsec stall_timeout)
{
  for (guint64 index = first; index <= last; index++) {
    guint64 gap = index;
    for (; index <= last && kt_blocks_find (package->blocks, index) == NULL; index++)
      kt_blocks_add (package->blocks, index);
    if (index > gap)
      request_range (package, gap, index - 1, stall_timeout);
  }
}

void
kt_package_request_whole (KtPackage *package, KtUsec stall_timeout, KtPackageEnded ended, gpointer data)
{
  Request *request;

  if (package->is_coming || (package->size >= 0 && package->file_size == package->size))
    return;
  package->is_coming = TRUE;
  request = request_new (package, 0, G_MAXINT64, stall_timeout);
  request->is_whole = TRUE;
  request->ended = ended;
  request->data = data;
  if (package->fd < 0) /* an error ends the request, but not before this returns */
    package->fd = kt_package_file_open (package->set->temporary_directory, &request->refusal);
  request_send (request);
}
