/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

/* The one error domain of kootaskfs. Layers below fuse speak GError; only fuse turns it into an errno. */
typedef enum {
  KT_ERROR_NOT_FOUND,    /* the service knows no such task, or the tree no such name */
  KT_ERROR_REFUSED,      /* token or signature refused */
  KT_ERROR_DENIED,       /* no permission */
  KT_ERROR_TIMED_OUT,    /* the deadline passed */
  KT_ERROR_UNREACHABLE,  /* name not resolved, no connection */
  KT_ERROR_TLS,          /* certificate not trusted, no common protocol */
  KT_ERROR_THROTTLED,    /* 429 and out of retries */
  KT_ERROR_BAD_ANSWER,   /* not JSON, or not of the documented kind */
  KT_ERROR_TOO_LARGE,    /* the body is larger than max-response */
  KT_ERROR_BROKEN,       /* the connection broke */
  KT_ERROR_PROXY,        /* the proxy refuses */
  KT_ERROR_REDIRECTED,   /* the service redirects: its endpoint is another place */
  KT_ERROR_SERVICE,      /* any other error of the service or of the connection to it */
  KT_ERROR_INTERRUPTED,  /* a signal that matters */
  KT_ERROR_NOT_YET,      /* what is to be waited for has not happened, and the reader does not wait */
  KT_ERROR_READ_ONLY,    /* a write */
  KT_ERROR_FORBIDDEN,    /* a write that the configuration does not allow */
  KT_ERROR_BAD_WORD,     /* a write of something that is not understood */
  KT_ERROR_ENDED,        /* a job that has ended cannot be cancelled */
  KT_ERROR_DECLINED,     /* the service does not do what it was asked for */
  KT_ERROR_NO_ATTRIBUTE, /* no such extended attribute */
  KT_ERROR_STOPPED,      /* the file system is being unmounted */
  KT_ERROR_USAGE,        /* command line (never reaches a file operation) */
  KT_ERROR_CONFIG,       /* configuration, watch list or secret file (never reaches a file operation) */
  KT_ERROR_MOUNT,        /* cannot mount (never reaches a file operation) */
} KtErrorCode;

#define KT_ERROR (kt_error_quark ())
GQuark kt_error_quark (void);

/* Whether ERROR, which may be NULL, is the service's response that it knows no such task. That is no failure of the
 * service, and counts as much as a task does. */
gboolean kt_error_is_answer (const GError *error);

/* The errno that an operation ends in for ERROR (docs/semantics.md, "Errors"). An error of another domain is EIO.
 * Never 0. */
int kt_error_to_errno (const GError *error);

/* The name of an errno that kt_error_to_errno() can return, as in "ENOENT". Static. */
const char *kt_errno_name (int number);
