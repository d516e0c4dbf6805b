/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/kt-health.h"
#include "kt-config.h"
#include "service/kt-service.h"

/* The way to the service that a configuration describes: HTTP, the secrets from where they are, and the service. A
 * mount and `--check` both use it. */
typedef struct KtAccess KtAccess;

/* What speaks HTTP as CONFIG describes, through its proxy, or else through the environment's. NULL and KT_ERROR_CONFIG.
 * (transfer full) */
KtTransport *kt_access_transport (const KtConfig *config, GError **error);

/* ENVIRONMENT_TOKEN, of $KOOTASKFS_TOKEN, may be NULL and is copied. CLOCK, HEALTH and METRICS outlive it. Reading the
 * secrets runs the main context for as long as a token command takes, or until *STOP is TRUE. Fails with
 * KT_ERROR_CONFIG, or with KT_ERROR_STOPPED. (transfer full) */
KtAccess *kt_access_new (const KtConfig *config, const char *environment_token, KtClock *clock, KtHealth *health,
                         KtMetrics *metrics, const gboolean *stop, GError **error);

/* The first of two steps to the end: all requests end with KT_ERROR_STOPPED; their callbacks may use what is freed
 * next. */
void kt_access_stop (KtAccess *access);
void kt_access_free (KtAccess *access);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtAccess, kt_access_free)

/* CHANGED is called when a secret is another one because its file is, not when kt_access_commit() makes it so. */
void kt_access_set_observer (KtAccess *access, void (*changed) (gpointer data), gpointer data);

KtService *kt_access_service (KtAccess *access);

/* Reads the secrets of a new CONFIG, which must stay until READY is called; that may be before this returns. ERROR is
 * NULL when all are there: then, and only from READY, kt_access_commit() makes CONFIG the one that counts. Otherwise
 * all stays. */
typedef void (*KtAccessReady) (const GError *error, gpointer data);
void kt_access_prepare (KtAccess *access, const KtConfig *config, KtAccessReady ready, gpointer data);
void kt_access_commit (KtAccess *access);
