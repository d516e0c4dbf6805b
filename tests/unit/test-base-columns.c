/* SPDX-License-Identifier: MIT */
/* Text in columns of a terminal. */
#include "base/kt-columns.h"
#include "kt-test.h"

static void
assert_cell (const char *text, gint columns, const char *expected)
{
  GString *out = g_string_new ("|");

  kt_columns_append_cell (out, text, columns);
  g_assert_cmpstr (out->str + 1, ==, expected);
  g_string_free (out, TRUE);
}

static void
test_plain (void)
{
  assert_cell ("", 3, "   ");
  assert_cell ("ab", 3, "ab ");
  assert_cell ("ab", -3, " ab");
  assert_cell ("abc", 3, "abc");
  assert_cell ("abcd", 3, "ab+");
  assert_cell ("abcd", -3, "ab+");
}

/* "Wide characters count as two columns." */
static void
test_wide (void)
{
  assert_cell ("日本", 4, "日本");
  assert_cell ("日本", -5, " 日本");
  assert_cell ("日本語", 5, "日本+");
  assert_cell ("日本語", 4, "日+ ");
  assert_cell ("a日本", 4, "a日+");
  assert_cell ("e\xcc\x81t\xc3\xa9", 3, "e\xcc\x81t\xc3\xa9"); /* one accent is a character of its own */
}

/* "Characters that do not print are `?`." */
static void
test_unprintable (void)
{
  assert_cell ("a\033[31m\nb", 8, "a?[31m?b");
  assert_cell ("\xe2\x80\xae"
               "abc",
               4, "?abc");                                        /* U+202E turns the direction of writing */
  assert_cell ("\xe2\x80\x8b\xe2\x80\xa8\xee\x80\x80", 3, "???"); /* no width, a line end, private */
  assert_cell ("a\xff\xc0\x80z", 4, "a??z");
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
  g_test_add_func ("/columns/plain", test_plain);
  g_test_add_func ("/columns/wide", test_wide);
  g_test_add_func ("/columns/unprintable", test_unprintable);
  return g_test_run ();
}
