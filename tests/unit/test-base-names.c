/* SPDX-License-Identifier: MIT */
/* Ids, and the service's strings as names, lines and JSON. */
#include "kt-test.h"

#include "base/kt-names.h"
#include "base/kt-nearest.h"

#include <string.h>

static void
test_ids (void)
{
  static const char *const good[] = { "1",     "1521827471237047552",
                                      "a-B_9", "-",
                                      "_",     "0123456789012345678901234567890123456789012345678901234567890123" };
  static const char *const bad[] = {
    "",     ".",           "..",
    ".git", "a b",         "a/b",
    "a.b",  "autorun.inf", "\xe4\xb8\xad",
    "a\n",  "%41",         "01234567890123456789012345678901234567890123456789012345678901234"
  };

  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    g_assert_true (kt_id_is_valid (good[i]));
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (kt_id_is_valid (bad[i]));
}

static void
test_encoding (void)
{
  static const char *const table[][2] = {
    { "FmvP8my7yGTvCmKhweL1BoY6kWjRt83A7", "FmvP8my7yGTvCmKhweL1BoY6kWjRt83A7" },
    { "", "unnamed" },
    { ".", "%2E" },
    { "..", "%2E." },
    { ".git", "%2Egit" },
    { "a.b", "a.b" },
    { "a/b", "a%2Fb" },
    { "../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd" },
    { "100%", "100%25" },
    { "%2F", "%252F" },
    { "a\nb\tc\x7f", "a%0Ab%09c%7F" },
    { "\xc2\x9b\xc2\xa0\xc2", "%C2%9B\xc2\xa0%C2" },
    { "报告 é", "报告 é" },
    { "\xff\xfe", "%FF%FE" },
    { "a\xe4\xb8", "a%E4%B8" },             /* ends within a character */
    { "\xc0\xaf", "%C0%AF" },               /* an overlong slash */
    { "\xed\xa0\x80", "%ED%A0%80" },        /* a surrogate */
    { "\xf4\x90\x80\x80", "%F4%90%80%80" }, /* beyond Unicode */
    { "a" KT_NUL "b", "a%00b" },
    { KT_NUL KT_NUL, "%00%00" },
    { "\xc0", "%C0" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    kt_assert_text (kt_name_encode (table[i][0]), table[i][1]);
}

/* PART over and over, TIMES, with PREFIX before it. (transfer full) */
static char *
repeat (const char *prefix, const char *part, guint times)
{
  GString *out = g_string_new (prefix);

  for (guint i = 0; i < times; i++)
    g_string_append (out, part);
  return g_string_free (out, FALSE);
}

static void
assert_is_name (const char *name)
{
  g_assert_cmpuint (strlen (name), >, 0);
  g_assert_cmpuint (strlen (name), <=, KT_NAME_MAX);
  g_assert_true (g_utf8_validate (name, -1, NULL));
  g_assert_null (strchr (name, '/'));
  for (const char *p = strchr (name, '%'); p != NULL; p = strchr (p + 1, '%'))
    g_assert_true (g_ascii_isxdigit (p[1]) && g_ascii_isxdigit (p[2]));
}

static void
test_length_limit (void)
{
  g_autofree char *fits = repeat ("", "x", KT_NAME_MAX);
  g_autofree char *longer = repeat ("", "x", KT_NAME_MAX + 1);
  g_autofree char *name = kt_name_encode (longer);

  kt_assert_text (kt_name_encode (fits), fits);
  assert_is_name (name);
  g_assert_cmpuint (strlen (name), ==, KT_NAME_MAX);
  g_assert_cmpint (name[KT_NAME_MAX - 17], ==, '~');
}

/* Wherever the cut falls, no character and no %XX is cut in two, and what differs stays different. */
static void
test_cut_at_boundaries (void)
{
  static const char *const parts[] = { "\xe6\x8a\xa5", "\xc3\xa9", "\xf0\x9f\x98\x80", "/", "\xff", "%" };
  static const char *const prefixes[] = { "", "x", "xx", "xxx" };
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (parts); i++) {
    for (gsize j = 0; j < G_N_ELEMENTS (prefixes); j++) {
      for (guint times = 300; times < 303; times++) {
        g_autofree char *text = repeat (prefixes[j], parts[i], times);
        char *name = kt_name_encode (text);
        assert_is_name (name);
        g_assert_cmpuint (strlen (name), >=, KT_NAME_MAX - 3);
        g_assert_true (g_hash_table_add (seen, name));
      }
    }
  }
}

static void
test_lines (void)
{
  kt_assert_text (kt_line_encode ("a\nb\r\tc\x7f"), "a%0Ab%0D%09c%7F");
  kt_assert_text (kt_line_encode ("\xc2\x85\xc2\x9b[31m\xc2\xa0\xc2"), "%C2%85%C2%9B[31m\xc2\xa0\xef\xbf\xbd");
  kt_assert_text (kt_line_encode (".a/b 100% 报告"), ".a/b 100% 报告");
  kt_assert_text (kt_line_encode (""), "");
  kt_assert_text (kt_line_encode ("a" KT_NUL "b"), "a%00b");
  kt_assert_text (kt_line_encode ("a\xff\xe4\xb8"), "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

static void
test_valid (void)
{
  g_assert_null (kt_utf8_make_valid ("a报告", strlen ("a报告")));
  g_assert_null (kt_utf8_make_valid ("", 0));
  kt_assert_text (kt_utf8_make_valid ("a" KT_NUL "b\xff", 5), "a\xef\xbf\xbd"
                                                              "b\xef\xbf\xbd");
  kt_assert_text (kt_utf8_make_valid ("a\0b", 3), "a\xef\xbf\xbd"
                                                  "b");
  kt_assert_text (kt_utf8_make_valid ("\xc0\x80", 1), "\xef\xbf\xbd"); /* no look behind the end */
}

static void
test_cut (void)
{
  static const struct {
    const char *text;
    gsize most;
    const char *cut;
  } table[] = { { "abc", 3, "abc" }, { "abc", 2, "ab" },  { "abc", 0, "" }, { "报告", 6, "报告" },
                { "报告", 5, "报" }, { "报告", 3, "报" }, { "报告", 2, "" } };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    kt_assert_text (kt_utf8_cut (g_strdup (table[i].text), table[i].most), table[i].cut);
}

static void
test_json_quote (void)
{
  kt_assert_text (kt_json_quote (""), "\"\"");
  kt_assert_text (kt_json_quote ("say \"hi\" \\ /"), "\"say \\\"hi\\\" \\\\ /\"");
  kt_assert_text (kt_json_quote ("\x01\t\n\x1f\x7f"), "\"\\u0001\\u0009\\u000a\\u001f\\u007f\"");
  kt_assert_text (kt_json_quote ("\xc2\x9b[31m\xc2\xa0"), "\"\\u009b[31m\xc2\xa0\"");
  kt_assert_text (kt_json_quote ("报告 😀"), "\"报告 😀\"");
  kt_assert_text (kt_json_quote ("a\xff\xe6\x8a"), "\"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
  kt_assert_text (kt_json_quote ("\xed\xa0\xbd"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""); /* half a pair */
}

static void
test_printable (void)
{
  g_assert_true (kt_is_printable ("AZ az 09 ~!") && kt_is_printable (""));
  g_assert_false (kt_is_printable ("a\nb") || kt_is_printable ("\x7f") || kt_is_printable ("\xc3\xa9"));
}

static void
test_nearest (void)
{
  static const char *const names[] = { "ttl",           "max-stale", "allow_other", "token-file",
                                       "token-command", "memory",    "ro",          "user-id" };
  static const char *const table[][2] = {
    { "tll", "ttl" },
    { "TTL", "ttl" },
    { "tlt", "ttl" }, /* swapped is one mistake */
    { "tttl", "ttl" },
    { "max_stale", "max-stale" },
    { "maxstale", "max-stale" },
    { "Max-Stael", "max-stale" },
    { "allow-other", "allow_other" },
    { "token", "token-file" },    /* the first that begins so */
    { "memory-limit", "memory" }, /* or is the beginning */
    { "user", "user-id" },
    { "secret-file", NULL },
    { "stale", "max-stale" }, /* the end */
    { "cache.ttl", "ttl" },
    { "x_ttl", "ttl" },
    { "xttl", "ttl" },
    { "yxttl", NULL },
    { "", NULL },
    { "x", NULL },
    { "t", NULL },
    { "rate", NULL },
    { "mem", NULL },
    { "nonsense", NULL },
  };
  g_autoptr (GPtrArray) candidates = g_ptr_array_new ();
  g_autofree char *longest = g_strnfill (64, 'x');
  g_autofree char *too_long = g_strnfill (65, 'x');

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    g_ptr_array_add (candidates, (gpointer) names[i]);
  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    g_assert_cmpstr (kt_nearest (table[i][0], candidates), ==, table[i][1]);
  g_ptr_array_add (candidates, too_long);
  g_assert_null (kt_nearest (longest, candidates));
  g_assert_null (kt_nearest (too_long, candidates));
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
  g_test_add_func ("/base/names/ids", test_ids);
  g_test_add_func ("/base/names/encoding", test_encoding);
  g_test_add_func ("/base/names/length-limit", test_length_limit);
  g_test_add_func ("/base/names/cut-at-boundaries", test_cut_at_boundaries);
  g_test_add_func ("/base/names/lines", test_lines);
  g_test_add_func ("/base/names/json-quote", test_json_quote);
  g_test_add_func ("/base/names/valid", test_valid);
  g_test_add_func ("/base/names/cut", test_cut);
  g_test_add_func ("/base/names/printable", test_printable);
  g_test_add_func ("/base/names/nearest", test_nearest);
  return g_test_run ();
}
