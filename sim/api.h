/* SPDX-License-Identifier: MIT */
#pragma once

#include "sim.h"

/* Serves a request to any endpoint that the checks have let pass, in the form that SHAPES want. Gives
 * NONE, or what is wrong with the request after all. */
SimRefusal sim_api_respond (Sim *sim, const SimRequest *req, SimShapes shapes, SimResponse *response);
