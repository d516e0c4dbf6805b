/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-catalog.h"
#include "kt-watch.h"

/* The event logs: what has been seen to change, a line each (docs/semantics.md, "Events"), of each task and of all.
 *
 * A listener of the change feed. It keeps what it last knew of each task, whatever the cache evicts. Responses come as
 * details and as summaries, and not in the order in which they were asked for: a value that a summary does not have has
 * not changed, and an older response does not bring back the past. A task of which only the first response is known has
 * no log of its own: its one line is made when it is read. */
typedef struct KtEvents KtEvents;

/* The log of one task, or that of all. */
typedef struct KtEventFile KtEventFile;

#define KT_EVENTS_TASK_SHARE 16   /* a task's log has so small a part of MEMORY, but KT_EVENT_LOG_ROOM_MIN at least */
#define KT_EVENTS_ALL_TASKS  16   /* the logs of all tasks together have so many times MEMORY */
#define KT_EVENTS_WORDS_MAX  4096 /* different words of status and result; all others are "unknown" */

/* MEMORY is for the log of all tasks, in bytes. All that is passed in outlives the events. */
KtEvents *kt_events_new (KtClock *clock, KtChanges *changes, KtCatalog *catalog, KtWatch *watch, guint64 memory);

/* No file is held any more. */
void kt_events_free (KtEvents *events);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtEvents, kt_events_free)

/* From now on. */
void kt_events_set_memory (KtEvents *events, guint64 memory);

/* Calls APPENDED when the log of the task of KEY has new lines, and once more, with NULL, when that of all has. */
typedef void (*KtEventsAppended) (KtKey *key, gpointer data);
void kt_events_set_appended (KtEvents *events, KtEventsAppended appended, gpointer data);

/* The log of the task of KEY, which is in the catalog; NULL: that of all. It stays readable as long as it is held, also
 * when the task is gone. (transfer full) */
KtEventFile *kt_event_file_hold (KtEvents *events, KtKey *key);
void kt_event_file_drop (KtEvents *events, KtEventFile *file);

/* Where a file of the log begins that is made now: at 0; once the log has lost KT_EVENTS_LOST_MAX since where the last one
 * began, at the oldest line that is still there. */
#define KT_EVENTS_LOST_MAX (16 * 1024 * 1024)
guint64 kt_event_file_base (KtEventFile *file);

/* Bytes ever, the offset of the oldest line that is still there, and when the last one was written (wall clock, 0:
 * none was). */
guint64 kt_event_file_size (const KtEventFile *file);
guint64 kt_event_file_start (const KtEventFile *file);
KtUsec kt_event_file_mtime (const KtEventFile *file);

/* At most SIZE bytes from OFFSET on, see kt_event_log_read(). (transfer full) */
GBytes *kt_event_file_read (KtEvents *events, KtEventFile *file, guint64 offset, gsize size);

/* Somebody looks at FILE: see kt_watch_look(). */
void kt_event_file_look (KtEvents *events, KtEventFile *file);

/* Bytes that the logs of tasks take, for statistics. */
guint64 kt_events_memory (const KtEvents *events);
