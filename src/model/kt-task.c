/* SPDX-License-Identifier: MIT */
/* Tasks: filled by a decoder, then immutable and counted. */
#include "kt-task.h"

#include "base/kt-log.h"
#include "base/kt-names.h"
#include "base/kt-units.h"
#include "kt-csv.h"
#include "kt-words.h"

#include <string.h>

#define FEW_FILES 16   /* found faster by looking than by hashing, and smaller */
#define MANY_ROWS 1000 /* what takes their number's time is done where nobody waits for it */

/* Between the last release of an interned string and its leaving GLib's pool of them, another thread may find it
 * there (seen with GLib 2.74): so both go under one lock. */
static GMutex sharing;

static char *
shared_new (const char *text)
{
  char *string;

  g_mutex_lock (&sharing);
  string = g_ref_string_new_intern (text);
  g_mutex_unlock (&sharing);
  return string;
}

static void
shared_free (char *string)
{
  g_mutex_lock (&sharing);
  g_ref_string_release (string);
  g_mutex_unlock (&sharing);
}

static void
file_clear (gpointer data)
{
  KtTaskFile *file = data;
  g_free (file->name);
  g_free (file->id);
  shared_free (file->status);
  g_free (file->new_id);
  shared_free (file->container_id);
}

static void
failure_clear (gpointer data)
{
  KtTaskFailure *failure = data;
  g_free (failure->user_name);
  g_free (failure->desc);
}

KtTask *
kt_task_new (KtKey *key)
{
  KtTask *task = g_new0 (KtTask, 1);

  g_atomic_ref_count_init (&task->refs);
  task->key = kt_key_ref (key);
  task->type = shared_new ("");
  task->status = shared_new ("");
  task->result = shared_new ("");
  task->user = g_strdup ("");
  task->name = g_strdup ("");
  task->download_url = g_strdup ("");
  task->progress = -1;
  task->created = task->started = task->ended = KT_TIME_UNKNOWN;
  task->success_count = task->fail_count = -1;
  task->files = g_array_new (FALSE, TRUE, sizeof (KtTaskFile));
  g_array_set_clear_func (task->files, file_clear);
  task->failures = g_array_new (FALSE, TRUE, sizeof (KtTaskFailure));
  g_array_set_clear_func (task->failures, failure_clear);
  return task;
}

KtTask *
kt_task_ref (KtTask *task)
{
  g_atomic_ref_count_inc (&task->refs);
  return task;
}

static void
task_free (KtTask *task)
{
  kt_key_unref (task->key);
  shared_free (task->type);
  shared_free (task->status);
  shared_free (task->result);
  g_free (task->user);
  g_free (task->name);
  kt_secret_free (task->download_url);
  g_clear_pointer (&task->by_name, g_hash_table_unref); /* its keys are the files' names */
  g_array_unref (task->files);
  g_array_unref (task->failures);
  g_clear_pointer (&task->job_json, g_bytes_unref);
  g_clear_pointer (&task->response, g_bytes_unref);
  g_clear_pointer (&task->files_csv, g_bytes_unref);
  g_clear_pointer (&task->failures_csv, g_bytes_unref);
  g_free (task);
}

static void
on_release (gpointer task, gpointer data)
{
  task_free (task);
}

/* The one thread that frees large tasks. It ends with the process. */
static GThreadPool *
releaser (void)
{
  static gsize pool;

  if (g_once_init_enter (&pool))
    g_once_init_leave (&pool, (gsize) g_thread_pool_new (on_release, NULL, 1, FALSE, NULL));
  return (GThreadPool *) pool;
}

static gboolean
is_large (const KtTask *task)
{
  return task->files->len + task->failures->len > MANY_ROWS;
}

void
kt_task_unref (KtTask *task)
{
  if (task == NULL || !g_atomic_ref_count_dec (&task->refs))
    return;
  if (is_large (task))
    g_thread_pool_push (releaser (), task, NULL); /* it is queued also when a thread cannot be had now */
  else
    task_free (task);
}

KtTaskFile *
kt_task_add_file (KtTask *task)
{
  KtTaskFile file = {
    .id = g_strdup (""),
    .status = shared_new (""),
    .new_id = g_strdup (""),
    .container_id = shared_new (""),
  };
  g_array_append_val (task->files, file);
  return &g_array_index (task->files, KtTaskFile, task->files->len - 1);
}

KtTaskFailure *
kt_task_add_failure (KtTask *task)
{
  KtTaskFailure failure = { .user_name = g_strdup (""), .desc = g_strdup ("") };
  g_array_append_val (task->failures, failure);
  return &g_array_index (task->failures, KtTaskFailure, task->failures->len - 1);
}

void
kt_task_set (char **field, char *value)
{
  g_free (*field);
  *field = value;
}

void
kt_task_share (char **field, const char *value)
{
  char *before = *field;

  *field = shared_new (value);
  shared_free (before);
}

/* The first of WANTED, WANTED.2, WANTED.3 ... not yet taken. (transfer full) */
static char *
unique_name (KtTask *task, GHashTable *next_number, char *wanted)
{
  guint number = GPOINTER_TO_UINT (g_hash_table_lookup (next_number, wanted));
  g_autofree char *base = wanted;
  char *name = g_strdup (base);

  for (number = MAX (number, 2); g_hash_table_contains (task->by_name, name); number++) {
    g_autofree char *suffix = g_strdup_printf (".%u", number);
    gsize room = MIN (strlen (base), KT_NAME_MAX - strlen (suffix));
    while (room > 0 && ((guchar) base[room] & 0xC0) == 0x80)
      room--; /* not in the middle of a character, nor of %XX */
    if (room >= 1 && base[room - 1] == '%')
      room -= 1;
    else if (room >= 2 && base[room - 2] == '%')
      room -= 2;
    g_free (name);
    name = g_strdup_printf ("%.*s%s", (int) room, base, suffix);
  }
  if (number > 2)
    g_hash_table_replace (next_number, g_strdup (base), GUINT_TO_POINTER (number));
  return name;
}

static void
name_files (KtTask *task)
{
  /* where counting goes on for a name seen before, so that thousands alike stay linear */
  g_autoptr (GHashTable) next_number = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  task->by_name = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < task->files->len; i++) {
    KtTaskFile *file = &g_array_index (task->files, KtTaskFile, i);
    file->name = unique_name (task, next_number, kt_name_encode (file->id));
    g_hash_table_insert (task->by_name, file->name, GUINT_TO_POINTER (i + 1));
  }
  if (task->files->len <= FEW_FILES)
    g_clear_pointer (&task->by_name, g_hash_table_unref);
}

void
kt_task_seal (KtTask *task)
{
  if (task->files->len > 0)
    name_files (task);
  if (is_large (task)) {
    task->files_csv = kt_csv_files (task);
    task->failures_csv = kt_csv_failures (task);
  }
}

const KtTaskFile *
kt_task_find_file (const KtTask *task, const char *name)
{
  if (task->by_name != NULL) {
    guint index = GPOINTER_TO_UINT (g_hash_table_lookup (task->by_name, name));
    return index > 0 ? &g_array_index (task->files, KtTaskFile, index - 1) : NULL;
  }
  for (guint i = 0; i < task->files->len; i++)
    if (g_str_equal (g_array_index (task->files, KtTaskFile, i).name, name))
      return &g_array_index (task->files, KtTaskFile, i);
  return NULL;
}

gboolean
kt_task_is_final (const KtTask *task)
{
  return kt_status_is_final (task->status);
}

static KtSec
known_time (KtSec time, KtSec other)
{
  return time != KT_TIME_UNKNOWN ? time : other;
}

static gboolean
same_bytes (GBytes *a, GBytes *b)
{
  return a == b || (a != NULL && b != NULL && g_bytes_equal (a, b));
}

gboolean
kt_task_says_same (const KtTask *task, const KtTask *other)
{
  return g_str_equal (task->type, other->type) && g_str_equal (task->status, other->status)
         && g_str_equal (task->result, other->result) && g_str_equal (task->user, other->user)
         && g_str_equal (task->name, other->name) && task->progress == other->progress
         && task->created == other->created && task->started == other->started && task->ended == other->ended
         && same_bytes (task->job_json, other->job_json) && same_bytes (task->response, other->response);
}

static GBytes *
bytes_copy (GBytes *bytes)
{
  return bytes != NULL ? g_bytes_ref (bytes) : NULL;
}

/* A copy that is not sealed; what is large is shared. */
static KtTask *
task_copy (const KtTask *task)
{
  KtTask *copy = g_new (KtTask, 1);

  *copy = *task;
  g_atomic_ref_count_init (&copy->refs);
  kt_key_ref (copy->key);
  copy->type = shared_new (task->type);
  copy->status = shared_new (task->status);
  copy->result = shared_new (task->result);
  copy->user = g_strdup (task->user);
  copy->name = g_strdup (task->name);
  copy->download_url = g_strdup (task->download_url);
  copy->by_name = task->by_name != NULL ? g_hash_table_ref (task->by_name) : NULL;
  g_array_ref (copy->files);
  g_array_ref (copy->failures);
  copy->job_json = bytes_copy (task->job_json);
  copy->response = bytes_copy (task->response);
  copy->files_csv = bytes_copy (task->files_csv);
  copy->failures_csv = bytes_copy (task->failures_csv);
  return copy;
}

KtTask *
kt_task_completed (const KtTask *task, const KtTask *listed)
{
  g_autoptr (KtTask) copy = task_copy (task);

  if (task->type[0] == '\0')
    kt_task_share (&copy->type, listed->type);
  if (task->user[0] == '\0')
    kt_task_set (&copy->user, g_strdup (listed->user));
  if (task->name[0] == '\0')
    kt_task_set (&copy->name, g_strdup (listed->name));
  copy->created = known_time (task->created, listed->created);
  copy->started = known_time (task->started, listed->started);
  if (g_str_equal (task->status, listed->status) || (kt_task_is_final (task) && kt_task_is_final (listed)))
    copy->ended = known_time (task->ended, listed->ended);
  return kt_task_says_same (task, copy) ? NULL : g_steal_pointer (&copy);
}

gboolean
kt_task_is_incomplete (const KtTask *task, const KtTask *listed)
{
  if (task->from_list)
    return FALSE;
  if (kt_task_is_final (task) && task->ended == KT_TIME_UNKNOWN)
    return TRUE;
  return (task->created == KT_TIME_UNKNOWN || task->started == KT_TIME_UNKNOWN)
         && (listed == NULL || !g_str_equal (listed->status, task->status));
}

static gsize
bytes_size (GBytes *bytes)
{
  return bytes != NULL ? g_bytes_get_size (bytes) : 0;
}

gsize
kt_task_size (const KtTask *task)
{
  /* per row: the struct, its strings and the index entry; strings of ids are about this long */
  const gsize row = sizeof (KtTaskFile) + 6 * 48 + 32;

  return sizeof (KtTask) + 256 + strlen (task->user) + strlen (task->name) + bytes_size (task->response)
         + bytes_size (task->job_json) + bytes_size (task->files_csv) + bytes_size (task->failures_csv)
         + (task->files->len + task->failures->len) * row;
}
