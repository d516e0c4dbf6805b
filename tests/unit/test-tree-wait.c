/* SPDX-License-Identifier: MIT */
/* tasks/ID/wait: who waits, what ends that, and what is asked meanwhile. */
#include "kt-tree-fixture.h"

#include <string.h>

/* A read of wait, and what it has ended in. */
typedef struct {
  KtOperation *operation;
  guint calls;
  char text[32];
  int error; /* -1: none */
} Read;

static void
on_bytes (const struct iovec *parts, int n, const GError *error, gpointer data)
{
  Read *read = data;

  read->calls++;
  read->operation = NULL;
  read->error = error != NULL ? error->code : -1;
  for (int i = 0; i < n; i++)
    strncat (read->text, parts[i].iov_base, parts[i].iov_len);
}

static void
read_part (KtTreeFixture *f, guint64 id, KtTreePart part, Read *read)
{
  *read = (Read){ .error = -1 };
  f->forgets_at_once = TRUE;
  read->operation = kt_tree_read_part (f->tree, id, &part, on_bytes, read);
  g_assert_true ((read->operation == NULL) == (read->calls == 1));
}

static const KtTreePart whole = { .size = 4096, .waits = TRUE };

/* Opens wait of a task that runs, as far as known, and reads it. */
static KtInode
begin (KtTreeFixture *f, Read *read)
{
  KtInode inode;

  kt_tree_watch (f, (const char *[]){ "share s 7", NULL });
  kt_tree_find (f, "tasks/7/status", KT_RUNNING);
  inode = kt_tree_find (f, "tasks/7/wait", NULL);
  g_assert_cmpint (inode.stat.st_size, ==, 64);
  g_assert_true (inode.attr_timeout == 0 && inode.entry_timeout == 0);
  read_part (f, inode.id, whole, read);
  g_assert_cmpuint (read->calls, ==, 0);
  return inode;
}

/* The next poll is due, and under way. */
static void
await_poll (KtTreeFixture *f)
{
  for (guint i = 0; kt_fake_source_pending (f->source) == 0; i++) {
    g_assert_cmpuint (i, <, 60);
    kt_fake_clock_advance (f->clock, KT_SECOND);
  }
}

static void
assert_ended (const Read *read, const char *text)
{
  g_assert_cmpuint (read->calls, ==, 1);
  g_assert_cmpint (read->error, ==, -1);
  g_assert_cmpstr (read->text, ==, text);
}

static void
assert_failed (const Read *read, int error)
{
  g_assert_cmpuint (read->calls, ==, 1);
  g_assert_cmpint (read->error, ==, error);
}

static void
ignore (const KtSnapshot *snapshot, const GError *error, gpointer data)
{
}

/* Who has the word finds no file from before the end: the kernel forgets the names first, though they hold still. "`wait`
 * is answered once no file shows what was before" */
static void
test_forgets_first (KtTreeFixture *f, gconstpointer data)
{
  Read read;

  begin (f, &read);
  f->forgets_at_once = FALSE;
  kt_store_get (f->store, kt_catalog_find (f->catalog, "7"), KT_STORE_AGAIN, KT_TIME_NEVER, ignore,
                NULL); /* it is fresh */
  kt_fake_source_land (f->source, KT_ENDED);
  g_assert_cmpuint (read.calls, ==, 0);
  g_assert_nonnull (strstr (f->forgotten->str, "/status "));
  kt_tree_invalidated (f);
  assert_ended (&read, "completed\n");
}

static void
test_ends (KtTreeFixture *f, gconstpointer data)
{
  KtInode inode, again;
  Read read;

  inode = begin (f, &read);
  await_poll (f);
  kt_fake_source_land (f->source, KT_RUNNING_ON);
  g_assert_cmpuint (read.calls, ==, 0);
  await_poll (f);
  kt_fake_source_land (f->source, KT_ENDED);
  assert_ended (&read, "completed\n");
  g_assert_true (kt_tree_getattr (f->tree, inode.id, &again));
  g_assert_cmpint (again.stat.st_size, ==, strlen ("completed\n"));
  g_assert_cmpint (again.stat.st_ino, ==, inode.stat.st_ino);
  read_part (f, inode.id, (KtTreePart){ 4, 3, TRUE }, &read);
  assert_ended (&read, "let");
  read_part (f, inode.id, (KtTreePart){ 10, 4096, TRUE }, &read);
  assert_ended (&read, "");
  kt_fake_clock_advance (f->clock, 3600 * KT_SECOND);
  g_assert_cmpuint (kt_fake_source_pending (f->source), ==, 0);
}

/* Of a task that has ended the word is there, and no request is made. */
static void
test_ended (KtTreeFixture *f, gconstpointer data)
{
  KtInode first, second;
  Read read;

  kt_tree_watch (f, (const char *[]){ "share s 7", NULL });
  kt_tree_find (f, "tasks/7/status", KT_ENDED);
  first = kt_tree_find (f, "tasks/7/wait", NULL);
  second = kt_tree_find (f, "tasks/7/wait", NULL);
  g_assert_cmpint (first.stat.st_size, ==, strlen ("completed\n"));
  g_assert_cmpuint (first.id, !=, second.id);
  g_assert_cmpuint (first.stat.st_ino, ==, second.stat.st_ino);
  read_part (f, second.id, whole, &read);
  assert_ended (&read, "completed\n");
}

/* Nothing is known: the service is asked at once. */
static void
test_unknown (KtTreeFixture *f, gconstpointer data)
{
  KtInode inode;
  Read read;

  kt_tree_watch (f, (const char *[]){ "share s 7", NULL });
  inode = kt_tree_find (f, "tasks/7/wait", NULL);
  read_part (f, inode.id, whole, &read);
  g_assert_cmpuint (kt_fake_source_pending (f->source), ==, 1);
  kt_fake_source_land (f->source, KT_ENDED);
  assert_ended (&read, "completed\n");
}

static void
on_lists (gpointer data)
{
}

/* A list may say it first. */
static void
test_listed (KtTreeFixture *f, gconstpointer data)
{
  KtInode inode;
  Read read;

  kt_tree_watch (f, (const char *[]){ "job 9", NULL });
  kt_tree_find (f, "tasks/9/status", KT_JOB_RUNNING);
  inode = kt_tree_find (f, "tasks/9/wait", NULL);
  read_part (f, inode.id, whole, &read);
  kt_tree_use_lists (f, KT_FAMILY_BIT (KT_FAMILY_JOB));
  kt_lists_get (f->lists, on_lists, NULL);
  kt_fake_list_land (f->source, KT_FAMILY_JOB, KT_ITEM ("9", 3));
  assert_ended (&read, "canceled\n");
}

/* One request for all who wait, and none for those who have gone. */
static void
test_many (KtTreeFixture *f, gconstpointer data)
{
  Read first, others[50];

  begin (f, &first);
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    read_part (f, kt_tree_find (f, "tasks/7/wait", NULL).id, whole, &others[i]);
  await_poll (f);
  g_assert_cmpuint (kt_fake_source_pending (f->source), ==, 1);
  kt_fake_source_land (f->source, KT_RUNNING_ON);
  kt_tree_cancel (first.operation);
  for (guint i = 0; i < 25; i++)
    kt_tree_cancel (others[i].operation);
  await_poll (f);
  g_assert_cmpuint (kt_fake_source_asked (f->source), ==, 3);
  kt_fake_source_land (f->source, KT_ENDED);
  g_assert_cmpuint (first.calls, ==, 0);
  for (guint i = 0; i < 25; i++)
    g_assert_cmpuint (others[i].calls, ==, 0);
  for (guint i = 25; i < G_N_ELEMENTS (others); i++)
    assert_ended (&others[i], "completed\n");
}

static void
test_nobody_waits (KtTreeFixture *f, gconstpointer data)
{
  Read read;

  begin (f, &read);
  kt_tree_cancel (read.operation);
  kt_fake_clock_advance (f->clock, 3600 * KT_SECOND);
  g_assert_cmpuint (kt_fake_source_asked (f->source), ==, 1);
  g_assert_cmpuint (read.calls, ==, 0);
}

static void
test_not_yet (KtTreeFixture *f, gconstpointer data)
{
  const KtTreePart part = { .size = 4096, .waits = FALSE };
  KtInode inode;
  Read read;

  kt_tree_watch (f, (const char *[]){ "share s 7", NULL });
  inode = kt_tree_find (f, "tasks/7/wait", NULL);
  read_part (f, inode.id, part, &read);
  assert_failed (&read, KT_ERROR_NOT_YET);
  kt_fake_source_land (f->source, KT_ENDED); /* it was asked for all the same */
  read_part (f, inode.id, part, &read);
  assert_ended (&read, "completed\n");
}

/* Failures are polls until max-stale (60 s) after the last good response, or, who began later, after that. */
static void
test_failing (KtTreeFixture *f, gconstpointer data)
{
  Read first, second;
  KtInode inode = begin (f, &first);

  kt_fake_clock_advance (f->clock, 4 * KT_SECOND);
  read_part (f, kt_tree_find (f, "tasks/7/wait", NULL).id, whole, &second);
  for (KtUsec passed = 4 * KT_SECOND; passed < 59 * KT_SECOND; passed += KT_SECOND) {
    kt_fake_clock_advance (f->clock, KT_SECOND);
    while (kt_fake_source_pending (f->source) > 0)
      kt_fake_source_fail (f->source, KT_ERROR_SERVICE);
    g_assert_cmpuint (first.calls, ==, 0);
  }
  g_assert_cmpuint (kt_fake_source_asked (f->source), >, 3);
  kt_fake_clock_advance (f->clock, KT_SECOND);
  assert_failed (&first, KT_ERROR_TIMED_OUT);
  g_assert_cmpint (kt_tree_read_error (f, inode.id), ==, KT_ERROR_TIMED_OUT);
  g_assert_cmpuint (second.calls, ==, 0);
  while (kt_fake_source_pending (f->source) > 0)
    kt_fake_source_fail (f->source, KT_ERROR_SERVICE);
  kt_fake_clock_advance (f->clock, 4 * KT_SECOND);
  assert_failed (&second, KT_ERROR_TIMED_OUT);
  while (kt_fake_source_pending (f->source) > 0)
    kt_fake_source_fail (f->source, KT_ERROR_SERVICE);
}

/* A good response begins it anew. */
static void
test_recovers (KtTreeFixture *f, gconstpointer data)
{
  Read read;

  begin (f, &read);
  kt_fake_clock_advance (f->clock, 40 * KT_SECOND);
  kt_fake_source_fail (f->source, KT_ERROR_SERVICE);
  await_poll (f);
  kt_fake_source_land (f->source, KT_RUNNING_ON);
  kt_fake_clock_advance (f->clock, 35 * KT_SECOND); /* more than 60 s after the first */
  kt_fake_source_fail (f->source, KT_ERROR_SERVICE);
  g_assert_cmpuint (read.calls, ==, 0);
  await_poll (f);
  kt_fake_source_land (f->source, KT_ENDED);
  assert_ended (&read, "completed\n");
}

static void
test_gone (KtTreeFixture *f, gconstpointer data)
{
  Read read;
  KtInode inode = begin (f, &read);

  await_poll (f);
  kt_fake_source_fail (f->source, KT_ERROR_NOT_FOUND);
  assert_failed (&read, KT_ERROR_NOT_FOUND);
  g_assert_cmpint (kt_tree_read_error (f, inode.id), ==, KT_ERROR_NOT_FOUND);
}

static void
test_unlisted (KtTreeFixture *f, gconstpointer data)
{
  Read read;

  begin (f, &read);
  kt_tree_watch (f, (const char *[]){ "share s 8", NULL });
  assert_failed (&read, KT_ERROR_NOT_FOUND);
}

/* The task has another key: by that it is asked for. */
static void
test_other_key (KtTreeFixture *f, gconstpointer data)
{
  Read read;

  begin (f, &read);
  kt_tree_watch (f, (const char *[]){ "share other 7", NULL });
  g_assert_cmpuint (read.calls, ==, 0);
  await_poll (f);
  g_assert_cmpstr (kt_fake_source_key (f->source)->share_id, ==, "other");
  kt_fake_source_land (f->source, KT_ENDED);
  assert_ended (&read, "completed\n");
}

static void
on_listed (KtListing *listing, const GError *error, gpointer data)
{
  *(KtListing **) data = listing;
}

static void
test_not_listed (KtTreeFixture *f, gconstpointer data)
{
  g_autoptr (KtListing) listing = NULL;
  const char *name;
  mode_t type;
  guint n = 0;

  kt_tree_watch (f, (const char *[]){ "share s 7", NULL });
  kt_tree_find (f, "tasks/7/status", KT_ENDED);
  kt_tree_list (f->tree, kt_tree_find (f, "tasks/7", NULL).id, on_listed, &listing);
  for (; (name = kt_listing_name (listing, n, &type)) != NULL; n++)
    g_assert_cmpstr (name, !=, "wait");
  g_assert_cmpuint (n, >, 10);
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
  KT_TREE_TEST ("/tree/wait/ends", test_ends);
  KT_TREE_TEST ("/tree/wait/forgets-first", test_forgets_first);
  KT_TREE_TEST ("/tree/wait/ended", test_ended);
  KT_TREE_TEST ("/tree/wait/unknown", test_unknown);
  KT_TREE_TEST ("/tree/wait/listed", test_listed);
  KT_TREE_TEST ("/tree/wait/many", test_many);
  KT_TREE_TEST ("/tree/wait/nobody-waits", test_nobody_waits);
  KT_TREE_TEST ("/tree/wait/not-yet", test_not_yet);
  KT_TREE_TEST ("/tree/wait/failing", test_failing);
  KT_TREE_TEST ("/tree/wait/recovers", test_recovers);
  KT_TREE_TEST ("/tree/wait/gone", test_gone);
  KT_TREE_TEST ("/tree/wait/unlisted", test_unlisted);
  KT_TREE_TEST ("/tree/wait/other-key", test_other_key);
  KT_TREE_TEST ("/tree/wait/not-listed", test_not_listed);
  return g_test_run ();
}
