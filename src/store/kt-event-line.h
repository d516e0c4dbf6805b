/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/kt-time.h"

/* A line of an event log (docs/semantics.md, "Events"): TIME TASKID WHAT OLD -> NEW. */

#define KT_EVENT_WORD_MAX 128 /* bytes of OLD and NEW */
#define KT_EVENT_LINE_MAX 512 /* of a line, its line break included */
#define KT_EVENT_NOTHING  "-" /* OLD or NEW where there is none */

/* TEXT as one word: "-" when it is empty. Blanks of all kinds, control characters, `%`, what is not UTF-8, and a TEXT
 * that is "-" become %XX. It is cut at KT_EVENT_WORD_MAX. (transfer full) */
char *kt_event_word (const char *text);

/* Writes the line to LINE, of KT_EVENT_LINE_MAX bytes; its length. AT_WALL is since the Unix epoch, ID that of the
 * task, the others are words. */
gsize kt_event_line (char *line, KtUsec at_wall, const char *id, const char *what, const char *old_word,
                     const char *new_word);
