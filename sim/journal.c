/* SPDX-License-Identifier: MIT */
/* The log of requests and the counters. */
#include "journal.h"

#include <string.h>

#define MAX_ENTRIES 10000

struct SimEntry {
  grefcount refs;
  guint64 n;
  gint64 at;
  char *method, *path, *query;
  SimEndpoint endpoint;
  char *task_id, *share_id;
  guint status; /* 0 = none yet, or none at all */
  char *fault;
  GPtrArray *headers; /* SimPair; shared with the request, masked on output */
};

struct SimJournal {
  GQueue entries;
  guint64 epoch; /* grows at every reset */
  guint64 total, endpoints[SIM_N_ENDPOINTS], refused[SIM_N_REFUSALS];
  guint64 in_flight, max_in_flight, connections;
  guint64 leaks; /* requests for a package with a header that is the service's alone */
};

static void
entry_unref (void *data)
{
  SimEntry *entry = data;
  if (!g_ref_count_dec (&entry->refs))
    return;
  g_free (entry->method);
  g_free (entry->path);
  g_free (entry->query);
  g_free (entry->task_id);
  g_free (entry->share_id);
  g_free (entry->fault);
  g_ptr_array_unref (entry->headers);
  g_free (entry);
}

SimJournal *
sim_journal_new (void)
{
  SimJournal *journal = g_new0 (SimJournal, 1);
  g_queue_init (&journal->entries);
  journal->epoch = 1;
  return journal;
}

void
sim_journal_free (SimJournal *journal)
{
  if (journal == NULL)
    return;
  g_queue_clear_full (&journal->entries, entry_unref);
  g_free (journal);
}

static gboolean
leaks (const SimRequest *req)
{
  static const char *const secret[] = { "Authorization", "X-User-Id", "X-Date", "X-Traceid", "x-session-id" };

  for (guint i = 0; req->endpoint == SIM_ENDPOINT_PACKAGE && i < G_N_ELEMENTS (secret); i++)
    if (sim_request_header (req, secret[i]) != NULL)
      return TRUE;
  return FALSE;
}

SimEntry *
sim_journal_begin (SimJournal *journal, const SimRequest *req, SimPeer *peer)
{
  SimEntry *entry = g_new0 (SimEntry, 1);

  journal->total++;
  journal->endpoints[req->endpoint]++;
  journal->leaks += leaks (req);
  journal->in_flight++;
  journal->max_in_flight = MAX (journal->max_in_flight, journal->in_flight);
  if (peer->counted != journal->epoch) {
    peer->counted = journal->epoch;
    journal->connections++;
  }

  g_ref_count_init (&entry->refs);
  entry->n = journal->total;
  entry->at = req->at;
  entry->method = g_strdup (req->method);
  entry->path = g_strdup (req->path);
  entry->query = g_strdup (req->query);
  entry->endpoint = req->endpoint;
  entry->task_id = g_strdup (req->task_id);
  entry->share_id = g_strdup (req->share_id);
  entry->headers = g_ptr_array_ref (req->headers);

  g_ref_count_inc (&entry->refs);
  g_queue_push_tail (&journal->entries, entry);
  if (journal->entries.length > MAX_ENTRIES)
    entry_unref (g_queue_pop_head (&journal->entries));
  return entry;
}

void
sim_journal_refuse (SimJournal *journal, SimRefusal refusal)
{
  journal->refused[refusal]++;
}

void
sim_journal_end (SimJournal *journal, SimEntry *entry, guint status, const char *fault)
{
  journal->in_flight--;
  entry->status = status;
  entry->fault = g_strdup (fault);
  entry_unref (entry);
}

void
sim_journal_reset (SimJournal *journal)
{
  guint64 epoch = journal->epoch;
  guint64 in_flight = journal->in_flight;

  g_queue_clear_full (&journal->entries, entry_unref);
  *journal = (SimJournal){ .entries = G_QUEUE_INIT, .epoch = epoch + 1 };
  journal->in_flight = journal->max_in_flight = in_flight;
}

cJSON *
sim_journal_counters (const SimJournal *journal)
{
  cJSON *response = cJSON_CreateObject ();

  cJSON_AddNumberToObject (response, "total", (double) journal->total);
  cJSON *endpoints = cJSON_AddObjectToObject (response, "calls");
  for (guint i = 0; i < SIM_N_ENDPOINTS; i++)
    cJSON_AddNumberToObject (endpoints, sim_endpoint_name ((SimEndpoint) i), (double) journal->endpoints[i]);
  cJSON *refused = cJSON_AddObjectToObject (response, "refused");
  for (guint i = SIM_REFUSAL_NONE + 1; i < SIM_N_REFUSALS; i++)
    cJSON_AddNumberToObject (refused, sim_refusal_name ((SimRefusal) i), (double) journal->refused[i]);
  cJSON_AddNumberToObject (response, "leaks", (double) journal->leaks);
  cJSON_AddNumberToObject (response, "inFlight", (double) journal->in_flight);
  cJSON_AddNumberToObject (response, "maxInFlight", (double) journal->max_in_flight);
  cJSON_AddNumberToObject (response, "connections", (double) journal->connections);
  return response;
}

/* Only the scheme word is left of a credential; a bare token goes altogether. (transfer full) */
static char *
mask_authorization (const char *value)
{
  static const char *const schemes[] = { "Bearer ", "Bearer+", "AT ", "HMAC-SHA256 ", "Basic " };

  for (guint i = 0; i < G_N_ELEMENTS (schemes); i++)
    if (g_ascii_strncasecmp (value, schemes[i], strlen (schemes[i])) == 0)
      return g_strconcat (schemes[i], "***", NULL);
  return g_strdup ("***");
}

/* Names as sent; a name that came twice has its values joined as HTTP would join them. */
static cJSON *
headers_to_json (const GPtrArray *headers)
{
  cJSON *object = cJSON_CreateObject ();

  for (guint i = 0; i < headers->len; i++) {
    const SimPair *pair = headers->pdata[i];
    g_autofree char *name = g_utf8_make_valid (pair->name, -1);
    g_autofree char *value = g_ascii_strcasecmp (name, "Authorization") == 0  ? mask_authorization (pair->value)
                             : g_ascii_strcasecmp (name, "x-session-id") == 0 ? g_strdup ("***")
                                                                              : g_strdup (pair->value);
    const char *earlier = sim_json_get_string (object, name);
    if (earlier != NULL) {
      char *joined = g_strconcat (earlier, ", ", value, NULL);
      cJSON_DeleteItemFromObjectCaseSensitive (object, name);
      g_free (value);
      value = joined;
    }
    sim_json_add_string (object, name, value);
  }
  return object;
}

static cJSON *
entry_to_json (const SimEntry *entry)
{
  cJSON *item = cJSON_CreateObject ();
  g_autoptr (GDateTime) seconds = g_date_time_new_from_unix_utc (entry->at / G_USEC_PER_SEC);
  g_autofree char *date = g_date_time_format (seconds, "%Y-%m-%dT%H:%M:%S");
  g_autofree char *at = g_strdup_printf ("%s.%03dZ", date, (int) (entry->at % G_USEC_PER_SEC / 1000));

  cJSON_AddNumberToObject (item, "n", (double) entry->n);
  sim_json_add_string (item, "at", at);
  sim_json_add_string (item, "method", entry->method);
  sim_json_add_string (item, "path", entry->path);
  sim_json_add_string (item, "query", entry->query);
  sim_json_add_string (item, "call", sim_endpoint_name (entry->endpoint));
  sim_json_add_string (item, "taskId", entry->task_id);
  sim_json_add_string (item, "shareId", entry->share_id);
  if (entry->status != 0)
    cJSON_AddNumberToObject (item, "status", entry->status);
  else
    cJSON_AddNullToObject (item, "status");
  sim_json_add_string (item, "fault", entry->fault);
  cJSON_AddItemToObject (item, "headers", headers_to_json (entry->headers));
  return item;
}

cJSON *
sim_journal_requests (const SimJournal *journal, const char *task_id)
{
  cJSON *response = cJSON_CreateObject ();
  cJSON *list = cJSON_AddArrayToObject (response, "requests");

  for (const GList *link = journal->entries.head; link != NULL; link = link->next) {
    const SimEntry *entry = link->data;
    if (task_id == NULL || g_strcmp0 (task_id, entry->task_id) == 0)
      cJSON_AddItemToArray (list, entry_to_json (entry));
  }
  return response;
}
