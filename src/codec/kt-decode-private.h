/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-body.h"
#include "model/kt-task.h"

/* Decodes ITEM of FAMILY's list, which is about the task ID. (transfer full), or NULL and KT_ERROR_BAD_ANSWER. */
KtTask *kt_decode_list_item (KtFamily family, const char *id, const cJSON *item, GTimeZone *zone, GError **error);
