/* SPDX-License-Identifier: MIT */
/* The command line and the watch list. */
#include "kt-test.h"

#include "app/kt-options.h"
#include "app/kt-watch-list.h"

#include <glib/gstdio.h>
#include <string.h>

/* LINE's words are the arguments. */
static KtOptions *
parse (const char *line, GError **error)
{
  g_auto (GStrv) words = g_strsplit (line, " ", -1);
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();

  g_ptr_array_add (argv, (gpointer) "kootaskfs");
  for (char **word = words; *word != NULL; word++)
    if (**word != '\0')
      g_ptr_array_add (argv, *word);
  g_ptr_array_add (argv, NULL);
  return kt_options_parse ((int) argv->len - 1, (char **) argv->pdata, error);
}

static void
test_arguments (void)
{
  static const struct {
    const char *line;
    const char *endpoint;
    const char *mountpoint;
    gboolean foreground;
    gboolean debug;
  } table[] = {
    { "/mnt", NULL, "/mnt", FALSE, FALSE },
    { "https://h /mnt", "https://h", "/mnt", FALSE, FALSE },
    { "none /mnt", NULL, "/mnt", FALSE, FALSE },
    { "none", NULL, "none", FALSE, FALSE }, /* alone it is a directory */
    { "-f /mnt", NULL, "/mnt", TRUE, FALSE },
    { "/mnt -d", NULL, "/mnt", TRUE, TRUE },
    { "https://h /mnt -o rw", "https://h", "/mnt", FALSE, FALSE }, /* as mount(8) calls it */
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    KtOptions *options = parse (table[i].line, NULL);
    g_assert_nonnull (options);
    g_assert_cmpstr (options->endpoint, ==, table[i].endpoint);
    g_assert_cmpstr (options->mountpoint, ==, table[i].mountpoint);
    g_assert_cmpint (options->foreground, ==, table[i].foreground);
    g_assert_cmpint (options->debug, ==, table[i].debug);
    kt_options_free (options);
  }
}

static void
test_bad_arguments (void)
{
  static const char *const table[][2] = {
    { "", "got 0 arguments" }, { "a b c", "expected [ENDPOINT] MOUNTPOINT, got 3 arguments" },
    { "-x /mnt", "-x" },       { "--token=x /mnt", "--token" }, /* there is no option that takes a secret */
    { "/mnt -o", "-o" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (parse (table[i][0], &error));
    kt_assert_failed (&error, KT_ERROR_USAGE, table[i][1]);
  }
}

static void
test_version (void)
{
  KtOptions *options = parse ("-V", NULL);

  g_assert_nonnull (options);
  g_assert_true (options->version);
  kt_options_free (options);
}

static void
assert_list (GPtrArray *list, const char *expected)
{
  g_autofree char *text = NULL;

  g_assert_null (list->pdata[list->len - 1]); /* its end */
  text = g_strjoinv ("|", (char **) list->pdata);
  g_assert_cmpstr (text, ==, expected);
}

static void
test_option_lists (void)
{
  static const struct {
    const char *line;
    const char *config_path;
    const char *config;
    const char *fuse;
  } table[] = {
    { "/mnt", NULL, "", "" },
    { "-o ttl=2s,allow_other,memory=1M,ro /mnt", NULL, "ttl=2s|memory=1M", "allow_other|ro" },
    { "-o ttl=2s -o ro -o config=/a,config=/b /mnt", "/b", "ttl=2s", "ro" },
    { "-o ,,ro,, /mnt", NULL, "", "ro" },
    { "-o agent-name=a\\,b,ro /mnt", NULL, "agent-name=a,b", "ro" },
    { "-o agent-name=a\\\\b /mnt", NULL, "agent-name=a\\b", "" },
    { "-o agent-name=a\\ /mnt", NULL, "agent-name=a\\", "" },
    { "-o config=/x\\,y /mnt", "/x,y", "", "" },
    { "-o keep-alive,nokeep-alive /mnt", NULL, "keep-alive=yes|keep-alive=no", "" },
    { "-o fsname=a\\,b,subtype=c\\\\d /mnt", NULL, "", "fsname=a,b|subtype=c\\d" },
    { "-o ro,ro,ttl=1s,ttl=2s /mnt", NULL, "ttl=1s|ttl=2s", "ro|ro" },
    { "-oro,ttl=2s /mnt -oallow_other", NULL, "ttl=2s", "ro|allow_other" }, /* attached, as getopt takes it */
    /* what mount(8), fstab and systemd leave in the list is theirs */
    { "-o rw,nosuid,nodev,noexec,relatime,noauto,nofail,_netdev,user,users,user=me,x-systemd.automount,x-a=b,X-c.d "
      "/mnt",
      NULL, "", "rw|nosuid|nodev|noexec" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autoptr (GError) error = NULL;
    KtOptions *options = parse (table[i].line, &error);
    g_assert_no_error (error);
    g_assert_cmpstr (options->config_path, ==, table[i].config_path);
    assert_list (options->config_options, table[i].config);
    assert_list (options->fuse_options, table[i].fuse);
    kt_options_free (options);
  }
}

/* An unknown option is reported by its name, without the value, which may be a secret; whether or not to mount. */
static void
test_bad_options (void)
{
  static const char *const table[][2] = {
    { "tll=2s", "-o tll: unknown option; did you mean ttl?" },
    { "Ttl=2s", "-o Ttl: unknown option; did you mean ttl?" },
    { "allow-other", "-o allow-other: unknown option; did you mean allow_other?" },
    { "nokeepalive", "-o nokeepalive: unknown option; did you mean nokeep-alive?" },
    { "confg=/x", "-o confg: unknown option; did you mean config?" },
    { "token=hunter2", "-o token: unknown option; did you mean token-file?" },
    { "nonsense=hunter2", "-o nonsense: unknown option; kootaskfs --help lists them" },
    { "uid=0,ro", "-o uid: unknown option" },
    { "ro,=x", "-o : unknown option" },
    { "ttl", "-o ttl: expected a value" },
    { "config", "-o config: expected a value" },
    { "config=", "-o config: expected a value" },
    { "fsname", "-o fsname: expected a value" },
    { "max_read=", "-o max_read: expected a value" },
    { "allow_other=yes", "-o allow_other: takes no value" },
    { "nokeep-alive=yes", "-o nokeep-alive: takes no value" },
    { "x", "-o x: unknown option" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    for (int check = 0; check <= 1; check++) {
      g_autofree char *line = g_strdup_printf ("%s -o %s", check ? "--check" : "/mnt", table[i][0]);
      g_autoptr (GError) error = NULL;
      g_assert_null (parse (line, &error));
      g_assert_null (strstr (error->message, "hunter2"));
      kt_assert_failed (&error, KT_ERROR_USAGE, table[i][1]);
    }
  }
}

static void
test_watch_list (void)
{
  g_autoptr (GPtrArray) keys =
      kt_watch_list_parse ("\xef\xbb\xbf# tasks\r\n\r\nshare S1 7 # a comment\r\n  basic\t 8  \n#basic 9\n"
                           "share S_- -_\njob 10",
                           "list", NULL);
  const KtKey *key;

  g_assert_nonnull (keys);
  g_assert_cmpuint (keys->len, ==, 4);
  key = keys->pdata[3];
  g_assert_cmpint (key->family, ==, KT_FAMILY_JOB);
  g_assert_cmpstr (key->task_id, ==, "10");
  key = keys->pdata[0];
  g_assert_cmpint (key->family, ==, KT_FAMILY_SHARE);
  g_assert_cmpstr (key->share_id, ==, "S1");
  g_assert_cmpstr (key->task_id, ==, "7");
  key = keys->pdata[1];
  g_assert_cmpint (key->family, ==, KT_FAMILY_BASIC);
  g_assert_cmpstr (key->task_id, ==, "8");
  key = keys->pdata[2];
  g_assert_cmpstr (key->share_id, ==, "S_-");
  g_assert_cmpstr (key->task_id, ==, "-_");
}

static void
test_empty_watch_list (void)
{
  static const char *const texts[] = { "", "\n", "#", "  \r\n\t\n# x" };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GPtrArray) keys = kt_watch_list_parse (texts[i], "list", NULL);
    g_assert_nonnull (keys);
    g_assert_cmpuint (keys->len, ==, 0);
  }
}

static void
test_bad_watch_lists (void)
{
  static const char *const table[][2] = {
    { "basic 7\n\nbasics 8\n",
      "list:3: unknown kind of task: expected 'share SHAREID TASKID', 'basic TASKID' or 'job JOBID'" },
    { "unknown 7", "list:1: unknown kind of task" },
    { "job", "list:1: wrong number of words" },
    { "job S 7", "list:1: wrong number of words" },
    { "basic", "list:1: wrong number of words" },
    { "basic 7 8", "list:1: wrong number of words" },
    { "share 7", "list:1: wrong number of words" },
    { "share S 7 8", "list:1: wrong number of words" },
    { "#\nbasic ../x", "list:2: an id is 1 to 64" },
    { "share S! 7", "list:1: an id is 1 to 64" },
    { "basic 7\x01", "list:1: an id is 1 to 64" },
    { "basic 7\n\xef\xbb\xbf"
      "basic 8",
      "list:2: unknown kind of task" },
    { "job 7\njob jobs", "list:2: a word of the service's own paths is no id" },
    { "basic list", "list:1: a word of the service's own paths is no id" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (kt_watch_list_parse (table[i][0], "list", &error));
    kt_assert_failed (&error, KT_ERROR_CONFIG, table[i][1]);
  }
}

static void
test_watch_list_file (void)
{
  g_autofree char *dir = g_dir_make_tmp ("kootaskfs-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (dir, "tasks", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) keys = NULL;

  g_assert_null (kt_watch_list_load (path, &error));
  kt_assert_failed (&error, KT_ERROR_CONFIG, path);
  g_assert_true (g_file_set_contents (path, "basic 7\nbasic \0 8\n", 18, NULL));
  g_assert_null (kt_watch_list_load (path, &error));
  kt_assert_failed (&error, KT_ERROR_CONFIG, "a NUL byte");
  g_assert_true (g_file_set_contents (path, "basic 7\n", -1, NULL));
  keys = kt_watch_list_load (path, NULL);
  g_assert_cmpuint (keys->len, ==, 1);
  g_unlink (path);
  g_rmdir (dir);
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
  g_test_add_func ("/app/arguments", test_arguments);
  g_test_add_func ("/app/bad-arguments", test_bad_arguments);
  g_test_add_func ("/app/version", test_version);
  g_test_add_func ("/app/option-lists", test_option_lists);
  g_test_add_func ("/app/bad-options", test_bad_options);
  g_test_add_func ("/app/watch-list", test_watch_list);
  g_test_add_func ("/app/empty-watch-list", test_empty_watch_list);
  g_test_add_func ("/app/bad-watch-lists", test_bad_watch_lists);
  g_test_add_func ("/app/watch-list-file", test_watch_list_file);
  return g_test_run ();
}
