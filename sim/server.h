/* SPDX-License-Identifier: MIT */
#pragma once

#include "sim.h"

typedef struct SimServer SimServer;

/* Listens on BIND (an address or a host name) and PORT (0 = any free one) and starts to serve SIM, one thread a
 * connection. Signals that the threads should not take must be blocked before. NULL with ERROR set when it cannot.
 * (transfer full) */
SimServer *sim_server_start (Sim *sim, const char *bind, guint port, GError **error);

/* "http://127.0.0.1:8642", an IPv6 address in brackets. (transfer none) */
const char *sim_server_url (const SimServer *server);

/* Ends all connections, also those whose response is being kept back, and frees everything. Accepts NULL. */
void sim_server_stop (SimServer *server);
