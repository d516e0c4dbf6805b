/* SPDX-License-Identifier: MIT */
/* Inodes, versions, and the timeouts of names and attributes. */
#include "kt-tree-fixture.h"

#include <string.h>

#define ROUNDING (20 * KT_MS) /* the kernel may keep a name this much longer than its timeout */

static const char *const tasks[] = { "share S 7", "basic 8", NULL };

static void
test_same_content_same_inode (KtTreeFixture *f, gconstpointer data)
{
  KtInode status, progress, again;

  kt_tree_watch (f, tasks);
  status = kt_tree_find (f, "tasks/7/status", KT_RUNNING);
  progress = kt_tree_find (f, "tasks/7/progress", NULL);
  kt_fake_clock_advance (f->clock, 5 * KT_SECOND);
  again = kt_tree_find (f, "tasks/7/progress", KT_RUNNING_ON);
  g_assert_cmpuint (again.id, !=, progress.id);
  kt_assert_text (kt_tree_text (f, again.id), "20\n");
  kt_assert_text (kt_tree_text (f, progress.id), "10\n"); /* for who has it open */
  g_assert_cmpuint (kt_tree_find (f, "tasks/7/status", NULL).id, ==, status.id);
  kt_tree_forget (f->tree, progress.id, 1); /* the old version goes; its name stays the new one's */
  g_assert_cmpuint (kt_tree_find (f, "tasks/7/progress", NULL).id, ==, again.id);
}

/* Back to an earlier content: a third inode, for ids are never used again and old versions have no name. */
static void
test_back_to_old_content (KtTreeFixture *f, gconstpointer data)
{
  guint64 first, second, third;

  kt_tree_watch (f, tasks);
  first = kt_tree_find (f, "tasks/7/progress", KT_RUNNING).id;
  kt_fake_clock_advance (f->clock, 5 * KT_SECOND);
  second = kt_tree_find (f, "tasks/7/progress", KT_RUNNING_ON).id;
  kt_fake_clock_advance (f->clock, 5 * KT_SECOND);
  third = kt_tree_find (f, "tasks/7/progress", KT_RUNNING).id;
  g_assert_true (third > second && second > first);
}

/* "The kernel's timeout is 20 ms shorter than what remains of the ttl, and never longer." */
static void
test_timeouts_end_together (KtTreeFixture *f, gconstpointer data)
{
  static const char *const names[] = { "status", "progress", "summary", "job.json", "files.csv" };
  gint64 end = 0;
  guint64 dir;

  kt_tree_watch (f, tasks);
  dir = kt_tree_find (f, "tasks/7", NULL).id;
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    KtInode entry = kt_tree_look_up (f, dir, names[i], i == 0 ? KT_RUNNING : NULL).entry;
    if (i == 0)
      end = kt_fake_clock_now (f->clock) + 5 * KT_SECOND - ROUNDING;
    g_assert_cmpint (kt_fake_clock_now (f->clock) + entry.entry_timeout, ==, end);
    kt_fake_clock_advance (f->clock, KT_SECOND);
  }
}

/* PAGES (transfer full) are those of inode ID alone, with this content. */
static void
assert_pages (GPtrArray *list, guint64 id, const char *content)
{
  const KtPages *pages;

  g_assert_nonnull (list);
  g_assert_cmpuint (list->len, ==, 1);
  pages = g_ptr_array_index (list, 0);
  g_assert_cmpuint (pages->inode, ==, id);
  kt_assert_bytes (g_bytes_ref (pages->content), content);
  g_ptr_array_unref (list);
}

/* A version of a small file is preloaded once; from then on its attributes last. */
static void
test_preload (KtTreeFixture *f, gconstpointer data)
{
  g_autofree char *filler = g_strnfill (KT_PRELOAD_MAX, 'x');
  g_autofree char *large = g_strdup_printf ("{\"jobInfo\":{\"x\":\"%s\"}}", filler);
  KtInode entry;

  kt_tree_watch (f, tasks);
  entry = kt_tree_find (f, "tasks/7/status", KT_RUNNING);
  g_assert_cmpint (entry.attr_timeout, ==, 0);
  assert_pages (kt_tree_preload (f->tree, entry.id), entry.id, "running\n");
  g_assert_null (kt_tree_preload (f->tree, entry.id));
  g_assert_true (kt_tree_getattr (f->tree, entry.id, &entry));
  g_assert_cmpint (entry.attr_timeout, ==, KT_TIME_NEVER);
  g_assert_cmpint (kt_tree_find (f, "tasks/7/status", NULL).attr_timeout, ==, KT_TIME_NEVER);

  g_assert_null (kt_tree_preload (f->tree, kt_tree_find (f, "tasks/7/result", NULL).id)); /* it is empty */
  g_assert_null (kt_tree_preload (f->tree, kt_tree_find (f, "tasks/7", NULL).id));
  g_assert_null (kt_tree_preload (f->tree, kt_tree_find (f, ".kootaskfs/version", NULL).id));
  g_assert_null (kt_tree_preload (f->tree, 999));
  kt_fake_clock_advance (f->clock, 5 * KT_SECOND);
  entry = kt_tree_find (f, "tasks/7/job.json", large);
  g_assert_cmpint (entry.attr_timeout, ==, KT_TIME_NEVER);
  g_assert_null (kt_tree_preload (f->tree, entry.id));
}

/* Who READs a second file of a directory reads on: the others' pages go to the kernel, those it has do not. */
static void
test_read_on (KtTreeFixture *f, gconstpointer data)
{
  guint64 status, kind, type, other;

  kt_tree_watch (f, tasks);
  status = kt_tree_find (f, "tasks/7/status", KT_RUNNING).id;
  kind = kt_tree_find (f, "tasks/7/kind", NULL).id;
  kt_tree_find (f, "tasks/7/result", NULL); /* it is empty */
  g_ptr_array_unref (kt_tree_preload (f->tree, kind));
  type = kt_tree_find (f, "tasks/7/progress", NULL).id;
  g_assert_null (kt_tree_preload_others (f->tree, status));
  g_assert_null (kt_tree_preload_others (f->tree, status)); /* one file, READ twice */
  other = kt_tree_find (f, "tasks/7/response.json", NULL).id;
  assert_pages (kt_tree_preload_others (f->tree, type), other, KT_RUNNING);
  g_assert_null (kt_tree_preload_others (f->tree, other));
  g_assert_null (kt_tree_preload (f->tree, other)); /* there already */
  g_assert_true (kt_tree_getattr (f->tree, other, &(KtInode){ 0 }));
  g_assert_null (kt_tree_preload_others (f->tree, 999));
  g_assert_null (kt_tree_preload_others (f->tree, kt_tree_find (f, ".kootaskfs/version", NULL).id));
}

static void
test_timeout_at_its_end (KtTreeFixture *f, gconstpointer data)
{
  kt_tree_watch (f, tasks);
  kt_tree_find (f, "tasks/7/status", KT_RUNNING);
  kt_fake_clock_advance (f->clock, 5 * KT_SECOND - 1);
  g_assert_cmpint (kt_tree_find (f, "tasks/7/status", NULL).entry_timeout, ==, 0);
}

static void
test_timeout_of_ended (KtTreeFixture *f, gconstpointer data)
{
  kt_tree_watch (f, tasks);
  g_assert_cmpint (kt_tree_find (f, "tasks/7/status", KT_ENDED).entry_timeout, ==, KT_TIME_NEVER);
  g_assert_cmpint (kt_tree_find (f, "tasks/7/files/F", NULL).entry_timeout, ==, KT_TIME_NEVER);
}

/* A stale snapshot holds until the service may be asked again. */
static void
test_timeout_of_stale (KtTreeFixture *f, gconstpointer data)
{
  KtTreeLookup lookup;
  guint64 dir;

  kt_tree_watch (f, tasks);
  dir = kt_tree_find (f, "tasks/7", NULL).id;
  kt_tree_look_up (f, dir, "status", KT_RUNNING);
  kt_fake_clock_advance (f->clock, 6 * KT_SECOND);
  kt_tree_start_lookup (f, dir, "status", &lookup);
  kt_fake_source_fail (f->source, KT_ERROR_UNREACHABLE);
  g_assert_cmpuint (lookup.entry.id, !=, 0);
  g_assert_cmpint (lookup.entry.entry_timeout, ==, 3 * KT_SECOND - ROUNDING);
  kt_fake_clock_advance (f->clock, 58 * KT_SECOND); /* 1 s before max-stale is over */
  kt_tree_start_lookup (f, dir, "status", &lookup);
  kt_fake_source_fail (f->source, KT_ERROR_UNREACHABLE);
  g_assert_cmpint (lookup.entry.entry_timeout, ==, KT_SECOND - ROUNDING);
}

static void
test_timeouts_of_directories (KtTreeFixture *f, gconstpointer data)
{
  kt_tree_watch (f, tasks);
  g_assert_cmpint (kt_tree_find (f, "tasks", NULL).entry_timeout, ==, KT_TIME_NEVER);
  g_assert_cmpint (kt_tree_find (f, "tasks", NULL).attr_timeout, ==, 0); /* its mtime is the catalog's */
  g_assert_cmpint (kt_tree_find (f, "tasks/7", NULL).entry_timeout, ==, KT_TIME_NEVER);
  g_assert_cmpint (kt_tree_find (f, "tasks/7", NULL).attr_timeout, ==, 0); /* its mtime is not settled */
  g_assert_cmpint (kt_tree_find (f, "tasks/7/files", NULL).attr_timeout, ==, 0);
  g_assert_cmpint (kt_tree_find (f, "tasks/7/files/F", KT_RUNNING).attr_timeout, ==, 5 * KT_SECOND - ROUNDING);
  g_assert_cmpint (kt_tree_find (f, "tasks/7", NULL).attr_timeout, ==, KT_TIME_NEVER);
  g_assert_cmpint (kt_tree_find (f, "tasks/7/files", NULL).attr_timeout, ==, KT_TIME_NEVER);
  g_assert_cmpint (kt_tree_find (f, ".kootaskfs/version", NULL).entry_timeout, ==, 0);
}

/* The kernel keeps the attributes of a task's directory, and is notified when its mtime moves. */
static void
test_dir_mtime_notified (KtTreeFixture *f, gconstpointer data)
{
  KtInode before;
  KtInode after;

  kt_tree_watch (f, tasks);
  kt_tree_find (f, "tasks/7/status", KT_RUNNING);
  before = kt_tree_find (f, "tasks/7", NULL);
  g_assert_cmpint (before.attr_timeout, ==, KT_TIME_NEVER);
  kt_fake_clock_advance (f->clock, 6 * KT_SECOND);
  kt_tree_find (f, "tasks/7/status", KT_ENDED);
  g_assert_cmpuint (f->attributes, ==, before.id);
  after = kt_tree_find (f, "tasks/7", NULL);
  g_assert_cmpint (after.stat.st_mtim.tv_sec, ==, KT_FAKE_EPOCH + 6);          /* when that was seen */
  g_assert_cmpint (after.stat.st_ctim.tv_sec, ==, before.stat.st_ctim.tv_sec); /* else tar warns */

  g_assert_cmpint (kt_tree_find (f, "tasks/7/files", NULL).attr_timeout, ==,
                   KT_TIME_NEVER); /* its mtime is the task's */
  f->attributes = 0;
  kt_tree_find (f, "tasks/7/result", NULL); /* nothing has changed */
  g_assert_cmpuint (f->attributes, ==, 0);
}

static void
test_about_files (KtTreeFixture *f, gconstpointer data)
{
  g_autofree char *health = kt_tree_text (f, kt_tree_find (f, ".kootaskfs/health", NULL).id);

  g_assert_true (g_str_has_prefix (health, "service: not asked yet\n"));
  g_assert_true (g_str_has_suffix (health, "\ntasks: 0\n"));
  kt_assert_text (kt_tree_text (f, kt_tree_find (f, ".kootaskfs/version", NULL).id), KT_VERSION "\n");
  kt_assert_text (kt_tree_text (f, kt_tree_find (f, ".kootaskfs/config", NULL).id), "[service]\n");
  kt_assert_text (kt_tree_text (f, kt_tree_find (f, ".kootaskfs/metrics", NULL).id), "# EOF\n");
  g_assert_cmpint (kt_tree_find (f, ".kootaskfs/last-error", NULL).stat.st_size, ==, 0);
  g_assert_cmpuint (kt_tree_find (f, ".kootaskfs/version", NULL).id, ==,
                    kt_tree_find (f, ".kootaskfs/version", NULL).id);
}

/* Every lookup given back: what is left is what was there at the start. */
static void
test_forget (KtTreeFixture *f, gconstpointer data)
{
  guint before = kt_tree_nodes (f->tree);
  guint64 top, dir, file, link;

  kt_tree_watch (f, tasks);
  top = kt_tree_look_up (f, 1, "tasks", NULL).entry.id;
  dir = kt_tree_look_up (f, top, "7", NULL).entry.id;
  file = kt_tree_look_up (f, dir, "progress", KT_RUNNING).entry.id;
  kt_tree_look_up (f, dir, "progress", NULL); /* a second lookup of the same */
  kt_fake_clock_advance (f->clock, 5 * KT_SECOND);
  g_assert_cmpuint (kt_tree_look_up (f, dir, "progress", KT_RUNNING_ON).entry.id, ==, file + 1);
  g_assert_cmpuint (kt_tree_nodes (f->tree), ==, before + 4);

  kt_tree_forget (f->tree, file, 1);
  g_assert_cmpuint (kt_tree_nodes (f->tree), ==, before + 4);
  kt_tree_forget (f->tree, dir, 1); /* its children hold it */
  kt_tree_forget (f->tree, top, 1);
  g_assert_cmpuint (kt_tree_nodes (f->tree), ==, before + 4);
  kt_tree_forget (f->tree, file, 1);
  g_assert_cmpuint (kt_tree_nodes (f->tree), ==, before + 3);
  g_assert_null (kt_tree_read (f->tree, file, NULL));
  kt_tree_forget (f->tree, file + 1, 1);
  g_assert_cmpuint (kt_tree_nodes (f->tree), ==, before);

  link = kt_tree_find (f, "shares/S/7", NULL).id;
  kt_tree_forget (f->tree, link, 100);                                        /* more than there were */
  kt_tree_forget (f->tree, 1, 1);                                             /* the root stays */
  g_assert_cmpuint (kt_tree_look_up (f, 1, "tasks", NULL).entry.id, >, link); /* never used again */
}

/* An operation under way holds its directory. */
static void
test_forget_while_waiting (KtTreeFixture *f, gconstpointer data)
{
  KtTreeLookup lookup;
  guint64 dir;

  kt_tree_watch (f, tasks);
  dir = kt_tree_find (f, "tasks/7", NULL).id;
  kt_tree_start_lookup (f, dir, "status", &lookup);
  kt_tree_forget (f->tree, dir, 1);
  kt_fake_source_land (f->source, KT_RUNNING);
  g_assert_cmpuint (lookup.entry.id, !=, 0);
  kt_tree_forget (f->tree, lookup.entry.id, 1);
  g_assert_cmpuint (kt_tree_look_up (f, dir, "status", NULL).entry.id, ==, 0); /* the directory went with it */
}

static gint64
mtime_wall (const KtInode *entry)
{
  return entry->stat.st_mtim.tv_sec;
}

static void
test_mtime_of_files (KtTreeFixture *f, gconstpointer data)
{
  KtInode entry;

  kt_tree_watch (f, tasks);
  entry = kt_tree_find (f, "tasks/7/status", KT_RUNNING);
  g_assert_cmpint (mtime_wall (&entry), ==, KT_FAKE_EPOCH); /* when it was first seen */
  kt_tree_find (f, "tasks/7/progress", NULL);
  kt_fake_clock_advance (f->clock, 6 * KT_SECOND);
  entry = kt_tree_find (f, "tasks/7/progress", KT_RUNNING_ON);
  g_assert_cmpint (mtime_wall (&entry), ==, KT_FAKE_EPOCH + 6); /* when it changed */
  entry = kt_tree_find (f, "tasks/7/status", NULL);
  g_assert_cmpint (mtime_wall (&entry), ==, KT_FAKE_EPOCH); /* it did not */
  g_assert_cmpint (entry.stat.st_ctim.tv_sec, ==, KT_FAKE_EPOCH);
}

static void
test_mtime_of_ended (KtTreeFixture *f, gconstpointer data)
{
  KtInode entry;

  kt_tree_watch (f, tasks);
  entry = kt_tree_find (f, "tasks/7/status", KT_ENDED);
  g_assert_cmpint (mtime_wall (&entry), ==, 1727687700); /* 09:15:00, its end */
  entry = kt_tree_find (f, "tasks/8/status", KT_IMPORTED);
  g_assert_cmpint (mtime_wall (&entry), ==, KT_FAKE_EPOCH); /* it does not say when it ended */
}

/* Of a task that nobody has looked at: "It is settled to the task's end, else its start, else its creation, as far
 * as then known, else to the time of the response." */
static void
test_mtime_of_task_dir (KtTreeFixture *f, gconstpointer data)
{
  static const struct {
    const char *id;
    const char *json;
    KtUsec mtime_wall;
  } table[] = {
    { "1", KT_JOB ("\"createTime\":\"20240930080000\",\"startTime\":\"20240930090000\",\"endTime\":\"20240930091500\""),
      1727687700 },
    { "2", KT_JOB ("\"createTime\":\"20240930080000\",\"startTime\":\"20240930090000\",\"endTime\":\"\""), 1727686800 },
    { "3", KT_JOB ("\"createTime\":\"20240930080000\""), 1727683200 },
    { "4", KT_JOB ("\"x\":1"), KT_FAKE_EPOCH + 100 }, /* when the response came */
  };
  static const char *const watched[] = { "share S 1", "share S 2", "share S 3", "share S 4", NULL };

  kt_tree_watch (f, watched);
  kt_fake_clock_advance (f->clock, 100 * KT_SECOND);
  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autofree char *dir = g_strdup_printf ("tasks/%s", table[i].id);
    g_autofree char *path = g_strdup_printf ("%s/status", dir);
    KtInode entry;

    kt_tree_find (f, path, table[i].json);
    entry = kt_tree_find (f, dir, NULL);
    g_assert_cmpint (mtime_wall (&entry), ==, table[i].mtime_wall);
    g_assert_true (kt_tree_getattr (f->tree, entry.id, &entry));
    g_assert_cmpint (mtime_wall (&entry), ==, table[i].mtime_wall);
  }
}

/* "The mtime of a task's directory is settled once: by a list, by the first response, or at the first look (stat,
 * `ls tasks`)": here at the first look. It moves when a response differs from the one before. */
static void
test_mtime_stays (KtTreeFixture *f, gconstpointer data)
{
  KtInode entry;
  guint64 dir;

  kt_tree_watch (f, tasks);
  dir = kt_tree_find (f, "tasks/7", NULL).id;
  kt_fake_clock_advance (f->clock, 100 * KT_SECOND);
  g_assert_true (kt_tree_getattr (f->tree, dir, &entry));
  g_assert_cmpint (mtime_wall (&entry), ==, KT_FAKE_EPOCH); /* when its name came */
  g_assert_cmpint (entry.attr_timeout, ==, KT_TIME_NEVER);
  kt_tree_find (f, "tasks/7/status", KT_RUNNING);
  g_assert_cmpuint (f->attributes, ==, 0);
  entry = kt_tree_find (f, "tasks/7", NULL);
  g_assert_cmpint (mtime_wall (&entry), ==, KT_FAKE_EPOCH);
  kt_fake_clock_advance (f->clock, 6 * KT_SECOND);
  kt_tree_find (f, "tasks/7/status", KT_RUNNING); /* asked again, the same */
  entry = kt_tree_find (f, "tasks/7/files", NULL);
  g_assert_cmpint (mtime_wall (&entry), ==, KT_FAKE_EPOCH);
  kt_fake_clock_advance (f->clock, 6 * KT_SECOND);
  kt_tree_find (f, "tasks/7/status", KT_ENDED);
  entry = kt_tree_find (f, "tasks/7", NULL);
  g_assert_cmpint (mtime_wall (&entry), ==, KT_FAKE_EPOCH + 112);
  g_assert_cmpuint (f->attributes, !=, 0);

  /* not even when the snapshot is evicted, and the kernel has given the inodes back */
  f->policy.memory = 0;
  kt_store_set_policy (f->store, &f->policy);
  kt_tree_find (f, "tasks/8/status", KT_IMPORTED);
  g_assert_false (kt_store_peek (f->store, kt_catalog_find (f->catalog, "7"), KT_STORE_FRESH, &(KtSnapshot){ 0 }));
  kt_fake_clock_advance (f->clock, 6 * KT_SECOND);
  kt_tree_find (f, "tasks/7/status", KT_ENDED);
  entry = kt_tree_find (f, "tasks/7", NULL);
  g_assert_cmpint (mtime_wall (&entry), ==, KT_FAKE_EPOCH + 112);
}

static void
test_mtime_of_catalog (KtTreeFixture *f, gconstpointer data)
{
  KtInode entry = kt_tree_find (f, "tasks", NULL);

  g_assert_cmpint (mtime_wall (&entry), ==, KT_FAKE_EPOCH);
  kt_fake_clock_advance (f->clock, 10 * KT_SECOND);
  kt_tree_find (f, "tasks/9", KT_IMPORTED);
  entry = kt_tree_find (f, "tasks", NULL);
  g_assert_cmpint (mtime_wall (&entry), ==, KT_FAKE_EPOCH + 10);
  kt_fake_clock_advance (f->clock, 10 * KT_SECOND);
  kt_tree_watch (f, tasks);
  g_assert_true (kt_tree_getattr (f->tree, entry.id, &entry));
  g_assert_cmpint (mtime_wall (&entry), ==, KT_FAKE_EPOCH + 20);
}

/* A task that is found again, and differs from what was cached of it, moved when that was seen: its first reply says so. */
static void
test_mtime_of_found_again (KtTreeFixture *f, gconstpointer data)
{
  const char *const watched[] = { "job 9", NULL }, *const none[] = { NULL };
  KtTreeLookup lookup;
  KtInode entry;
  guint64 tasks_dir;

  kt_tree_watch (f, watched);
  kt_tree_find (f, "tasks/9/progress", KT_JOB_RUNNING);
  kt_tree_watch (f, none);
  kt_fake_clock_advance (f->clock, 6 * KT_SECOND);
  tasks_dir = kt_tree_find (f, "tasks", NULL).id;
  kt_tree_start_lookup (f, tasks_dir, "9", &lookup);
  kt_fake_source_land_as (
      f->source, KT_FAMILY_JOB,
      "{\"data\":{\"jobInfo\":{\"taskType\":1,\"status\":2,\"progress\":100,\"endTime\":\"20240930091500\"}}}");
  g_assert_cmpint (lookup.entry.stat.st_mtim.tv_sec, ==, KT_FAKE_EPOCH + 6);
  kt_tree_getattr (f->tree, lookup.entry.id, &entry);
  g_assert_cmpint (entry.stat.st_mtim.tv_sec, ==, KT_FAKE_EPOCH + 6);
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
  KT_TREE_TEST ("/tree/timeouts/same-content-same-inode", test_same_content_same_inode);
  KT_TREE_TEST ("/tree/timeouts/back-to-old-content", test_back_to_old_content);
  KT_TREE_TEST ("/tree/timeouts/timeouts-end-together", test_timeouts_end_together);
  KT_TREE_TEST ("/tree/timeouts/preload", test_preload);
  KT_TREE_TEST ("/tree/timeouts/read-on", test_read_on);
  KT_TREE_TEST ("/tree/timeouts/dir-mtime-notified", test_dir_mtime_notified);
  KT_TREE_TEST ("/tree/timeouts/timeout-at-its-end", test_timeout_at_its_end);
  KT_TREE_TEST ("/tree/timeouts/timeout-of-ended", test_timeout_of_ended);
  KT_TREE_TEST ("/tree/timeouts/timeout-of-stale", test_timeout_of_stale);
  KT_TREE_TEST ("/tree/timeouts/timeouts-of-directories", test_timeouts_of_directories);
  KT_TREE_TEST ("/tree/timeouts/about-files", test_about_files);
  KT_TREE_TEST ("/tree/timeouts/forget", test_forget);
  KT_TREE_TEST ("/tree/timeouts/forget-while-waiting", test_forget_while_waiting);
  KT_TREE_TEST ("/tree/timeouts/mtime-of-files", test_mtime_of_files);
  KT_TREE_TEST ("/tree/timeouts/mtime-of-ended", test_mtime_of_ended);
  KT_TREE_TEST ("/tree/timeouts/mtime-of-task-dir", test_mtime_of_task_dir);
  KT_TREE_TEST ("/tree/timeouts/mtime-stays", test_mtime_stays);
  KT_TREE_TEST ("/tree/timeouts/found-again", test_mtime_of_found_again);
  KT_TREE_TEST ("/tree/timeouts/mtime-of-catalog", test_mtime_of_catalog);
  return g_test_run ();
}
