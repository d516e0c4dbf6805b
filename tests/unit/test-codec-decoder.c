/* SPDX-License-Identifier: MIT */
/* Decoding in a thread: order, callbacks, and the stop. */
#include "kt-test.h"

#include "base/kt-error.h"
#include "codec/kt-decoder.h"

#include <string.h>

/* What the decode function below waits for, and what it and its callbacks did, a letter each. */
typedef struct {
  KtMetrics *metrics;
  KtDecoder *decoder;
  KtKey *key;
  GTimeZone *zone;
  GBytes *small;
  GBytes *large;
  GString *seen;
} Fixture;

static GMutex gate;
static GThread *decoded_in;

static KtTask *
decode_task (KtKey *key, guint status, GBytes *body, GTimeZone *zone, GError **error)
{
  decoded_in = g_thread_self ();
  if (g_bytes_get_size (body) > KT_DECODER_SMALL) {
    g_mutex_lock (&gate);
    g_mutex_unlock (&gate);
  }
  if (status == 200)
    return kt_task_new (key);
  g_set_error (error, KT_ERROR, KT_ERROR_SERVICE, "status");
  return NULL;
}

/* "+" a task, "-" an error of the service, "." stopped. */
static void
on_decoded (KtDecoded *decoded, const GError *error, gpointer data)
{
  Fixture *f = data;
  g_autoptr (KtTask) task = g_steal_pointer (&decoded->task);

  g_assert_true ((task != NULL) != (error != NULL));
  g_string_append_c (f->seen, task != NULL ? '+' : g_error_matches (error, KT_ERROR, KT_ERROR_STOPPED) ? '.' : '-');
}

static void
set_up (Fixture *f, gconstpointer data)
{
  f->metrics = kt_metrics_new ();
  f->decoder = kt_decoder_new (f->metrics);
  f->key = kt_key_new (KT_FAMILY_BASIC, "7");
  f->zone = g_time_zone_new_utc ();
  f->small = g_bytes_new_take (g_malloc0 (KT_DECODER_SMALL), KT_DECODER_SMALL);
  f->large = g_bytes_new_take (g_malloc0 (KT_DECODER_SMALL + 1), KT_DECODER_SMALL + 1);
  f->seen = g_string_new (NULL);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  kt_decoder_free (f->decoder);
  kt_metrics_free (f->metrics);
  kt_key_unref (f->key);
  g_time_zone_unref (f->zone);
  g_bytes_unref (f->small);
  g_bytes_unref (f->large);
  g_string_free (f->seen, TRUE);
}

static void
run (Fixture *f, GBytes *body, guint status)
{
  static const KtDecode decode = { .task = decode_task };

  kt_decoder_run (f->decoder, &decode, f->key, status, body, f->zone, on_decoded, f);
}

static guint
decoding (Fixture *f)
{
  g_autofree char *text = kt_metrics_format (f->metrics);
  const char *line = strstr (text, "\nkootaskfs_decoding ");

  g_assert_nonnull (line);
  return (guint) g_ascii_strtoull (line + strlen ("\nkootaskfs_decoding "), NULL, 10);
}

static void
test_small_at_once (Fixture *f, gconstpointer data)
{
  run (f, f->small, 200);
  run (f, f->small, 500);
  kt_assert_text (g_strdup (f->seen->str), "+-");
  g_assert_true (decoded_in == g_thread_self ());
}

/* Small ones are decoded while a large one is; large ones one after another. */
static void
test_large_aside (Fixture *f, gconstpointer data)
{
  g_mutex_lock (&gate);
  run (f, f->large, 200);
  run (f, f->large, 500);
  run (f, f->small, 500);
  kt_assert_text (g_strdup (f->seen->str), "-");
  g_assert_cmpuint (decoding (f), ==, 2);
  g_mutex_unlock (&gate);
  while (f->seen->len < 3)
    g_main_context_iteration (NULL, TRUE);
  kt_assert_text (g_strdup (f->seen->str), "-+-");
  g_assert_true (decoded_in != g_thread_self ());
  g_assert_cmpuint (decoding (f), ==, 0);
}

/* The end waits for the one under way; the others are not begun. */
static void
test_end (Fixture *f, gconstpointer data)
{
  g_mutex_lock (&gate);
  decoded_in = NULL;
  for (guint i = 0; i < 3; i++)
    run (f, f->large, 200);
  while (g_atomic_pointer_get (&decoded_in) == NULL)
    g_thread_yield ();
  g_mutex_unlock (&gate);
  g_clear_pointer (&f->decoder, kt_decoder_free);
  g_assert_cmpuint (f->seen->len, ==, 3);
  g_assert_cmpint (f->seen->str[0], ==, '+');
}

/* The end of one decoding may begin another: that ends too, and at once. */
static void
test_stopped (Fixture *f, gconstpointer data)
{
  kt_decoder_stop (f->decoder);
  run (f, f->large, 200);
  run (f, f->small, 200);
  kt_assert_text (g_strdup (f->seen->str), ".+");
}

/* References are counted in any thread. */
static gpointer
ref_and_unref (gpointer task)
{
  for (guint i = 0; i < 100000; i++) {
    kt_key_ref (((KtTask *) task)->key);
    kt_task_ref (task);
    kt_task_unref (task);
    kt_key_unref (((KtTask *) task)->key);
  }
  return NULL;
}

static void
test_references (Fixture *f, gconstpointer data)
{
  g_autoptr (KtTask) task = kt_task_new (f->key);
  GThread *thread = g_thread_new (NULL, ref_and_unref, task);

  ref_and_unref (task);
  g_thread_join (thread);
  g_assert_true (g_atomic_ref_count_compare (&task->refs, 1));
  g_assert_true (g_atomic_ref_count_compare (&f->key->refs, 2));
}

int
main (int argc, char **argv)
{
  kt_test_init (&argc, &argv);
#define ADD(path, test) g_test_add ("/codec/decoder/" path, Fixture, NULL, set_up, test, tear_down)
  ADD ("small-at-once", test_small_at_once);
  ADD ("large-aside", test_large_aside);
  ADD ("end", test_end);
  ADD ("stopped", test_stopped);
  ADD ("references", test_references);
#undef ADD
  return g_test_run ();
}
