/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/kt-health.h"
#include "base/kt-metrics.h"

/* Adds to METRICS what no other layer counts: the build, the health of the service, and this process, named as
 * Prometheus' client libraries do. All series get the labels `endpoint` and `mountpoint`: with them, the metrics of
 * several mounts can be collected in one place. HEALTH outlives METRICS' last use. */
void kt_figures_add (KtMetrics *metrics, KtHealth *health, const char *endpoint, const char *mountpoint);
