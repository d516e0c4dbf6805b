/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-answer.h"
#include "model/kt-task.h"

/* The task of the id ID that an item of FAMILY's list tells of. (transfer full), NULL and KT_ERROR_BAD_ANSWER. */
KtTask *kt_decode_list_item (KtFamily family, const char *id, const cJSON *item, GTimeZone *zone, GError **error);
