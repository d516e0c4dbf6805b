/* SPDX-License-Identifier: MIT */
/* Files whose changes are seen, whatever on the way to them has changed. Names are of the fixture's directory. */
#include "kt-test.h"

#include "app/kt-file-watch.h"
#include "base/kt-error.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  char *dir;
  char *before; /* working directory */
  KtFileWatch *watch;
  guint changes;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->dir = g_dir_make_tmp ("kootaskfs-XXXXXX", NULL);
  f->before = g_get_current_dir ();
  g_assert_cmpint (g_chdir (f->dir), ==, 0);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_autofree char *command = g_strdup_printf ("rm -r %s", f->dir);

  kt_file_watch_free (f->watch);
  g_assert_cmpint (g_chdir (f->before), ==, 0);
  g_assert_true (g_spawn_command_line_sync (command, NULL, NULL, NULL, NULL));
  g_free (f->before);
  g_free (f->dir);
}

static void
on_changed (gpointer data)
{
  ++((Fixture *) data)->changes;
}

/* Runs a line of shell. */
static void
sh (const char *line)
{
  const char *const argv[] = { "/bin/sh", "-euc", line, NULL };
  int status;

  g_assert_true (g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, NULL, &status, NULL));
  g_assert_true (g_spawn_check_wait_status (status, NULL));
}

static void
watch (Fixture *f, const char *name)
{
  g_autofree char *path = g_build_filename (f->dir, name, NULL);
  g_autoptr (GError) error = NULL;

  f->watch = kt_file_watch_new ((const char *const[]){ path, NULL }, on_changed, f, &error);
  g_assert_no_error (error);
}

/* The kernel reports each change before the system call that makes it returns. */
static void
assert_unchanged (Fixture *f)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpuint (f->changes, ==, 0);
}

static void
assert_changed (Fixture *f)
{
  while (f->changes == 0)
    g_main_context_iteration (NULL, TRUE);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  f->changes = 0;
}

/* BEFORE makes a file, NAME leads to it, each line of CHANGES changes it. One that begins with "!" does not. */
typedef struct {
  const char *before;
  const char *name;
  const char *changes;
} Way;

static const Way ways[] = {
  /* written in place, replaced, another mode; others in the directory do not count */
  { "echo 1 > w", "w", "!echo 1 > other\necho 2 > w\nmv other w\nchmod 600 w\n!mkdir d\ntouch new; ln -f new w" },
  { ":", "w", "!touch other\necho 1 > w\n!rm w\necho 2 > w\n!mv w x\nmv x w\n!rm w\nln other w\n!rm w\nln -s other w" },
  /* Kubernetes: all links of a directory are swapped at once */
  { "mkdir ..v1; echo 1 > ..v1/w; ln -s ..v1 ..data; ln -s ..data/w w", "w",
    "mkdir ..v2; echo 2 > ..v2/w; ln -s ..v2 tmp; mv -T tmp ..data\n!rm -r ..v1\n"
    "mkdir ..v3; echo 3 > ..v3/w; ln -s ..v3 tmp; mv -T tmp ..data; rm -r ..v2\necho 4 > ..v3/w" },
  /* a link to a file elsewhere: replaced, made again, and what it leads to */
  { "mkdir a b; echo 1 > a/w; ln -s a/w l", "l",
    "echo 2 > a/w\nln -s b/w t; echo 3 > b/w; mv -T t l\n!echo 4 > a/w\necho 5 > b/w\n!rm l\nln -s a/w l\n!rm a/w\n"
    "echo 6 > a/w" },
  /* a relative link that goes up, by way of another */
  { "mkdir -p a/b c; echo 1 > c/w; ln -s ../../c/./w a/b/l; ln -s b/l a/l", "a/l",
    "echo 2 > c/w\nmv c d; mkdir c; echo 3 > c/w\n!rm a/b/l\nln -s ../../d/w a/b/l" },
  /* an absolute one */
  { "mkdir a; echo 1 > a/w; ln -s $PWD/a l", "l/w", "echo 2 > a/w\nmkdir b; echo 3 > b/w; ln -sfn $PWD/b l" },
  /* directories on the way: moved, replaced, not there yet */
  { "mkdir -p a/b/c; echo 1 > a/b/c/w", "a/b/c/w",
    "!mv a old\nmv old a\n!mv a/b x\nmkdir -p n/c; echo 2 > n/c/w; mv n a/b\n!rm -r a\n!mkdir a\n!mkdir -p a/b/c\n"
    "echo 3 > a/b/c/w" },
  { "mkdir a", "a/b/c/w", "!mkdir a/b\n!mkdir a/b/x; touch a/b/x/w\nmv a/b/x a/b/c" },
  { "ln -s nowhere/at/all l", "l/w", "!mkdir nowhere\n!mkdir -p nowhere/at/all\necho 1 > nowhere/at/all/w" },
  { "mkdir a; echo 1 > a/w; ln -s a l", "l/w", "!rm l\nmkdir l; echo 2 > l/w\n!rm -r l\n!echo 1 > l\nrm l; ln -s a l" },
  /* links that lead nowhere, for ever */
  { "ln -s l2 l1; ln -s l1 l2", "l1/w", "!ln -sfn ./l1 l2\nrm l1; mkdir l1; echo 1 > l1/w" },
  { "ln -s l l", "l", "rm l; echo 1 > l" },
};

static void
test_ways (Fixture *f, gconstpointer data)
{
  const Way *way = data;
  g_auto (GStrv) lines = g_strsplit (way->changes, "\n", -1);

  sh (way->before);
  watch (f, way->name);
  assert_unchanged (f);
  for (char **line = lines; *line != NULL; line++) {
    gboolean same = **line == '!';
    sh (*line + same);
    g_test_message ("%s", *line);
    if (same)
      assert_unchanged (f);
    else
      assert_changed (f);
  }
}

/* One that is being made is looked at when it is whole, not before. */
static void
test_being_made (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->dir, "w", NULL);
  g_autofree char *anonymous = NULL;
  int fd;

  watch (f, "w");
  fd = open (path, O_WRONLY | O_CREAT | O_EXCL, 0600);
  assert_unchanged (f);
  g_assert_cmpint (write (fd, "half", 4), ==, 4);
  assert_unchanged (f);
  close (fd);
  assert_changed (f);

  g_unlink (path);
  assert_unchanged (f);
  fd = open (f->dir, O_WRONLY | O_TMPFILE, 0600);
  g_assert_cmpint (fd, >=, 0);
  anonymous = g_strdup_printf ("/proc/self/fd/%d", fd);
  g_assert_cmpint (linkat (AT_FDCWD, anonymous, AT_FDCWD, path, AT_SYMLINK_FOLLOW), ==, 0);
  assert_unchanged (f);
  close (fd);
  assert_changed (f);
}

/* Several at once; one of them may be missing. */
static void
test_several (Fixture *f, gconstpointer data)
{
  g_autofree char *first = g_build_filename (f->dir, "a/w", NULL);
  g_autofree char *second = g_build_filename (f->dir, "l/w", NULL);
  g_autoptr (GError) error = NULL;

  sh ("mkdir a b; echo 1 > a/w; ln -s a l");
  f->watch = kt_file_watch_new ((const char *const[]){ first, second, NULL }, on_changed, f, &error);
  g_assert_no_error (error);
  sh ("echo 2 > a/w");
  assert_changed (f);
  sh ("ln -sfn b l");
  assert_changed (f);
  sh ("echo 3 > b/w");
  assert_changed (f);
  sh ("echo 4 > a/w");
  assert_changed (f);
  sh ("echo 5 > a/x; echo 5 > b/x; echo 5 > x");
  assert_unchanged (f);
}

/* A directory that this user may pass but not read, as homes of others: of the file itself all is seen. */
static void
test_unreadable (Fixture *f, gconstpointer data)
{
  gboolean root = geteuid () == 0;

  sh ("chmod 755 .; mkdir d; echo 1 > d/w; chmod 644 d/w; chmod 311 d");
  g_assert_cmpint (root ? seteuid (65534) : 0, ==, 0);
  watch (f, "d/w");
  sh ("echo 2 > d/w");
  assert_changed (f);
  sh ("echo 3 > d/n; mv d/n d/w");
  assert_changed (f);
  sh ("echo 4 > d/w");
  assert_changed (f);
  g_assert_cmpint (root ? seteuid (0) : 0, ==, 0);
  sh ("chmod 755 d");
}

/* The length of a way has a limit, as everything has that others choose. */
static void
test_limit (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->dir, "l", NULL);
  g_autoptr (GError) error = NULL;

  sh ("ln -s $(printf './%.0s' $(seq 300))w l; echo 1 > w");
  g_assert_null (kt_file_watch_new ((const char *const[]){ path, NULL }, on_changed, f, &error));
  kt_assert_failed (&error, KT_ERROR_CONFIG, "too many directories on the way");
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
#define TEST(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)
  for (gsize i = 0; i < G_N_ELEMENTS (ways); i++) {
    g_autofree char *path = g_strdup_printf ("/app/watch/way-%zu", i);
    g_test_add (path, Fixture, &ways[i], set_up, test_ways, tear_down);
  }
  TEST ("/app/watch/being-made", test_being_made);
  TEST ("/app/watch/several", test_several);
  TEST ("/app/watch/unreadable", test_unreadable);
  TEST ("/app/watch/limit", test_limit);
  return g_test_run ();
}
