/* SPDX-License-Identifier: MIT */
/* poll(2): what files are ready for, who is woken, and for how long their tasks are watched. */
#include "kt-tree-fixture.h"

#include <string.h>

typedef struct {
  KtTreeFixture tree;
  GString *woken; /* "HANDLE " for each */
} Fixture;

static void
wake (gpointer kernel, const guint64 *handles, guint n)
{
  for (guint i = 0; i < n; i++)
    g_string_append_printf (((Fixture *) kernel)->woken, "%" G_GUINT64_FORMAT " ", handles[i]);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  kt_tree_set_up (&f->tree, data);
  f->woken = g_string_new (NULL);
  kt_tree_set_wake (f->tree.tree, wake, f);
  kt_tree_watch (&f->tree, (const char *[]){ "share s 7", NULL });
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  kt_tree_tear_down (&f->tree, data);
  g_string_free (f->woken, TRUE);
}

static void
assert_woken (Fixture *f, const char *expected)
{
  g_assert_cmpstr (f->woken->str, ==, expected);
  g_string_truncate (f->woken, 0);
}

/* The next poll is due, and under way. Nobody is probed. */
static void
await_poll (Fixture *f)
{
  for (guint i = 0; kt_fake_source_pending (f->tree.source) == 0; i++) {
    g_assert_cmpuint (i, <, 5);
    kt_fake_clock_advance (f->tree.clock, KT_SECOND);
  }
}

#define POLL(f, inode, handle) kt_tree_poll ((f)->tree.tree, (inode).id, handle, POLLPRI)

/* Only what has changed is woken, once the kernel has forgotten the old names. */
static void
test_change (Fixture *f, gconstpointer data)
{
  const KtInode progress = kt_tree_find (&f->tree, "tasks/7/progress", KT_RUNNING);
  const KtInode status = kt_tree_find (&f->tree, "tasks/7/status", NULL);

  g_assert_cmpuint (POLL (f, progress, 1), ==, KT_POLL_DEFAULT);
  g_assert_cmpuint (POLL (f, status, 2), ==, KT_POLL_DEFAULT);
  await_poll (f);
  kt_fake_source_land (f->tree.source, KT_RUNNING);
  g_string_truncate (f->tree.forgotten, 0);
  await_poll (f);
  kt_fake_source_land (f->tree.source, KT_RUNNING_ON);
  assert_woken (f, "");
  g_assert_nonnull (strstr (f->tree.forgotten->str, "/progress "));
  kt_tree_invalidated (&f->tree);
  assert_woken (f, "1 ");
  g_assert_cmpuint (POLL (f, progress, 1), ==, KT_POLL_CHANGED);
  g_assert_cmpuint (POLL (f, progress, 3), ==, KT_POLL_CHANGED);
  g_assert_cmpuint (POLL (f, status, 2), ==, KT_POLL_DEFAULT);
}

/* A failure is a change, and so is its end. */
static void
test_failure (Fixture *f, gconstpointer data)
{
  const KtInode status = kt_tree_find (&f->tree, "tasks/7/status", KT_RUNNING);
  KtTreeLookup failed;

  g_assert_cmpuint (POLL (f, status, 1), ==, KT_POLL_DEFAULT);
  await_poll (f);
  kt_fake_source_fail (f->tree.source, KT_ERROR_NOT_FOUND);
  kt_tree_invalidated (&f->tree);
  assert_woken (f, "1 ");
  g_assert_cmpuint (POLL (f, status, 1), ==, KT_POLL_CHANGED);
  failed = kt_tree_look_up (&f->tree, kt_tree_find (&f->tree, "tasks/7", NULL).id, "status", NULL);
  g_assert_cmpint (kt_tree_read_error (&f->tree, failed.entry.id), ==, KT_ERROR_NOT_FOUND);
  g_assert_cmpuint (POLL (f, failed.entry, 2), ==, KT_POLL_DEFAULT);
  await_poll (f);
  kt_fake_source_land (f->tree.source, KT_RUNNING);
  kt_tree_invalidated (&f->tree);
  assert_woken (f, "2 ");
  g_assert_cmpuint (POLL (f, failed.entry, 2), ==, KT_POLL_CHANGED);
}

static void
test_gone (Fixture *f, gconstpointer data)
{
  const KtInode status = kt_tree_find (&f->tree, "tasks/7/status", KT_RUNNING);

  g_assert_cmpuint (POLL (f, status, 1), ==, KT_POLL_DEFAULT);
  kt_tree_watch (&f->tree, (const char *[]){ "share s 8", NULL });
  kt_tree_invalidated (&f->tree);
  assert_woken (f, "1 ");
  g_assert_cmpuint (POLL (f, status, 1), ==, KT_POLL_CHANGED);
  kt_fake_clock_advance (f->tree.clock, 60 * KT_SECOND);
  g_assert_cmpuint (kt_fake_source_asked (f->tree.source), ==, 1);
}

/* The task has another key: by that it is asked for. */
static void
test_other_key (Fixture *f, gconstpointer data)
{
  const KtInode status = kt_tree_find (&f->tree, "tasks/7/status", KT_RUNNING);

  g_assert_cmpuint (POLL (f, status, 1), ==, KT_POLL_DEFAULT);
  kt_tree_watch (&f->tree, (const char *[]){ "share other 7", NULL });
  assert_woken (f, "");
  await_poll (f);
  g_assert_cmpstr (kt_fake_source_key (f->tree.source)->share_id, ==, "other");
  kt_fake_source_land (f->tree.source, KT_ENDED);
  kt_tree_invalidated (&f->tree);
  assert_woken (f, "1 ");
}

/* Every three ttl (of 5 s) all are woken; who is not asked about again is forgotten, and its task is polled no more. */
static void
test_probe (Fixture *f, gconstpointer data)
{
  const KtInode status = kt_tree_find (&f->tree, "tasks/7/status", KT_RUNNING);
  guint asked;

  POLL (f, status, 1);
  POLL (f, status, 2);
  for (guint second = 1; second <= 29; second++) {
    kt_fake_clock_advance (f->tree.clock, KT_SECOND);
    while (kt_fake_source_pending (f->tree.source) > 0)
      kt_fake_source_land (f->tree.source, KT_RUNNING);
    if (second == 15) {
      assert_woken (f, "1 2 ");
      POLL (f, status, 2); /* who polls is there still */
    }
    assert_woken (f, "");
  }
  kt_fake_clock_advance (f->tree.clock, KT_SECOND);
  assert_woken (f, "2 ");
  while (kt_fake_source_pending (f->tree.source) > 0)
    kt_fake_source_land (f->tree.source, KT_RUNNING);
  kt_fake_clock_advance (f->tree.clock, 15 * KT_SECOND);
  assert_woken (f, "");
  while (kt_fake_source_pending (f->tree.source) > 0)
    kt_fake_source_land (f->tree.source, KT_RUNNING);
  asked = kt_fake_source_asked (f->tree.source);
  kt_fake_clock_advance (f->tree.clock, 3600 * KT_SECOND);
  g_assert_cmpuint (kt_fake_source_asked (f->tree.source), ==, asked);
  g_assert_cmpuint (POLL (f, status, 1), ==, KT_POLL_DEFAULT); /* it comes back */
  await_poll (f);
  kt_fake_source_land (f->tree.source, KT_ENDED);
  kt_tree_invalidated (&f->tree);
  assert_woken (f, "1 ");
}

/* A file that the kernel has forgotten is closed. */
static void
test_closed (Fixture *f, gconstpointer data)
{
  const KtInode status = kt_tree_find (&f->tree, "tasks/7/status", KT_RUNNING);

  POLL (f, status, 1);
  kt_tree_forget (f->tree.tree, status.id, 1);
  for (guint i = 0; i < 16; i++) {
    kt_fake_clock_advance (f->tree.clock, KT_SECOND);
    while (kt_fake_source_pending (f->tree.source) > 0)
      kt_fake_source_land (f->tree.source, i == 0 ? KT_RUNNING : KT_RUNNING_ON);
  }
  assert_woken (f, "");
  g_assert_cmpuint (kt_watch_size (f->tree.below.watch), ==, 0);
}

/* "At most 65,536 open files wait at once. More of them report a change at once." */
static void
test_limit (Fixture *f, gconstpointer data)
{
  const KtInode status = kt_tree_find (&f->tree, "tasks/7/status", KT_ENDED);

  for (guint64 handle = 1; handle <= KT_POLL_MAX; handle++)
    g_assert_cmpuint (POLL (f, status, handle), ==, KT_POLL_DEFAULT);
  g_assert_cmpuint (POLL (f, status, KT_POLL_MAX + 1), ==, KT_POLL_CHANGED);
  g_assert_cmpuint (POLL (f, status, 1), ==, KT_POLL_DEFAULT);
  kt_fake_clock_advance (f->tree.clock, 15 * KT_SECOND);
  kt_fake_clock_advance (f->tree.clock, 15 * KT_SECOND);
  g_string_truncate (f->woken, 0);
  g_assert_cmpuint (POLL (f, status, KT_POLL_MAX + 1), ==, KT_POLL_DEFAULT);
}

/* A log that grows: said twice, at first and each time that it has grown. */
static void
test_growing (Fixture *f, gconstpointer data)
{
  KtInode events, all;

  kt_tree_find (&f->tree, "tasks/7/status", KT_RUNNING);
  events = kt_tree_find (&f->tree, "tasks/7/events", NULL);
  all = kt_tree_find (&f->tree, "events", NULL);
  for (guint64 handle = 1; handle <= 2; handle++) {
    const KtInode inode = handle == 1 ? events : all;
    g_assert_cmpuint (POLL (f, inode, handle), ==, KT_POLL_CHANGED);
    g_assert_cmpuint (POLL (f, inode, handle), ==, KT_POLL_CHANGED);
    g_assert_cmpuint (POLL (f, inode, handle), ==, KT_POLL_DEFAULT);
  }
  g_assert_true (kt_watch_is_all (f->tree.below.watch));
  await_poll (f);
  kt_fake_source_land (f->tree.source, KT_RUNNING_ON);
  kt_tree_invalidated (&f->tree);
  assert_woken (f, "2 1 ");
  g_assert_cmpuint (POLL (f, events, 1), ==, KT_POLL_CHANGED);
  g_assert_cmpuint (POLL (f, events, 1), ==, KT_POLL_CHANGED);
  g_assert_cmpuint (POLL (f, events, 1), ==, KT_POLL_DEFAULT);
}

static void
test_wait (Fixture *f, gconstpointer data)
{
  KtInode inode;

  kt_tree_find (&f->tree, "tasks/7/status", KT_RUNNING);
  inode = kt_tree_find (&f->tree, "tasks/7/wait", NULL);
  g_assert_cmpuint (POLL (f, inode, 1), ==, 0);
  await_poll (f);
  kt_fake_source_land (f->tree.source, KT_ENDED);
  kt_tree_invalidated (&f->tree);
  assert_woken (f, "1 ");
  g_assert_cmpuint (POLL (f, inode, 1), ==, POLLIN | POLLRDNORM);
}

/* Who does not ask for POLLPRI is told of no change, and watches nothing. */
static void
test_not_asked_for (Fixture *f, gconstpointer data)
{
  const KtInode status = kt_tree_find (&f->tree, "tasks/7/status", KT_RUNNING);
  const KtInode events = kt_tree_find (&f->tree, "tasks/7/events", NULL);

  g_assert_cmpuint (kt_tree_poll (f->tree.tree, status.id, 1, POLLIN), ==, KT_POLL_DEFAULT);
  g_assert_cmpuint (kt_tree_poll (f->tree.tree, events.id, 2, POLLIN), ==, KT_POLL_DEFAULT);
  g_assert_cmpuint (kt_watch_size (f->tree.below.watch), ==, 0);
}

/* What never changes makes nothing be watched. */
static void
test_others (Fixture *f, gconstpointer data)
{
  static const char *const paths[] = { "tasks", "tasks/7", "shares", ".kootaskfs/metrics" };

  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++)
    g_assert_cmpuint (POLL (f, kt_tree_find (&f->tree, paths[i], NULL), i + 1), ==, KT_POLL_DEFAULT);
  g_assert_cmpuint (kt_tree_poll (f->tree.tree, 999999, 9, POLLPRI), ==, KT_POLL_DEFAULT);
  g_assert_cmpuint (kt_watch_size (f->tree.below.watch), ==, 0);
  kt_fake_clock_advance (f->tree.clock, 60 * KT_SECOND);
  assert_woken (f, "");
}

#define TEST(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
  TEST ("/tree/poll/change", test_change);
  TEST ("/tree/poll/failure", test_failure);
  TEST ("/tree/poll/gone", test_gone);
  TEST ("/tree/poll/other-key", test_other_key);
  TEST ("/tree/poll/probe", test_probe);
  TEST ("/tree/poll/closed", test_closed);
  TEST ("/tree/poll/limit", test_limit);
  TEST ("/tree/poll/growing", test_growing);
  TEST ("/tree/poll/wait", test_wait);
  TEST ("/tree/poll/not-asked-for", test_not_asked_for);
  TEST ("/tree/poll/others", test_others);
  return g_test_run ();
}
