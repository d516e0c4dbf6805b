/* SPDX-License-Identifier: MIT */
/* Any bytes as an answer to every call; of what is taken for good, every file is rendered. */
#include "kt-fuzz.h"

#include "base/kt-error.h"
#include "base/kt-names.h"
#include "base/kt-units.h"
#include "codec/kt-decode.h"
#include "tree/kt-entry-ops.h"

#define TASK_ID "1521827471237047552" /* the samples' */

static void
check_file (const KtSubject *subject, const KtEntry *row)
{
  g_autoptr (GBytes) content = row->render (subject);
  g_autoptr (GBytes) again = row->render (subject);
  gsize size;
  const char *text = g_bytes_get_data (content, &size);
  const char *end = size > 0 ? memchr (text, '\n', size) : NULL;

  kt_check (g_bytes_equal (content, again)); /* pure */
  if (strcmp (row->mime, "text/plain") != 0)
    kt_check (size > 0);
  else if (strcmp (row->name, "summary") != 0)
    kt_check (size == 0 || (size > 1 && end == text + size - 1)); /* one line, or nothing */
  if (strcmp (row->mime, "text/csv") == 0)
    kt_check (text[size - 1] == '\n');
  if (strcmp (row->name, "response.json") != 0)
    kt_check (g_utf8_validate (text, (gssize) size, NULL));
}

static void
check_place (const KtSubject *subject, KtPlace place)
{
  for (const KtEntry *row = kt_files; row->ops != NULL; row++)
    if (row->place == place && row->render != NULL && (row->facts & kt_family_facts (subject->task->key->family)) != 0)
      check_file (subject, row);
}

static void
check_task (const KtTask *task)
{
  KtSubject subject = { .task = task };

  kt_check (task->progress >= -1 && task->progress <= 100);
  kt_check (task->success_count >= -1 && task->fail_count >= -1);
  check_place (&subject, KT_PLACE_TASK);
  for (guint i = 0; i < task->files->len; i++) {
    subject.file = &g_array_index (task->files, KtTaskFile, i);
    kt_check (kt_task_find_file (task, subject.file->name) == subject.file); /* so names are unique */
    kt_check (subject.file->name[0] != '\0' && subject.file->name[0] != '.');
    kt_check (strlen (subject.file->name) <= KT_NAME_MAX && strchr (subject.file->name, '/') == NULL);
    kt_check (g_utf8_validate (subject.file->name, -1, NULL));
    check_place (&subject, KT_PLACE_FILE);
  }
}

/* Everything that a call's answer may be taken for. */
static const struct {
  KtFamily family;
  KtDecodeTask *task; /* one of the two */
  KtDecodePage *list;
} calls[] = {
  { KT_FAMILY_SHARE, kt_decode_share_detail, NULL }, { KT_FAMILY_BASIC, kt_decode_task_result, NULL },
  { KT_FAMILY_BASIC, kt_decode_basic_task, NULL },   { KT_FAMILY_JOB, kt_decode_job, NULL },
  { KT_FAMILY_BASIC, NULL, kt_decode_task_list },    { KT_FAMILY_JOB, NULL, kt_decode_jobs },
};

static KtKey *
key_of (KtFamily family)
{
  return family == KT_FAMILY_SHARE ? kt_key_new_share ("S", TASK_ID) : kt_key_new (family, TASK_ID);
}

static void
check_error (gpointer result, guint status, const GError *error)
{
  kt_check ((result == NULL) == (error != NULL));
  kt_check (error == NULL || error->domain == KT_ERROR);
  kt_check (result == NULL || status == 200);
}

static void
decode_task (gsize call, guint status, GBytes *body, GTimeZone *zone)
{
  g_autoptr (KtKey) key = key_of (calls[call].family);
  g_autoptr (GError) error = NULL;
  g_autoptr (KtTask) task = calls[call].task (key, status, body, zone, &error);

  check_error (task, status, error);
  if (task != NULL) {
    kt_check (g_bytes_equal (task->response, body));
    check_task (task);
  }
}

static void
decode_list (gsize call, guint status, GBytes *body, GTimeZone *zone)
{
  g_autoptr (KtKey) key = key_of (calls[call].family);
  g_autoptr (GError) error = NULL;
  g_autoptr (KtListPage) page = calls[call].list (key, status, body, zone, &error);

  check_error (page, status, error);
  for (guint i = 0; page != NULL && i < page->tasks->len; i++) {
    const KtTask *task = g_ptr_array_index (page->tasks, i);
    KtSubject subject = { .task = task };
    kt_check (task->from_list && kt_id_is_valid (task->key->task_id) && task->key->family == calls[call].family);
    for (const KtEntry *row = kt_files; row->ops != NULL; row++)
      if ((row->summary & kt_family_facts (task->key->family)) != 0)
        check_file (&subject, row);
  }
}

/* The same bytes as both of a basic task's answers. */
static void
decode_pair (GBytes *body, GTimeZone *zone)
{
  g_autoptr (KtKey) key = key_of (KT_FAMILY_BASIC);
  g_autoptr (KtTask) detail = kt_decode_basic_task (key, 200, body, zone, NULL);
  g_autoptr (KtTask) result = kt_decode_task_result (key, 200, body, zone, NULL);
  g_autoptr (KtTask) task = detail != NULL || result != NULL ? kt_decode_basic (detail, result) : NULL;

  if (task != NULL)
    check_task (task);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GBytes) body = g_bytes_new (data, size);
  g_autoptr (GTimeZone) zone = g_time_zone_new_utc ();

  for (gsize i = 0; i < G_N_ELEMENTS (calls); i++) {
    if (calls[i].task != NULL)
      decode_task (i, 200, body, zone);
    else
      decode_list (i, 200, body, zone);
  }
  decode_task (1, 400, body, zone);
  decode_pair (body, zone);
  return 0;
}
