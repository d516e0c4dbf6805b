/* SPDX-License-Identifier: MIT */
#pragma once

#include "kt-event-line.h"

/* A text that only grows, line by line, of which the end is kept. An offset means the same byte for ever:
 *
 *   0                                              start                size
 *   |  blanks: what was lost  | TIME - lost N -> - |  the lines kept    |
 *
 * What was lost reads as blanks, with a line break at each KT_EVENT_LOG_BLANKS, so that no line is longer than a
 * reader likes. Right before the oldest line kept stands one that says how many were lost, and the time of the last of
 * them. So who reads from the start, or has fallen behind, gets blanks, that line, and then the lines kept.
 *
 * Who reads takes several READs, and lines are lost meanwhile. Lest it get half a line, lines are lost rarely, many at a
 * time; not while somebody reads the oldest, as long as there is room; and the lines that the last READs ended in stay
 * where they are for a while. But a process that reads less than the kernel READ ahead for it may stop in any line. If
 * that one is lost, the process has the first part of it, then blanks: a line break stands before the line that says
 * what was lost, so that the two never run together. */
typedef struct KtEventLog KtEventLog;

#define KT_EVENT_LOG_BLANKS   (1024 * 1024)    /* a line of blanks is not longer */
#define KT_EVENT_LOG_CHUNK    4096             /* bytes lost at a time, at least */
#define KT_EVENT_LOG_ROOM_MIN (16 * 1024)      /* least room */
#define KT_EVENT_LOG_PAUSE    (2 * KT_SECOND)  /* who has READ the oldest lines less than so long ago reads on */
#define KT_EVENT_LOG_LINGER   (60 * KT_SECOND) /* how long the line stays that a READ ended in */
#define KT_EVENT_LOG_READERS  16               /* of so many READs */

/* Keeps at most ROOM bytes of lines, at least KT_EVENT_LOG_ROOM_MIN. */
KtEventLog *kt_event_log_new (gsize room);
void kt_event_log_free (KtEventLog *log);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtEventLog, kt_event_log_free)

/* Lines that no longer fit are lost at the next append. */
void kt_event_log_set_room (KtEventLog *log, gsize room);

/* Appends LINE, LENGTH bytes with its line break, at most KT_EVENT_LINE_MAX, whose first word is its time. NOW is
 * monotonic, as below. */
void kt_event_log_append (KtEventLog *log, const char *line, gsize length, KtUsec now);

/* All lines are lost: their memory is. */
void kt_event_log_lose (KtEventLog *log, KtUsec now);

/* Bytes ever, and the offset of the oldest line kept. */
guint64 kt_event_log_size (const KtEventLog *log);
guint64 kt_event_log_start (const KtEventLog *log);

/* Bytes of memory that lines take. */
gsize kt_event_log_memory (const KtEventLog *log);

/* SIZE bytes from OFFSET on, less at the end, where it is empty: a READ of a reader that may come again.
 * (transfer full) */
GBytes *kt_event_log_read (KtEventLog *log, guint64 offset, gsize size, KtUsec now);
