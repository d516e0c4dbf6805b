/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/kt-metrics.h"
#include "kt-decode.h"

/* Runs the decoding of answers: of small ones at once, of large ones, which would block the loop, in a thread of its
 * own, one after another. What it touches there is the answer and what it makes of it, which nobody else knows yet;
 * keys and tasks count their references atomically. */
typedef struct KtDecoder KtDecoder;

/* Either RESULT is set, what the function made (transfer full), or ERROR. */
typedef void (*KtDecoded) (gpointer result, const GError *error, gpointer data);

/* METRICS outlives it. */
KtDecoder *kt_decoder_new (KtMetrics *metrics);

/* Runs the main context until what is under way has ended, with its DECODED called; what has not begun, and every large
 * answer from now on, ends with KT_ERROR_STOPPED. */
void kt_decoder_stop (KtDecoder *decoder);

/* Stops it first. */
void kt_decoder_free (KtDecoder *decoder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtDecoder, kt_decoder_free)

/* Bodies up to this size are small. */
#define KT_DECODER_SMALL 65536

/* Decodes, then calls DECODED: before this returns when BODY is small or the decoder stopped, else from the default
 * main context. */
void kt_decoder_run (KtDecoder *decoder, KtDecode *decode, KtKey *key, guint status, GBytes *body, GTimeZone *zone,
                     KtDecoded decoded, gpointer data);
