/* SPDX-License-Identifier: MIT */
#pragma once

#include "shapes.h"

#define SIM_DEFAULT_TOKEN "koodrive-sim-token"

typedef struct {
  int port, latency, auth_status, clock_offset;
  int n_tasks, n_imports, n_transfers, n_jobs;
  double duration, token_idle, link_ttl; /* seconds */
  gint64 package_size;                   /* bytes */
  char *bind;
  char *package_host, *token_file, *session_id_file, *app_id, *app_secret_file, *watch_list; /* NULL = not given */
  SimShapes shapes;
  gboolean version;
} SimOptions;

/* Fills a zeroed OPTIONS from the command line, absent options with their defaults. FALSE with ERROR, of one line, at a
 * mistake. */
gboolean sim_options_parse (SimOptions *options, int argc, char **argv, GError **error);
void sim_options_clear (SimOptions *options);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SimOptions, sim_options_clear)
