/* SPDX-License-Identifier: MIT */
#pragma once

#include "json.h"
#include "request.h"

void sim_write_times_iso (cJSON *document, SimEndpoint endpoint);
void sim_write_times_14 (cJSON *document, SimEndpoint endpoint);
void sim_write_times_seconds (cJSON *document, SimEndpoint endpoint);
void sim_write_times_milliseconds (cJSON *document, SimEndpoint endpoint);
void sim_write_numbers_string (cJSON *document, SimEndpoint endpoint);
void sim_write_numbers_decimal (cJSON *document, SimEndpoint endpoint);
void sim_write_strings_cut (cJSON *document, SimEndpoint endpoint);
void sim_write_strings_nul (cJSON *document, SimEndpoint endpoint);
