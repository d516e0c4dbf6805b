/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* An invariant; aborts, which libFuzzer reports together with the input. */
#define kt_check(condition)                                                                                            \
  do {                                                                                                                 \
    if (!(condition))                                                                                                  \
      g_error ("%s:%d: %s does not hold", __FILE__, __LINE__, #condition);                                             \
  } while (0)
