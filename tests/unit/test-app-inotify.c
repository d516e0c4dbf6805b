/* SPDX-License-Identifier: MIT */
#include "app/kt-inotify-scan.h"
#include "app/kt-inotify.h"
#include "fuse/kt-mount-copy.h"
#include "kt-test.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define FUSE_LINE "inotify wd:2 ino:105 sdev:39 mask:fff ignored_mask:0 fhandle-bytes:c fhandle-type:81 f_handle:"

static void
test_parse (void)
{
  static const struct {
    const char *line;
    guint64 inode; /* 0: it is about no watch */
    guint device_major, device_minor;
  } cases[] = {
    { "inotify wd:1 ino:9e7e sdev:800013 mask:800afce ignored_mask:0 fhandle-bytes:8 fhandle-type:1 "
      "f_handle:7e9e0000640d1b6d\n",
      0x9e7e, 8, 0x13 },
    { FUSE_LINE "000000000501000000000000\n", 0x105, 0, 0x39 },
    { FUSE_LINE "010000000501000000000000", 0x100000105, 0, 0x39 }, /* the handle counts, not what stat shows */
    { FUSE_LINE "0100zz000501000000000000", 0x105, 0, 0x39 },
    { FUSE_LINE "01", 0x105, 0, 0x39 },
    { "fanotify ino:4f969 sdev:39 mflags:0 mask:3b ignored_mask:40000000\n", 0x4f969, 0, 0x39 },
    { "fanotify mnt_id:12 mflags:40 mask:38 ignored_mask:40000003\n", 0, 0, 0 },
    { "inotify wd:1 ino: sdev:39", 0, 0, 0 },
    { "inotify wd:1 ino:5", 0, 0, 0 },
    { "inotify wd:1 ino:5x sdev:39", 0, 0, 0 },
    { "pos:\t0\n", 0, 0, 0 },
    { "tfd: 5 events: 19 data: 5 pos:0 ino:61af sdev:7", 0, 0, 0 },
    { "", 0, 0, 0 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    guint64 inode = 0;
    dev_t device = 0;
    gboolean is_watch = kt_inotify_parse (cases[i].line, &device, &inode);
    g_assert_cmpint (is_watch, ==, cases[i].inode != 0);
    if (!is_watch)
      continue;
    g_assert_cmpuint (inode, ==, cases[i].inode);
    g_assert_cmpuint (major (device), ==, cases[i].device_major);
    g_assert_cmpuint (minor (device), ==, cases[i].device_minor);
  }
}

/* A descriptor of process PID below PROC. */
static void
add_descriptor (const char *proc, const char *pid, const char *fd, const char *link, const char *info)
{
  g_autofree char *fds = g_build_filename (proc, pid, "fd", NULL);
  g_autofree char *infos = g_build_filename (proc, pid, "fdinfo", NULL);
  g_autofree char *path = g_build_filename (fds, fd, NULL);
  g_autofree char *info_path = g_build_filename (infos, fd, NULL);

  g_assert_cmpint (g_mkdir_with_parents (fds, 0755), ==, 0);
  g_assert_cmpint (g_mkdir_with_parents (infos, 0755), ==, 0);
  g_assert_cmpint (symlink (link, path), ==, 0);
  if (info != NULL)
    g_assert_true (g_file_set_contents (info_path, info, -1, NULL));
}

static void
test_scan (void)
{
  g_autofree char *proc = g_dir_make_tmp ("kt-proc-XXXXXX", NULL);
  g_autofree char *command = g_strdup_printf ("rm -r '%s'", proc);
  g_autoptr (GArray) found = NULL, none = NULL, many = NULL;
  g_autoptr (GString) lines = g_string_new (NULL);
  guint64 sum = 0;

  add_descriptor (proc, "1", "0", "/dev/null", "inotify wd:1 ino:63 sdev:39 mask:1\n"); /* not opened */
  add_descriptor (proc, "1", "4", "anon_inode:inotify",
                  "pos:\t0\nflags:\t00\ninotify wd:1 ino:101 sdev:39 mask:1\ninotify wd:2 ino:102 sdev:40 mask:1\n");
  add_descriptor (proc, "22", "7", "anon_inode:[fanotify]", "fanotify ino:103 sdev:39 mflags:0 mask:3b\n");
  add_descriptor (proc, "22", "8", "anon_inode:inotify", "inotify wd:1 ino:101 sdev:39 mask:1\n");
  add_descriptor (proc, "22", "9", "anon_inode:inotify", NULL); /* has just been closed */
  add_descriptor (proc, "self", "4", "anon_inode:inotify", "inotify wd:1 ino:104 sdev:39 mask:1\n");
  found = kt_inotify_scan (proc, makedev (0, 0x39));
  g_assert_cmpuint (found->len, ==, 2);
  for (guint i = 0; i < found->len; i++)
    sum += g_array_index (found, guint64, i);
  g_assert_cmpuint (sum, ==, 0x101 + 0x103);
  for (guint i = 0; i < KT_INOTIFY_MOST + 10; i++)
    g_string_append_printf (lines, "inotify wd:%x ino:%x sdev:39 mask:1\n", i, 0x1000 + i);
  add_descriptor (proc, "333", "4", "anon_inode:inotify", lines->str);
  many = kt_inotify_scan (proc, makedev (0, 0x39));
  g_assert_cmpuint (many->len, ==, KT_INOTIFY_MOST);
  g_assert_true (g_spawn_command_line_sync (command, NULL, NULL, NULL, NULL));
  none = kt_inotify_scan (proc, makedev (0, 0x39));
  g_assert_cmpuint (none->len, ==, 0);
}

/* "Watches are looked for in `/proc` each second, or less often, at least every 30 s, where that takes more than a hundredth
 * of one CPU." */
static void
test_interval (void)
{
  g_assert_cmpint (kt_inotify_interval (0), ==, KT_INOTIFY_SHORTEST);
  g_assert_cmpint (kt_inotify_interval (50 * KT_MS), ==, 5 * KT_SECOND);
  g_assert_cmpint (kt_inotify_interval (KT_SECOND), ==, KT_INOTIFY_LONGEST);
}

static void
test_mountinfo (void)
{
  const char *text = "22 27 0:21 / /proc rw,relatime - proc proc rw\n"
                     "36 35 0:57 / /mnt\\040x rw,noatime master:1 - fuse.kootaskfs 0:99 rw\n";

  g_assert_true (kt_mount_is_there (text, makedev (0, 57)));
  g_assert_true (kt_mount_is_there (text, makedev (0, 21)));
  g_assert_false (kt_mount_is_there (text, makedev (0, 5)));
  g_assert_false (kt_mount_is_there (text, makedev (0, 99)));
  g_assert_false (kt_mount_is_there (text, makedev (27, 0)));
  g_assert_false (kt_mount_is_there ("", makedev (0, 57)));
  g_assert_false (kt_mount_is_there ("1\n2 3\n\n", makedev (0, 57)));
}

static void
test_copy (void)
{
  g_autofree char *why = NULL, *other = NULL;

  g_assert_cmpint (kt_mount_copy ("/nonexistent", 1, &why), ==, -1);
  g_assert_nonnull (strstr (why, "No such file"));
  g_assert_cmpint (kt_mount_copy ("/", makedev (0, 0xfffff), &other), ==, -1);
  g_assert_nonnull (other);
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
  g_test_add_func ("/inotify/parse", test_parse);
  g_test_add_func ("/inotify/scan", test_scan);
  g_test_add_func ("/inotify/interval", test_interval);
  g_test_add_func ("/inotify/mountinfo", test_mountinfo);
  g_test_add_func ("/inotify/copy", test_copy);
  return g_test_run ();
}
