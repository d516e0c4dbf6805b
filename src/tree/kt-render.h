/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-entry.h"

/* The content of each file of the table of files (kt-files.c): pure functions of the subject, (transfer full). A
 * value file is one line, or empty when there is nothing to say; CSV is RFC 4180 with LF line ends and a header
 * line. */
GBytes *kt_render_kind (const KtSubject *subject);
GBytes *kt_render_type (const KtSubject *subject);
GBytes *kt_render_status (const KtSubject *subject);
GBytes *kt_render_result (const KtSubject *subject);
GBytes *kt_render_progress (const KtSubject *subject);
GBytes *kt_render_created (const KtSubject *subject);
GBytes *kt_render_started (const KtSubject *subject);
GBytes *kt_render_ended (const KtSubject *subject);
GBytes *kt_render_user (const KtSubject *subject);
GBytes *kt_render_name (const KtSubject *subject);
GBytes *kt_render_success_count (const KtSubject *subject);
GBytes *kt_render_fail_count (const KtSubject *subject);
GBytes *kt_render_summary (const KtSubject *subject);
GBytes *kt_render_task_json (const KtSubject *subject);
GBytes *kt_render_job_json (const KtSubject *subject);
GBytes *kt_render_response_json (const KtSubject *subject);
GBytes *kt_render_files_csv (const KtSubject *subject);
GBytes *kt_render_failures_csv (const KtSubject *subject);
GBytes *kt_render_file_status (const KtSubject *subject);
GBytes *kt_render_file_new_id (const KtSubject *subject);
GBytes *kt_render_file_container_id (const KtSubject *subject);
GBytes *kt_render_overview (const KtSubject *subject);
GBytes *kt_render_overview_csv (const KtSubject *subject);
GBytes *kt_render_overview_json (const KtSubject *subject);
GBytes *kt_render_version (const KtSubject *subject);
GBytes *kt_render_config (const KtSubject *subject);
GBytes *kt_render_health (const KtSubject *subject);
GBytes *kt_render_metrics (const KtSubject *subject);
GBytes *kt_render_last_error (const KtSubject *subject);
