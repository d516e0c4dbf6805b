/* SPDX-License-Identifier: MIT */
/* Decodes responses, large ones in a thread. */
#include "kt-decoder.h"

#include "base/kt-error.h"

struct KtDecoder {
  GThreadPool *thread;
  guint pending; /* works not ended yet */
  gint stopped;  /* atomic */
};

/* Belongs to the thread from when it is queued to on_decoded(). */
typedef struct {
  KtDecoder *decoder;
  const KtDecode *decode;
  KtKey *key;
  guint status;
  GBytes *body;
  GTimeZone *zone;
  KtDecoderDone done;
  gpointer data;
  KtDecoded decoded;
  GError *error;
} Work;

static gboolean
on_decoded (gpointer data)
{
  Work *work = data;

  work->decoder->pending--;
  work->done (&work->decoded, work->error, work->data);
  kt_decoded_clear (&work->decoded);
  g_clear_error (&work->error);
  kt_key_unref (work->key);
  g_bytes_unref (work->body);
  g_time_zone_unref (work->zone);
  g_free (work);
  return G_SOURCE_REMOVE;
}

static GError *
stopped_error (void)
{
  return g_error_new_literal (KT_ERROR, KT_ERROR_STOPPED, "the file system is being unmounted");
}

static void
run (gpointer data, gpointer decoder)
{
  Work *work = data;

  if (g_atomic_int_get (&work->decoder->stopped))
    work->error = stopped_error ();
  else
    kt_decode (work->decode, work->key, work->status, work->body, work->zone, &work->decoded, &work->error);
  g_idle_add_full (G_PRIORITY_DEFAULT, on_decoded, work, NULL);
}

void
kt_decoder_run (KtDecoder *decoder, const KtDecode *decode, KtKey *key, guint status, GBytes *body, GTimeZone *zone,
                KtDecoderDone done, gpointer data)
{
  KtDecoded decoded = { 0 };
  Work *work;

  if (g_bytes_get_size (body) <= KT_DECODER_SMALL) {
    g_autoptr (GError) error = NULL;
    kt_decode (decode, key, status, body, zone, &decoded, &error);
    done (&decoded, error, data);
    kt_decoded_clear (&decoded);
    return;
  }
  if (g_atomic_int_get (&decoder->stopped)) {
    g_autoptr (GError) error = stopped_error ();
    done (&decoded, error, data);
    return;
  }
  work = g_new0 (Work, 1);
  work->decoder = decoder;
  work->decode = decode;
  work->key = kt_key_ref (key);
  work->status = status;
  work->body = g_bytes_ref (body);
  work->zone = g_time_zone_ref (zone);
  work->done = done;
  work->data = data;
  decoder->pending++;
  g_thread_pool_push (decoder->thread, work, NULL);
}

static guint64
count_pending (gpointer data)
{
  return ((KtDecoder *) data)->pending;
}

KtDecoder *
kt_decoder_new (KtMetrics *metrics)
{
  KtDecoder *decoder = g_new0 (KtDecoder, 1);

  decoder->thread = g_thread_pool_new (run, decoder, 1, FALSE, NULL);
  kt_metrics_gauge (metrics, "kootaskfs_decoding", "Large responses that are being decoded", count_pending, decoder);
  return decoder;
}

void
kt_decoder_stop (KtDecoder *decoder)
{
  g_atomic_int_set (&decoder->stopped, TRUE);
  while (decoder->pending > 0)
    g_main_context_iteration (NULL, TRUE);
}

void
kt_decoder_free (KtDecoder *decoder)
{
  if (decoder == NULL)
    return;
  kt_decoder_stop (decoder);
  g_thread_pool_free (decoder->thread, FALSE, TRUE);
  g_free (decoder);
}
