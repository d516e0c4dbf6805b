/* SPDX-License-Identifier: MIT */
/* Drives curl's multi handle by the main loop. */
/* The sockets are in one epoll set, and that and the time are one GSource: a turn of the loop costs the same with one
 * connection and with a hundred. Each wake-up ends by collecting the transfers that are through. */
#include "kt-curl-loop.h"

#include "base/kt-error.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#define SOCKETS_PER_TURN 64 /* then the other sources of the main loop have theirs */

struct KtCurlLoop {
  CURLM *multi;
  int sockets; /* epoll set */
  GSource *source;
  KtCurlEnded ended;
  gpointer data;
};

static void
check_multi (const char *name, CURLMcode code)
{
  if (code != CURLM_OK)
    g_warning ("%s: %s", name, curl_multi_strerror (code));
}

static void
collect (KtCurlLoop *loop)
{
  CURLMsg *message;
  int left;

  while ((message = curl_multi_info_read (loop->multi, &left)) != NULL) {
    CURL *easy = message->easy_handle;
    CURLcode code = message->data.result; /* the message is gone once its handle is removed */
    if (message->msg == CURLMSG_DONE)
      loop->ended (easy, code, loop->data);
  }
}

static int
select_mask (guint32 events)
{
  return (events & EPOLLIN ? CURL_CSELECT_IN : 0) | (events & EPOLLOUT ? CURL_CSELECT_OUT : 0)
         | (events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
}

static gboolean
dispatch (GSource *source, GSourceFunc callback, gpointer data)
{
  KtCurlLoop *loop = data;
  gint64 wake = g_source_get_ready_time (source);
  struct epoll_event ready[SOCKETS_PER_TURN];
  int count, running;

  if (wake >= 0 && wake <= g_source_get_time (source)) {
    g_source_set_ready_time (source, -1);
    check_multi ("curl_multi_socket_action", curl_multi_socket_action (loop->multi, CURL_SOCKET_TIMEOUT, 0, &running));
  }
  count = epoll_wait (loop->sockets, ready, SOCKETS_PER_TURN, 0);
  for (int i = 0; i < count; i++)
    check_multi ("curl_multi_socket_action",
                 curl_multi_socket_action (loop->multi, ready[i].data.fd, select_mask (ready[i].events), &running));
  collect (loop);
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs source_funcs = { .dispatch = dispatch };

/* SOCKET_DATA is not NULL when the socket is in the set. */
static int
on_socket (CURL *easy, curl_socket_t fd, int what, void *data, void *socket_data)
{
  KtCurlLoop *loop = data;
  struct epoll_event event = {
    .events = (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u),
    .data.fd = fd,
  };

  if (what == CURL_POLL_REMOVE)
    epoll_ctl (loop->sockets, EPOLL_CTL_DEL, fd, NULL);
  else if (epoll_ctl (loop->sockets, socket_data != NULL ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) != 0)
    g_warning ("cannot watch a connection: %s", g_strerror (errno));
  check_multi ("curl_multi_assign", curl_multi_assign (loop->multi, fd, what == CURL_POLL_REMOVE ? NULL : loop));
  return 0;
}

static int
on_timer (CURLM *multi, long timeout_ms, void *data)
{
  KtCurlLoop *loop = data;

  g_source_set_ready_time (loop->source, timeout_ms < 0 ? -1 : g_get_monotonic_time () + timeout_ms * 1000);
  return 0;
}

static gboolean
set_multi_options (KtCurlLoop *loop, GError **error)
{
  CURLM *multi = loop->multi;
  /* by itself curl keeps four idle connections for each transfer under way, and closes them when a rush is over */
  const struct {
    const char *name;
    CURLMcode code;
  } options[] = {
    { "CURLMOPT_SOCKETFUNCTION", curl_multi_setopt (multi, CURLMOPT_SOCKETFUNCTION, on_socket) },
    { "CURLMOPT_SOCKETDATA", curl_multi_setopt (multi, CURLMOPT_SOCKETDATA, loop) },
    { "CURLMOPT_TIMERFUNCTION", curl_multi_setopt (multi, CURLMOPT_TIMERFUNCTION, on_timer) },
    { "CURLMOPT_TIMERDATA", curl_multi_setopt (multi, CURLMOPT_TIMERDATA, loop) },
    { "CURLMOPT_MAXCONNECTS", curl_multi_setopt (multi, CURLMOPT_MAXCONNECTS, (long) KT_CURL_IDLE) },
    { "CURLMOPT_PIPELINING", curl_multi_setopt (multi, CURLMOPT_PIPELINING, (long) CURLPIPE_MULTIPLEX) },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (options); i++) {
    if (options[i].code != CURLM_OK) {
      g_set_error (error, KT_ERROR, KT_ERROR_CONFIG, "libcurl %s refuses %s: %s",
                   curl_version_info (CURLVERSION_NOW)->version, options[i].name,
                   curl_multi_strerror (options[i].code));
      return FALSE;
    }
  }
  return TRUE;
}

/* What may be refused. */
static gboolean
set_up (KtCurlLoop *loop, GError **error)
{
  if (loop->multi == NULL) {
    g_set_error_literal (error, KT_ERROR, KT_ERROR_CONFIG, "libcurl refuses curl_multi_init");
    return FALSE;
  }
  loop->sockets = epoll_create1 (EPOLL_CLOEXEC);
  if (loop->sockets < 0) {
    g_set_error (error, KT_ERROR, KT_ERROR_CONFIG, "epoll_create1: %s", g_strerror (errno));
    return FALSE;
  }
  g_source_add_unix_fd (loop->source, loop->sockets, G_IO_IN);
  return set_multi_options (loop, error);
}

KtCurlLoop *
kt_curl_loop_new (KtCurlEnded ended, gpointer data, GError **error)
{
  KtCurlLoop *loop = g_new0 (KtCurlLoop, 1);

  loop->ended = ended;
  loop->data = data;
  loop->sockets = -1;
  loop->multi = curl_multi_init ();
  loop->source = g_source_new (&source_funcs, sizeof (GSource));
  g_source_set_callback (loop->source, NULL, loop, NULL);
  g_source_attach (loop->source, NULL);
  if (set_up (loop, error))
    return loop;
  kt_curl_loop_free (loop);
  return NULL;
}

void
kt_curl_loop_free (KtCurlLoop *loop)
{
  if (loop == NULL)
    return;
  if (loop->multi != NULL)
    check_multi ("curl_multi_cleanup", curl_multi_cleanup (loop->multi));
  g_source_destroy (loop->source);
  g_source_unref (loop->source);
  if (loop->sockets >= 0)
    close (loop->sockets);
  g_free (loop);
}

CURLMcode
kt_curl_loop_add (KtCurlLoop *loop, CURL *easy)
{
  return curl_multi_add_handle (loop->multi, easy);
}

void
kt_curl_loop_remove (KtCurlLoop *loop, CURL *easy)
{
  check_multi ("curl_multi_remove_handle", curl_multi_remove_handle (loop->multi, easy));
}
