/* SPDX-License-Identifier: MIT */
/* Which version of a package there is: one probe of the host per task, for all who wait for it. */
#include "kt-package-private.h"

#include "base/kt-error.h"
#include "base/kt-log.h"
#include "http/kt-http-date.h"

typedef struct {
  KtPackages *set;
  KtKey *key;
  GQueue finds; /* KtPackageFind */
  KtUsec stall_timeout;
  char *link;
  gboolean has_renewed;
  KtPackage *package; /* whose size is awaited */
} Probe;

struct KtPackageFind {
  Probe *probe;
  GList link; /* Probe.finds */
  KtTimer *expiry;
  KtPackageFound found;
  gpointer data;
};

static void
find_end (KtPackageFind *find, const GError *error)
{
  KtPackageFound found = find->found;
  gpointer data = find->data;

  kt_package_find_cancel (find);
  found (error, data);
}

static void
on_find_expiry (gpointer data)
{
  KtPackageFind *find = data;
  g_autoptr (GError) error = kt_package_timeout_error ();

  find->expiry = NULL;
  find_end (find, error);
}

void
kt_package_find_cancel (KtPackageFind *find)
{
  Probe *probe = find->probe;

  g_queue_unlink (&probe->finds, &find->link);
  kt_clock_stop (probe->set->clock, &find->expiry);
  g_free (find);
}

/* The one end of a probe. */
static void
probe_end (Probe *probe, const GError *error)
{
  KtPackages *set = probe->set;

  g_hash_table_steal (set->probes, probe->key);
  if (error != NULL)
    kt_packages_report (set, probe->key, error);
  while (!g_queue_is_empty (&probe->finds))
    find_end (probe->finds.head->data, error);
  kt_package_unref (probe->package);
  kt_secret_free (probe->link);
  kt_key_unref (probe->key);
  g_free (probe);
}

/* The size of the probe's package is known, or cannot be had. */
static void
on_sized (const GError *error, gpointer data)
{
  Probe *probe = data;
  KtPackage *package = probe->package;

  if (error == NULL) {
    package->seen_at = kt_clock_monotonic (probe->set->clock);
    g_hash_table_replace (probe->set->current, package->key, package);
  }
  probe_end (probe, error);
}

/* The host has PACKAGE, (transfer full), behind the probe's link. */
static void
probe_found (Probe *probe, KtPackage *package)
{
  kt_package_set_link (package, probe->link);
  probe->package = package;
  if (package->size >= 0)
    on_sized (NULL, probe);
  else
    kt_package_request_whole (package, probe->stall_timeout, on_sized, probe);
}

/* The version that RESPONSE is of: the known one, or a new one. (transfer full) */
static KtPackage *
version_of (Probe *probe, const KtHttpResponse *response)
{
  KtPackages *set = probe->set;
  KtPackageHead head = kt_package_head (response);
  KtPackage *package = g_hash_table_lookup (set->current, probe->key);

  if (package != NULL && !package->has_changed && g_str_equal (package->validator, head.validator)
      && (package->size == head.total || (head.total < 0 && head.validator[0] != '\0')))
    return kt_package_ref (package);
  package = kt_package_new (set, probe->key, head.validator, head.total);
  package->mtime_wall = kt_http_date_parse (response->headers[KT_HEADER_LAST_MODIFIED]);
  package->is_whole = response->status == 200;
  return package;
}

static void
on_prepare (KtHttpRequest *request, gpointer data)
{
  Probe *probe = data;

  ++*probe->set->requests;
  g_ptr_array_add (request->headers, g_strdup ("Range: bytes=0-0"));
}

/* The head says it all. The body of one byte is taken: that costs less than a new connection. */
static gboolean
on_piece (const KtHttpResponse *head, gconstpointer bytes, gsize length, gpointer data)
{
  *((Probe *) data)->set->bytes += length;
  return head->status == 206;
}

static void renew (Probe *probe);

static void
on_done (const KtHttpResponse *response, const GError *http_error, gpointer data)
{
  Probe *probe = data;
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
probe_send (Probe *probe, const char *link)
{
  kt_secret_free (probe->link);
  probe->link = g_strdup (link);
  kt_http_client_stream (probe->set->http, link, probe->stall_timeout, on_prepare, on_piece, on_done, probe);
}

static void
on_renewed (const KtSnapshot *snapshot, const GError *store_error, gpointer data)
{
  Probe *probe = data;
  g_autoptr (GError) error = kt_package_link_error (snapshot, store_error);

  if (error != NULL)
    probe_end (probe, error);
  else
    probe_send (probe, snapshot->task->download_url);
}

/* Asks the service for a new link, once, and sends the probe there. */
static void
renew (Probe *probe)
{
  KtPackages *set = probe->set;

  probe->has_renewed = TRUE;
  kt_store_get (set->store, probe->key, KT_STORE_AGAIN,
                kt_time_add (kt_clock_monotonic (set->clock), probe->stall_timeout), on_renewed, probe);
}

static Probe *
probe_new (KtPackages *set, KtKey *key, KtUsec stall_timeout)
{
  Probe *probe = g_new0 (Probe, 1);
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

KtPackageFind *
kt_packages_find (KtPackages *set, KtKey *key, KtUsec deadline, KtPackageFound found, gpointer data)
{
  Probe *probe = g_hash_table_lookup (set->probes, key);
  KtPackageFind *find = g_new0 (KtPackageFind, 1);

  if (probe == NULL)
    probe = probe_new (set, key, kt_package_stall_timeout (set, deadline));
  find->probe = probe;
  find->found = found;
  find->data = data;
  find->link.data = find;
  find->expiry = kt_clock_start (set->clock, deadline, on_find_expiry, find);
  g_queue_push_tail_link (&probe->finds, &find->link);
  return find;
}
