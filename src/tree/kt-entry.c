/* SPDX-License-Identifier: MIT */
#include "kt-entry.h"

#include "kt-render.h"

#define ALL   KT_FAMILIES_ALL
#define SHARE KT_FAMILY_BIT (KT_FAMILY_SHARE)
#define JOB   KT_FAMILY_BIT (KT_FAMILY_JOB)
#define TEXT  "text/plain"
#define JSON  "application/json"
#define CSV   "text/csv"
#define ZIP   "application/zip"

static const KtEntry root = { .kind = KT_ENTRY_DIR, .below = KT_PLACE_ROOT, .families = ALL };

static const KtEntry entries[] = {
/* clang-format off */
#define DIR(place, name, below, families, what) \
  { KT_PLACE_##place, name, KT_ENTRY_DIR, KT_PLACE_##below, families, 0, NULL, NULL, what, FALSE }
#define LISTED(place, name, families, listed, mime, render, what) \
  { KT_PLACE_##place, name, KT_ENTRY_FILE, KT_PLACE_NONE, families, listed, mime, render, what, FALSE }
#define TIMED(place, name, families, listed, mime, render, what) \
  { KT_PLACE_##place, name, KT_ENTRY_FILE, KT_PLACE_NONE, families, listed, mime, render, what, TRUE }
#define FILE(place, name, families, mime, render, what) LISTED (place, name, families, 0, mime, render, what)
#define CTL(place, name, families, what) \
  { KT_PLACE_##place, name, KT_ENTRY_CTL, KT_PLACE_NONE, families, 0, NULL, NULL, what, FALSE }
#define PACKAGE(place, name, families, mime, what) \
  { KT_PLACE_##place, name, KT_ENTRY_PACKAGE, KT_PLACE_NONE, families, 0, mime, NULL, what, FALSE }
#define LINK(place, name, families, what) \
  { KT_PLACE_##place, name, KT_ENTRY_LINK, KT_PLACE_NONE, families, 0, NULL, NULL, what, FALSE }
  /* clang-format on */

  DIR (ROOT, "tasks", TASKS, ALL, "every task this mount knows"),
  DIR (ROOT, "shares", SHARES, ALL, "share tasks by the share they belong to"),
  DIR (ROOT, ".kootaskfs", CONTROL, ALL, "about this mount"),

  DIR (TASKS, NULL, TASK, ALL, "one task"),
  LISTED (TASK, "kind", ALL, ALL, TEXT, kt_render_kind, "family of the task: share, basic or job"),
  LISTED (TASK, "type", ALL, ALL, TEXT, kt_render_type, "what it does: download, import, copy, ..."),
  LISTED (TASK, "status", ALL, ALL, TEXT, kt_render_status, "pending, running, completed, canceled, failed"),
  LISTED (TASK, "result", ALL, SHARE | JOB, TEXT, kt_render_result,
          "succeeded, partly-failed, failed; empty until known"),
  FILE (TASK, "progress", ALL, TEXT, kt_render_progress, "0 to 100; empty when unknown"),
  TIMED (TASK, "created", ALL, ALL, TEXT, kt_render_created, "time of creation; empty when absent"),
  TIMED (TASK, "started", ALL, ALL, TEXT, kt_render_started, "time of start; empty when absent"),
  TIMED (TASK, "ended", ALL, ALL, TEXT, kt_render_ended, "time of end; empty when absent"),
  LISTED (TASK, "user", ALL, ALL, TEXT, kt_render_user, "user id of the task"),
  LISTED (TASK, "name", ALL, ALL, TEXT, kt_render_name, "what the service calls it; empty when it has no name"),
  FILE (TASK, "success-count", ALL, TEXT, kt_render_success_count, "what succeeded; empty when unknown"),
  FILE (TASK, "fail-count", ALL, TEXT, kt_render_fail_count, "what failed; empty when unknown"),
  TIMED (TASK, "summary", ALL, 0, TEXT, kt_render_summary, "all of it at a glance, for people"),
  TIMED (TASK, "task.json", ALL, 0, JSON, kt_render_task_json, "all of it, with the same names for all families"),
  FILE (TASK, "job.json", ALL, JSON, kt_render_job_json, "job object of the service, pretty-printed"),
  FILE (TASK, "response.json", ALL, JSON, kt_render_response_json, "last good answer, byte for byte"),
  DIR (TASK, "files", FILES, ALL, "the files the task works on; empty where its family has none"),
  FILE (TASK, "files.csv", ALL, CSV, kt_render_files_csv, "the files as a table"),
  FILE (TASK, "failures.csv", ALL, CSV, kt_render_failures_csv, "what failed"),
  PACKAGE (TASK, "package.zip", SHARE | JOB, ZIP, "what was packed, while there is a download link"),
  CTL (TASK, "ctl", JOB, "takes the word cancel, if allow-cancel is set"),

  DIR (FILES, NULL, FILE, SHARE | JOB, "one file of a task"),
  FILE (FILE, "status", SHARE | JOB, TEXT, kt_render_file_status, "pending, succeeded, failed"),
  FILE (FILE, "new-file-id", SHARE | JOB, TEXT, kt_render_file_new_id, "id of the copy; empty when there is none"),
  FILE (FILE, "source-container-id", SHARE | JOB, TEXT, kt_render_file_container_id, "where the file came from"),

  DIR (SHARES, NULL, SHARE, SHARE, "one share"),
  LINK (SHARE, NULL, SHARE, "to the task in tasks/"),

  FILE (CONTROL, "version", ALL, TEXT, kt_render_version, "version of kootaskfs"),
  FILE (CONTROL, "config", ALL, TEXT, kt_render_config, "effective configuration, secrets left out"),
  FILE (CONTROL, "health", ALL, TEXT, kt_render_health, "how asking the service goes"),
  FILE (CONTROL, "metrics", ALL, TEXT, kt_render_metrics, "counters, as OpenMetrics text"),
  FILE (CONTROL, "last-error", ALL, TEXT, kt_render_last_error, "last failure in one line; empty when none"),
  { .place = KT_PLACE_NONE },
};

G_STATIC_ASSERT (G_N_ELEMENTS (entries) <= KT_ENTRIES_MAX);

guint
kt_entry_index (const KtEntry *entry)
{
  return (guint) (entry - entries);
}

const KtEntry *
kt_entry_root (void)
{
  return &root;
}

const KtEntry *
kt_entries (void)
{
  return entries;
}

const KtEntry *
kt_entry_find (KtPlace place, const char *name, guint families)
{
  for (const KtEntry *entry = entries; entry->place != KT_PLACE_NONE; entry++)
    if (entry->place == place && entry->name != NULL && (entry->families & families) != 0
        && g_str_equal (entry->name, name))
      return entry;
  return NULL;
}

const KtEntry *
kt_entry_of_ids (KtPlace place, guint families)
{
  for (const KtEntry *entry = entries; entry->place != KT_PLACE_NONE; entry++)
    if (entry->place == place && entry->name == NULL && (entry->families & families) != 0)
      return entry;
  return NULL;
}
