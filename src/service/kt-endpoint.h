/* SPDX-License-Identifier: MIT */
#pragma once

#include "codec/kt-decode.h"

/* An endpoint of the service. Its URL is the service's, then KT_SERVICE_PATH, then PATH, then what the request adds. */
typedef struct {
  const char *name; /* in logs and metrics */
  const char *method;
  const char *path;
  KtDecode decode;  /* its good responses */
  gboolean changes; /* what it is about: a request is sent once only */
} KtEndpoint;
