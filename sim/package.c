/* SPDX-License-Identifier: MIT */
/* A package: a zip whose every byte is a function of its offset. */
#include "package.h"

#include <string.h>
#include <zlib.h>

/* A file is made of blocks that differ in their first bytes, which name file and place; the rest is the same
 * everywhere, so that the checksum of a large file is quick to work out. */
#define BLOCK 4096
#define MARK  8

/* A stretch of the package: either bytes, or a file's content. */
typedef struct {
  guint64 offset, size;
  GBytes *bytes; /* NULL = content */
  guint64 seed;
} Piece;

struct SimPackage {
  gatomicrefcount refs;
  GArray *pieces; /* Piece, in order and without gaps */
  guint64 size;
};

/* A block as it is everywhere, but for its mark. (transfer none) */
static const char *
get_filler (void)
{
  static char filler[BLOCK];
  static gsize made = 0;

  if (g_once_init_enter (&made)) {
    for (gsize i = 0; i < BLOCK; i++)
      filler[i] = (char) (sim_task_mix (BLOCK, i / 8) >> i % 8 * 8);
    g_once_init_leave (&made, 1);
  }
  return filler;
}

static void
put (GByteArray *out, guint64 value, guint n_bytes)
{
  for (guint i = 0; i < n_bytes; i++) {
    guint8 byte = (guint8) (value >> 8 * i);
    g_byte_array_append (out, &byte, 1);
  }
}

/* The N bytes from OFFSET on of the content with that seed. */
static void
read_content (guint64 seed, guint64 offset, char *buffer, gsize n)
{
  while (n > 0) {
    gsize within = offset % BLOCK;
    gsize length = MIN (n, BLOCK - within);
    guint64 mark = sim_task_mix (seed, offset / BLOCK);
    memcpy (buffer, get_filler () + within, length);
    for (gsize i = within; i < MIN (within + length, MARK); i++)
      buffer[i - within] = (char) (mark >> i * 8);
    buffer += length;
    offset += length;
    n -= length;
  }
}

static guint32
get_checksum (guint64 seed, guint64 size)
{
  uLong rest = crc32 (0, (const Bytef *) get_filler () + MARK, BLOCK - MARK);
  uLong append_rest = crc32_combine_gen (BLOCK - MARK);
  uLong sum = 0;
  char block[BLOCK];
  guint64 at = 0;

  for (; at + BLOCK <= size; at += BLOCK) {
    read_content (seed, at, block, MARK);
    sum = crc32_combine_op (crc32 (sum, (const Bytef *) block, MARK), rest, append_rest);
  }
  read_content (seed, at, block, (gsize) (size - at));
  return (guint32) crc32 (sum, (const Bytef *) block, (uInt) (size - at));
}

static void
clear_piece (void *data)
{
  g_clear_pointer (&((Piece *) data)->bytes, g_bytes_unref);
}

/* Adds a piece at the end: SIZE bytes of content, or BYTES, which it takes. */
static void
add_piece (SimPackage *package, guint64 size, guint64 seed, GByteArray *bytes)
{
  Piece piece = { package->size, size, NULL, seed };

  if (bytes != NULL) {
    piece.size = bytes->len;
    piece.bytes = g_byte_array_free_to_bytes (bytes);
  }
  g_array_append_val (package->pieces, piece);
  package->size += piece.size;
}

/* What both headers of a file have in common. */
static void
put_file (GByteArray *out, const char *name, guint64 size, guint32 checksum, gint64 time)
{
  g_autoptr (GDateTime) date = g_date_time_new_from_unix_utc (time / G_USEC_PER_SEC);
  int year, month, day;
  g_date_time_get_ymd (date, &year, &month, &day);

  put (out, 20, 2);     /* version 2.0 can extract it */
  put (out, 0x0800, 2); /* names are UTF-8 */
  put (out, 0, 2);      /* stored */
  put (out, (guint) (g_date_time_get_hour (date) << 11 | g_date_time_get_minute (date) << 5), 2);
  put (out, (guint) ((year - 1980) << 9 | month << 5 | day), 2);
  put (out, checksum, 4);
  put (out, size, 4); /* compressed */
  put (out, size, 4); /* as it is */
  put (out, strlen (name), 2);
  put (out, 0, 2); /* no extra field */
}

SimPackage *
sim_package_new (const SimTask *task, guint64 size)
{
  SimPackage *package = g_new0 (SimPackage, 1);
  GByteArray *directory = g_byte_array_new ();
  guint n_files = 0, number = 0;

  g_atomic_ref_count_init (&package->refs);
  package->pieces = g_array_new (FALSE, FALSE, sizeof (Piece));
  g_array_set_clear_func (package->pieces, clear_piece);
  for (guint i = 0; i < task->n_files; i++)
    n_files += !sim_task_file_fails (task, i);

  for (guint i = 0; i < task->n_files; i++) {
    if (sim_task_file_fails (task, i))
      continue;
    g_autofree char *name = g_strdup_printf ("%s/文件 %u.bin", task->task_id, i + 1);
    guint64 file_size = size / MAX (n_files, 1) + (number++ == 0 ? size % MAX (n_files, 1) : 0);
    guint64 seed = sim_task_mix (task->seed, i + 200);
    guint32 checksum = get_checksum (seed, file_size);
    guint64 header_at = package->size;
    GByteArray *header = g_byte_array_new ();

    put (header, 0x04034b50, 4);
    put_file (header, name, file_size, checksum, task->ends);
    g_byte_array_append (header, (const guint8 *) name, (guint) strlen (name));
    add_piece (package, 0, 0, header);
    add_piece (package, file_size, seed, NULL);

    put (directory, 0x02014b50, 4);
    put (directory, 3 << 8 | 20, 2); /* made on Unix */
    put_file (directory, name, file_size, checksum, task->ends);
    put (directory, 0, 2);                       /* no comment */
    put (directory, 0, 2);                       /* on the first disk */
    put (directory, 0, 2);                       /* binary */
    put (directory, (guint64) 0100644 << 16, 4); /* mode */
    put (directory, header_at, 4);
    g_byte_array_append (directory, (const guint8 *) name, (guint) strlen (name));
  }

  guint directory_size = directory->len;
  put (directory, 0x06054b50, 4);
  put (directory, 0, 4); /* all on one disk */
  put (directory, n_files, 2);
  put (directory, n_files, 2);
  put (directory, directory_size, 4);
  put (directory, package->size, 4);
  put (directory, 0, 2); /* no comment */
  add_piece (package, 0, 0, directory);
  return package;
}

SimPackage *
sim_package_ref (SimPackage *package)
{
  g_atomic_ref_count_inc (&package->refs);
  return package;
}

void
sim_package_unref (SimPackage *package)
{
  if (package == NULL || !g_atomic_ref_count_dec (&package->refs))
    return;
  g_array_unref (package->pieces);
  g_free (package);
}

guint64
sim_package_get_size (const SimPackage *package)
{
  return package->size;
}

void
sim_package_read (const SimPackage *package, guint64 offset, char *buffer, gsize n)
{
  for (guint i = 0; i < package->pieces->len && n > 0; i++) {
    const Piece *piece = &g_array_index (package->pieces, Piece, i);
    if (offset >= piece->offset + piece->size)
      continue;
    guint64 within = offset - piece->offset;
    gsize length = (gsize) MIN (n, piece->size - within);
    if (piece->bytes != NULL)
      memcpy (buffer, (const char *) g_bytes_get_data (piece->bytes, NULL) + within, length);
    else
      read_content (piece->seed, within, buffer, length);
    buffer += length;
    offset += length;
    n -= length;
  }
}
