/* SPDX-License-Identifier: MIT */
/* Tasks, their keys, families, words and CSV. */
#include "kt-test.h"

#include "base/kt-names.h"
#include "base/kt-units.h"
#include "model/kt-csv.h"
#include "model/kt-words.h"

#include <string.h>

static void
test_words (void)
{
  static const struct {
    KtFamily family;
    KtWordKind kind;
    const char *code;
    const char *word;
  } table[] = {
    { KT_FAMILY_SHARE, KT_WORD_TYPE, "1", "download" },
    { KT_FAMILY_SHARE, KT_WORD_TYPE, "2", "save" },
    { KT_FAMILY_SHARE, KT_WORD_TYPE, "3", "unknown-3" },
    { KT_FAMILY_SHARE, KT_WORD_STATUS, "0", "pending" },
    { KT_FAMILY_SHARE, KT_WORD_STATUS, "1", "running" },
    { KT_FAMILY_SHARE, KT_WORD_STATUS, "2", "completed" },
    { KT_FAMILY_SHARE, KT_WORD_STATUS, "3", "canceled" },
    { KT_FAMILY_SHARE, KT_WORD_STATUS, "4", "unknown-4" },
    { KT_FAMILY_SHARE, KT_WORD_STATUS, "02", "completed" },
    { KT_FAMILY_SHARE, KT_WORD_STATUS, "-1", "unknown--1" },
    { KT_FAMILY_SHARE, KT_WORD_STATUS, "2\n3", "unknown-2%0A3" },
    { KT_FAMILY_SHARE, KT_WORD_RESULT, "0", "unknown-0" },
    { KT_FAMILY_SHARE, KT_WORD_RESULT, "1", "succeeded" },
    { KT_FAMILY_SHARE, KT_WORD_RESULT, "2", "partly-failed" },
    { KT_FAMILY_SHARE, KT_WORD_RESULT, "3", "failed" },
    { KT_FAMILY_SHARE, KT_WORD_FILE_STATUS, "0", "pending" },
    { KT_FAMILY_SHARE, KT_WORD_FILE_STATUS, "1", "succeeded" },
    { KT_FAMILY_SHARE, KT_WORD_FILE_STATUS, "2", "failed" },
    { KT_FAMILY_SHARE, KT_WORD_FILE_STATUS, "3", "unknown-3" },
    /* numbers mean what their family says */
    { KT_FAMILY_BASIC, KT_WORD_TYPE, "0", "transfer" },
    { KT_FAMILY_BASIC, KT_WORD_TYPE, "1", "import" },
    { KT_FAMILY_BASIC, KT_WORD_TYPE, "2", "unknown-2" },
    { KT_FAMILY_BASIC, KT_WORD_STATUS, "0", "pending" },
    { KT_FAMILY_BASIC, KT_WORD_STATUS, "1", "running" },
    { KT_FAMILY_BASIC, KT_WORD_STATUS, "2", "completed" },
    { KT_FAMILY_BASIC, KT_WORD_STATUS, "3", "failed" },
    { KT_FAMILY_BASIC, KT_WORD_STATUS, "4", "unknown-4" },
    { KT_FAMILY_BASIC, KT_WORD_RESULT, "1", "unknown-1" },
    { KT_FAMILY_BASIC, KT_WORD_FILE_STATUS, "1", "unknown-1" },
    { KT_FAMILY_JOB, KT_WORD_TYPE, "0", "unknown-0" },
    { KT_FAMILY_JOB, KT_WORD_TYPE, "1", "copy" },
    { KT_FAMILY_JOB, KT_WORD_TYPE, "2", "delete" },
    { KT_FAMILY_JOB, KT_WORD_TYPE, "3", "move" },
    { KT_FAMILY_JOB, KT_WORD_TYPE, "4", "restore" },
    { KT_FAMILY_JOB, KT_WORD_TYPE, "5", "unzip" },
    { KT_FAMILY_JOB, KT_WORD_TYPE, "6", "package" },
    { KT_FAMILY_JOB, KT_WORD_TYPE, "7", "empty-recycle-bin" },
    { KT_FAMILY_JOB, KT_WORD_TYPE, "8", "unknown-8" },
    { KT_FAMILY_JOB, KT_WORD_STATUS, "0", "pending" },
    { KT_FAMILY_JOB, KT_WORD_STATUS, "1", "running" },
    { KT_FAMILY_JOB, KT_WORD_STATUS, "2", "completed" },
    { KT_FAMILY_JOB, KT_WORD_STATUS, "3", "canceled" },
    { KT_FAMILY_JOB, KT_WORD_RESULT, "2", "partly-failed" },
    { KT_FAMILY_JOB, KT_WORD_FILE_STATUS, "2", "failed" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    kt_assert_text (kt_word (table[i].family, table[i].kind, table[i].code), table[i].word);
}

static void
test_finality (void)
{
  static const char *const final[] = { "completed", "canceled", "failed" };
  static const char *const running[] = { "", "pending", "running", "unknown-2", "complete" };

  for (gsize i = 0; i < G_N_ELEMENTS (final); i++)
    g_assert_true (kt_status_is_final (final[i]));
  for (gsize i = 0; i < G_N_ELEMENTS (running); i++)
    g_assert_false (kt_status_is_final (running[i]));
}

static void
test_keys (void)
{
  g_autoptr (KtKey) share = kt_key_new_share ("S", "7");
  g_autoptr (KtKey) same = kt_key_new_share ("S", "7");
  g_autoptr (KtKey) other_share = kt_key_new_share ("T", "7");
  g_autoptr (KtKey) other_task = kt_key_new_share ("S", "8");
  g_autoptr (KtKey) swapped = kt_key_new_share ("7", "S");
  g_autoptr (KtKey) basic = kt_key_new (KT_FAMILY_BASIC, "7");
  g_autoptr (KtKey) no_share = kt_key_new_share ("", "7"); /* differs from BASIC in its family alone */
  KtKey *others[] = { other_share, other_task, swapped, basic, no_share };

  g_assert_true (kt_key_equal (share, same));
  g_assert_cmpuint (kt_key_hash (share), ==, kt_key_hash (same));
  for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
    g_assert_false (kt_key_equal (share, others[i]));
  g_assert_false (kt_key_equal (basic, no_share));
  g_assert_cmpstr (share->share_id, ==, "S");
  g_assert_cmpstr (share->task_id, ==, "7");
  g_assert_cmpstr (basic->share_id, ==, "");
  g_assert_cmpstr (kt_family_word (KT_FAMILY_SHARE), ==, "share");
  g_assert_cmpstr (kt_family_word (KT_FAMILY_BASIC), ==, "basic");
  g_assert_cmpstr (kt_family_word (KT_FAMILY_JOB), ==, "job");
}

static void
test_families (void)
{
  static const struct {
    const char *text;
    guint families;
    const char *printed;
  } table[] = {
    { "share", KT_FAMILY_BIT (KT_FAMILY_SHARE), "share" },
    { "job,basic", KT_FAMILY_BIT (KT_FAMILY_BASIC) | KT_FAMILY_BIT (KT_FAMILY_JOB), "basic, job" },
    { " share  basic, job,", KT_FAMILIES_ALL, "share, basic, job" },
    { "job job", KT_FAMILY_BIT (KT_FAMILY_JOB), "job" },
    { "", 0, "" },
    { " , ", 0, "" },
    { "share unknown", 0, "" }, /* what is known inside only is no word for people */
    { "Share", 0, "" },
  };
  KtFamily family;

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    g_assert_cmpuint (kt_families_from_text (table[i].text), ==, table[i].families);
    kt_assert_text (kt_families_to_text (table[i].families), table[i].printed);
  }
  g_assert_true (kt_family_from_word ("job", &family) && family == KT_FAMILY_JOB);
  g_assert_false (kt_family_from_word ("unknown", &family));
}

/* A summary, or a detail: status and times, 0 for unknown ones. (transfer full) */
static KtTask *
task_of (const char *status, gint64 created, gint64 started, gint64 ended)
{
  g_autoptr (KtKey) key = kt_key_new (KT_FAMILY_JOB, "7");
  KtTask *task = kt_task_new (key);

  kt_task_share (&task->status, status);
  task->created = created != 0 ? created : KT_TIME_UNKNOWN;
  task->started = started != 0 ? started : KT_TIME_UNKNOWN;
  task->ended = ended != 0 ? ended : KT_TIME_UNKNOWN;
  return task;
}

/* A sealed task with files of these ids. (transfer full) */
static KtTask *
task_with_files (const char *const *ids, gsize n_ids)
{
  g_autoptr (KtKey) key = kt_key_new (KT_FAMILY_BASIC, "7");
  KtTask *task = kt_task_new (key);

  for (gsize i = 0; i < n_ids; i++)
    kt_task_set (&kt_task_add_file (task)->id, g_strdup (ids[i]));
  kt_task_seal (task);
  return task;
}

/* What TASK takes from LISTED: its times, "-" for unknown ones, and name, or "nothing". (transfer full) */
static char *
completed (const KtTask *task, const KtTask *listed)
{
  g_autoptr (KtTask) copy = kt_task_completed (task, listed);
  GString *out = g_string_new (NULL);

  if (copy == NULL) {
    g_string_append (out, "nothing");
  } else {
    const gint64 times[] = { copy->created, copy->started, copy->ended };
    for (gsize i = 0; i < G_N_ELEMENTS (times); i++)
      g_string_append_printf (out, "%d ", times[i] == KT_TIME_UNKNOWN ? -1 : (int) times[i]);
    g_string_append_printf (out, "%s %s %s", copy->type, copy->user, copy->name);
    g_assert_cmpstr (copy->status, ==, task->status);
  }
  return g_string_free (out, FALSE);
}

/* A detail takes from the summary what it lacks and no more; an end only when it has ended. */
static void
test_completed (void)
{
  g_autoptr (KtTask) listed = task_of (KT_STATUS_COMPLETED, 1, 2, 3);
  g_autoptr (KtTask) none = task_of (KT_STATUS_COMPLETED, 0, 0, 0);
  g_autoptr (KtTask) all = task_of (KT_STATUS_COMPLETED, 7, 8, 9);
  g_autoptr (KtTask) running = task_of (KT_STATUS_RUNNING, 0, 0, 0);
  g_autoptr (KtTask) unknown = task_of ("unknown-99", 0, 0, 0);
  g_autoptr (KtTask) listed_unknown = task_of ("unknown-99", 0, 0, 3);

  kt_assert_text (completed (none, listed), "1 2 3   ");
  kt_assert_text (completed (all, listed), "nothing");
  kt_assert_text (completed (running, listed), "1 2 -1   ");
  kt_assert_text (completed (unknown, listed_unknown), "-1 -1 3   ");
  kt_assert_text (completed (listed, none), "nothing");
  kt_task_share (&listed->status, KT_STATUS_RUNNING); /* an end of one that runs is none */
  kt_assert_text (completed (none, listed), "1 2 -1   ");
  kt_task_share (&listed->status, KT_STATUS_FAILED);
  kt_assert_text (completed (none, listed), "1 2 3   ");
  kt_task_share (&listed->type, "copy");
  kt_task_set (&listed->user, g_strdup ("u"));
  kt_task_set (&listed->name, g_strdup ("n"));
  kt_assert_text (completed (all, listed), "7 8 9 copy u n");
  kt_task_set (&all->user, g_strdup ("v"));
  kt_assert_text (completed (all, listed), "7 8 9 copy v n");
}

/* What it has besides is the same, and is freed with the last of them. */
static void
test_completed_shares (void)
{
  const char *ids[] = { "a", "a", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q" };
  KtTask *task = task_with_files (ids, G_N_ELEMENTS (ids));
  g_autoptr (KtTask) listed = task_of (KT_STATUS_COMPLETED, 1, 2, 3);
  g_autoptr (KtTask) copy = NULL;

  task->job_json = kt_test_bytes ("{}");
  kt_task_set (&task->download_url, g_strdup ("https://x"));
  kt_task_add_failure (task);
  task->progress = 7;
  task->success_count = 8;
  copy = kt_task_completed (task, listed);
  g_assert_nonnull (copy);
  g_assert_true (copy->job_json == task->job_json && copy->files == task->files);
  kt_task_unref (task);
  kt_assert_bytes (g_bytes_ref (copy->job_json), "{}");
  g_assert_cmpstr (copy->download_url, ==, "https://x");
  g_assert_cmpuint (copy->failures->len, ==, 1);
  g_assert_true (copy->progress == 7 && copy->success_count == 8 && copy->created == 1);
  g_assert_cmpstr (kt_task_find_file (copy, "a.2")->id, ==, "a");
}

static void
test_lacking (void)
{
  static const struct {
    const char *status;
    gint64 created, started, ended;
    const char *listed; /* status, NULL: in no list */
    gboolean lacking;
  } table[] = {
    { KT_STATUS_RUNNING, 1, 2, 0, NULL, FALSE },
    { KT_STATUS_RUNNING, 0, 2, 0, NULL, TRUE },
    { KT_STATUS_RUNNING, 1, 0, 0, NULL, TRUE },
    { KT_STATUS_RUNNING, 1, 0, 0, KT_STATUS_PENDING, TRUE },
    { KT_STATUS_RUNNING, 1, 0, 0, KT_STATUS_RUNNING, FALSE }, /* it has said what it knows */
    { KT_STATUS_COMPLETED, 1, 2, 0, KT_STATUS_RUNNING, TRUE },
    { KT_STATUS_COMPLETED, 1, 2, 0, KT_STATUS_COMPLETED, TRUE }, /* the end may come late */
    { KT_STATUS_COMPLETED, 1, 0, 3, KT_STATUS_COMPLETED, FALSE },
    { KT_STATUS_COMPLETED, 1, 2, 3, NULL, FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autoptr (KtTask) task = task_of (table[i].status, table[i].created, table[i].started, table[i].ended);
    g_autoptr (KtTask) listed = table[i].listed != NULL ? task_of (table[i].listed, 0, 0, 0) : NULL;
    g_assert_cmpint (kt_task_is_incomplete (task, listed), ==, table[i].lacking);
    task->from_list = TRUE;
    g_assert_false (kt_task_is_incomplete (task, listed));
  }
}

static void
test_says_same (void)
{
  g_autoptr (KtTask) task = task_of (KT_STATUS_RUNNING, 1, 2, 0);
  g_autoptr (GBytes) x = kt_test_bytes ("x");
  g_autoptr (GBytes) y = kt_test_bytes ("y");

  for (guint i = 0; i < 10; i++) {
    g_autoptr (KtTask) other = task_of (KT_STATUS_RUNNING, 1, 2, 0);
    g_assert_true (kt_task_says_same (task, other));
    switch (i) {
    case 0: kt_task_share (&other->type, "copy"); break;
    case 1: kt_task_share (&other->status, KT_STATUS_COMPLETED); break;
    case 2: kt_task_share (&other->result, KT_RESULT_FAILED); break;
    case 3: kt_task_set (&other->user, g_strdup ("u")); break;
    case 4: other->progress = 1; break;
    case 5: other->created = 7; break;
    case 6: other->started = 7; break;
    case 7: other->ended = 7; break;
    case 8: other->response = g_bytes_ref (x); break;
    case 9: kt_task_set (&other->name, g_strdup ("n")); break;
    default: g_assert_not_reached ();
    }
    g_assert_false (kt_task_says_same (task, other));
    g_assert_false (kt_task_says_same (other, task));
  }
  task->response = g_bytes_ref (x);
  {
    g_autoptr (KtTask) other = task_of (KT_STATUS_RUNNING, 1, 2, 0);
    other->response = kt_test_bytes ("x");
    g_assert_true (kt_task_says_same (task, other)); /* the bytes count, not where they are */
    other->job_json = g_bytes_ref (y);
    g_assert_false (kt_task_says_same (task, other));
  }
}

static void
test_file_names (void)
{
  /* "A.2" exists by itself, before and after the As that would be called so */
  static const char *const ids[] = { "A", "A.2", "A", "A", "A.2", "", "unnamed", "a/b", ".x" };
  static const char *const names[] = { "A", "A.2", "A.3", "A.4", "A.2.2", "unnamed", "unnamed.2", "a%2Fb", "%2Ex" };
  g_autoptr (KtTask) task = task_with_files (ids, G_N_ELEMENTS (ids));

  for (guint i = 0; i < G_N_ELEMENTS (ids); i++) {
    const KtTaskFile *file = kt_task_find_file (task, names[i]);
    g_assert_cmpstr (g_array_index (task->files, KtTaskFile, i).name, ==, names[i]);
    g_assert_true (file == &g_array_index (task->files, KtTaskFile, i));
  }
  g_assert_null (kt_task_find_file (task, "A.5"));
  g_assert_null (kt_task_find_file (task, ""));
}

static void
test_no_files (void)
{
  g_autoptr (KtTask) task = task_with_files (NULL, 0);
  g_assert_null (kt_task_find_file (task, "A"));
}

static void
assert_names_unique (const KtTask *task)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < task->files->len; i++) {
    const char *name = g_array_index (task->files, KtTaskFile, i).name;
    g_assert_true (g_hash_table_add (seen, (gpointer) name));
    g_assert_cmpuint (strlen (name), <=, KT_NAME_MAX);
    g_assert_true (g_utf8_validate (name, -1, NULL));
    for (const char *p = strchr (name, '%'); p != NULL; p = strchr (p + 1, '%'))
      g_assert_true (g_ascii_isxdigit (p[1]) && g_ascii_isxdigit (p[2]));
  }
}

/* Calls of g_hash_table_contains(), by which a name is tried; the linker sends them here. */
static guint tries;
gboolean __real_g_hash_table_contains (GHashTable *table, gconstpointer key);
gboolean __wrap_g_hash_table_contains (GHashTable *table, gconstpointer key);

gboolean
__wrap_g_hash_table_contains (GHashTable *table, gconstpointer key)
{
  tries++;
  return __real_g_hash_table_contains (table, key);
}

/* Numbering that began at 2 each time would take 50 million tries. */
static void
test_many_alike (void)
{
  enum { N = 10000 };
  g_autofree const char **ids = g_new (const char *, N);
  g_autoptr (KtTask) task = NULL;

  for (gsize i = 0; i < N; i++)
    ids[i] = "same";
  tries = 0;
  task = task_with_files (ids, N);
  g_assert_cmpuint (tries, >=, N); /* so they are counted */
  g_assert_cmpuint (tries, <, 3 * N);
  assert_names_unique (task);
  g_assert_cmpstr (g_array_index (task->files, KtTaskFile, 0).name, ==, "same");
  g_assert_cmpstr (g_array_index (task->files, KtTaskFile, N - 1).name, ==, "same.10000");
}

/* The number must fit into a name that is full already, between characters and not within %XX. */
static void
test_long_alike (void)
{
  static const char *const parts[] = { "x", "\xe6\x8a\xa5", "/" };

  for (gsize i = 0; i < G_N_ELEMENTS (parts); i++) {
    GString *id = g_string_new (NULL);
    const char *ids[12];
    g_autoptr (KtTask) task = NULL;
    while (id->len < 85 * strlen (parts[i]))
      g_string_append (id, parts[i]);
    if (i == 0)
      g_string_append (id, id->str), g_string_append (id, id->str), g_string_truncate (id, KT_NAME_MAX);
    for (gsize j = 0; j < G_N_ELEMENTS (ids); j++)
      ids[j] = id->str;
    task = task_with_files (ids, G_N_ELEMENTS (ids));
    assert_names_unique (task);
    g_assert_cmpuint (strlen (g_array_index (task->files, KtTaskFile, 0).name), ==, KT_NAME_MAX);
    g_string_free (id, TRUE);
  }
}

static void
test_new_task (void)
{
  g_autoptr (KtKey) key = kt_key_new (KT_FAMILY_BASIC, "7");
  g_autoptr (KtTask) task = kt_task_new (key);
  g_autoptr (KtTask) again = kt_task_ref (task);
  const KtTaskFailure *failure = kt_task_add_failure (task);

  g_assert_cmpstr (task->type, ==, "");
  g_assert_cmpstr (task->status, ==, "");
  g_assert_cmpstr (task->result, ==, "");
  g_assert_cmpstr (task->user, ==, "");
  g_assert_cmpint (task->progress, ==, -1);
  g_assert_cmpint (task->success_count, ==, -1);
  g_assert_cmpint (task->fail_count, ==, -1);
  g_assert_cmpint (task->created, ==, KT_TIME_UNKNOWN);
  g_assert_cmpint (task->started, ==, KT_TIME_UNKNOWN);
  g_assert_cmpint (task->ended, ==, KT_TIME_UNKNOWN);
  g_assert_cmpstr (failure->user_name, ==, "");
  g_assert_cmpstr (failure->desc, ==, "");
  g_assert_false (kt_task_is_final (task));
  kt_task_share (&task->status, KT_STATUS_CANCELED);
  g_assert_true (kt_task_is_final (again));
  kt_task_unref (NULL);
  kt_key_unref (NULL);
}

static void
test_size (void)
{
  static const char *const ids[] = { "a", "b" };
  g_autoptr (KtTask) small = task_with_files (ids, 0);
  g_autoptr (KtTask) larger = task_with_files (ids, 2);

  g_assert_cmpuint (kt_task_size (small), >, sizeof (KtTask)); /* from a list there are no documents */
  small->response = kt_test_bytes ("");
  small->job_json = kt_test_bytes ("");
  larger->response = kt_test_bytes ("0123456789");
  larger->job_json = kt_test_bytes ("");
  g_assert_cmpuint (kt_task_size (larger), >, kt_task_size (small) + 10);
}

/* The tables of many rows are made once, those of few each time: a small task stays small. */
static void
test_tables (void)
{
  enum { N = 1001 };
  g_autofree const char **ids = g_new (const char *, N);
  g_autoptr (KtTask) few = NULL;
  g_autoptr (KtTask) many = NULL;

  for (gsize i = 0; i < N; i++)
    ids[i] = "F";
  few = task_with_files (ids, N - 1);
  many = task_with_files (ids, N);
  g_assert_null (few->files_csv);
  kt_assert_bytes (kt_csv_failures (few), "userName,desc\n");
  kt_assert_bytes (kt_csv_failures (many), "userName,desc\n");
  for (guint i = 0; i < 2; i++) {
    g_autoptr (GBytes) table = kt_csv_files (many);
    g_assert_true (table == many->files_csv);
    g_assert_cmpuint (g_bytes_get_size (table), ==, strlen ("fileId,status,newFileId,srcContainerId\n") + N * 5);
  }
}

static guint
count_threads (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/task", 0, NULL);
  guint count = 0;

  while (g_dir_read_name (dir) != NULL)
    count++;
  return count;
}

/* However many large tasks are released at once, one thread frees them (and GLib has one that starts it). */
static void
test_release_of_large (void)
{
  enum { TASKS = 40, ROWS = 5000 };
  g_autofree const char **ids = g_new (const char *, ROWS);
  KtTask *tasks[TASKS];
  guint before, most = 0;

  for (guint i = 0; i < ROWS; i++)
    ids[i] = "a";
  for (guint i = 0; i < TASKS; i++)
    tasks[i] = task_with_files (ids, ROWS);
  before = count_threads ();
  for (guint i = 0; i < TASKS; i++) {
    kt_task_unref (tasks[i]);
    most = MAX (most, count_threads ());
  }
  g_assert_cmpuint (most, >=, 2); /* aside */
  g_assert_cmpuint (most, <=, before + 2);
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
  g_test_add_func ("/model/words", test_words);
  g_test_add_func ("/model/finality", test_finality);
  g_test_add_func ("/model/keys", test_keys);
  g_test_add_func ("/model/families", test_families);
  g_test_add_func ("/model/completed", test_completed);
  g_test_add_func ("/model/completed-shares", test_completed_shares);
  g_test_add_func ("/model/lacking", test_lacking);
  g_test_add_func ("/model/says-same", test_says_same);
  g_test_add_func ("/model/file-names", test_file_names);
  g_test_add_func ("/model/no-files", test_no_files);
  g_test_add_func ("/model/many-alike", test_many_alike);
  g_test_add_func ("/model/long-alike", test_long_alike);
  g_test_add_func ("/model/new-task", test_new_task);
  g_test_add_func ("/model/size", test_size);
  g_test_add_func ("/model/tables", test_tables);
  g_test_add_func ("/model/release-of-large", test_release_of_large);
  return g_test_run ();
}
