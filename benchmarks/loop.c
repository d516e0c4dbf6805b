/* SPDX-License-Identifier: MIT */
/* Times one operation on many files: loop read|stat ROUNDS < LIST prints the microseconds of one operation, the best of
 * three runs over the whole list. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static double
now (void)
{
  struct timespec t;
  clock_gettime (CLOCK_MONOTONIC, &t);
  return (double) t.tv_sec * 1e6 + (double) t.tv_nsec / 1e3;
}

static void
read_file (const char *path)
{
  char buffer[4096];
  int fd = open (path, O_RDONLY);

  if (fd < 0 || read (fd, buffer, sizeof (buffer)) < 0) {
    perror (path);
    exit (1);
  }
  close (fd);
}

static void
stat_file (const char *path)
{
  struct stat st;

  if (stat (path, &st) != 0) {
    perror (path);
    exit (1);
  }
}

int
main (int argc, char **argv)
{
  void (*operation) (const char *) = argc == 3 && strcmp (argv[1], "stat") == 0 ? stat_file : read_file;
  int rounds = argc == 3 ? atoi (argv[2]) : 0;
  char **paths = NULL;
  size_t n = 0, size = 0;
  double best = 1e18;
  char *line = NULL;
  ssize_t length;

  if (rounds < 1) {
    fprintf (stderr, "usage: loop read|stat ROUNDS < LIST\n");
    return 2;
  }
  while ((length = getline (&line, &size, stdin)) > 0) {
    line[strcspn (line, "\n")] = '\0';
    paths = realloc (paths, (n + 1) * sizeof (*paths));
    paths[n++] = strdup (line);
  }
  for (size_t i = 0; i < n; i++)
    operation (paths[i]); /* warm */
  for (int run = 0; run < 3; run++) {
    double start = now ();
    for (int round = 0; round < rounds; round++)
      for (size_t i = 0; i < n; i++)
        operation (paths[i]);
    double each = (now () - start) / ((double) rounds * (double) n);
    best = each < best ? each : best;
  }
  printf ("%.3f\n", best);
  return 0;
}
