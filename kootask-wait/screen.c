/* SPDX-License-Identifier: MIT */
/* Draws the progress bars, and takes them away again. */
#include "screen.h"

#include "bar.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WIDTH  80 /* of a terminal that does not say */
#define HEIGHT 24

struct Screen {
  int file;
  guint lines; /* that are shown */
};

Screen *
screen_new (int file)
{
  const char *term = g_getenv ("TERM");
  Screen *screen;

  if (!isatty (file) || (term != NULL && g_str_equal (term, "dumb")))
    return NULL;
  screen = g_new0 (Screen, 1);
  screen->file = file;
  return screen;
}

void
screen_free (Screen *screen)
{
  screen_clear (screen);
  g_free (screen);
}

/* A terminal that is gone is nobody's loss: the loop ends by its own. */
static void
put (const Screen *screen, const GString *text)
{
  const char *rest = text->str;

  while (*rest != '\0') {
    const gssize written = write (screen->file, rest, strlen (rest));
    if (written <= 0)
      return;
    rest += written;
  }
}

static void
append_clear (GString *out, const Screen *screen)
{
  if (screen->lines > 0)
    g_string_append_printf (out, "\033[%uA\r\033[J", screen->lines);
}

void
screen_clear (Screen *screen)
{
  g_autoptr (GString) out = g_string_new (NULL);

  if (screen == NULL)
    return;
  append_clear (out, screen);
  screen->lines = 0;
  put (screen, out);
}

void
screen_show (Screen *screen, const GPtrArray *tasks)
{
  g_autoptr (GString) out = g_string_new (NULL);
  g_autoptr (GPtrArray) lines = NULL;
  struct winsize size = { .ws_row = HEIGHT, .ws_col = WIDTH };

  if (screen == NULL)
    return;
  if (ioctl (screen->file, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
    size = (struct winsize){ .ws_row = HEIGHT, .ws_col = WIDTH };
  /* a line that fills the last column would wrap; one row is the cursor's */
  lines = bar_lines (tasks, (guint) size.ws_col - 1, (guint) size.ws_row - 1);
  append_clear (out, screen);
  for (guint i = 0; i < lines->len; i++)
    g_string_append_printf (out, "%s\n", (const char *) lines->pdata[i]);
  screen->lines = lines->len;
  put (screen, out);
}
