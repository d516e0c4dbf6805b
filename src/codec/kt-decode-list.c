/* SPDX-License-Identifier: MIT */
/* Decodes the pages of lists and the responses without content, and encodes the bodies that are sent. */
#include "kt-decode.h"

#include "base/kt-error.h"
#include "base/kt-names.h"
#include "kt-decode-private.h"
#include "kt-status.h"

void
kt_list_page_free (KtListPage *page)
{
  if (page == NULL)
    return;
  g_ptr_array_unref (page->tasks);
  g_free (page->next);
  g_free (page);
}

/* ITEMS is NULL where the response has none: a page may be empty. */
static KtListPage *
page_of (KtFamily family, const cJSON *items, const char *next, GTimeZone *zone, GError **error)
{
  g_autoptr (KtListPage) page = g_new0 (KtListPage, 1);
  const cJSON *item;

  page->tasks = g_ptr_array_new_with_free_func ((GDestroyNotify) kt_task_unref);
  page->next = next != NULL && next[0] != '\0' ? g_strdup (next) : NULL;
  if (items != NULL && !cJSON_IsArray (items)) {
    kt_body_bad (error, "the list is not an array");
    return NULL;
  }
  cJSON_ArrayForEach (item, items) {
    const char *id = cJSON_IsObject (item) ? kt_body_text (item, "taskId") : NULL;
    KtTask *task;
    if (id == NULL) {
      kt_body_bad (error, "an item of the list has no taskId");
      return NULL;
    }
    page->n_items++;
    if (!kt_id_is_valid (id))
      continue; /* it cannot be shown, and the others can */
    task = kt_decode_list_item (family, id, item, zone, error);
    if (task == NULL)
      return NULL;
    g_ptr_array_add (page->tasks, task);
  }
  return g_steal_pointer (&page);
}

/* A response with neither list nor code could be anything. */
static gboolean
is_list (const cJSON *root, const cJSON *items, GError **error)
{
  return items != NULL || kt_body_text (root, "code") != NULL || kt_body_text (root, "nextCursor") != NULL
         || kt_body_bad (error, "there is no list");
}

KtListPage *
kt_decode_task_list (KtKey *key, guint status, GBytes *body, GTimeZone *zone, GError **error)
{
  g_autoptr (cJSON) root = kt_body_open (status, body, error);
  const cJSON *items;

  if (root == NULL)
    return NULL;
  items = kt_body_get (root, "taskList");
  if (items == NULL)
    items = kt_body_get (root, "taskListDtos"); /* as the sample has it */
  if (!is_list (root, items, error))
    return NULL;
  return page_of (key->family, items, kt_body_text (root, "nextCursor"), zone, error);
}

KtListPage *
kt_decode_jobs (KtKey *key, guint status, GBytes *body, GTimeZone *zone, GError **error)
{
  g_autoptr (cJSON) root = kt_body_open (status, body, error);
  const cJSON *items;

  if (root == NULL)
    return NULL;
  items = kt_body_get (root, "data");
  return is_list (root, items, error) ? page_of (key->family, items, NULL, zone, error) : NULL;
}

gboolean
kt_decode_done (guint status, GBytes *body, GError **error)
{
  g_autoptr (GError) why = NULL;
  g_autoptr (cJSON) root = kt_body_open (status, body, &why);

  if (root != NULL)
    return TRUE;
  if (g_error_matches (why, KT_ERROR, KT_ERROR_SERVICE) && kt_body_declines (status, body))
    why->code = KT_ERROR_DECLINED;
  g_propagate_error (error, g_steal_pointer (&why));
  return FALSE;
}

gboolean
kt_decode_is_final (guint status, GBytes *body)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (cJSON) root = status >= 500 ? kt_body_open (status, body, &error) : NULL;

  return root == NULL && kt_status_error_stays (error);
}

char *
kt_decode_access_token (guint status, GBytes *body, GError **error)
{
  g_autoptr (cJSON) root = kt_body_open (status, body, error);
  const char *token = root != NULL ? kt_body_text (root, "accessToken") : NULL;

  if (root == NULL)
    return NULL;
  if (token == NULL || token[0] == '\0' || !kt_is_printable (token)) {
    kt_body_bad (error, "there is no accessToken that can be one");
    return NULL;
  }
  return g_strdup (token);
}

gboolean
kt_decode (const KtDecode *decode, KtKey *key, guint status, GBytes *body, GTimeZone *zone, KtDecoded *decoded,
           GError **error)
{
  if (decode->task != NULL)
    return (decoded->task = decode->task (key, status, body, zone, error)) != NULL;
  if (decode->page != NULL)
    return (decoded->page = decode->page (key, status, body, zone, error)) != NULL;
  return decode->done (status, body, error);
}

void
kt_decoded_clear (KtDecoded *decoded)
{
  g_clear_pointer (&decoded->task, kt_task_unref);
  g_clear_pointer (&decoded->page, kt_list_page_free);
}

char *
kt_encode_object (const char *name, ...)
{
  g_autoptr (cJSON) object = cJSON_CreateObject ();
  char *printed, *result;
  va_list args;

  va_start (args, name);
  for (; name != NULL; name = va_arg (args, const char *))
    cJSON_AddStringToObject (object, name, va_arg (args, const char *));
  va_end (args);
  printed = cJSON_PrintUnformatted (object);
  result = g_strdup (printed);
  cJSON_free (printed);
  return result;
}
