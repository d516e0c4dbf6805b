/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-time.h"

/* What is known of the health of the service and of the configuration: the source of `.kootaskfs/health` and
 * `.kootaskfs/last-error`. Every failure is reported here once, which also logs it once. */
typedef struct KtHealth KtHealth;

KtHealth *kt_health_new (void);
void kt_health_free (KtHealth *health);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtHealth, kt_health_free)

/* A request of the service begins, or has ended; its outcome is reported by the functions below. */
void kt_health_begin (KtHealth *health);
void kt_health_end (KtHealth *health);

/* The service gave a usable response at NOW_WALL. */
void kt_health_success (KtHealth *health, KtUsec now_wall);

/* Something failed: WHAT ("share/taskDetail 1521827471237047552", "watch list"), the trace id of the
 * request or NULL, and why. Logged as a warning; an unknown task is no failure of the service and is logged as
 * information only, and a configuration error says nothing of the service. */
void kt_health_failure (KtHealth *health, KtUsec now_wall, const char *what, const char *trace_id, const GError *error);

/* The same for what says nothing of the service: the host of a package, or what was written into a file. */
void kt_health_failure_elsewhere (KtHealth *health, KtUsec now_wall, const char *what, const GError *error);

/* This machine's clock is SECONDS ahead of the service's (negative: behind), as far as is known. */
void kt_health_clock_skew (KtHealth *health, KtSec skew);

/* A few lines `key: value`, as they are at NOW_WALL. (transfer full) */
char *kt_health_format (const KtHealth *health, KtUsec now_wall);

/* The outcome of the last request that says something of the service: 1 good, 0 failed, -1 when there was none. */
int kt_health_state (const KtHealth *health);

/* Its last success, 0: never. */
KtUsec kt_health_last_success (const KtHealth *health);

/* Whether the skew is known, and then *SKEW as kt_health_clock_skew() was told. */
gboolean kt_health_skew (const KtHealth *health, KtSec *skew);

/* The last failure in one line, "" when there was none. */
const char *kt_health_last_error (const KtHealth *health);
