/* SPDX-License-Identifier: MIT */
/* The table of files: a row for each name of the tree. */
#include "kt-entry-ops.h"
#include "kt-render.h"

#define ANY  KT_FACT_ANY
#define TEXT "text/plain"
#define JSON "application/json"
#define CSV  "text/csv"
#define ZIP  "application/zip"

const KtEntry kt_files[] = {
/* clang-format off */
/* NOLINTBEGIN(bugprone-macro-parentheses): what stands behind an = or a ## takes none */
#define DIR(place_, name_, ops_, below_, facts_, what_) \
  { .place = KT_PLACE_##place_, .name = name_, .ops = &ops_, .below = KT_PLACE_##below_, .facts = facts_, .what = what_ }
#define NAMES(place_, names_, ops_, below_, facts_, what_) \
  { .place = KT_PLACE_##place_, .names = &names_, .ops = &ops_, .below = KT_PLACE_##below_, .facts = facts_, .what = what_ }
#define CONTENT(ops_, place_, name_, facts_, summary_, times_, mime_, render_, what_) \
  { .place = KT_PLACE_##place_, .name = name_, .ops = ops_, .facts = facts_, .summary = summary_, .shows_times = times_, \
    .mime = mime_, .render = render_, .what = what_ }
#define FILE(place_, name_, facts_, mime_, render_, what_) \
  CONTENT (&kt_entry_value, place_, name_, facts_, 0, FALSE, mime_, render_, what_)
#define LISTED(place_, name_, facts_, summary_, mime_, render_, what_) \
  CONTENT (&kt_entry_value, place_, name_, facts_, summary_, FALSE, mime_, render_, what_)
#define TIMED(place_, name_, facts_, summary_, mime_, render_, what_) \
  CONTENT (&kt_entry_value, place_, name_, facts_, summary_, TRUE, mime_, render_, what_)
#define LIVE(place_, name_, facts_, mime_, render_, what_) \
  CONTENT (&kt_entry_live, place_, name_, facts_, 0, FALSE, mime_, render_, what_)
#define OVERVIEW(place_, name_, facts_, mime_, render_, what_) \
  CONTENT (&kt_entry_overview, place_, name_, facts_, 0, FALSE, mime_, render_, what_)
#define OF_FILE(place_, name_, render_, what_) \
  CONTENT (&kt_entry_file_value, place_, name_, KT_FACT_FILES, 0, FALSE, TEXT, render_, what_)
#define PACKAGE(place_, name_, facts_, mime_, what_) \
  { .place = KT_PLACE_##place_, .name = name_, .ops = &kt_entry_package, .facts = facts_, .mime = mime_, .what = what_ }
#define GROWING(place_, name_, facts_, what_) \
  { .place = KT_PLACE_##place_, .name = name_, .ops = &kt_entry_growing, .facts = facts_, .mime = TEXT, .what = what_ }
#define CTL(place_, name_, facts_, what_) \
  { .place = KT_PLACE_##place_, .name = name_, .ops = &kt_entry_ctl, .facts = facts_, .what = what_ }
#define WAIT(place_, name_, facts_, mime_, what_) \
  { .place = KT_PLACE_##place_, .name = name_, .ops = &kt_entry_wait, .facts = facts_, .mime = mime_, .what = what_ }
/* NOLINTEND(bugprone-macro-parentheses) */
  /* clang-format on */

  DIR (NONE, "", kt_entry_directory, ROOT, ANY, "the mount"),

  DIR (ROOT, "tasks", kt_entry_tasks, TASKS, ANY, "every task this mount knows"),
  DIR (ROOT, "shares", kt_entry_shares, SHARES, ANY, "share tasks by the share they belong to"),
  DIR (ROOT, "by-status", kt_entry_statuses, BY_STATUS, ANY, "tasks by their status"),
  OVERVIEW (ROOT, "overview", ANY, TEXT, kt_render_overview, "all tasks at a glance, for people"),
  OVERVIEW (ROOT, "overview.csv", ANY, CSV, kt_render_overview_csv, "all tasks as a table, for scripts"),
  OVERVIEW (ROOT, "overview.json", ANY, JSON, kt_render_overview_json, "the same as an array of objects"),
  GROWING (ROOT, "events", ANY, "what has changed, of all tasks, a line each; it grows"),
  DIR (ROOT, ".kootaskfs", kt_entry_directory, CONTROL, ANY, "about this mount"),

  NAMES (TASKS, kt_names_tasks, kt_entry_task, TASK, ANY, "one task"),
  LISTED (TASK, "kind", ANY, ANY, TEXT, kt_render_kind, "family of the task: share, basic or job"),
  LISTED (TASK, "type", ANY, ANY, TEXT, kt_render_type, "what it does: download, import, copy, ..."),
  LISTED (TASK, "status", ANY, ANY, TEXT, kt_render_status, "pending, running, completed, canceled, failed"),
  LISTED (TASK, "result", ANY, KT_FACT_LISTED_RESULT, TEXT, kt_render_result,
          "succeeded, partly-failed, failed; empty until known"),
  FILE (TASK, "progress", ANY, TEXT, kt_render_progress, "0 to 100; empty when unknown"),
  TIMED (TASK, "created", ANY, ANY, TEXT, kt_render_created, "time of creation; empty when absent"),
  TIMED (TASK, "started", ANY, ANY, TEXT, kt_render_started, "time of start; empty when absent"),
  TIMED (TASK, "ended", ANY, ANY, TEXT, kt_render_ended, "time of end; empty when absent"),
  LISTED (TASK, "user", ANY, ANY, TEXT, kt_render_user, "user id of the task"),
  LISTED (TASK, "name", ANY, ANY, TEXT, kt_render_name, "what the service calls it; empty when it has no name"),
  FILE (TASK, "success-count", ANY, TEXT, kt_render_success_count, "what succeeded; empty when unknown"),
  FILE (TASK, "fail-count", ANY, TEXT, kt_render_fail_count, "what failed; empty when unknown"),
  TIMED (TASK, "summary", ANY, 0, TEXT, kt_render_summary, "all of it at a glance, for people"),
  TIMED (TASK, "task.json", ANY, 0, JSON, kt_render_task_json, "all of it, with the same names for all families"),
  FILE (TASK, "job.json", ANY, JSON, kt_render_job_json, "job object of the service, pretty-printed"),
  FILE (TASK, "response.json", ANY, JSON, kt_render_response_json, "last good answer, byte for byte"),
  DIR (TASK, "files", kt_entry_task, FILES, ANY, "the files the task works on; empty where its family has none"),
  FILE (TASK, "files.csv", ANY, CSV, kt_render_files_csv, "the files as a table"),
  FILE (TASK, "failures.csv", ANY, CSV, kt_render_failures_csv, "what failed"),
  GROWING (TASK, "events", ANY, "what has changed, a line each; it grows"),
  PACKAGE (TASK, "package.zip", KT_FACT_PACKAGE, ZIP, "what was packed, while there is a download link"),
  WAIT (TASK, "wait", ANY, TEXT, "blocks until the task has ended, then status; not listed"),
  CTL (TASK, "ctl", KT_FACT_CANCEL, "takes the word cancel, if allow-cancel is set"),

  NAMES (FILES, kt_names_files, kt_entry_task_file, FILE, KT_FACT_FILES, "one file of a task"),
  OF_FILE (FILE, "status", kt_render_file_status, "pending, succeeded, failed"),
  OF_FILE (FILE, "new-file-id", kt_render_file_new_id, "id of the copy; empty when there is none"),
  OF_FILE (FILE, "source-container-id", kt_render_file_container_id, "where the file came from"),

  NAMES (SHARES, kt_names_shares, kt_entry_shares, SHARE, KT_FACT_OF_SHARE, "one share"),
  NAMES (SHARE, kt_names_share_tasks, kt_entry_link, NONE, KT_FACT_OF_SHARE, "to the task in tasks/"),

  NAMES (BY_STATUS, kt_names_statuses, kt_entry_status, STATUS, ANY, "one status"),
  NAMES (STATUS, kt_names_status_tasks, kt_entry_link, NONE, ANY, "to the task in tasks/"),

  LIVE (CONTROL, "version", ANY, TEXT, kt_render_version, "version of kootaskfs"),
  LIVE (CONTROL, "config", ANY, TEXT, kt_render_config, "effective configuration, secrets left out"),
  LIVE (CONTROL, "health", ANY, TEXT, kt_render_health, "how asking the service goes"),
  LIVE (CONTROL, "metrics", ANY, TEXT, kt_render_metrics, "counters, as OpenMetrics text"),
  LIVE (CONTROL, "last-error", ANY, TEXT, kt_render_last_error, "last failure in one line; empty when none"),
  { .ops = NULL },
};

G_STATIC_ASSERT (G_N_ELEMENTS (kt_files) <= KT_ENTRIES_MAX);
