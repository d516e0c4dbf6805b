/* SPDX-License-Identifier: MIT */
/* docs/semantics.md: "Whole numbers are read by their value, digit by digit, from numbers and from strings". */
#include "kt-test.h"

#include "base/kt-number.h"

#include <string.h>

static char *
whole (const char *text)
{
  return kt_number_whole (text, strlen (text));
}

static void
test_whole (void)
{
  static const char *const table[][2] = {
    { "0", "0" },
    { "2", "2" },
    { "2.0", "2" },
    { "2.000", "2" },
    { "1e2", "100" },
    { "1E+2", "100" },
    { "1.0E2", "100" },
    { "100.00", "100" },
    { "1000e-1", "100" },
    { "12.50e1", "125" },
    { "-0", "0" },
    { "-0.0", "0" },
    { "0e5", "0" },
    { "0.000e99999999999999999999999999", "0" },
    { "0e-99999999999999999999999999", "0" },
    { "-7.0", "-7" },
    { " 2 ", "2" },
    { "\t2.0\r\n", "2" },
    { "007", "7" },
    { "1521827471237047552", "1521827471237047552" },
    { "1.521827471237047552E18", "1521827471237047552" },
    { "15218274712370475520e-1", "1521827471237047552" },
    { "9007199254740993.0", "9007199254740993" }, /* no double is this */
    { "1000000000000000000000e-21", "1" },
    { "1e0000000000000000000000000000000000000000002", "100" },
    { "0.00000000000000000000000000000000000000002e41", "2" },
    { "9223372036854775808", "9223372036854775808" },
    /* not whole */
    { "99.7", NULL },
    { "0.5", NULL },
    { "1e-1", NULL },
    { "1e-400", NULL },
    { "1000000000000000000000e-22", NULL },
    { "1.5218274712370475521E18", NULL },
    { "2.00000000000000000000000000000000000000000001", NULL },
    /* too long to be written out */
    { "1e400", NULL },
    { "1e64", NULL },
    { "1e99999999999999999999999999", NULL },
    /* no numbers */
    { "", NULL },
    { " ", NULL },
    { "-", NULL },
    { "+2", NULL },
    { "2.", NULL },
    { ".5", NULL },
    { "1e", NULL },
    { "1e+", NULL },
    { "1e2.0", NULL },
    { "0x2", NULL },
    { "1 2", NULL },
    { "--2", NULL },
    { "2\xc2\xa0", NULL },
    { "NaN", NULL },
    { "Infinity", NULL },
    { "APIGW.0301", NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    kt_assert_text (whole (table[i][0]), table[i][1]);
}

static void
test_digits (void)
{
  static const struct {
    const char *text;
    const char *digits;
    gboolean has_fraction;
  } table[] = {
    { "99.7", "99", TRUE },
    { "-99.7", "-99", TRUE },
    { "0.7", "0", TRUE },
    { "-0.7", "0", TRUE },
    { "1e-400", "0", TRUE },
    { "1727687972.123456789", "1727687972", TRUE },
    { "1.7276879725E9", "1727687972", TRUE },
    { "2.0", "2", FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    gboolean has_fraction = !table[i].has_fraction;
    kt_assert_text (kt_number_digits (table[i].text, strlen (table[i].text), &has_fraction), table[i].digits);
    g_assert_cmpint (has_fraction, ==, table[i].has_fraction);
  }
}

/* A million digits are read in one go, whatever they are. */
static void
test_length (void)
{
  g_autofree char *nines = g_strnfill (1000000, '9');
  g_autofree char *zeros = g_strnfill (1000000, '0');
  g_autofree char *back = g_strdup_printf ("5%se-1000000", zeros);
  g_autofree char *short_of = g_strdup_printf ("5%se-1000001", zeros);
  g_autofree char *small = g_strdup_printf ("0.%s7e1000001", zeros);
  g_autofree char *exponent = g_strdup_printf ("7e%s", zeros);
  g_autofree char *huge = g_strdup_printf ("7e-%s", nines);
  g_autofree char *longest = g_strnfill (KT_NUMBER_DIGITS, '9');
  g_autofree char *longer = g_strnfill (KT_NUMBER_DIGITS + 1, '9');

  g_assert_null (whole (nines));
  kt_assert_text (whole (zeros), "0");
  kt_assert_text (whole (back), "5");
  g_assert_null (whole (short_of));
  kt_assert_text (whole (small), "7");
  kt_assert_text (whole (exponent), "7");
  g_assert_null (whole (huge));
  kt_assert_text (whole (longest), longest);
  g_assert_null (whole (longer));
}

/* No look behind the end. */
static void
test_bounds (void)
{
  static const char text[] = "-12.50e+1";

  for (gsize i = 0; i <= strlen (text); i++) {
    g_autofree char *exact = g_memdup2 (text, i);
    g_autofree char *digits = kt_number_digits (exact != NULL ? exact : "", i, NULL);
    g_assert_true (digits == NULL || g_str_has_prefix (digits, "-1"));
  }
  kt_assert_text (kt_number_whole ("123", 2), "12");
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
  g_test_add_func ("/base/number/whole", test_whole);
  g_test_add_func ("/base/number/digits", test_digits);
  g_test_add_func ("/base/number/length", test_length);
  g_test_add_func ("/base/number/bounds", test_bounds);
  return g_test_run ();
}
