/* SPDX-License-Identifier: MIT */
/* Reads the command line. */
#include "kt-options.h"

#include "base/kt-error.h"
#include "base/kt-nearest.h"
#include "kt-config-type.h"

#include <string.h>

#define NO_ENDPOINT   "none" /* mount(8) and fstab need a word where the endpoint stands */
#define CONFIG        "config"
#define LONGEST_SHOWN 64 /* of an option's name */
#define HELP_WIDTH    64

/* What -o takes besides the configuration's keys. */
typedef enum {
  OPTION_FUSE,  /* libfuse does it */
  OPTION_MOUNT, /* mount(8), fstab and systemd have done it, or nothing is left to do: it goes no further */
} Doer;

static const struct {
  const char *name; /* "x-": all that begin so */
  gboolean has_value;
  Doer doer;
} mount_options[] = {
  { "allow_other", FALSE, OPTION_FUSE },
  { "allow_root", FALSE, OPTION_FUSE },
  { "auto_unmount", FALSE, OPTION_FUSE },
  { "default_permissions", FALSE, OPTION_FUSE },
  { "fsname", TRUE, OPTION_FUSE },
  { "subtype", TRUE, OPTION_FUSE },
  { "max_read", TRUE, OPTION_FUSE },
  { "debug", FALSE, OPTION_FUSE },
  { "ro", FALSE, OPTION_FUSE },
  { "rw", FALSE, OPTION_FUSE },
  { "suid", FALSE, OPTION_FUSE },
  { "nosuid", FALSE, OPTION_FUSE },
  { "dev", FALSE, OPTION_FUSE },
  { "nodev", FALSE, OPTION_FUSE },
  { "exec", FALSE, OPTION_FUSE },
  { "noexec", FALSE, OPTION_FUSE },
  { "sync", FALSE, OPTION_FUSE },
  { "async", FALSE, OPTION_FUSE },
  { "dirsync", FALSE, OPTION_FUSE },
  { "atime", FALSE, OPTION_FUSE },
  { "noatime", FALSE, OPTION_FUSE },
  { "context", TRUE, OPTION_FUSE },
  { "fscontext", TRUE, OPTION_FUSE },
  { "defcontext", TRUE, OPTION_FUSE },
  { "rootcontext", TRUE, OPTION_FUSE },
  /* access times are never written */
  { "diratime", FALSE, OPTION_MOUNT },
  { "nodiratime", FALSE, OPTION_MOUNT },
  { "relatime", FALSE, OPTION_MOUNT },
  { "norelatime", FALSE, OPTION_MOUNT },
  { "strictatime", FALSE, OPTION_MOUNT },
  { "nostrictatime", FALSE, OPTION_MOUNT },
  { "lazytime", FALSE, OPTION_MOUNT },
  { "nolazytime", FALSE, OPTION_MOUNT },
  { "defaults", FALSE, OPTION_MOUNT },
  { "auto", FALSE, OPTION_MOUNT },
  { "noauto", FALSE, OPTION_MOUNT },
  { "nofail", FALSE, OPTION_MOUNT },
  { "_netdev", FALSE, OPTION_MOUNT },
  { "user", FALSE, OPTION_MOUNT },
  { "user", TRUE, OPTION_MOUNT },
  { "nouser", FALSE, OPTION_MOUNT },
  { "users", FALSE, OPTION_MOUNT },
  { "nousers", FALSE, OPTION_MOUNT },
  { "owner", FALSE, OPTION_MOUNT },
  { "noowner", FALSE, OPTION_MOUNT },
  { "group", FALSE, OPTION_MOUNT },
  { "nogroup", FALSE, OPTION_MOUNT },
  { "comment", TRUE, OPTION_MOUNT },
  { "nonempty", FALSE, OPTION_MOUNT }, /* of FUSE 2; so it is always now */
  { "x-", FALSE, OPTION_MOUNT },
  { "X-", FALSE, OPTION_MOUNT },
};

static gboolean
is_prefix (const char *name)
{
  return g_str_has_suffix (name, "-");
}

static gboolean
bad (const char *name, const char *what, const char *more, GError **error)
{
  g_set_error (error, KT_ERROR, KT_ERROR_USAGE, "-o %.*s: %s%s", LONGEST_SHOWN, name, what, more);
  return FALSE;
}

/* The value is not shown: it may be a secret that somebody thought an option takes. */
static gboolean
unknown (const char *name, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *hint = NULL;
  const char *nearest;

  g_ptr_array_add (names, g_strdup (CONFIG));
  kt_config_add_names (names);
  for (gsize i = 0; i < G_N_ELEMENTS (mount_options); i++)
    if (!is_prefix (mount_options[i].name))
      g_ptr_array_add (names, g_strdup (mount_options[i].name));
  nearest = kt_nearest (name, names);
  hint = nearest != NULL ? g_strdup_printf ("did you mean %s?", nearest) : g_strdup ("kootaskfs --help lists them");
  return bad (name, "unknown option; ", hint, error);
}

/* NAME is no key of the configuration; VALUE is NULL when it has none. */
static gboolean
take_mount_option (KtOptions *options, const char *option, const char *name, const char *value, GError **error)
{
  gboolean known = FALSE;

  for (gsize i = 0; i < G_N_ELEMENTS (mount_options); i++) {
    if (is_prefix (mount_options[i].name) && g_str_has_prefix (name, mount_options[i].name))
      return TRUE;
    if (!g_str_equal (mount_options[i].name, name))
      continue;
    known = TRUE;
    if (mount_options[i].has_value != (value != NULL && value[0] != '\0'))
      continue;
    if (mount_options[i].doer == OPTION_FUSE)
      g_ptr_array_add (options->fuse_options, g_strdup (option));
    return TRUE;
  }
  if (!known)
    return unknown (name, error);
  return bad (name, value != NULL && value[0] != '\0' ? "takes no value" : "expected a value", "", error);
}

static gboolean
take_option (KtOptions *options, const char *option, GError **error)
{
  const char *equals = strchr (option, '=');
  const char *value = equals != NULL ? equals + 1 : NULL;
  g_autofree char *name = g_strndup (option, strcspn (option, "="));
  g_autofree char *setting = NULL;
  g_autoptr (GError) why = NULL;

  if (option[0] == '\0')
    return TRUE;
  if (g_str_equal (name, CONFIG)) {
    if (value == NULL || value[0] == '\0')
      return bad (name, "expected a value", ": the configuration file", error);
    g_free (options->config_path);
    options->config_path = kt_path_absolute (value, NULL, error); /* it is read again from another directory */
    if (options->config_path == NULL)
      g_prefix_error (error, "-o " CONFIG ": ");
    return options->config_path != NULL;
  }
  setting = kt_config_option (option, &why);
  if (setting != NULL) {
    g_ptr_array_add (options->config_options, g_steal_pointer (&setting));
    return TRUE;
  }
  if (why != NULL) {
    g_propagate_error (error, g_steal_pointer (&why));
    return FALSE;
  }
  return take_mount_option (options, option, name, value, error);
}

/* Splits at commas; "\," is a comma that does not split, as in libfuse. */
static gboolean
add_list (KtOptions *options, const char *list, GError **error)
{
  g_autoptr (GString) option = g_string_new (NULL);

  for (const char *p = list;; p++) {
    if (*p == '\\' && p[1] != '\0') {
      g_string_append_c (option, *++p);
    } else if (*p != ',' && *p != '\0') {
      g_string_append_c (option, *p);
    } else {
      if (!take_option (options, option->str, error))
        return FALSE;
      g_string_truncate (option, 0);
    }
    if (*p == '\0')
      return TRUE;
  }
}

static gboolean
take_arguments (KtOptions *options, char **arguments, GError **error)
{
  guint n = arguments != NULL ? g_strv_length (arguments) : 0;

  if (options->version)
    return TRUE;
  if (options->check ? n > 1 : n < 1 || n > 2) {
    g_set_error (error, KT_ERROR, KT_ERROR_USAGE, "expected [ENDPOINT]%s, got %u arguments; see kootaskfs --help",
                 options->check ? "" : " MOUNTPOINT", n);
    return FALSE;
  }
  if (n == (options->check ? 1 : 2) && !g_str_equal (arguments[0], NO_ENDPOINT))
    options->endpoint = g_strdup (arguments[0]);
  if (!options->check)
    options->mountpoint = g_strdup (arguments[n - 1]);
  return TRUE;
}

/* What -o takes, for --help. (transfer full) */
static char *
help_text (void)
{
  g_autofree char *keys = kt_config_help ();
  GString *out =
      g_string_new ("-o config=FILE names the configuration file. These options of FUSE, mount(8) and systemd are "
                    "taken too:\n");
  gsize column = 0;

  for (gsize i = 0; i < G_N_ELEMENTS (mount_options); i++) {
    const char *name = mount_options[i].name;
    const gsize start = out->len;
    if (column == 0)
      g_string_append (out, " ");
    g_string_append_printf (out, " %s%s", name, mount_options[i].has_value ? "=VALUE" : is_prefix (name) ? "*" : "");
    column += out->len - start;
    if (column > HELP_WIDTH || i + 1 == G_N_ELEMENTS (mount_options)) {
      g_string_append_c (out, '\n');
      column = 0;
    }
  }
  g_string_append_printf (out, "\n%s", keys);
  return g_string_free (out, FALSE);
}

/* ARGV with "-oLIST" as "-o LIST", which GOption does not know. NULL-terminated; the strings are those of ARGV. */
static char **
split_attached (int *argc, char **argv)
{
  GPtrArray *split = g_ptr_array_new ();
  gboolean options = TRUE;

  for (int i = 0; i < *argc; i++) {
    options &= !g_str_equal (argv[i], "--");
    if (options && g_str_has_prefix (argv[i], "-o") && argv[i][2] != '\0') {
      g_ptr_array_add (split, "-o");
      g_ptr_array_add (split, argv[i] + 2);
    } else {
      g_ptr_array_add (split, argv[i]);
    }
  }
  *argc = (int) split->len;
  g_ptr_array_add (split, NULL);
  return (char **) g_ptr_array_free (split, FALSE);
}

KtOptions *
kt_options_parse (int argc, char **argv, GError **error)
{
  g_autoptr (KtOptions) options = g_new0 (KtOptions, 1);
  g_auto (GStrv) lists = NULL;
  g_auto (GStrv) arguments = NULL;
  const GOptionEntry entries[] = {
    { "foreground", 'f', 0, G_OPTION_ARG_NONE, &options->foreground, "Stay in the foreground, log to stderr", NULL },
    { "debug", 'd', 0, G_OPTION_ARG_NONE, &options->debug, "As -f, and log every operation", NULL },
    { "options", 'o', 0, G_OPTION_ARG_STRING_ARRAY, &lists, "Mount options: config=FILE, keys below, FUSE's own",
      "OPT[,OPT...]" },
    { "check", 0, 0, G_OPTION_ARG_NONE, &options->check, "Ask the service once, say in words what works, and end",
      NULL },
    { "version", 'V', 0, G_OPTION_ARG_NONE, &options->version, "Print the version", NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &arguments, NULL, "[ENDPOINT] MOUNTPOINT" },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autofree char *help = help_text ();
  g_autofree char **split = split_attached (&argc, argv);
  char **rest = split;
  g_autoptr (GError) why = NULL;

  options->config_options = g_ptr_array_new_with_free_func (g_free);
  options->fuse_options = g_ptr_array_new_with_free_func (g_free);
  g_option_context_set_summary (context, "Mounts the tasks of a KooDrive account as files.");
  g_option_context_set_description (context, help);
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &rest, &why)) {
    g_set_error_literal (error, KT_ERROR, KT_ERROR_USAGE, why->message);
    return NULL;
  }
  for (char **list = lists; list != NULL && *list != NULL; list++)
    if (!add_list (options, *list, error))
      return NULL;
  if (!take_arguments (options, arguments, error))
    return NULL;
  g_ptr_array_add (options->config_options, NULL);
  g_ptr_array_add (options->fuse_options, NULL);
  options->foreground |= options->debug;
  return g_steal_pointer (&options);
}

KtConfig *
kt_options_load_config (const KtOptions *options, GError **error)
{
  return kt_config_load (options->config_path, (char **) options->config_options->pdata, options->endpoint, error);
}

void
kt_options_free (KtOptions *options)
{
  if (options == NULL)
    return;
  g_free (options->config_path);
  g_free (options->endpoint);
  g_free (options->mountpoint);
  g_ptr_array_unref (options->config_options);
  g_ptr_array_unref (options->fuse_options);
  g_free (options);
}
