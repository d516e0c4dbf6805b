/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-task.h"

/* Appends one field of a row, and END, a comma or a line end. */
void kt_csv_append (GString *out, const char *value, char end);

/* The rows of a task as CSV: RFC 4180 with LF line ends and a header line, UTF-8. (transfer full) */
GBytes *kt_csv_files (const KtTask *task);

/* What failed: the failed rows of the files, or of a family without KT_FACT_FILES the rows of an import's
 * failInfoList. */
GBytes *kt_csv_failures (const KtTask *task);
