/* SPDX-License-Identifier: MIT */
#pragma once

#include "sim.h"

/* Where the interface for tests begins. */
#define SIM_ADMIN_PREFIX "/_sim/"

/* Serves a request below SIM_ADMIN_PREFIX and fills RESPONSE. It never waits, counts or logs. */
void sim_admin_handle (Sim *sim, const SimRequest *req, SimResponse *response);
