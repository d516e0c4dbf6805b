/* SPDX-License-Identifier: MIT */
/* Asks the service once when a mount has started. */
#include "kt-verify.h"

#include "base/kt-error.h"
#include "base/kt-units.h"
#include "kt-advice.h"

typedef struct {
  char *step; /* as --check names it */
  KtUsec timeout;
  KtVerified done;
  gpointer data;
} Verify;

/* The request has ended. */
static void
on_ended (const GError *error, gpointer data)
{
  Verify *verify = data;
  g_autofree char *timeout = kt_duration_format (verify->timeout);
  g_autofree char *warning = NULL;

  if (g_error_matches (error, KT_ERROR, KT_ERROR_TIMED_OUT))
    warning = g_strdup_printf ("mounted, but the service has not answered within %s; kootaskfs --check waits longer",
                               timeout);
  else if (error != NULL && !g_error_matches (error, KT_ERROR, KT_ERROR_STOPPED))
    warning = g_strdup_printf ("mounted, but asking the service failed: %s: %s; %s",
                               kt_advice_step (verify->step, error), error->message, kt_advice (error, NULL));
  verify->done (warning, verify->data);
  g_free (verify->step);
  g_free (verify);
}

static void
on_task (const KtResponse *response, const GError *error, gpointer data)
{
  on_ended (error, data);
}

gboolean
kt_verify_start (KtService *service, const KtConfig *config, KtKey *watched, KtVerified done, gpointer data)
{
  const guint listed = config->families & kt_families_with (KT_FACT_LISTED);
  Verify *verify = g_new0 (Verify, 1);

  verify->timeout = MIN (KT_VERIFY_SECONDS * KT_SECOND, config->deadline);
  verify->done = done;
  verify->data = data;
  for (KtFamily i = 0; i < KT_N_FAMILIES; i++) {
    if ((listed & KT_FAMILY_BIT (i)) != 0) {
      verify->step = g_strdup_printf ("list %s", kt_family_word (i));
      kt_service_try_list (service, i, verify->timeout, on_ended, verify);
      return TRUE;
    }
  }
  if (watched == NULL) {
    g_free (verify);
    return FALSE;
  }
  verify->step = g_strdup_printf ("%s %s", kt_family_word (watched->family), watched->task_id);
  kt_source_fetch (kt_service_source (service), watched, kt_clock_monotonic (kt_clock_system ()) + verify->timeout,
                   on_task, verify);
  return TRUE;
}
