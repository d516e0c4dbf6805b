/* SPDX-License-Identifier: MIT */
/* Which version of a package there is: one question a task at a time (a probe), whoever asks. */
#include "kt-package-private.h"

#include "base/kt-error.h"
#include "base/kt-log.h"
#include "base/kt-units.h"
#include "http/kt-http-date.h"

#include <stdio.h>
#include <unistd.h>

#define LARGEST (G_GINT64_CONSTANT (1) << 60) /* of a package; more is nonsense, and offsets would overflow */

typedef struct KtProbe {
  KtPackages *set;
  KtKey *key;
  GQueue finders; /* KtPackageCall */
  KtUsec stall_timeout;
  char *link;
  gboolean has_renewed;
  KtPackage *package; /* whose size is awaited */
} KtProbe;

KtPackage *
kt_package_ref (KtPackage *package)
{
  package->refs++;
  return package;
}

void
kt_package_unref (KtPackage *package)
{
  KtPackages *set;

  if (package == NULL || --package->refs > 0)
    return;
  set = package->set;
  if (g_hash_table_lookup (set->current, package->key) == package)
    g_hash_table_remove (set->current, package->key);
  g_queue_unlink (&set->all, &package->member);
  kt_blocks_clear (package);
  if (package->fd >= 0)
    close (package->fd);
  kt_secret_free (package->link);
  g_free (package->validator);
  kt_key_unref (package->key);
  g_free (package);
}

static KtPackage *
package_new (KtPackages *set, KtKey *key, const char *validator, gint64 size)
{
  KtPackage *package = g_new0 (KtPackage, 1);

  package->set = set;
  package->refs = 1;
  package->key = kt_key_ref (key);
  package->validator = g_strdup (validator);
  package->size = size;
  package->fd = -1;
  package->blocks = g_hash_table_new (g_int64_hash, g_int64_equal);
  package->member.data = package;
  g_queue_push_tail_link (&set->all, &package->member);
  return package;
}

void
kt_package_set_inode (KtPackage *package, guint64 inode)
{
  package->inode = inode;
}

gint64
kt_package_size (const KtPackage *package)
{
  return package->size;
}

KtUsec
kt_package_mtime (const KtPackage *package)
{
  return package->mtime_wall;
}

KtUsec
kt_package_expires_at (const KtPackage *package)
{
  return kt_time_add (package->seen_at, KT_PACKAGE_TTL);
}

KtPackage *
kt_packages_peek (KtPackages *set, const KtSnapshot *snapshot)
{
  KtPackage *package = g_hash_table_lookup (set->current, snapshot->task->key);

  if (package == NULL || package->has_changed || snapshot->fetched_at > package->seen_at
      || kt_clock_monotonic (set->clock) >= kt_package_expires_at (package))
    return NULL;
  return package;
}

typedef struct {
  GError *error;
  KtUsec since_at; /* monotonic, as is the next */
  KtUsec until_at;
} Failure;

static void
failure_free (gpointer data)
{
  Failure *failure = data;
  g_error_free (failure->error);
  g_free (failure);
}

static gboolean
is_over (gpointer key, gpointer failure, gpointer now)
{
  return ((const Failure *) failure)->until_at <= *(const KtUsec *) now;
}

void
kt_packages_remember_failure (KtPackages *set, KtKey *key, const GError *error)
{
  KtUsec now = kt_clock_monotonic (set->clock);
  Failure *failure = g_new (Failure, 1);

  *failure = (Failure){
    .error = g_error_copy (error),
    .since_at = now,
    .until_at = kt_time_add (now, kt_store_negative_ttl (set->store)),
  };
  g_hash_table_foreach_remove (set->failures, is_over, &now);
  g_hash_table_replace (set->failures, kt_key_ref (key), failure);
}

const GError *
kt_packages_failure (KtPackages *set, const KtSnapshot *snapshot)
{
  const Failure *failure = g_hash_table_lookup (set->failures, snapshot->task->key);

  return failure != NULL && kt_clock_monotonic (set->clock) < failure->until_at
                 && snapshot->fetched_at <= failure->since_at
             ? failure->error
             : NULL;
}

KtPackageHead
kt_package_head (const KtHttpResponse *response)
{
  const char *range = response->headers[KT_HEADER_CONTENT_RANGE];
  const char *length = response->headers[KT_HEADER_CONTENT_LENGTH];
  KtPackageHead head = { .validator = response->headers[KT_HEADER_ETAG], .total = -1, .first = -1 };
  guint64 total;

  if (head.validator == NULL)
    head.validator = response->headers[KT_HEADER_LAST_MODIFIED];
  if (head.validator == NULL)
    head.validator = "";
  if (response->status == 206) {
    gint64 last;
    if (range == NULL
        || sscanf (range, "bytes %" G_GINT64_FORMAT "-%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT, &head.first, &last,
                   &head.total)
               != 3)
      head.total = -1;
  } else if (length != NULL && g_ascii_string_to_unsigned (length, 10, 0, G_MAXINT64, &total, NULL)) {
    head.total = (gint64) total;
  }
  if (head.total > LARGEST)
    head.total = -1;
  return head;
}

GError *
kt_package_status_error (guint status)
{
  KtErrorCode code = KT_ERROR_SERVICE;

  if (status == 404 || status == 410)
    code = KT_ERROR_NOT_FOUND;
  else if (status == 401 || status == 403)
    code = KT_ERROR_DENIED;
  else if (status == 429)
    code = KT_ERROR_THROTTLED;
  return g_error_new (KT_ERROR, (int) code, "the download link is answered with HTTP %u", status);
}

void
kt_packages_report (KtPackages *set, const KtKey *key, const GError *error)
{
  g_autofree char *what = g_strconcat ("package.zip of ", key->task_id, NULL);

  if (!g_error_matches (error, KT_ERROR, KT_ERROR_STOPPED))
    kt_health_failure_elsewhere (set->health, kt_clock_wall (set->clock), what, error);
}

void
kt_package_call_end (KtPackageCall *call, const GError *error)
{
  KtPackageFound found = call->found;
  KtPackageBytes read = call->read;
  gpointer data = call->data;

  kt_package_cancel (call);
  if (found != NULL)
    found (error, data);
  else
    read (NULL, 0, error, data);
}

static void
on_call_expiry (gpointer data)
{
  KtPackageCall *call = data;
  g_autoptr (GError) error =
      g_error_new_literal (KT_ERROR, KT_ERROR_TIMED_OUT, "the package's host did not answer before the deadline");

  call->expiry = NULL;
  kt_package_call_end (call, error);
}

KtUsec
kt_package_stall (KtPackages *set, KtUsec deadline)
{
  return MAX (deadline - kt_clock_monotonic (set->clock), KT_SECOND);
}

KtPackageCall *
kt_package_call_new (KtPackages *set, GQueue *queue, KtUsec deadline, gpointer data)
{
  KtPackageCall *call = g_new0 (KtPackageCall, 1);

  call->set = set;
  call->queue = queue;
  call->link.data = call;
  call->data = data;
  call->since_at = kt_clock_monotonic (set->clock);
  call->stall_timeout = kt_package_stall (set, deadline);
  call->expiry = kt_clock_start (set->clock, deadline, on_call_expiry, call);
  g_queue_push_tail_link (queue, &call->link);
  return call;
}

void
kt_package_cancel (KtPackageCall *call)
{
  KtPackage *package = call->package;

  kt_read_unpin (call);
  g_queue_unlink (call->queue, &call->link);
  kt_clock_stop (call->set->clock, &call->expiry);
  g_free (call);
  kt_package_unref (package);
}

/* The one end of a probe. */
static void
probe_end (KtProbe *probe, const GError *error)
{
  KtPackages *set = probe->set;

  g_hash_table_steal (set->probes, probe->key);
  if (error != NULL)
    kt_packages_report (set, probe->key, error);
  while (!g_queue_is_empty (&probe->finders))
    kt_package_call_end (probe->finders.head->data, error);
  kt_package_unref (probe->package);
  kt_secret_free (probe->link);
  kt_key_unref (probe->key);
  g_free (probe);
}

/* The host has PACKAGE, (transfer full), behind the probe's link. */
static void
probe_found (KtProbe *probe, KtPackage *package)
{
  kt_package_set_link (package, probe->link);
  probe->package = package;
  if (package->size >= 0) {
    kt_probe_sized (probe, NULL);
  } else {
    package->sized = probe;
    kt_fetch_whole (package, probe->stall_timeout);
  }
}

void
kt_probe_sized (KtProbe *probe, const GError *error)
{
  KtPackage *package = probe->package;

  if (error == NULL) {
    package->seen_at = kt_clock_monotonic (probe->set->clock);
    g_hash_table_replace (probe->set->current, package->key, package);
  }
  probe_end (probe, error);
}

void
kt_package_set_link (KtPackage *package, const char *link)
{
  if (g_strcmp0 (package->link, link) == 0)
    return;
  kt_secret_free (package->link);
  package->link = g_strdup (link);
  package->serial++;
}

/* The version that RESPONSE tells of: known, or new. (transfer full) */
static KtPackage *
version_of (KtProbe *probe, const KtHttpResponse *response)
{
  KtPackages *set = probe->set;
  KtPackageHead head = kt_package_head (response);
  KtPackage *package = g_hash_table_lookup (set->current, probe->key);

  if (package != NULL && !package->has_changed && g_str_equal (package->validator, head.validator)
      && (package->size == head.total || (head.total < 0 && head.validator[0] != '\0')))
    return kt_package_ref (package);
  package = package_new (set, probe->key, head.validator, head.total);
  package->mtime_wall = kt_http_date_parse (response->headers[KT_HEADER_LAST_MODIFIED]);
  package->is_whole = response->status == 200;
  return package;
}

static void
prepare_probe (KtHttpRequest *request, gpointer data)
{
  KtProbe *probe = data;

  ++*probe->set->requests;
  g_ptr_array_add (request->headers, g_strdup ("Range: bytes=0-0"));
}

/* The head says it all; of one byte it is cheaper to keep the connection. */
static gboolean
on_probe_piece (const KtHttpResponse *head, gconstpointer bytes, gsize length, gpointer data)
{
  *((KtProbe *) data)->set->bytes += length;
  return head->status == 206;
}

static void renew (KtProbe *probe);

static void
on_probe_done (const KtHttpResponse *response, const GError *http_error, gpointer data)
{
  KtProbe *probe = data;
  g_autoptr (GError) error = http_error != NULL ? g_error_copy (http_error) : NULL;
  g_autoptr (KtPackage) package = NULL;

  if (error == NULL && response->status == 403 && !probe->has_renewed) {
    renew (probe);
    return;
  }
  if (error == NULL && (response->status == 200 || response->status == 206)) {
    package = version_of (probe, response);
    if (package->size == 0 || (package->size < 0 && response->status == 206))
      error = g_error_new_literal (KT_ERROR, KT_ERROR_BAD_ANSWER,
                                   package->size == 0 ? "the package is empty"
                                                      : "the package's host does not tell its size");
  } else if (error == NULL) {
    error = kt_package_status_error (response->status);
  }
  if (error != NULL)
    probe_end (probe, error);
  else
    probe_found (probe, g_steal_pointer (&package));
}

static void
probe_send (KtProbe *probe, const char *link)
{
  kt_secret_free (probe->link);
  probe->link = g_strdup (link);
  kt_http_client_stream (probe->set->http, link, probe->stall_timeout, prepare_probe, on_probe_piece, on_probe_done,
                         probe);
}

static void
on_renewed (const KtSnapshot *snapshot, const GError *store_error, gpointer data)
{
  KtProbe *probe = data;
  g_autoptr (GError) error = kt_package_link_error (snapshot, store_error);

  if (error != NULL)
    probe_end (probe, error);
  else
    probe_send (probe, snapshot->task->download_url);
}

GError *
kt_package_link_error (const KtSnapshot *snapshot, const GError *error)
{
  if (error != NULL)
    return g_error_copy (error);
  if (snapshot->task->download_url[0] == '\0')
    return g_error_new_literal (KT_ERROR, KT_ERROR_NOT_FOUND, "the service gives no link to a package");
  return NULL;
}

static void
renew (KtProbe *probe)
{
  KtPackages *set = probe->set;

  probe->has_renewed = TRUE;
  kt_store_get (set->store, probe->key, KT_STORE_AGAIN,
                kt_time_add (kt_clock_monotonic (set->clock), probe->stall_timeout), on_renewed, probe);
}

static KtProbe *
probe_new (KtPackages *set, KtKey *key, KtUsec stall_timeout)
{
  KtProbe *probe = g_new0 (KtProbe, 1);
  KtUsec now = kt_clock_monotonic (set->clock);
  KtSnapshot snapshot;

  probe->set = set;
  probe->key = kt_key_ref (key);
  probe->stall_timeout = stall_timeout;
  g_hash_table_insert (set->probes, probe->key, probe);
  if (kt_store_peek (set->store, key, KT_STORE_FRESH, &snapshot) && snapshot.task->download_url[0] != '\0'
      && now < kt_time_add (snapshot.fetched_at, KT_PACKAGE_TTL))
    probe_send (probe, snapshot.task->download_url);
  else
    renew (probe);
  return probe;
}

KtPackageCall *
kt_packages_find (KtPackages *set, KtKey *key, KtUsec deadline, KtPackageFound found, gpointer data)
{
  KtProbe *probe = g_hash_table_lookup (set->probes, key);
  KtPackageCall *call;

  if (probe == NULL)
    probe = probe_new (set, key, kt_package_stall (set, deadline));
  call = kt_package_call_new (set, &probe->finders, deadline, data);
  call->found = found;
  return call;
}

void
kt_packages_set_observer (KtPackages *set, KtPackageObserver observer, gpointer data)
{
  set->observer = observer;
  set->observer_data = data;
}

static guint64
count_memory (gpointer data)
{
  return (guint64) ((KtPackages *) data)->n_blocks * KT_BLOCK;
}

KtPackages *
kt_packages_new (KtHttpClient *http, KtStore *store, KtClock *clock, KtHealth *health, KtMetrics *metrics)
{
  KtPackages *set = g_new0 (KtPackages, 1);

  set->http = http;
  set->store = store;
  set->clock = clock;
  set->health = health;
  set->current = g_hash_table_new (kt_key_hash, kt_key_equal);
  set->probes = g_hash_table_new (kt_key_hash, kt_key_equal);
  set->failures = g_hash_table_new_full (kt_key_hash, kt_key_equal, (GDestroyNotify) kt_key_unref, failure_free);
  set->requests = kt_metrics_counter (metrics, "kootaskfs_package_requests",
                                      "HTTP requests for packages, retries included", NULL, NULL);
  set->bytes = kt_metrics_counter (metrics, "kootaskfs_package_bytes", "Bytes of packages received", NULL, NULL);
  kt_metrics_gauge (metrics, "kootaskfs_package_memory", "Bytes of packages in memory", count_memory, set);
  return set;
}

void
kt_packages_free (KtPackages *set)
{
  if (set == NULL)
    return;
  kt_clock_stop (set->clock, &set->feeder);
  g_hash_table_unref (set->current);
  g_hash_table_unref (set->probes);
  g_hash_table_unref (set->failures);
  g_free (set);
}
