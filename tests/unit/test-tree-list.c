/* SPDX-License-Identifier: MIT */
/* Directory listings and extended attributes. */
#include "kt-tree-fixture.h"

#include <string.h>

static const char *const tasks[] = { "share S 7", "basic 8", "share S 5", NULL };

typedef struct {
  guint calls; /* of the callback */
  KtListing *listing;
  int error; /* -1: none */
} Listed;

static void
on_listed (KtListing *listing, const GError *error, gpointer data)
{
  Listed *listed = data;

  g_assert_true ((listing == NULL) != (error == NULL));
  *listed = (Listed){ listed->calls + 1, listing, error != NULL ? error->code : -1 };
}

static KtListing *
list (KtTreeFixture *f, guint64 dir, const char *json)
{
  Listed listed = { 0 };

  if (kt_tree_list (f->tree, dir, on_listed, &listed) != NULL) {
    g_assert_nonnull (json);
    kt_fake_source_land (f->source, json);
  }
  g_assert_cmpuint (listed.calls, ==, 1);
  g_assert_nonnull (listed.listing);
  return listed.listing;
}

/* The names, each with d, f or l before it. (transfer full) */
static char *
names_of (KtListing *listing)
{
  GString *out = g_string_new (NULL);
  const char *name;
  mode_t type;

  for (guint i = 0; (name = kt_listing_name (listing, i, &type)) != NULL; i++)
    g_string_append_printf (out, "%s%c:%s", i > 0 ? " " : "",
                            type == S_IFDIR   ? 'd'
                            : type == S_IFREG ? 'f'
                                              : 'l',
                            name);
  return g_string_free (out, FALSE);
}

static void
assert_names (KtTreeFixture *f, const char *path, const char *json, const char *expected)
{
  g_autoptr (KtListing) listing = list (f, *path != '\0' ? kt_tree_find (f, path, json).id : 1, json);
  kt_assert_text (names_of (listing), expected);
}

static void
test_names (KtTreeFixture *f, gconstpointer data)
{
  kt_tree_watch (f, tasks);
  assert_names (f, "", NULL,
                "d:tasks d:shares d:by-status f:overview f:overview.csv f:overview.json f:events d:.kootaskfs");
  assert_names (f, "tasks", NULL, "d:5 d:7 d:8");
  assert_names (f, "shares", NULL, "d:S");
  assert_names (f, "shares/S", NULL, "l:5 l:7");
  assert_names (f, "shares/T", NULL, "");
  assert_names (f, "by-status", NULL, "d:pending d:running d:completed d:canceled d:failed");
  assert_names (f, ".kootaskfs", NULL, "f:version f:config f:health f:metrics f:last-error");
  g_assert_cmpuint (kt_fake_source_asked (f->source), ==, 0); /* none of this asks the service; who lists a task does */
  assert_names (f, "tasks/7", KT_RUNNING,
                "f:kind f:type f:status f:result f:progress f:created f:started f:ended f:user f:name f:success-count "
                "f:fail-count "
                "f:summary f:task.json f:job.json f:response.json d:files f:files.csv f:failures.csv f:events");
  assert_names (f, "tasks/8", KT_IMPORTED,
                "f:kind f:type f:status f:result f:progress f:created f:started f:ended f:user f:name f:success-count "
                "f:fail-count "
                "f:summary f:task.json f:job.json f:response.json d:files f:files.csv f:failures.csv f:events");
  assert_names (f, "tasks/7/files", NULL, "d:F");
  assert_names (f, "tasks/7/files/F", NULL, "f:status f:new-file-id f:source-container-id");
}

static void
test_files_fail (KtTreeFixture *f, gconstpointer data)
{
  Listed listed = { 0 };

  kt_tree_watch (f, tasks);
  g_assert_nonnull (kt_tree_list (f->tree, kt_tree_find (f, "tasks/7/files", NULL).id, on_listed, &listed));
  kt_fake_source_fail (f->source, KT_ERROR_TIMED_OUT);
  g_assert_true (listed.calls == 1 && listed.error == KT_ERROR_TIMED_OUT);
}

/* A basic task has no files: that is known without asking for it, also while it cannot be asked for. */
static void
test_no_files (KtTreeFixture *f, gconstpointer data)
{
  g_autofree char *text = NULL;
  guint64 files;

  kt_tree_watch (f, tasks);
  assert_names (f, "tasks/8/files", NULL, "");
  files = kt_tree_find (f, "tasks/8/files", NULL).id;
  g_assert_cmpuint (kt_tree_look_up (f, files, "F", NULL).entry.id, ==, 0);
  g_assert_cmpuint (kt_fake_source_asked (f->source), ==, 0);
  text = kt_tree_text (f, kt_tree_find (f, "tasks/8/files.csv", KT_IMPORTED).id);
  g_assert_cmpstr (text, ==, "fileId,status,newFileId,srcContainerId\n");
}

static void
test_no_directory (KtTreeFixture *f, gconstpointer data)
{
  Listed listed = { 0 };

  g_assert_null (kt_tree_list (f->tree, 999, on_listed, &listed));
  g_assert_cmpint (listed.error, ==, KT_ERROR_NOT_FOUND);
  g_assert_null (kt_tree_list (f->tree, kt_tree_find (f, ".kootaskfs/version", NULL).id, on_listed, &listed));
  g_assert_cmpint (listed.error, ==, KT_ERROR_NOT_FOUND);
}

/* A task's names are there even when it cannot be asked for; the names of its files are not. */
static void
test_task_fails (KtTreeFixture *f, gconstpointer data)
{
  static const KtErrorCode codes[] = { KT_ERROR_TIMED_OUT, KT_ERROR_NOT_FOUND };

  kt_tree_watch (f, tasks);
  for (gsize i = 0; i < G_N_ELEMENTS (codes); i++) {
    Listed listed = { 0 };
    g_autofree char *names = NULL;
    g_assert_nonnull (kt_tree_list (f->tree, kt_tree_find (f, "tasks/8", NULL).id, on_listed, &listed));
    kt_fake_source_fail (f->source, codes[i]);
    g_assert_true (listed.calls == 1 && listed.error == -1);
    names = names_of (listed.listing);
    g_assert_true (g_str_has_prefix (names, "f:kind f:type f:status ")
                   && g_str_has_suffix (names, " f:failures.csv f:events"));
    kt_listing_free (listed.listing);
    kt_fake_clock_advance (f->clock, 3 * KT_SECOND);
  }
}

/* A listing that is being read stays as it was when it was opened. */
static void
test_listing_does_not_change (KtTreeFixture *f, gconstpointer data)
{
  static const char *const later[] = { "basic 1", NULL };
  g_autoptr (KtListing) top = NULL, share = NULL, files = NULL;

  kt_tree_watch (f, tasks);
  top = list (f, kt_tree_find (f, "tasks", NULL).id, NULL);
  share = list (f, kt_tree_find (f, "shares/S", NULL).id, NULL);
  files = list (f, kt_tree_find (f, "tasks/7/files", NULL).id, KT_RUNNING);
  kt_tree_watch (f, later);
  kt_tree_find (f, "tasks/9", KT_IMPORTED);
  kt_fake_clock_advance (f->clock, 10 * KT_SECOND);
  kt_tree_find (f, "tasks/7", KT_IMPORTED);
  kt_assert_text (names_of (top), "d:5 d:7 d:8");
  kt_assert_text (names_of (share), "l:5 l:7");
  kt_assert_text (names_of (files), "d:F");
  assert_names (f, "tasks", NULL, "d:1 d:7 d:9");
}

static void
test_listing_looks_up_from_memory (KtTreeFixture *f, gconstpointer data)
{
  g_autoptr (KtListing) listing = NULL;
  KtInode entry;
  guint64 dir;

  kt_tree_watch (f, tasks);
  dir = kt_tree_find (f, "tasks/7", NULL).id;
  listing = list (f, dir, KT_RUNNING);
  kt_fake_clock_advance (f->clock, 5 * KT_SECOND);
  g_assert_false (kt_listing_look_up (listing, 2, &entry)); /* status: nothing fresh */
  g_assert_true (kt_listing_look_up (listing, 16, &entry)); /* files: always there */
  g_assert_cmpuint (kt_fake_source_asked (f->source), ==, 1);
  kt_tree_look_up (f, dir, "kind", KT_RUNNING);
  g_assert_true (kt_listing_look_up (listing, 2, &entry));
  g_assert_cmpint (entry.attr_timeout, ==, KT_TIME_NEVER);
  g_assert_null (kt_tree_preload (f->tree, entry.id)); /* of what is listed little is read */
  kt_assert_text (kt_tree_text (f, entry.id), "running\n");
  g_assert_cmpint (entry.entry_timeout, <, 5 * KT_SECOND);
  g_assert_cmpuint (kt_tree_look_up (f, dir, "status", NULL).entry.id, ==, entry.id);
  kt_tree_forget (f->tree, entry.id, 2); /* it counted as a lookup */
  g_assert_null (kt_tree_read (f->tree, entry.id, NULL));
  kt_fake_clock_advance (f->clock, 5 * KT_SECOND);
  g_assert_false (kt_listing_look_up (listing, 2, &entry)); /* too old */
}

static void
test_listing_holds_directory (KtTreeFixture *f, gconstpointer data)
{
  guint before;
  guint64 dir;
  KtListing *listing;

  kt_tree_watch (f, tasks);
  kt_tree_find (f, "tasks", NULL);
  before = kt_tree_nodes (f->tree);
  dir = kt_tree_find (f, "tasks/7", NULL).id;
  listing = list (f, dir, KT_RUNNING);
  kt_tree_forget (f->tree, dir, 1);
  g_assert_cmpuint (kt_tree_nodes (f->tree), ==, before + 1);
  kt_listing_free (listing);
  g_assert_cmpuint (kt_tree_nodes (f->tree), ==, before);
  kt_listing_free (NULL);
}

static void
assert_attribute (KtTreeFixture *f, guint64 id, const char *name, const char *value)
{
  g_autofree char *full = g_strconcat ("user.kootaskfs.", name, NULL);
  g_auto (GStrv) all = kt_tree_listxattr (f->tree, id);

  kt_assert_text (kt_tree_getxattr (f->tree, id, full), value);
  g_assert_cmpint (g_strv_contains ((const char *const *) all, full), ==, value != NULL);
}

static void
test_attributes (KtTreeFixture *f, gconstpointer data)
{
  guint64 dir, file;
  KtTreeLookup lookup;

  kt_tree_watch (f, tasks);
  dir = kt_tree_find (f, "tasks/7", NULL).id;
  assert_attribute (f, dir, "fetched", NULL);
  assert_attribute (f, dir, "stale", NULL);
  assert_attribute (f, dir, "error", NULL);
  g_assert_cmpuint (kt_fake_source_asked (f->source), ==, 0);

  file = kt_tree_look_up (f, dir, "status", KT_RUNNING).entry.id;
  kt_fake_clock_advance (f->clock, 6 * KT_SECOND + KT_SECOND / 2);
  for (guint i = 0; i < 2; i++) {
    guint64 id = i == 0 ? dir : file;
    assert_attribute (f, id, "fetched", "2024-09-30T09:19:32Z");
    assert_attribute (f, id, "age", "6");
    assert_attribute (f, id, "stale", "0");
    assert_attribute (f, id, "trace-id", "trace-1");
    assert_attribute (f, id, "error", NULL);
    assert_attribute (f, id, "nonsense", NULL);
  }
  kt_tree_start_lookup (f, dir, "status", &lookup);
  kt_fake_source_fail (f->source, KT_ERROR_UNREACHABLE);
  assert_attribute (f, dir, "stale", "1");
  assert_attribute (f, file, "error", "EHOSTUNREACH: made to fail");
  assert_attribute (f, file, "fetched", "2024-09-30T09:19:32Z");
  g_assert_cmpuint (kt_fake_source_asked (f->source), ==, 2);
}

/* A task that never had a response has its error all the same. */
static void
test_error_attribute_alone (KtTreeFixture *f, gconstpointer data)
{
  KtTreeLookup lookup;
  guint64 dir;

  kt_tree_watch (f, tasks);
  dir = kt_tree_find (f, "tasks/7", NULL).id;
  kt_tree_start_lookup (f, dir, "status", &lookup);
  kt_fake_source_fail (f->source, KT_ERROR_DENIED);
  assert_attribute (f, dir, "error", "EACCES: made to fail");
  assert_attribute (f, dir, "age", NULL);
}

static void
test_mime_types (KtTreeFixture *f, gconstpointer data)
{
  static const char *const table[][2] = {
    { "tasks/7/status", "text/plain" },
    { "tasks/7/job.json", "application/json" },
    { "tasks/7/files.csv", "text/csv" },
    { ".kootaskfs/version", "text/plain" },
    { "tasks/7", NULL },
    { "tasks", NULL },
  };

  kt_tree_watch (f, tasks);
  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    guint64 id = kt_tree_find (f, table[i][0], KT_RUNNING).id;
    g_auto (GStrv) all = kt_tree_listxattr (f->tree, id);
    kt_assert_text (kt_tree_getxattr (f->tree, id, "user.mime_type"), table[i][1]);
    g_assert_cmpint (g_strv_contains ((const char *const *) all, "user.mime_type"), ==, table[i][1] != NULL);
  }
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
  KT_TREE_TEST ("/tree/list/names", test_names);
  KT_TREE_TEST ("/tree/list/files-fail", test_files_fail);
  KT_TREE_TEST ("/tree/list/no-files", test_no_files);
  KT_TREE_TEST ("/tree/list/task-fails", test_task_fails);
  KT_TREE_TEST ("/tree/list/no-directory", test_no_directory);
  KT_TREE_TEST ("/tree/list/listing-does-not-change", test_listing_does_not_change);
  KT_TREE_TEST ("/tree/list/listing-looks-up-from-memory", test_listing_looks_up_from_memory);
  KT_TREE_TEST ("/tree/list/listing-holds-directory", test_listing_holds_directory);
  KT_TREE_TEST ("/tree/list/attributes", test_attributes);
  KT_TREE_TEST ("/tree/list/error-attribute-alone", test_error_attribute_alone);
  KT_TREE_TEST ("/tree/list/mime-types", test_mime_types);
  return g_test_run ();
}
