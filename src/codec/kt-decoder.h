/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/kt-metrics.h"
#include "kt-decode.h"

/* Runs decoders: of small bodies at once, of large ones, which would block the loop, in one thread of its own, one
 * after another. That thread touches the body and what it makes of it, which nobody else knows yet; keys and tasks
 * count their references atomically. */
typedef struct KtDecoder KtDecoder;

/* ERROR is NULL when it was decoded. The callback takes what it keeps out of *DECODED; what it leaves is released. */
typedef void (*KtDecoderDone) (KtDecoded *decoded, const GError *error, gpointer data);

/* METRICS outlives it. */
KtDecoder *kt_decoder_new (KtMetrics *metrics);

/* Runs the main context until what is under way has ended, with its DONE called; what has not begun, and every large
 * body from now on, ends with KT_ERROR_STOPPED. */
void kt_decoder_stop (KtDecoder *decoder);

/* Stops it first. */
void kt_decoder_free (KtDecoder *decoder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtDecoder, kt_decoder_free)

/* Bodies up to this size are small. */
#define KT_DECODER_SMALL 65536

/* Decodes, then calls DONE: before this returns when BODY is small or the decoder stopped, else from the default main
 * context. DECODE is static. */
void kt_decoder_run (KtDecoder *decoder, const KtDecode *decode, KtKey *key, guint status, GBytes *body,
                     GTimeZone *zone, KtDecoderDone done, gpointer data);
