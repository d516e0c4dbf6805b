/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

/* The progress bars on the terminal, at the bottom of what has been written to it. */
typedef struct Screen Screen;

/* On FILE; NULL when that is no terminal. */
Screen *screen_new (int file);

/* Takes the bars away first. SCREEN may be NULL, as below. */
void screen_free (Screen *screen);

/* Shows TASKS (Task) as they are now. */
void screen_show (Screen *screen, const GPtrArray *tasks);

/* Takes the bars away, so that something else can be written. */
void screen_clear (Screen *screen);
