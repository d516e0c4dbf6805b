/* SPDX-License-Identifier: MIT */
/* The FUSE session: its options, mount and unmount, and its file descriptor as a source of the main loop. */
#include "kt-fuse-private.h"

#include "base/kt-error.h"
#include "kt-request-limit.h"
#include "kt-stderr.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#define REQUESTS_PER_TURN     64  /* then the other sources of the loop have theirs */
#define PARALLEL_DIROPS_FIXED 317 /* the libfuse that passes the flag on by itself */
#define MAX_READ              "max_read="

static const char *const operation_names[] = {
#define X(name) #name,
  KT_FUSE_OPS (X)
#undef X
};

/* One request, and how long its operation took: until the reply, or until what precedes that was given to a notifier. A
 * parked one is counted when it ends. */
static void
process (KtFuse *fuse)
{
  fuse->operation = KT_N_FUSE_OPS;
  fuse->came_at = kt_clock_monotonic (fuse->clock);
  fuse->poll_handle = kt_fuse_poll_handle (&fuse->buffer);
  fuse_session_process_buf (fuse->session, &fuse->buffer);
  if (fuse->operation != KT_N_FUSE_OPS)
    kt_histogram_observe (fuse->durations[fuse->operation], kt_clock_monotonic (fuse->clock) - fuse->came_at);
}

static gboolean
on_request (int fd, GIOCondition condition, gpointer data)
{
  KtFuse *fuse = data;

  for (int i = 0; i < REQUESTS_PER_TURN && !fuse_session_exited (fuse->session); i++) {
    int size = fuse_session_receive_buf (fuse->session, &fuse->buffer);
    if (size == -EAGAIN || size == -EINTR)
      return G_SOURCE_CONTINUE;
    if (size <= 0)
      break;
    process (fuse);
    if (i == REQUESTS_PER_TURN - 1)
      return G_SOURCE_CONTINUE;
  }
  fuse->source = 0;
  fuse->events.ended (fuse->events.data);
  return G_SOURCE_REMOVE;
}

static ssize_t
io_read (int fd, void *buffer, size_t size, void *data)
{
  return read (fd, buffer, size);
}

/* The first thing written is the reply to INIT. libfuse before 3.17 never sets FUSE_PARALLEL_DIROPS in it, so the
 * kernel would send the lookups of one directory one after another. The kernel knows the flag since 4.7. */
static ssize_t
io_writev (int fd, struct iovec *iov, int count, void *data)
{
  KtFuse *fuse = data;
  struct fuse_init_out out;

  if (fuse->init_answered || count < 2 || iov[1].iov_len > sizeof (out)
      || iov[1].iov_len < G_STRUCT_OFFSET (struct fuse_init_out, flags) + sizeof (out.flags))
    return writev (fd, iov, count);
  fuse->init_answered = TRUE;
  memcpy (&out, iov[1].iov_base, iov[1].iov_len);
  out.flags |= FUSE_PARALLEL_DIROPS;
  struct iovec patched[2] = { iov[0], { .iov_base = &out, .iov_len = iov[1].iov_len } };
  return writev (fd, patched, 2);
}

static const struct fuse_custom_io parallel_io = { .read = io_read, .writev = io_writev };

/* While libfuse sets up and mounts, it reports failures here, also in the child process that becomes fusermount3.
 * Not all of them end with a newline. */
static G_GNUC_PRINTF (2, 0) void on_libfuse_failure (enum fuse_log_level level, const char *format, va_list args)
{
  if (level > FUSE_LOG_WARNING)
    return;
  vdprintf (STDERR_FILENO, format, args);
  if (!g_str_has_suffix (format, "\n"))
    dprintf (STDERR_FILENO, "\n");
}

static G_GNUC_PRINTF (2, 0) void on_libfuse_log (enum fuse_log_level level, const char *format, va_list args)
{
  g_autofree char *text = g_strdup_vprintf (format, args);

  g_strchomp (text);
  if (level <= FUSE_LOG_WARNING)
    g_warning ("%s", text);
  else
    g_debug ("%s", text);
}

static void
invalidate (gpointer kernel, GPtrArray *invalidations, GSourceFunc done, gpointer data)
{
  kt_notifier_invalidate (((KtFuse *) kernel)->notifier, invalidations, done, data);
}

static gboolean
preload (gpointer kernel, guint64 inode, gint64 offset, gconstpointer bytes, gsize length, GSourceFunc done,
         gpointer data)
{
  g_autoptr (GBytes) content = g_bytes_new_static (bytes, length);
  return kt_notifier_store_part (((KtFuse *) kernel)->ahead, inode, offset, content, done, data);
}

static void
announce (gpointer kernel, GPtrArray *paths)
{
  kt_announcer_announce (((KtFuse *) kernel)->announcer, paths);
}

static guint64
count_nodes (gpointer data)
{
  return kt_tree_nodes (((KtFuse *) data)->tree);
}

static guint64
count_parked (gpointer data)
{
  return g_queue_get_length (&((KtFuse *) data)->parked);
}

static void
add_metrics (KtFuse *fuse)
{
  static const KtUsec bounds[KT_HISTOGRAM_BOUNDS] = {
    10, 100, KT_MS, 10 * KT_MS, 50 * KT_MS, 100 * KT_MS, 250 * KT_MS, KT_SECOND, 2500 * KT_MS, 10 * KT_SECOND,
  };

  fuse->counters = g_new0 (guint64 *, KT_N_FUSE_OPS);
  fuse->durations = g_new0 (KtHistogram *, KT_N_FUSE_OPS);
  for (int i = 0; i < KT_N_FUSE_OPS; i++) {
    fuse->counters[i] = kt_metrics_counter (fuse->metrics, "kootaskfs_operations_total",
                                            "File operations that reached the daemon", "operation", operation_names[i]);
    fuse->durations[i] =
        kt_metrics_histogram (fuse->metrics, "kootaskfs_operation_duration_seconds",
                              "Time that the daemon took for a file operation, what it waited for included", bounds,
                              "operation", operation_names[i]);
  }
  kt_metrics_gauge (fuse->metrics, "kootaskfs_inodes", "Inodes in memory", count_nodes, fuse);
  kt_metrics_gauge (fuse->metrics, "kootaskfs_parked_operations", "File operations that wait", count_parked, fuse);
}

/* OPTIONS as libfuse's arguments; a comma in one of them is escaped. */
static void
add_options (KtFuse *fuse, struct fuse_args *args, char **options)
{
  char *list = NULL;

  fuse_opt_add_arg (args, "kootaskfs");
  for (char **option = options; *option != NULL; option++) {
    fuse_opt_add_opt_escaped (&list, *option);
    if (g_str_has_prefix (*option, MAX_READ))
      fuse->max_read = (guint) g_ascii_strtoull (*option + strlen (MAX_READ), NULL, 10);
  }
  if (list != NULL) {
    fuse_opt_add_arg (args, "-o");
    fuse_opt_add_arg (args, list);
  }
  free (list);
}

/* stderr is itself again. Returns the reason when the step FAILED; otherwise what was kept is logged. (transfer
 * full) */
static char *
end_keeping (KtStderr *kept, gboolean failed)
{
  g_autofree char *text = kt_stderr_end (kept);

  fuse_set_log_func (on_libfuse_log);
  if (!failed && text[0] != '\0')
    g_warning ("%s", text);
  return failed && text[0] == '\0' ? g_strdup ("no reason is given") : g_steal_pointer (&text);
}

KtFuse *
kt_fuse_new (KtTree *tree, KtClock *clock, KtMetrics *metrics, char **options, const KtFuseEvents *events,
             GError **error)
{
  struct fuse_args args = FUSE_ARGS_INIT (0, NULL);
  KtFuse *fuse = g_new0 (KtFuse, 1);
  g_autofree char *reason = NULL;
  KtStderr *kept;

  fuse->tree = tree;
  fuse->clock = clock;
  fuse->metrics = metrics;
  fuse->events = *events;
  g_queue_init (&fuse->parked);
  fuse->limit = KT_TIME_NEVER;
  fuse->listings = g_hash_table_new_full (NULL, NULL, (GDestroyNotify) kt_listing_free, NULL);
  add_options (fuse, &args, options);
  kept = kt_stderr_keep ();
  fuse_set_log_func (on_libfuse_failure);
  fuse->session = fuse_session_new (&args, &kt_fuse_ops, sizeof (kt_fuse_ops), fuse);
  reason = end_keeping (kept, fuse->session == NULL);
  fuse_opt_free_args (&args);
  if (fuse->session == NULL) {
    g_set_error (error, KT_ERROR, KT_ERROR_USAGE, "-o: %s", reason);
    g_hash_table_unref (fuse->listings);
    g_free (fuse);
    return NULL;
  }
  add_metrics (fuse);
  return fuse;
}

/* From the kernel's memory: nobody replies to operations yet. */
static gboolean
find_device (KtFuse *fuse, const char *mountpoint, GError **error)
{
  struct statx status;

  if (statx (AT_FDCWD, mountpoint, AT_STATX_DONT_SYNC, STATX_TYPE, &status) != 0) {
    g_set_error (error, KT_ERROR, KT_ERROR_MOUNT, "%s: %s", mountpoint, g_strerror (errno));
    return FALSE;
  }
  fuse->device = makedev (status.stx_dev_major, status.stx_dev_minor);
  return TRUE;
}

dev_t
kt_fuse_device (const KtFuse *fuse)
{
  return fuse->device;
}

gboolean
kt_fuse_mount (KtFuse *fuse, const char *mountpoint, GError **error)
{
  KtStderr *kept = kt_stderr_keep ();
  g_autofree char *reason = NULL;
  gboolean failed;
  int fd;

  fuse_set_log_func (on_libfuse_failure);
  fuse->limit = kt_request_limit (KT_REQUEST_LIMITS);
  failed = fuse_session_mount (fuse->session, mountpoint) != 0;
  reason = end_keeping (kept, failed);
  if (failed) {
    g_set_error (error, KT_ERROR, KT_ERROR_MOUNT, "cannot mount on %s: %s", mountpoint, reason);
    return FALSE;
  }
  fd = fuse_session_fd (fuse->session);
  if (fuse_version () < PARALLEL_DIROPS_FIXED && fuse_session_custom_io (fuse->session, &parallel_io, fd) != 0) {
    g_set_error (error, KT_ERROR, KT_ERROR_MOUNT, "libfuse %s refuses our read and write", fuse_pkgversion ());
    return FALSE;
  }
  if (!g_unix_set_fd_nonblocking (fd, TRUE, error)) /* poll can say readable and read block */
    return FALSE;
  if (!find_device (fuse, mountpoint, error))
    return FALSE;
  fuse->source = g_unix_fd_add (fd, G_IO_IN | G_IO_ERR | G_IO_HUP, on_request, fuse);
  fuse->notifier = kt_notifier_new (fuse->session);
  fuse->ahead = kt_notifier_new (fuse->session);
  kt_tree_set_invalidate (fuse->tree, invalidate, fuse);
  fuse->announcer = kt_announcer_new (fuse->clock, mountpoint, fuse->device);
  kt_tree_set_preload (fuse->tree, preload, fuse);
  kt_tree_set_announce (fuse->tree, announce, fuse);
  kt_tree_set_wake (fuse->tree, kt_fuse_wake, fuse);
  return TRUE;
}

/* A thread may wait in the kernel for the lock of a directory, which a request holds that came after the loop
 * ended. Its write also keeps the file descriptor open, so closing that would not end the request: it must get a
 * reply, and so must the operations of the announcer. */
static void
reply_until_ended (KtFuse *fuse)
{
  while (!kt_notifier_has_ended (fuse->notifier) || !kt_notifier_has_ended (fuse->ahead)
         || !kt_announcer_has_ended (fuse->announcer)) {
    g_main_context_iteration (NULL, TRUE);
    kt_parked_end_all (fuse, ENOTCONN);
  }
}

void
kt_fuse_free (KtFuse *fuse)
{
  if (fuse == NULL)
    return;
  kt_parked_end_all (fuse, ENOTCONN);
  kt_tree_set_announce (fuse->tree, NULL, NULL);
  kt_tree_set_invalidate (fuse->tree, NULL, NULL);
  kt_tree_set_preload (fuse->tree, NULL, NULL);
  kt_tree_set_wake (fuse->tree, NULL, NULL);
  if (fuse->notifier != NULL) {
    kt_announcer_stop (fuse->announcer);
    kt_notifier_stop (fuse->notifier);
    kt_notifier_stop (fuse->ahead);
    reply_until_ended (fuse);
  }
  if (fuse->source != 0)
    g_source_remove (fuse->source);
  if (fuse->notifier != NULL) {
    kt_notifier_join (fuse->notifier);
    kt_notifier_join (fuse->ahead);
    kt_announcer_join (fuse->announcer);
  }
  fuse_session_unmount (fuse->session);
  fuse_session_destroy (fuse->session);
  g_hash_table_unref (fuse->listings);
  free (fuse->buffer.mem);
  g_free (fuse->counters);
  g_free (fuse->durations);
  g_free (fuse);
}
