/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/kt-error.h"

/* What all unit tests share. Warnings of the code under test are counted instead of printed; criticals abort. */
void kt_test_init (int *argc, char ***argv);

/* Warnings logged since the last call. */
guint kt_test_warnings (void);

/* A file of tests/data. (transfer full) */
GBytes *kt_test_data (const char *name);

/* TEXT, without its final NUL, as bytes. (transfer full) */
GBytes *kt_test_bytes (const char *text);

/* GOT is (transfer full). */
#define kt_assert_text(got, expected)                                                                                  \
  do {                                                                                                                 \
    g_autofree char *kt_got_ = (got);                                                                                  \
    g_assert_cmpstr (kt_got_, ==, (expected));                                                                         \
  } while (0)

/* BYTES is (transfer full). */
#define kt_assert_bytes(bytes, expected)                                                                               \
  do {                                                                                                                 \
    g_autoptr (GBytes) kt_bytes_ = (bytes);                                                                            \
    gsize kt_size_;                                                                                                    \
    const char *kt_data_ = g_bytes_get_data (kt_bytes_, &kt_size_);                                                    \
    g_autofree char *kt_text_ = g_strndup (kt_data_ != NULL ? kt_data_ : "", kt_size_);                                \
    g_assert_cmpstr (kt_text_, ==, (expected));                                                                        \
  } while (0)

/* The error at *ERROR has CODE and its message holds PART; it is cleared. */
#define kt_assert_failed(error, kt_code, part)                                                                         \
  do {                                                                                                                 \
    g_assert_error (*(error), KT_ERROR, (int) (kt_code));                                                              \
    if (strstr ((*(error))->message, (part)) == NULL)                                                                  \
      g_error ("%s:%d: '%s' is not in '%s'", __FILE__, __LINE__, (part), (*(error))->message);                         \
    g_clear_error (error);                                                                                             \
  } while (0)
