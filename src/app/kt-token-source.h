/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-config.h"
#include "service/kt-service-options.h"

#define KT_TOKEN_VARIABLE    "KOOTASKFS_TOKEN"
#define KT_TOKEN_CREDENTIAL  "koodrive.token"
#define KT_SECRET_CREDENTIAL "koodrive.app-secret"

/* Where the token comes from, or with app-id the app's secret: the first of file, command, environment and systemd
 * credential that is there. */
typedef struct KtTokenSource KtTokenSource;

/* ENVIRONMENT_TOKEN, of $KOOTASKFS_TOKEN, may be NULL. All is copied. NULL and KT_ERROR_CONFIG when there is no source.
 * (transfer full) */
KtTokenSource *kt_token_source_new (KtClock *clock, const KtConfig *config, const char *environment_token,
                                    GError **error);

/* A read under way ends with KT_ERROR_STOPPED. NULL is fine. */
void kt_token_source_free (KtTokenSource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtTokenSource, kt_token_source_free)

/* Reads it, a KtTokenRead; all but a command end at once. Errors are KT_ERROR_CONFIG. */
void kt_token_source_read (gpointer source, KtTokenDone done, gpointer data);

/* From now on calls CHANGED, from the default main context, whenever the file it is read from has changed, if it is
 * read from one; a read that follows ends at once. To be called before the first read, so that no change goes
 * unseen. */
void kt_token_source_watch (KtTokenSource *source, void (*changed) (gpointer data), gpointer data);
