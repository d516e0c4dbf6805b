/* SPDX-License-Identifier: MIT */
#include "kt-options.h"

#include "base/kt-error.h"
#include "kt-config-type.h"

#include <string.h>

#define NO_ENDPOINT "none" /* mount(8) and fstab need a word where the endpoint stands */

/* Splits at commas; "\," is a comma that does not split, as in libfuse. */
static void
add_list (KtOptions *options, const char *list)
{
  g_autoptr (GString) option = g_string_new (NULL);

  for (const char *p = list;; p++) {
    if (*p == '\\' && p[1] != '\0') {
      g_string_append_c (option, *++p);
    } else if (*p != ',' && *p != '\0') {
      g_string_append_c (option, *p);
    } else {
      if (g_str_has_prefix (option->str, "config=")) {
        g_free (options->config_path);
        options->config_path = g_strdup (option->str + strlen ("config="));
      } else if (option->len > 0) {
        gboolean is_key = kt_config_is_key (option->str);
        g_ptr_array_add (is_key ? options->config_options : options->fuse_options,
                         is_key ? kt_config_option (option->str) : g_strdup (option->str));
      }
      g_string_truncate (option, 0);
    }
    if (*p == '\0')
      return;
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
  if (options->check) {
    options->endpoint = n == 1 ? g_strdup (arguments[0]) : NULL;
    return TRUE;
  }
  if (n == 2 && !g_str_equal (arguments[0], NO_ENDPOINT))
    options->endpoint = g_strdup (arguments[0]);
  options->mountpoint = g_strdup (arguments[n - 1]);
  return TRUE;
}

/* It is read again from another working directory. */
static gboolean
fix_config_path (KtOptions *options, GError **error)
{
  g_autofree char *given = g_steal_pointer (&options->config_path);

  options->config_path = given != NULL ? kt_path_absolute (given, NULL, error) : NULL;
  if (given == NULL || options->config_path != NULL)
    return TRUE;
  g_prefix_error (error, "-o config: ");
  return FALSE;
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
  g_autofree char *help = kt_config_help ();
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
    add_list (options, *list);
  if (!take_arguments (options, arguments, error) || !fix_config_path (options, error))
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
