/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

/* How a kind of value of the configuration is read and written. PARSE leaves *FIELD alone when it fails
 * (KT_ERROR_CONFIG says what was expected); FORMAT gives NULL for a value that is not set. */
typedef struct {
  gboolean (*parse) (const char *text, gpointer field, GError **error);
  char *(*format) (gconstpointer field);
  gboolean is_text; /* the field is a char *, allocated */
} KtConfigType;

extern const KtConfigType kt_type_string;
extern const KtConfigType kt_type_path; /* expects kt_path_absolute() */
extern const KtConfigType kt_type_id;
extern const KtConfigType kt_type_name;
extern const KtConfigType kt_type_language;
extern const KtConfigType kt_type_endpoint;
extern const KtConfigType kt_type_zone;
extern const KtConfigType kt_type_proxy;
extern const KtConfigType kt_type_duration;
extern const KtConfigType kt_type_deadline;
extern const KtConfigType kt_type_events_memory;
extern const KtConfigType kt_type_size;
extern const KtConfigType kt_type_concurrency;
extern const KtConfigType kt_type_rate;
extern const KtConfigType kt_type_boolean;
extern const KtConfigType kt_type_secret;
extern const KtConfigType kt_type_scheme;
extern const KtConfigType kt_type_families;

/* PATH as an absolute one; what is relative is of DIRECTORY, NULL for the working directory. (transfer full) */
char *kt_path_under (const char *path, const char *directory);

/* TEXT as an absolute path: "~" and "~/..." are of $HOME, or else the home of this user; what is relative is of
 * DIRECTORY, NULL for the working directory. "~user" is KT_ERROR_CONFIG. (transfer full) */
char *kt_path_absolute (const char *text, const char *directory, GError **error);

/* Whether somebody has written a comment behind the value, as other configuration files have them. */
gboolean kt_has_comment (const char *text);
