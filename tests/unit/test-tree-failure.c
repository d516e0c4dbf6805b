/* SPDX-License-Identifier: MIT */
/* A name that is known never vanishes: what cannot be had is found, and reading it fails. */
#include "kt-tree-fixture.h"

#include "tree/kt-entry-ops.h"

static const char *const tasks[] = { "share S 7", "basic 8", NULL };

static KtTreeLookup
fail (KtTreeFixture *f, guint64 dir, const char *name, KtErrorCode code)
{
  KtTreeLookup lookup;

  g_assert_nonnull (kt_tree_start_lookup (f, dir, name, &lookup));
  kt_fake_source_fail (f->source, code);
  return lookup;
}

/* Every name of the table, of either family, with every error. */
static void
test_each_name_and_error (KtTreeFixture *f, gconstpointer data)
{
  static const KtErrorCode codes[] = {
    KT_ERROR_NOT_FOUND, KT_ERROR_REFUSED,   KT_ERROR_DENIED,     KT_ERROR_TIMED_OUT, KT_ERROR_UNREACHABLE,
    KT_ERROR_TLS,       KT_ERROR_THROTTLED, KT_ERROR_BAD_ANSWER, KT_ERROR_TOO_LARGE, KT_ERROR_SERVICE,
  };
  static const char *const dirs[] = { "tasks/7", "tasks/8" };

  kt_tree_watch (f, tasks);
  for (gsize i = 0; i < G_N_ELEMENTS (codes) * G_N_ELEMENTS (dirs); i++) {
    KtErrorCode code = codes[i / 2];
    guint64 dir = kt_tree_find (f, dirs[i % 2], NULL).id;
    guint asked = kt_fake_source_asked (f->source);

    for (const KtEntry *row = kt_files; row->ops != NULL; row++) {
      KtTreeLookup lookup;
      if (row->place != KT_PLACE_TASK || (row->render == NULL && row->ops != &kt_entry_package)
          || (row->facts & kt_family_facts (i % 2 == 0 ? KT_FAMILY_SHARE : KT_FAMILY_BASIC)) == 0)
        continue;
      if (kt_tree_start_lookup (f, dir, row->name, &lookup) != NULL)
        kt_fake_source_fail (f->source, code);
      g_assert_cmpuint (lookup.entry.id, !=, 0);
      g_assert_cmpuint (lookup.entry.stat.st_mode, ==, S_IFREG | 0444);
      g_assert_cmpint (lookup.entry.stat.st_size, ==, 1);
      g_assert_cmpint (lookup.entry.entry_timeout, ==, 0); /* the kernel keeps no failure */
      g_assert_cmpint (kt_tree_read_error (f, lookup.entry.id), ==, code);
      g_assert_null (kt_tree_preload (f->tree, lookup.entry.id));
      g_assert_null (kt_tree_preload_others (f->tree, lookup.entry.id));
    }
    g_assert_cmpuint (kt_fake_source_asked (f->source), ==, asked + 1); /* one request within negative-ttl */
    kt_fake_clock_advance (f->clock, 3 * KT_SECOND);
  }
}

/* cp compares the inode it has seen with the one it opens, and takes another for a replaced file. */
static void
test_one_inode_for_one_failure (KtTreeFixture *f, gconstpointer data)
{
  KtTreeLookup first, second, other;
  guint64 dir;

  kt_tree_watch (f, tasks);
  dir = kt_tree_find (f, "tasks/7", NULL).id;
  first = fail (f, dir, "status", KT_ERROR_TIMED_OUT);
  second = kt_tree_look_up (f, dir, "status", NULL);
  g_assert_cmpuint (second.entry.id, ==, first.entry.id);
  kt_fake_clock_advance (f->clock, 3 * KT_SECOND);
  second = fail (f, dir, "status", KT_ERROR_TIMED_OUT);
  g_assert_cmpuint (second.entry.id, ==, first.entry.id);
  g_assert_cmpint (second.entry.stat.st_mtim.tv_sec, ==, KT_FAKE_EPOCH); /* since when it fails so */
  kt_fake_clock_advance (f->clock, 3 * KT_SECOND);
  other = fail (f, dir, "status", KT_ERROR_DENIED);
  g_assert_cmpuint (other.entry.id, !=, first.entry.id);
  g_assert_cmpint (other.entry.stat.st_mtim.tv_sec, ==, KT_FAKE_EPOCH + 6);
}

/* A failure takes no version's place: who still has that finds it again, with its time. */
static void
test_version_after_failure (KtTreeFixture *f, gconstpointer data)
{
  KtInode before, after;
  KtTreeLookup failed;
  guint64 dir;

  kt_tree_watch (f, tasks);
  dir = kt_tree_find (f, "tasks/7", NULL).id;
  before = kt_tree_look_up (f, dir, "status", KT_RUNNING).entry;
  kt_fake_clock_advance (f->clock, 70 * KT_SECOND); /* past max-stale */
  failed = fail (f, dir, "status", KT_ERROR_UNREACHABLE);
  g_assert_cmpint (kt_tree_read_error (f, failed.entry.id), ==, KT_ERROR_UNREACHABLE);
  kt_assert_text (kt_tree_text (f, before.id), "running\n"); /* for who has it open */
  kt_fake_clock_advance (f->clock, 3 * KT_SECOND);
  after = kt_tree_look_up (f, dir, "status", KT_RUNNING).entry;
  g_assert_cmpuint (after.id, ==, before.id);
  g_assert_cmpint (after.stat.st_mtim.tv_sec, ==, before.stat.st_mtim.tv_sec);
  g_assert_cmpint (kt_tree_read_error (f, failed.entry.id), ==, KT_ERROR_UNREACHABLE); /* for who has that open */
}

static void
keep_listing (KtListing *listing, const GError *error, gpointer data)
{
  g_assert_no_error (error);
  *(KtListing **) data = listing;
}

/* The names of a task's files stay as long as there is a snapshot; what is in them fails. A listing says the same. */
static void
test_names_of_files (KtTreeFixture *f, gconstpointer data)
{
  KtListing *listing = NULL;
  KtInode entry;
  KtTreeLookup file;
  guint64 files;
  mode_t type;

  kt_tree_watch (f, tasks);
  files = kt_tree_find (f, "tasks/7/files", NULL).id;
  kt_tree_look_up (f, files, "F", KT_RUNNING);
  kt_fake_clock_advance (f->clock, 70 * KT_SECOND);
  g_assert_nonnull (kt_tree_list (f->tree, files, keep_listing, &listing));
  kt_fake_source_fail (f->source, KT_ERROR_TIMED_OUT);
  g_assert_cmpstr (kt_listing_name (listing, 0, &type), ==, "F");
  kt_listing_free (listing);
  file = kt_tree_look_up (f, files, "F", NULL);
  g_assert_true (S_ISDIR (file.entry.stat.st_mode));
  g_assert_cmpint (file.entry.entry_timeout, ==, 0);
  g_assert_cmpint (kt_tree_read_error (f, kt_tree_look_up (f, file.entry.id, "status", NULL).entry.id), ==,
                   KT_ERROR_TIMED_OUT);
  g_assert_cmpint (kt_tree_look_up (f, files, "G", NULL).error, ==, KT_ERROR_TIMED_OUT); /* not known */

  kt_tree_list (f->tree, kt_tree_find (f, "tasks/7", NULL).id, keep_listing, &listing);
  for (guint i = 0; kt_listing_name (listing, i, &type) != NULL; i++)
    if (S_ISREG (type) && !g_str_equal (kt_listing_name (listing, i, &type), "events")) {
      g_assert_true (kt_listing_look_up (listing, i, &entry)); /* never what is older than max-stale */
      g_assert_cmpint (kt_tree_read_error (f, entry.id), ==, KT_ERROR_TIMED_OUT);
    }
  kt_listing_free (listing);
}

/* "No such task" takes the names of its files away, and a task that was found by name alone. */
static void
test_gone (KtTreeFixture *f, gconstpointer data)
{
  guint64 files, dir;

  kt_tree_watch (f, tasks);
  files = kt_tree_find (f, "tasks/7/files", NULL).id;
  kt_tree_look_up (f, files, "F", KT_RUNNING);
  dir = kt_tree_find (f, "tasks/9", KT_IMPORTED).id;
  kt_fake_clock_advance (f->clock, 6 * KT_SECOND);
  g_assert_cmpint (fail (f, files, "F", KT_ERROR_NOT_FOUND).error, ==, KT_ERROR_NOT_FOUND);
  kt_store_set_policy (f->store, &(KtStorePolicy){ .negative_ttl = 3 * KT_SECOND }); /* lets everything go */
  g_assert_cmpint (fail (f, dir, "status", KT_ERROR_NOT_FOUND).error, ==, KT_ERROR_NOT_FOUND);
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
  KT_TREE_TEST ("/tree/failure/each-name-and-error", test_each_name_and_error);
  KT_TREE_TEST ("/tree/failure/one-inode-for-one-failure", test_one_inode_for_one_failure);
  KT_TREE_TEST ("/tree/failure/version-after-failure", test_version_after_failure);
  KT_TREE_TEST ("/tree/failure/names-of-files", test_names_of_files);
  KT_TREE_TEST ("/tree/failure/gone", test_gone);
  return g_test_run ();
}
