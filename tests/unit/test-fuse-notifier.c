/* SPDX-License-Identifier: MIT */
/* The thread that notifies the kernel, with a kernel that the test plays: the linker puts our functions in the place of
 * libfuse's. */
#include "kt-test.h"

#include "base/kt-units.h"
#include "fuse/kt-fuse-private.h"
#include "tree/kt-tree.h"

#include <errno.h>
#include <string.h>

/* The kernel: what it was sent, and what it does not take now. */
static struct {
  GMutex lock;
  GCond changed;
  GString *log;
  const char *held; /* the kind of notification that waits in the kernel; NULL: none does */
  gboolean waits;   /* one waits */
  int result;       /* of each notification */
  GThread *thread;  /* that notified last */
} kernel;

static struct fuse_session *const session = (struct fuse_session *) &kernel;
static struct fuse_req *const request = (struct fuse_req *) &kernel.log;

static G_GNUC_PRINTF (2, 3) int note (const char *kind, const char *format, ...)
{
  va_list args;
  int result;

  g_mutex_lock (&kernel.lock);
  kernel.thread = g_thread_self ();
  while (g_strcmp0 (kernel.held, kind) == 0) {
    kernel.waits = TRUE;
    g_cond_broadcast (&kernel.changed);
    g_cond_wait (&kernel.changed, &kernel.lock);
  }
  kernel.waits = FALSE;
  va_start (args, format);
  g_string_append_vprintf (kernel.log, format, args);
  va_end (args);
  result = kernel.result;
  g_mutex_unlock (&kernel.lock);
  return result;
}

int __wrap_fuse_lowlevel_notify_inval_entry (struct fuse_session *se, fuse_ino_t parent, const char *name, size_t size);
int __wrap_fuse_lowlevel_notify_inval_inode (struct fuse_session *se, fuse_ino_t inode, off_t offset, off_t length);
int __wrap_fuse_lowlevel_notify_store (struct fuse_session *se, fuse_ino_t inode, off_t offset,
                                       struct fuse_bufvec *vector, enum fuse_buf_copy_flags flags);
int __wrap_fuse_reply_attr (fuse_req_t req, const struct stat *attributes, double timeout);

int
__wrap_fuse_lowlevel_notify_inval_entry (struct fuse_session *se, fuse_ino_t parent, const char *name, size_t size)
{
  g_assert_true (se == session);
  return note ("entry", "entry %d/%.*s\n", (int) parent, (int) size, name);
}

int
__wrap_fuse_lowlevel_notify_inval_inode (struct fuse_session *se, fuse_ino_t inode, off_t offset, off_t length)
{
  g_assert_true (se == session && offset < 0); /* its attributes, not its pages */
  return note ("inode", "inode %d\n", (int) inode);
}

int
__wrap_fuse_lowlevel_notify_store (struct fuse_session *se, fuse_ino_t inode, off_t offset, struct fuse_bufvec *vector,
                                   enum fuse_buf_copy_flags flags)
{
  g_assert_true (se == session && vector->count == 1);
  return note ("store", "store %d+%d %.*s\n", (int) inode, (int) offset, (int) vector->buf[0].size,
               (const char *) vector->buf[0].mem);
}

int
__wrap_fuse_reply_attr (fuse_req_t req, const struct stat *attributes, double timeout)
{
  g_assert_true (req == request);
  return note ("reply", "reply %d for %g s\n", (int) attributes->st_ino, timeout);
}

static void
hold (const char *kind)
{
  g_mutex_lock (&kernel.lock);
  kernel.held = kind;
  g_cond_broadcast (&kernel.changed);
  g_mutex_unlock (&kernel.lock);
}

/* Waits until the thread is in the kernel, where it is held. */
static void
wait_held (void)
{
  g_mutex_lock (&kernel.lock);
  while (!kernel.waits)
    g_cond_wait (&kernel.changed, &kernel.lock);
  g_mutex_unlock (&kernel.lock);
}

/* What the kernel was sent since the last call. */
static void
assert_told (const char *expected)
{
  g_autofree char *sent = NULL;

  g_mutex_lock (&kernel.lock);
  sent = g_strdup (kernel.log->str);
  g_string_truncate (kernel.log, 0);
  g_mutex_unlock (&kernel.lock);
  g_assert_cmpstr (sent, ==, expected);
}

typedef struct {
  KtNotifier *notifier;
  GString *done; /* a letter for each DONE */
} Fixture;

/* What a DONE adds to the fixture, and that it is called where it should be. */
typedef struct {
  Fixture *fixture;
  char letter;
} Done;

static gboolean
on_done (gpointer data)
{
  g_autofree Done *done = data;

  g_assert_true (g_main_context_is_owner (NULL));
  g_string_append_c (done->fixture->done, done->letter);
  return G_SOURCE_REMOVE;
}

static Done *
done_new (Fixture *f, char letter)
{
  Done *done = g_new (Done, 1);

  *done = (Done){ f, letter };
  return done;
}

/* A name is "7" for an inode's attributes, "7/name" for a name. */
static void
invalidate (Fixture *f, const char *const *names, char letter)
{
  GPtrArray *list = g_ptr_array_new_with_free_func (g_free);

  for (; *names != NULL; names++) {
    const char *slash = strchr (*names, '/');
    KtInvalidation *one = g_new (KtInvalidation, 1);
    *one = (KtInvalidation){ g_ascii_strtoull (*names, NULL, 10), slash != NULL ? slash + 1 : NULL };
    g_ptr_array_add (list, one);
  }
  kt_notifier_invalidate (f->notifier, list, letter != '\0' ? on_done : NULL,
                          letter != '\0' ? done_new (f, letter) : NULL);
}

#define INVALIDATE(f, letter, ...) invalidate (f, (const char *const[]){ __VA_ARGS__, NULL }, letter)

static void
count (gpointer counter)
{
  g_atomic_int_inc ((gint *) counter);
}

/* TEXT; *FREED counts when it is let go. (transfer full) */
static GBytes *
content (const char *text, gint *freed)
{
  return g_bytes_new_with_free_func (text, strlen (text), count, freed);
}

static gboolean
store_part (Fixture *f, guint64 inode, const char *text, char letter)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (text, strlen (text));
  Done *done = done_new (f, letter);
  gboolean taken = kt_notifier_store_part (f->notifier, inode, 3, bytes, on_done, done);

  if (!taken)
    g_free (done); /* "nothing is done" */
  return taken;
}

/* Stores pages of the inodes 7 and 8, and answers REQUEST when ANSWER. */
static void
store (Fixture *f, gboolean answer, gint *freed)
{
  struct stat attributes = { .st_ino = 7 };
  GPtrArray *pages = NULL;
  GBytes *first = content ("abc", freed), *second = content ("de", freed);

  kt_pages_add (&pages, 7, 0, first);
  kt_pages_add (&pages, 8, 4096, second);
  g_bytes_unref (first);
  g_bytes_unref (second);
  kt_notifier_store (f->notifier, pages, answer ? request : NULL, answer ? &attributes : NULL, 1.5);
  attributes.st_ino = 99; /* what was given is the caller's again */
}

/* Runs the main context until there were COUNT DONEs. */
static void
run_until_done (Fixture *f, gsize count_)
{
  while (f->done->len < count_)
    g_main_context_iteration (NULL, TRUE);
}

static void
assert_done (Fixture *f, const char *expected)
{
  run_until_done (f, strlen (expected));
  g_assert_cmpstr (f->done->str, ==, expected);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  kernel.log = g_string_new (NULL);
  kernel.result = 0;
  f->done = g_string_new (NULL);
  f->notifier = kt_notifier_new (session);
}

/* As kt-session.c ends it. */
static void
end (Fixture *f)
{
  kt_notifier_stop (f->notifier);
  while (!kt_notifier_has_ended (f->notifier))
    g_main_context_iteration (NULL, TRUE);
  kt_notifier_join (g_steal_pointer (&f->notifier));
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  if (f->notifier != NULL)
    end (f);
  assert_told ("");
  g_string_free (f->done, TRUE);
  g_string_free (kernel.log, TRUE);
}

/* All in the order in which it came, in a thread of its own; each DONE is called here, when its own are through. */
static void
test_order (Fixture *f, gconstpointer data)
{
  gint freed = 0;

  INVALIDATE (f, 'a', "1/status", "7", "2/name");
  INVALIDATE (f, '\0', "8");
  INVALIDATE (f, 'b', "1/result");
  assert_done (f, "ab");
  assert_told ("entry 1/status\ninode 7\nentry 2/name\ninode 8\nentry 1/result\n");
  g_assert_true (kernel.thread != g_thread_self ());
  store (f, TRUE, &freed);
  g_assert_true (store_part (f, 9, "fgh", 'c'));
  INVALIDATE (f, 'd', "9");
  assert_done (f, "abcd");
  assert_told ("store 7+0 abc\nstore 8+4096 de\nreply 7 for 1.5 s\nstore 9+3 fgh\ninode 9\n");
  g_assert_cmpint (g_atomic_int_get (&freed), ==, 2);
  store (f, FALSE, &freed); /* no request waits for a reply */
  INVALIDATE (f, 'e', "3");
  assert_done (f, "abcde");
  assert_told ("store 7+0 abc\nstore 8+4096 de\ninode 3\n");
}

/* A kernel that takes its time holds up neither the main context nor the DONEs of before. */
static void
test_done_is_not_early (Fixture *f, gconstpointer data)
{
  INVALIDATE (f, 'a', "1");
  hold ("entry");
  INVALIDATE (f, 'b', "2", "2/name");
  INVALIDATE (f, 'c', "3");
  wait_held ();
  assert_done (f, "a");
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpstr (f->done->str, ==, "a");
  assert_told ("inode 1\ninode 2\n");
  hold (NULL);
  assert_done (f, "abc");
  assert_told ("entry 2/name\ninode 3\n");
}

/* While names are being forgotten nothing is stored: the reply comes at once. */
static void
test_no_store_while_forgetting (Fixture *f, gconstpointer data)
{
  gint freed = 0;

  hold ("entry");
  INVALIDATE (f, 'a', "1/status");
  INVALIDATE (f, 'b', "1/result");
  wait_held ();
  g_assert_false (store_part (f, 9, "fgh", 'x'));
  store (f, FALSE, &freed);
  g_assert_cmpint (freed, ==, 2);
  assert_told ("");
  store (f, TRUE, &freed);
  g_assert_cmpint (freed, ==, 4);
  assert_told ("reply 7 for 1.5 s\n");
  g_assert_true (kernel.thread == g_thread_self ());

  hold (NULL);
  assert_done (f, "ab");
  assert_told ("entry 1/status\nentry 1/result\n");
  g_assert_true (store_part (f, 9, "fgh", 'c'));
  assert_done (f, "abc");
  assert_told ("store 9+3 fgh\n");
}

/* Names are not through before the last of them is, and not earlier, because the thread has not come to them yet. */
static void
test_no_store_until_all_are_forgotten (Fixture *f, gconstpointer data)
{
  hold ("inode");
  INVALIDATE (f, 'a', "1");
  INVALIDATE (f, 'b', "1/status", "2/status");
  wait_held ();
  g_assert_false (store_part (f, 9, "fgh", 'x')); /* the names are still in the queue */
  hold ("entry");
  wait_held ();
  g_assert_false (store_part (f, 9, "fgh", 'x'));
  hold (NULL);
  assert_done (f, "ab");
  assert_told ("inode 1\nentry 1/status\nentry 2/status\n");
}

/* Attributes take no lock that a lookup holds. */
static void
test_store_while_attributes_are_forgotten (Fixture *f, gconstpointer data)
{
  hold ("inode");
  INVALIDATE (f, 'a', "1", "2");
  wait_held ();
  g_assert_true (store_part (f, 9, "fgh", 'b'));
  hold (NULL);
  assert_done (f, "ab");
  assert_told ("inode 1\ninode 2\nstore 9+3 fgh\n");
}

/* What the kernel does not know, or does not take, is no reason to keep the rest from it. */
static void
test_kernel_refuses (Fixture *f, gconstpointer data)
{
  gint freed = 0;

  kernel.result = -ENOENT;
  INVALIDATE (f, 'a', "1/status", "7", "2/name");
  assert_done (f, "a");
  store (f, TRUE, &freed);
  INVALIDATE (f, 'b', "8");
  assert_done (f, "ab");
  assert_told ("entry 1/status\ninode 7\nentry 2/name\nstore 7+0 abc\nstore 8+4096 de\nreply 7 for 1.5 s\ninode 8\n");
}

static gboolean
on_release (gpointer data)
{
  hold (NULL);
  return G_SOURCE_REMOVE;
}

/* The thread may wait in the kernel for a reply that only the main context can send: stop, run it, join. What was
 * queued before is done; nothing is stored any more. */
static void
test_stop (Fixture *f, gconstpointer data)
{
  gint freed = 0;

  hold ("inode");
  INVALIDATE (f, 'a', "1");
  INVALIDATE (f, 'b', "2/name", "3");
  wait_held ();
  kt_notifier_stop (f->notifier);
  g_assert_false (kt_notifier_has_ended (f->notifier));
  g_timeout_add (10, on_release, NULL);
  while (!kt_notifier_has_ended (f->notifier))
    g_main_context_iteration (NULL, TRUE); /* its end wakes this */
  assert_told ("inode 1\nentry 2/name\ninode 3\n");
  g_assert_false (store_part (f, 9, "fgh", 'x'));
  store (f, TRUE, &freed);
  g_assert_cmpint (freed, ==, 2);
  assert_told ("reply 7 for 1.5 s\n");
  kt_notifier_join (g_steal_pointer (&f->notifier));
  g_assert_cmpstr (f->done->str, ==, "ab");
}

/* The thread has ended, and nobody has run the main context since. */
static void
test_join_calls_done (Fixture *f, gconstpointer data)
{
  INVALIDATE (f, 'a', "1");
  g_assert_true (store_part (f, 9, "fgh", 'b'));
  kt_notifier_stop (f->notifier);
  while (!kt_notifier_has_ended (f->notifier))
    g_usleep (KT_MS);
  g_assert_cmpstr (f->done->str, ==, "");
  kt_notifier_join (g_steal_pointer (&f->notifier));
  g_assert_cmpstr (f->done->str, ==, "ab");
  assert_told ("inode 1\nstore 9+3 fgh\n");
}

static gboolean
on_timeout (gpointer data)
{
  *(gboolean *) data = TRUE;
  return G_SOURCE_REMOVE;
}

static gpointer
release_later (gpointer data)
{
  g_usleep (20 * KT_MS);
  hold (NULL);
  return NULL;
}

/* The end of the thread wakes a main context that waits and has nothing else to do. */
static void
test_end_wakes (Fixture *f, gconstpointer data)
{
  gboolean late = FALSE;
  guint timeout;

  hold ("inode");
  INVALIDATE (f, '\0', "1");
  wait_held ();
  kt_notifier_stop (f->notifier);
  timeout = g_timeout_add_seconds (20, on_timeout, &late);
  g_thread_unref (g_thread_new ("release", release_later, NULL));
  while (!kt_notifier_has_ended (f->notifier))
    g_main_context_iteration (NULL, TRUE);
  g_assert_false (late);
  g_source_remove (timeout);
  assert_told ("inode 1\n");
  kt_notifier_join (g_steal_pointer (&f->notifier));
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
#define TEST(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)
  TEST ("/fuse/notifier/order", test_order);
  TEST ("/fuse/notifier/done-is-not-early", test_done_is_not_early);
  TEST ("/fuse/notifier/no-store-while-forgetting", test_no_store_while_forgetting);
  TEST ("/fuse/notifier/no-store-until-all-are-forgotten", test_no_store_until_all_are_forgotten);
  TEST ("/fuse/notifier/store-while-attributes-are-forgotten", test_store_while_attributes_are_forgotten);
  TEST ("/fuse/notifier/kernel-refuses", test_kernel_refuses);
  TEST ("/fuse/notifier/stop", test_stop);
  TEST ("/fuse/notifier/join-calls-done", test_join_calls_done);
  TEST ("/fuse/notifier/end-wakes", test_end_wakes);
  return g_test_run ();
}
