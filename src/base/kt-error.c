/* SPDX-License-Identifier: MIT */
/* The error domain, and the errno of each error. */
#include "kt-error.h"

#include <errno.h>
#include <string.h>

/* clang-format would take the domain's name for a subtraction, and break up the columns: */
/* clang-format off */
G_DEFINE_QUARK (kt-error-quark, kt_error)

int
kt_error_to_errno (const GError *error)
{
  if (error->domain != KT_ERROR)
    return EIO;
  switch ((KtErrorCode) error->code) {
  case KT_ERROR_NOT_FOUND:    return ENOENT;
  case KT_ERROR_REFUSED:
  case KT_ERROR_DENIED:       return EACCES;
  case KT_ERROR_TIMED_OUT:    return ETIMEDOUT;
  case KT_ERROR_UNREACHABLE:  return EHOSTUNREACH;
  case KT_ERROR_TLS:          return EPROTO;
  case KT_ERROR_THROTTLED:    return EBUSY; /* EAGAIN from read(2) breaks programs */
  case KT_ERROR_BAD_ANSWER:   return EBADMSG;
  case KT_ERROR_TOO_LARGE:
  case KT_ERROR_BROKEN:
  case KT_ERROR_PROXY:
  case KT_ERROR_REDIRECTED:
  case KT_ERROR_SERVICE:      return EIO;
  case KT_ERROR_INTERRUPTED:  return EINTR;
  case KT_ERROR_NOT_YET:      return EAGAIN;
  case KT_ERROR_READ_ONLY:    return EROFS;
  case KT_ERROR_FORBIDDEN:    return EPERM;
  case KT_ERROR_BAD_WORD:
  case KT_ERROR_ENDED:        return EINVAL;
  case KT_ERROR_DECLINED:     return EBUSY;
  case KT_ERROR_NO_ATTRIBUTE: return ENODATA;
  case KT_ERROR_STOPPED:      return ENOTCONN;
  case KT_ERROR_USAGE:
  case KT_ERROR_CONFIG:
  case KT_ERROR_MOUNT:        return EINVAL;
  }
  return EIO;
}
/* clang-format on */

gboolean
kt_error_is_answer (const GError *error)
{
  return g_error_matches (error, KT_ERROR, KT_ERROR_NOT_FOUND);
}

const char *
kt_errno_name (int number)
{
  const char *name = strerrorname_np (number);
  return name != NULL ? name : "?";
}
