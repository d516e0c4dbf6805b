/* SPDX-License-Identifier: MIT */
#pragma once

#include "response.h"
#include "checks.h"
#include "shapes.h"
#include "tasks.h"

/* Links to packages, and what is behind them: something like an object store, which knows nothing of the service's
 * headers. Thread-safe. */
typedef struct SimPackages SimPackages;

/* SIZE: of the files in a package, bytes; LINK_TTL: of a link, microseconds, 0 = for ever; HOST: HOST or HOST:PORT
 * of the links, NULL = the server's own. (transfer full) */
SimPackages *sim_packages_new (guint64 size, gint64 link_ttl, const char *host);
void sim_packages_free (SimPackages *packages);

/* Sets the URL of the server, "http://127.0.0.1:8642"; to be called once, before the first request. */
void sim_packages_set_url (SimPackages *packages, const char *url);

/* A link to the package of TASK that is good from NOW for a link's ttl, or one that has EXPIRED. (transfer
 * full) */
char *sim_packages_make_link (const SimPackages *packages, const SimTask *task, gint64 now, gboolean expired);

/* Checks the link that a request of SIM_ENDPOINT_PACKAGE is for. NONE and an untouched RESPONSE when it is good. */
SimRefusal sim_packages_check (const SimPackages *packages, const SimTasks *tasks, const SimRequest *req,
                               SimResponse *response);

/* Serves a request whose link is good. */
void sim_packages_respond (SimPackages *packages, const SimTasks *tasks, const SimRequest *req, SimShapes shapes,
                           SimResponse *response);
