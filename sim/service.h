/* SPDX-License-Identifier: MIT */
#pragma once

#include "sim.h"

/* Serves one complete request to the service, waiting as long as latency and faults want, and fills RESPONSE. PEER
 * is the connection it came on. FALSE when the simulator is ending and no response is to be sent. */
gboolean sim_service_handle (Sim *sim, SimRequest *req, SimPeer *peer, SimResponse *response);
