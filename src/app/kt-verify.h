/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-config.h"
#include "service/kt-service.h"

#define KT_VERIFY_SECONDS 2

/* WARNING says what is wrong and what to do about it; NULL: all is well, or SERVICE was stopped. */
typedef void (*KtVerified) (const char *warning, gpointer data);

/* Sends SERVICE the cheapest of the requests of `--check`: for one task of the first list that CONFIG chooses, else
 * for the task WATCHED. FALSE when there is neither (WATCHED is NULL). DONE is called once, not before this returns,
 * after KT_VERIFY_SECONDS at the latest. */
gboolean kt_verify_start (KtService *service, const KtConfig *config, KtKey *watched, KtVerified done, gpointer data);
