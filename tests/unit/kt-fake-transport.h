/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/kt-error.h"
#include "http/kt-transport.h"

/* A transport whose exchanges the test ends by hand, in any order. It belongs to the client it is given to; the
 * log of what was sent stays until kt_fake_transport_unref(). */
typedef struct KtFakeTransport KtFakeTransport;

KtFakeTransport *kt_fake_transport_new (void);

/* The vtable, (transfer full) to the client. */
KtTransport *kt_fake_transport (KtFakeTransport *fake);

/* The test's own hold; the transport must have been freed by its client by then. */
void kt_fake_transport_unref (KtFakeTransport *fake);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KtFakeTransport, kt_fake_transport_unref)

/* Exchanges begun, ended and under way. */
guint kt_fake_transport_sent (const KtFakeTransport *fake);
guint kt_fake_transport_cancelled (const KtFakeTransport *fake);
guint kt_fake_transport_pending (const KtFakeTransport *fake);

/* The INDEXth exchange ever begun: "METHOD URL", its header NAME's value (NULL: none) and its body (NULL: none). */
const char *kt_fake_transport_line (const KtFakeTransport *fake, guint index);
const char *kt_fake_transport_header (const KtFakeTransport *fake, guint index, const char *name);
const char *kt_fake_transport_body (const KtFakeTransport *fake, guint index);

/* The request itself of the INDEXth exchange, which must be under way. */
const KtHttpRequest *kt_fake_transport_request (const KtFakeTransport *fake, guint index);

/* Ends the INDEXth exchange, which must be under way. */
void kt_fake_transport_land (KtFakeTransport *fake, guint index, guint status, const char *body,
                             const char *retry_after);
void kt_fake_transport_land_dated (KtFakeTransport *fake, guint index, guint status, const char *body,
                                   const char *date);

/* The same with all that a response may have; of a body, whose sink takes it, this is only the end. */
void kt_fake_transport_answer (KtFakeTransport *fake, guint index, const KtHttpResponse *response);

/* Gives a piece to the sink of the INDEXth exchange; what the sink said. */
gboolean kt_fake_transport_piece (KtFakeTransport *fake, guint index, const KtHttpResponse *head, gconstpointer bytes,
                                  gsize length);
void kt_fake_transport_fail (KtFakeTransport *fake, guint index, KtErrorCode code);
