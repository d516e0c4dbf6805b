/* SPDX-License-Identifier: MIT */
/* HTTP: sockets, connections, and the way between libmicrohttpd and the rest. */
#include "server.h"

#include "admin.h"
#include "service.h"

#include <errno.h>
#include <gio/gio.h>
#include <microhttpd.h>
#include <netdb.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* One thread a connection: a request that is kept back (latency, delays) then blocks nobody else, and the code for it
 * is a plain wait. The threads of waiting requests are woken by sim->stop_cond when the server stops. */

#define MAX_CONNECTIONS   4096
#define CONNECTION_MEMORY (64 * 1024)  /* bytes; also the limit of a request's headers */
#define BLOCK_SIZE        (128 * 1024) /* bytes of a body that are made at a time, at most */

struct SimServer {
  Sim *sim;
  struct MHD_Daemon *daemon;
  char *url;
};

/* What is to be sent of a response's body. */
typedef struct {
  GBytes *bytes;       /* or, when NULL, */
  SimPackage *package; /* from `from` on */
  guint64 from, size;
  gboolean broken; /* then the connection ends */
} Content;

static void
content_free (void *data)
{
  Content *content = data;
  g_clear_pointer (&content->bytes, g_bytes_unref);
  sim_package_unref (content->package);
  g_free (content);
}

/* MHD_ContentReaderCallback over a Content. */
static ssize_t
read_content (void *cls, uint64_t position, char *buffer, size_t max)
{
  const Content *content = cls;

  if (position >= content->size)
    return content->broken ? MHD_CONTENT_READER_END_WITH_ERROR : MHD_CONTENT_READER_END_OF_STREAM;
  gsize n = (gsize) MIN (max, content->size - position);
  if (content->bytes != NULL)
    memcpy (buffer, (const char *) g_bytes_get_data (content->bytes, NULL) + position, n);
  else
    sim_package_read (content->package, content->from + position, buffer, n);
  return (ssize_t) n;
}

static struct MHD_Response *
create_response (const SimResponse *response)
{
  Content *content = g_new0 (Content, 1);
  guint64 size = response->package != NULL ? response->length : g_bytes_get_size (response->body);

  if (response->package != NULL)
    content->package = sim_package_ref (response->package);
  else
    content->bytes = g_bytes_ref (response->body);
  content->from = response->from;
  content->broken = response->wire == SIM_WIRE_HALF;
  content->size = content->broken ? size / 2 : size;
  struct MHD_Response *mhd_response = MHD_create_response_from_callback (
      response->no_length ? MHD_SIZE_UNKNOWN : size, CLAMP (size, 1, BLOCK_SIZE), read_content, content, content_free);
  if (mhd_response == NULL)
    content_free (content);
  return mhd_response;
}

/* Sends a TCP RST now. Closing with SO_LINGER 0 alone is not enough: MHD shuts the socket down first, and the peer
 * would see an orderly end. */
static void
reset_connection (struct MHD_Connection *connection)
{
  const union MHD_ConnectionInfo *info = MHD_get_connection_info (connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  struct linger linger = { .l_onoff = 1, .l_linger = 0 };
  struct sockaddr none = { .sa_family = AF_UNSPEC };

  setsockopt (info->connect_fd, SOL_SOCKET, SO_LINGER, &linger, sizeof (linger));
  (void) connect (info->connect_fd, &none, sizeof (none)); /* what fails here has ended already */
}

/* MHD's own Date is switched off as it knows only the real time. */
static void
add_date (struct MHD_Response *mhd_response, gint64 now)
{
  g_autofree char *text = sim_response_make_date (now);
  MHD_add_response_header (mhd_response, MHD_HTTP_HEADER_DATE, text);
}

static enum MHD_Result
send_response (const Sim *sim, struct MHD_Connection *connection, const SimResponse *response)
{
  if (response->wire == SIM_WIRE_RESET) {
    reset_connection (connection);
    return MHD_NO;
  }
  struct MHD_Response *mhd_response = create_response (response);
  if (mhd_response == NULL)
    return MHD_NO;
  if (response->content_type != NULL)
    MHD_add_response_header (mhd_response, MHD_HTTP_HEADER_CONTENT_TYPE, response->content_type);
  add_date (mhd_response, sim_now (sim));
  for (guint i = 0; response->headers != NULL && i < response->headers->len; i++) {
    const SimPair *pair = response->headers->pdata[i];
    MHD_add_response_header (mhd_response, pair->name, pair->value);
  }
  enum MHD_Result queued = MHD_queue_response (connection, response->status, mhd_response);
  MHD_destroy_response (mhd_response);
  return queued;
}

static enum MHD_Result
add_pair (void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
  sim_request_add_pair (cls, name, value);
  return MHD_YES;
}

/* MHD leaves the white space behind a header's value. */
static enum MHD_Result
add_header (void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
  g_autofree char *trimmed = g_strstrip (g_strdup (value != NULL ? value : ""));
  sim_request_add_pair (cls, name, trimmed);
  return MHD_YES;
}

static enum MHD_Result
on_request (void *cls, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
            const char *upload_data, size_t *upload_data_size, void **request_context)
{
  Sim *sim = cls;
  SimRequest *req = *request_context;
  gboolean for_tests = g_str_has_prefix (url, SIM_ADMIN_PREFIX);

  /* MHD calls first with the headers only, then with each piece of the body, then at the end */
  if (req->method == NULL) {
    req->method = g_strdup (method);
    req->path = g_strdup (url);
    req->body_max = for_tests ? SIM_ADMIN_BODY_MAX : SIM_SERVICE_BODY_MAX;
    MHD_get_connection_values (connection, MHD_HEADER_KIND, add_header, req->headers);
    MHD_get_connection_values (connection, MHD_GET_ARGUMENT_KIND, add_pair, req->args);
    return MHD_YES;
  }
  if (*upload_data_size > 0) {
    sim_request_add_body (req, upload_data, *upload_data_size);
    *upload_data_size = 0;
    return MHD_YES;
  }

  g_auto (SimResponse) response = { 0 };
  if (for_tests) {
    sim_admin_handle (sim, req, &response);
  } else {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info (connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    if (!sim_service_handle (sim, req, info->socket_context, &response))
      return MHD_NO;
  }
  return send_response (sim, connection, &response);
}

/* The only place where MHD shows the target as it was sent. What it returns becomes *request_context. */
static void *
on_uri (void *cls, const char *uri, struct MHD_Connection *connection)
{
  return sim_request_new (uri, sim_now (cls));
}

static void
on_completed (void *cls, struct MHD_Connection *connection, void **request_context,
              enum MHD_RequestTerminationCode reason)
{
  sim_request_free (*request_context);
  *request_context = NULL;
}

static void
on_connection (void *cls, struct MHD_Connection *connection, void **socket_context,
               enum MHD_ConnectionNotificationCode what)
{
  if (what == MHD_CONNECTION_NOTIFY_STARTED)
    *socket_context = g_new0 (SimPeer, 1);
  else
    g_clear_pointer (socket_context, g_free);
}

static int
listen_on (const struct addrinfo *address)
{
  int on = 1;
  int fd = socket (address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

  if (fd < 0)
    return -1;
  /* else a restart on the same port fails for a minute */
  setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof (on));
  if (bind (fd, address->ai_addr, address->ai_addrlen) == 0 && listen (fd, SOMAXCONN) == 0)
    return fd;

  int saved = errno;
  close (fd);
  errno = saved;
  return -1;
}

/* The URL of a listening socket, with the port it really has. (transfer full) */
static char *
make_url (int fd)
{
  struct sockaddr_storage address = { 0 };
  socklen_t size = sizeof (address);
  char host[NI_MAXHOST] = "", port[NI_MAXSERV] = "";

  if (getsockname (fd, (struct sockaddr *) &address, &size) == 0)
    getnameinfo ((struct sockaddr *) &address, size, host, sizeof (host), port, sizeof (port),
                 NI_NUMERICHOST | NI_NUMERICSERV);
  return g_strdup_printf (address.ss_family == AF_INET6 ? "http://[%s]:%s" : "http://%s:%s", host, port);
}

/* A listening socket for the first address of HOST that works, or -1. */
static int
listen_on_host (const char *host, guint port, GError **error)
{
  struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
  struct addrinfo *addresses = NULL;
  char service[16];
  int fd = -1;

  g_snprintf (service, sizeof (service), "%u", port);
  int failure = getaddrinfo (host, service, &hints, &addresses);
  if (failure != 0) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "cannot listen on %s: %s", host, gai_strerror (failure));
    return -1;
  }
  for (const struct addrinfo *address = addresses; fd < 0 && address != NULL; address = address->ai_next)
    fd = listen_on (address);
  if (fd < 0)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "cannot listen on %s port %u: %s", host, port,
                 g_strerror (errno));
  freeaddrinfo (addresses);
  return fd;
}

/* The usual soft limit of 1024 descriptors is less than the connections we promise; poll() copes with more. */
static void
raise_descriptor_limit (void)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= MAX_CONNECTIONS + 64)
    return;
  limit.rlim_cur = MIN (limit.rlim_max, MAX_CONNECTIONS + 64);
  setrlimit (RLIMIT_NOFILE, &limit); /* failure only means fewer connections */
}

SimServer *
sim_server_start (Sim *sim, const char *bind_host, guint port, GError **error)
{
  int fd = listen_on_host (bind_host, port, error);
  if (fd < 0)
    return NULL;

  raise_descriptor_limit ();
  SimServer *server = g_new0 (SimServer, 1);
  server->sim = sim;
  server->url = make_url (fd);
  sim_packages_set_url (sim->packages, server->url);
  server->daemon =
      MHD_start_daemon (MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_ITC
                            | MHD_USE_SUPPRESS_DATE_NO_CLOCK,
                        0, NULL, NULL, on_request, sim, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
                        (guint) MAX_CONNECTIONS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t) CONNECTION_MEMORY,
                        MHD_OPTION_URI_LOG_CALLBACK, on_uri, sim, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
                        MHD_OPTION_NOTIFY_CONNECTION, on_connection, NULL, MHD_OPTION_END);
  if (server->daemon == NULL) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "cannot start the HTTP server");
    close (fd);
    sim_server_stop (server);
    return NULL;
  }
  return server;
}

const char *
sim_server_url (const SimServer *server)
{
  return server->url;
}

void
sim_server_stop (SimServer *server)
{
  if (server == NULL)
    return;
  g_mutex_lock (&server->sim->lock);
  server->sim->stopping = TRUE;
  g_cond_broadcast (&server->sim->stop_cond);
  g_mutex_unlock (&server->sim->lock);
  if (server->daemon != NULL)
    MHD_stop_daemon (server->daemon); /* joins all threads, closes the listening socket too */
  g_free (server->url);
  g_free (server);
}
