/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-config.h"

/* The command line. */
typedef struct {
  gboolean foreground; /* -f */
  gboolean debug;      /* -d, which implies -f */
  gboolean version;    /* -V */
  gboolean check;      /* --check: there is no mount point then */
  char *config_path;   /* -o config=FILE, absolute */
  char *endpoint;      /* NULL: as configured */
  char *mountpoint;
  GPtrArray *config_options; /* -o KEY=VALUE of the configuration, NULL-terminated */
  GPtrArray *fuse_options;   /* those for libfuse, NULL-terminated */
} KtOptions;

/* Fails with KT_ERROR_USAGE, which names an option that is not known, and the nearest that is. -h prints its text and
 * ends the process with 0. (transfer full) */
KtOptions *kt_options_parse (int argc, char **argv, GError **error);
void kt_options_free (KtOptions *options);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtOptions, kt_options_free)

/* The configuration that it asks for, read now: see kt_config_load(). (transfer full) */
KtConfig *kt_options_load_config (const KtOptions *options, GError **error);
