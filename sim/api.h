/* SPDX-License-Identifier: MIT */
#pragma once

#include "sim.h"

/* Answers a request that the checks have let pass, of any call of the service, in the form that SHAPES want. Gives
 * NONE, or what is wrong with the request after all. */
SimRefusal sim_api_respond (Sim *sim, const SimRequest *req, SimShapes shapes, SimResponse *response);
